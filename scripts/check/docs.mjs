import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { pageWithPresets, PAGE } from '../presets/docs.mjs'
import { run, schedule } from './run.mjs'

const OUT = '.cache/docs'

/**
 * The ```ts blocks of a Markdown text. `<!-- with: ... -->` right above a block gives it a hidden preamble,
 * `<!-- run -->` has it executed too. `line` is the line of the fence, from 1.
 */
export function blocksOf(markdown) {
  const lines = markdown.split('\n')
  const blocks = []
  for (let at = 0; at < lines.length; at++) {
    const fence = /^(\s*)(`{3,}|~{3,})\s*(\S*)/.exec(lines[at])
    if (fence === null) continue
    const [, indent, mark, language] = fence
    const closing = new RegExp(`^\\s*${mark[0]}{${mark.length},}\\s*$`)
    const end = lines.findIndex((line, i) => i > at && closing.test(line))
    if (end < 0) throw new Error(`the fence of line ${at + 1} is never closed`)
    if (language === 'ts' || language === 'typescript') blocks.push({ line: at + 1, ...notesAbove(lines, at), code: lines.slice(at + 1, end).map(line => (line.startsWith(indent) ? line.slice(indent.length) : line)).join('\n') })
    at = end
  }
  return blocks
}

function notesAbove(lines, fenceAt) {
  const preamble = []
  let execute = false
  for (let at = fenceAt - 1; at >= 0; at--) {
    const [, word, rest] = /^\s*<!--\s*(with:|run)\s*(.*?)\s*-->\s*$/.exec(lines[at]) ?? []
    if (word === undefined) break
    if (word === 'run') execute = true
    else preamble.unshift(rest)
  }
  return { preamble: preamble.join('; '), run: execute }
}

/** A module that has each line of the block where the document has it, so an error's line is the document's. */
export function moduleOf({ line, preamble, code }) {
  return `${'\n'.repeat(line - 1)}export {}; ${preamble}\n${code}\n`
}

function documents(root) {
  const below = folder => (existsSync(folder) ? readdirSync(folder, { recursive: true }).map(name => join(folder, String(name))) : [])
  return ['README.md', ...below('docs')].filter(path => path.endsWith('.md') && existsSync(resolve(root, path))).sort()
}

async function main() {
  rmSync(OUT, { recursive: true, force: true })
  mkdirSync(OUT, { recursive: true })
  const found = documents('.').flatMap(path => blocksOf(readFileSync(path, 'utf8')).map((block, i) => ({ ...block, path, file: join(OUT, `${path.replace(/[^\w-]+/g, '_')}_${i + 1}.ts`) })))
  for (const block of found) writeFileSync(block.file, moduleOf(block))
  if (found.length === 0) return console.log('no ts blocks found')
  const up = relative(OUT, '.')
  writeFileSync(join(OUT, 'tsconfig.json'), JSON.stringify({ extends: `${up}/tsconfig.json`, include: ['*.ts'] }))
  const named = text => found.reduce((out, block) => out.replaceAll(block.file, block.path), text)
  const types = await run('tsc', ['--noEmit', '-p', OUT])
  if (types.code !== 0) console.log(named(types.output).trimEnd())
  let failed = types.code !== 0
  if ((await pageWithPresets()) !== readFileSync(PAGE, 'utf8')) {
    failed = true
    console.log(`${PAGE}: the table of presets is not up to date. Run npm run presets.`)
  }
  const runs = found.filter(block => block.run).map(block => ({ ...block, name: block.file }))
  await schedule(runs, block => run('tsx', [block.file], { timeoutMs: 30_000 }), (block, { code, output }) => {
    if (code === 0) return
    failed = true
    console.log(`${block.path}:${block.line} exits with ${code}\n${named(output).trimEnd()}`)
  })
  console.log(`${found.length} blocks checked, ${runs.length} run`)
  process.exitCode = failed ? 1 : 0
}

if (process.argv[1]?.endsWith('docs.mjs')) await main()
