import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { auditLog, type AuditLogOptions } from '../../src/plugins/audit.js'
import { verifyAudit, virtualClock } from '../../src/testing/index.js'
import { record } from './log-helpers.js'

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-audit-'))
  path = join(folder, 'audit.jsonl')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const all = async () => (await readdir(folder)).map(name => join(folder, name))

function started(file: string, options: AuditLogOptions = {}, mark = 'm') {
  const log = auditLog(file, options)
  log.start({ clock: virtualClock(), defer: fn => void setImmediate(fn), mark })
  return log
}

it('makes a folder and files that other users cannot read, rotated ones too', async () => {
  const deep = join(folder, 'a', 'b', 'audit.jsonl')
  const log = started(deep, { maxBytes: 300 })
  log.observe(record(1))
  await log.close()
  const names = await readdir(join(folder, 'a', 'b'))
  expect(names.sort()).toEqual(['audit.20260101T000000.000Z-1.jsonl', 'audit.20260101T000000.000Z.jsonl', 'audit.jsonl'])
  for (const name of names) expect((await stat(join(folder, 'a', 'b', name))).mode & 0o777).toBe(0o600)
  expect((await stat(join(folder, 'a', 'b'))).mode & 0o077).toBe(0)
})

it('no file grows past maxBytes, and the chain goes on over all of them', async () => {
  const log = started(path, { maxBytes: 2_000 })
  for (let i = 0; i < 30; i++) log.observe(record(i))
  await log.close()
  const paths = await all()
  expect(paths.length).toBeGreaterThan(5)
  for (const one of paths) expect((await stat(one)).size).toBeLessThanOrEqual(2_000)
  expect(await verifyAudit(paths)).toMatchObject({ ok: true, lines: 32, chains: [{ entries: 32, closed: true, first: { seq: 1 }, last: { seq: 32 } }] })
  expect(await verifyAudit([...paths].reverse())).toMatchObject({ ok: true })
})

it('a restarted process adds a chain to the file it finds', async () => {
  await started(path, {}, 'first').close()
  await started(path, {}, 'second').close()
  expect(await verifyAudit(path)).toMatchObject({ ok: true, lines: 4, chains: [{ chain: 'first', closed: true }, { chain: 'second', closed: true }] })
})

const WRITER = `
const [, path, mark] = process.argv
const { auditLog } = await import(${JSON.stringify(pathToFileURL(join(process.cwd(), 'src/plugins/audit.ts')).href)})
const log = auditLog(path, { maxBytes: 20_000 })
log.start({ clock: { now: () => Date.now(), after: (ms, fn) => { const id = setTimeout(fn, ms); return { cancel: () => clearTimeout(id) } } }, defer: setImmediate, mark })
for (let i = 0; i < 40; i++) {
  for (let n = 0; n < 5; n++) log.change({ change: 'key.update', id: String(i) })
  await log.flush()
}
await log.close()
if (log.dropped() > 0) process.exit(1)
`

it('processes that share a file and rotate it under each other lose and break nothing', { timeout: 60_000 }, async () => {
  const run = (mark: string) =>
    new Promise<number | null>(resolve => {
      spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', WRITER, path, mark], { stdio: 'inherit' }).on('close', resolve)
    })
  expect(await Promise.all(['a', 'b', 'c'].map(run))).toEqual([0, 0, 0])
  const paths = await all()
  expect(paths.length).toBeGreaterThan(3)
  const verdict = await verifyAudit(paths)
  expect(verdict.firstBroken).toBeUndefined()
  expect(verdict.chains.map(({ chain, entries, closed, lost }) => [chain, entries, closed, lost]).sort()).toEqual(['a', 'b', 'c'].map(chain => [chain, 202, true, 0]))
  for (const one of paths) expect(await readFile(one, 'utf8')).not.toBe('')
})
