import type { FileHandle } from 'node:fs/promises'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { auditLog, type AuditLogOptions } from '../../src/plugins/audit.js'
import { verifyAudit, virtualClock } from '../../src/testing/index.js'
import { record, settle, watched } from './log-helpers.js'

type Write = (bytes: Uint8Array) => Promise<{ bytesWritten: number }>
const disk = vi.hoisted(() => ({
  open: 0,
  syncs: 0,
  openFails: false,
  syncFails: false,
  renameFails: false,
  write: undefined as ((write: Write, bytes: Uint8Array) => Promise<{ bytesWritten: number }>) | undefined,
}))
vi.mock(import('node:fs/promises'), async original => {
  const fs = await original()
  const open = async (...args: Parameters<typeof fs.open>): Promise<FileHandle> => {
    if (disk.openFails) throw new Error('no disk')
    const handle = await fs.open(...args)
    disk.open++
    const { close, sync } = handle
    const write = (handle.write as unknown as Write).bind(handle)
    return Object.assign(handle, {
      close: () => {
        disk.open--
        return close.call(handle)
      },
      sync: () => {
        disk.syncs++
        return disk.syncFails ? Promise.reject(new Error('no sync')) : sync.call(handle)
      },
      write: (bytes: Uint8Array) => (disk.write ?? ((all, some) => all(some)))(write, bytes),
    }) as FileHandle
  }
  return { ...fs, open, rename: (from, to) => (disk.renameFails ? Promise.reject(new Error('no rename')) : fs.rename(from, to)) }
})

let folder: string
let path: string

beforeEach(async () => {
  Object.assign(disk, { open: 0, syncs: 0, openFails: false, syncFails: false, renameFails: false, write: undefined })
  folder = await mkdtemp(join(tmpdir(), 'sallyport-audit-'))
  path = join(folder, 'audit.jsonl')
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
  // Nothing is left open, whatever happened.
  expect(disk.open).toBe(0)
})

const defer = (fn: () => void) => void setImmediate(fn)
type Loose = { readonly [key: string]: unknown }
const entries = async () => (await readFile(path, 'utf8')).trimEnd().split('\n').map(line => JSON.parse(line) as Loose)
const all = async () => (await readdir(folder)).map(name => join(folder, name))
const until = async (done: () => boolean | Promise<boolean>) => {
  // Real time: the disk is real.
  for (let i = 0; i < 5_000 && !(await done()); i++) await new Promise(resolve => setTimeout(resolve, 1))
}

function started(options: AuditLogOptions = {}, mark = 'm') {
  const clock = virtualClock()
  const log = auditLog(path, options)
  log.start({ clock, defer, mark })
  return { clock, log }
}

describe('a disk that fails', () => {
  it('holds up nobody, and what was waiting is written once it works again', async () => {
    disk.openFails = true
    const { clock, log } = started()
    log.observe(record(1))
    const flushed = await watched(log.flush())
    await clock.advance(4_000)
    expect(flushed()).toBe(false)
    await clock.advance(1_000)
    expect(flushed()).toBe(true)
    disk.openFails = false
    log.observe(record(2))
    await log.close()
    expect((await entries()).map(entry => entry['id'])).toEqual([undefined, '1', '2', undefined])
    expect(log.dropped()).toBe(0)
    expect(await verifyAudit(path)).toMatchObject({ ok: true, chains: [{ closed: true, lost: 0 }] })
    expect(clock.pending).toBe(0)
  })

  it('a full buffer loses the newest, counts them, and the chain says how many and where', async () => {
    disk.openFails = true
    const { clock, log } = started({ maxBuffered: 4 })
    for (let i = 1; i <= 8; i++) log.observe(record(i))
    expect(log.dropped()).toBe(5)
    await clock.advance(1_000)
    disk.openFails = false
    await log.flush()
    log.observe(record(9))
    await log.close()
    expect((await entries()).map(({ kind, id, lost }) => [kind, id, lost])).toEqual([
      ['open', undefined, undefined],
      ['call', '1', undefined],
      ['call', '2', undefined],
      ['call', '3', undefined],
      ['call', '9', 5],
      ['close', undefined, undefined],
    ])
    expect(await verifyAudit(path)).toMatchObject({ ok: true, chains: [{ lost: 5 }] })
  })

  it('what is lost last is said by the close line, which has a place beyond the bound', async () => {
    const { log } = started({ maxBuffered: 2 })
    for (let i = 1; i <= 4; i++) log.observe(record(i))
    await log.close()
    expect((await entries()).at(-1)).toMatchObject({ kind: 'close', lost: 3 })
    log.observe(record(5))
    expect(log.dropped()).toBe(4)
  })

  it('close gives up after five seconds and counts what it leaves behind', async () => {
    disk.openFails = true
    const { clock, log } = started()
    log.observe(record(1))
    log.observe(record(2))
    const closed = log.close()
    expect(log.close()).toBe(closed)
    await clock.advance(5_000)
    await closed
    expect(log.dropped()).toBe(2)
    expect(clock.pending).toBe(0)
  })

  it('it is not asked for ever: no timer keeps a process alive, and the next entry tries again', async () => {
    disk.openFails = true
    const { clock, log } = started()
    expect(await clock.runUntilIdle()).toBe(true)
    disk.openFails = false
    log.observe(record(1))
    expect(clock.pending).toBe(1)
    await until(async () => {
      await clock.runUntilIdle()
      return disk.open === 0 && (await readdir(folder)).length > 0 && (await entries()).length === 2
    })
    expect(await entries()).toHaveLength(2)
    await log.close()
  })

  it('a write that hangs delays neither calls nor the close', async () => {
    let release: (() => void) | undefined
    disk.write = async (write, bytes) => {
      await new Promise<void>(resolve => (release = resolve))
      return write(bytes)
    }
    const { clock, log } = started()
    log.observe(record(1))
    const closed = log.close()
    await until(() => release !== undefined)
    await clock.advance(5_000)
    await closed
    expect(log.dropped()).toBe(1)
    expect(clock.pending).toBe(0)
    release?.()
    await until(() => disk.open === 0)
    expect(log.dropped()).toBe(1)
  })
})

