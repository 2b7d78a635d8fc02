import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** Bytes, minified and gzipped, of everything an import loads at once; what a dynamic import loads later counts apart. */
const ENTRIES = [
  { name: 'sallyport (node)', entry: 'dist/index.js', platform: 'dist/platform-node.js', limit: 40_000 },
  { name: 'sallyport (web)', entry: 'dist/index.js', platform: 'dist/platform-web.js', limit: 40_000, web: true },
  { name: 'sallyport/testing', entry: 'dist/testing.js', platform: 'dist/platform-node.js', limit: 40_000 },
  { name: 'sallyport/audit', entry: 'dist/audit.js', platform: 'dist/platform-web.js', limit: 8_000, web: true },
  { name: 'sallyport/guard', entry: 'dist/guard.js', platform: 'dist/platform-web.js', limit: 9_000, web: true },
  { name: 'sallyport/pii', entry: 'dist/pii.js', platform: 'dist/platform-web.js', limit: 57_000, web: true },
  { name: 'sallyport/redis', entry: 'dist/redis.js', platform: 'dist/platform-web.js', limit: 12_000, web: true },
  { name: 'sallyport/sqlite', entry: 'dist/sqlite.js', platform: 'dist/platform-node.js', limit: 12_000 },
  { name: 'sallyport/vertex', entry: 'dist/vertex.js', platform: 'dist/platform-web.js', limit: 12_000, web: true },
  { name: 'sallyport/bedrock', entry: 'dist/bedrock.js', platform: 'dist/platform-web.js', limit: 8_000, web: true },
  { name: 'sallyport/ai-sdk', entry: 'dist/ai-sdk.js', platform: 'dist/platform-web.js', limit: 10_000, web: true },
]

async function weigh({ entry, platform }) {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2023',
    minify: true,
    write: false,
    metafile: true,
    outdir: '.cache/size',
    logLevel: 'silent',
    external: ['node:*'],
    plugins: [{ name: 'platform', setup: api => api.onResolve({ filter: /^#platform$/ }, () => ({ path: `${process.cwd()}/${platform}` })) }],
  })
  const outputs = metafile.outputs
  const first = Object.keys(outputs).find(name => outputs[name].entryPoint === entry)
  const now = new Set()
  const walk = name => {
    if (now.has(name) || outputs[name] === undefined) return
    now.add(name)
    for (const { path, kind } of outputs[name].imports) if (kind === 'import-statement') walk(path)
  }
  walk(first)
  const bytes = names => outputFiles.filter(file => names.has(file.path.slice(process.cwd().length + 1))).reduce((sum, file) => sum + gzipSync(file.contents, { level: 9 }).length, 0)
  const rest = new Set(Object.keys(outputs).filter(name => !now.has(name)))
  const node = [...now].flatMap(name => outputs[name].imports.filter(({ external, kind }) => external && kind === 'import-statement').map(({ path }) => path))
  return { first: bytes(now), later: bytes(rest), node }
}

/** Minified bytes by folder or package of what `import 'sallyport'` loads, heaviest first: where to look when it is too much. */
async function why() {
  const { metafile } = await build({
    entryPoints: ['src/index.ts'],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    conditions: ['browser'],
    minify: true,
    write: false,
    metafile: true,
    outdir: '.cache/size',
    logLevel: 'silent',
    external: ['node:*', '#platform'],
  })
  const output = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint === 'src/index.ts')
  const sums = new Map()
  for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
    const group = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? input.split('/').slice(0, 3).join('/')
    sums.set(group, (sums.get(group) ?? 0) + bytesInOutput)
  }
  for (const [group, bytes] of [...sums].sort((a, b) => b[1] - a[1]).slice(0, 40)) console.log(`${bytes.toLocaleString('en').padStart(10)}  ${group}`)
}

if (process.argv.includes('--why')) await why()
const { name: packageName } = JSON.parse(readFileSync('package.json', 'utf8'))
console.log(`${`${packageName}: gzip bytes`.padEnd(22)}   at once     later     limit`)
let failed = false
for (const row of ENTRIES) {
  const { first, later, node } = await weigh(row)
  const over = first > row.limit
  failed ||= over || (row.web === true && node.length > 0)
  const column = value => value.toLocaleString('en').padStart(10)
  console.log(`${row.name.padEnd(22)}${column(first)}${column(later)}${column(row.limit)}${over ? '  over the limit' : ''}`)
  if (row.web === true && node.length > 0) console.log(`  needs ${[...new Set(node)].join(', ')} where there is no Node`)
}
process.exitCode = failed ? 1 : 0
