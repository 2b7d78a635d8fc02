import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { PARTS } from './parts.mjs'
import { run, schedule, seconds } from './run.mjs'
import { ALLOWED, LAW, LINT, PARTS_BROKEN } from './violations.mjs'

const ROOT = process.cwd()
const LEFT_OUT = new Set(['node_modules', '.git', 'bench/node_modules', 'bench/pii/node_modules', '.cache', 'coverage'])
const begun = performance.now()
const rows = []
const row = (part, rule, id, ok, why = '') => rows.push({ part, rule, id, ok, why })
const programOf = name => PARTS.find(part => part.name === name).run

function put(folder, path, text, write = writeFileSync) {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  write(join(folder, path), text)
}

function copyTree(from, to) {
  cpSync(from, to, { recursive: true, filter: path => !LEFT_OUT.has(relative(from, path)) })
  symlinkSync(resolve(ROOT, 'node_modules'), join(to, 'node_modules'))
  return to
}

/** All lint violations in one copy, one file each; the reports are told apart by their file. */
async function proveLint(folder) {
  for (const { file, code } of [...LINT, ...ALLOWED]) put(folder, file, `${code}\n`)
  const [command, args] = programOf('lint')
  const { code, output } = await run(command, [...args, '--format', 'json'], { cwd: folder })
  const reports = new Map(JSON.parse(output.slice(output.indexOf('[{'))).map(({ filePath, messages }) => [relative(folder, filePath), messages]))
  for (const { rule, expect = rule, id = '', says = '', file } of LINT) {
    const messages = reports.get(file) ?? []
    const hit = messages.some(message => message.ruleId === expect && message.severity === 2 && message.message.includes(says))
    row('lint', expect, id, hit && code !== 0, `${file}: ${messages.map(message => message.ruleId ?? message.message).join(', ') || 'nothing reported'}`)
  }
  for (const { id, file } of ALLOWED) {
    const messages = reports.get(file)
    row('lint', '(allowed)', id, messages?.length === 0, `${file}: ${messages?.map(message => message.message).join(', ') ?? 'not looked at'}`)
  }
}

async function proveLaw(folder) {
  for (const { file, code, append, with: others = {} } of LAW) {
    if (code !== undefined) put(folder, file, `${code}\n`)
    if (append !== undefined) put(folder, file, append, appendFileSync)
    for (const [path, text] of Object.entries(others)) put(folder, path, `${text}\n`)
  }
  const [command, args] = programOf('import law')
  const plain = await run(command, args, { cwd: folder })
  const { output } = await run(command, [...args, '--output-type', 'json'], { cwd: folder })
  const { summary } = JSON.parse(output.slice(output.indexOf('{\n')))
  for (const { rule, id = '', file } of LAW) {
    const found = summary.violations.filter(violation => violation.from === file)
    row('import law', rule, id, plain.code !== 0 && found.some(violation => violation.rule.name === rule), `${file}: ${found.map(violation => violation.rule.name).join(', ') || 'nothing reported'}`)
  }
}

async function provePart({ part, before, id, says, write = {}, append = {}, json = {}, remove = [] }, folder) {
  for (const [path, text] of Object.entries(write)) put(folder, path, text)
  for (const [path, text] of Object.entries(append)) put(folder, path, text, appendFileSync)
  for (const [path, change] of Object.entries(json)) put(folder, path, `${JSON.stringify(change(JSON.parse(readFileSync(join(folder, path), 'utf8'))), null, 2)}\n`)
  for (const path of remove) rmSync(join(folder, path))
  const { code, output } = await run('node', ['scripts/check/all.mjs', ...(before === undefined ? [] : [before]), part], { cwd: folder })
  const failed = code === 1 && new RegExp(`^FAILED ${part} `, 'm').test(output) && /^\d passed, 1 failed$/m.test(output)
  row(part, part, id, failed && says.test(output), failed ? `failed, but said\n${output}` : `ended with ${code}\n${output}`)
}

function print() {
  const width = Math.max(...rows.map(({ rule }) => rule.length))
  for (const { part, rule, id, ok, why } of rows) {
    console.log(`${ok ? 'proved' : 'MISSED'}  ${part.padEnd(15)} ${rule.padEnd(width)}  ${id}`)
    if (!ok) console.log(why.replace(/^/gm, '        '))
  }
  const passed = rows.filter(({ ok }) => ok).length
  console.log(`${seconds(performance.now() - begun)}\n${passed} passed, ${rows.length - passed} failed`)
  process.exitCode = passed === rows.length ? 0 : 1
}

const scratch = mkdtempSync(join(tmpdir(), 'check-prove-'))
try {
  const base = copyTree(ROOT, join(scratch, 'base'))
  const built = await run(...programOf('build'), { cwd: base })
  if (built.code !== 0 || !existsSync(join(base, 'dist/index.d.ts'))) throw new Error(`the tree does not build, so nothing can be proved\n${built.output}`)
  const done = { code: 0, output: '' }
  const jobs = [
    { name: 'lint', prove: proveLint },
    { name: 'law', prove: proveLaw },
    ...PARTS_BROKEN.map((broken, i) => ({ name: `part${i}`, prove: folder => provePart(broken, folder) })),
  ]
  await schedule(
    jobs,
    async ({ name, prove }) => {
      await prove(copyTree(base, join(scratch, name)))
      return done
    },
    () => undefined,
  )
  print()
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