describe('a write that fails half way', () => {
  const failing = (after: (write: Write, bytes: Uint8Array) => Promise<unknown>) => {
    disk.write = async (write, bytes) => {
      disk.write = undefined
      await after(write, bytes)
      throw new Error('disk full')
    }
  }

  it.each<[string, (write: Write, bytes: Uint8Array) => Promise<unknown>]>([
    ['nothing of it is there', async () => undefined],
    ['a piece of it is there', (write, bytes) => write(bytes.subarray(0, 150))],
    ['half a letter of it is there', (write, bytes) => write(bytes.subarray(0, bytes.indexOf(0xc3) + 1))],
    ['all of it is there', (write, bytes) => write(bytes)],
  ])('is completed, not repeated: %s', async (_, after) => {
    const { clock, log } = started()
    log.observe(record(1, { model: 'é' }))
    failing(after)
    const closed = log.close()
    await until(() => clock.pending === 2)
    await clock.advance(250)
    await closed
    expect(await entries()).toHaveLength(3)
    expect(await verifyAudit(path)).toMatchObject({ ok: true, chains: [{ entries: 3, closed: true }] })
    expect(log.dropped()).toBe(0)
  })

  it('short writes are gone on with', async () => {
    disk.write = (write, bytes) => write(bytes.subarray(0, 100))
    const { log } = started()
    log.observe(record(1))
    await log.close()
    expect(await verifyAudit(path)).toMatchObject({ ok: true, lines: 3 })
  })

  it('a piece another process wrote behind is left, and the verifier names it', async () => {
    const { clock, log } = started()
    failing((write, bytes) => write(bytes.subarray(0, 100)))
    void log.flush()
    await until(() => clock.pending === 2)
    const other = started({}, 'other')
    await other.log.close()
    await clock.advance(250)
    await log.close()
    const verdict = await verifyAudit(path)
    expect(verdict).toMatchObject({ ok: false, firstBroken: { line: 1, why: /cut short/ } })
    expect(verdict.chains.map(({ chain, entries: count, closed }) => [chain, count, closed])).toEqual([['m', 2, true], ['other', 2, true]])
  })

  it('a line that a crash cut short does not swallow the next one', async () => {
    await writeFile(path, '{"v":1,"cha')
    const { log } = started()
    await log.close()
    expect(await verifyAudit(path)).toMatchObject({ ok: false, lines: 3, chains: [{ entries: 2, closed: true }], firstBroken: { line: 1 } })
  })
})

describe('on the disk', () => {
  it('flush and close resolve when the file is synced, and not before', async () => {
    const { log, clock } = started()
    disk.syncFails = true
    const flushed = await watched(log.flush())
    await until(() => clock.pending === 2)
    expect(flushed()).toBe(false)
    disk.syncFails = false
    await clock.advance(250)
    await until(flushed)
    expect(flushed()).toBe(true)
    const before = disk.syncs
    await log.close()
    expect(disk.syncs).toBeGreaterThan(before)
    expect(await verifyAudit(path)).toMatchObject({ ok: true, lines: 2 })
  })

  it('a folder where files cannot be renamed makes a long file, not a loss', async () => {
    disk.renameFails = true
    const { log } = started({ maxBytes: 500 })
    for (let i = 0; i < 5; i++) log.observe(record(i))
    await log.close()
    expect(await readdir(folder)).toEqual(['audit.jsonl'])
    expect(await verifyAudit(await all())).toMatchObject({ ok: true, lines: 7 })
  })

  it('calls do not wait for the disk, and are written in few writes', async () => {
    let writes = 0
    disk.write = (write, bytes) => {
      writes++
      return write(bytes)
    }
    const { clock, log } = started()
    for (let i = 0; i < 50; i++) log.observe(record(i))
    await settle()
    expect(await readdir(folder)).toEqual([])
    await clock.advance(250)
    await until(() => writes === 1 && disk.open === 0)
    expect(await entries()).toHaveLength(51)
    expect(writes).toBe(1)
    for (let i = 0; i < 120; i++) log.observe(record(i))
    await until(async () => disk.open === 0 && (await entries()).length > 51)
    expect((await entries()).length).toBeGreaterThan(51)
    await log.close()
    expect(await entries()).toHaveLength(172)
    expect(clock.pending).toBe(0)
  })
})
