import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { TARBALL } from './parts.mjs'
import { run } from './run.mjs'

const MUST = ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'dist/testing.js', 'dist/testing.d.ts', 'dist/redis.js', 'dist/redis.d.ts', 'dist/audit.js', 'dist/audit.d.ts', 'dist/guard.js', 'dist/guard.d.ts', 'dist/pii.js', 'dist/pii.d.ts', 'dist/sqlite.js', 'dist/sqlite.d.ts', 'dist/vertex.js', 'dist/vertex.d.ts', 'dist/bedrock.js', 'dist/bedrock.d.ts', 'dist/ai-sdk.js', 'dist/ai-sdk.d.ts', 'dist/platform-node.js', 'dist/platform-web.js', 'dist/THIRD-PARTY-LICENSES.txt']
const MAY = /^(dist\/(chunk|[\w-]+)[\w.-]*\.(js|d\.ts)|CHANGELOG\.md)$/

/** What is missing in a tarball, and what does not belong there. */
export function contentProblems(paths) {
  const missing = MUST.filter(path => !paths.includes(path)).map(path => `${path} is missing in the tarball`)
  const strange = paths.filter(path => !MUST.includes(path) && !MAY.test(path)).map(path => `${path} does not belong in the tarball`)
  return [...missing, ...strange]
}

async function main() {
  const folder = dirname(TARBALL)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const { code, output } = await run('npm', ['pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', folder])
  const start = output.indexOf('[\n')
  if (code !== 0 || start < 0) {
    console.log(output)
    process.exitCode = 1
    return
  }
  const [{ filename, files, size }] = JSON.parse(output.slice(start, output.lastIndexOf(']') + 1))
  renameSync(join(folder, filename), TARBALL)
  const problems = contentProblems(files.map(file => file.path))
  for (const problem of problems) console.log(problem)
  console.log(`${files.length} files, ${size.toLocaleString('en')} bytes`)
  process.exitCode = problems.length > 0 ? 1 : 0
}

if (process.argv[1]?.endsWith('pack.mjs')) await main()
