import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { jsonlSink, type JsonlSinkOptions } from '../../src/plugins/jsonl.js'
import { logPlugin } from '../../src/plugins/log.js'
import type { CallRecord } from '../../src/protocol/result.js'
import { CONTENT, HandClock, record } from './log-helpers.js'

const disk = vi.hoisted(() => ({ renameFails: false }))
vi.mock(import('node:fs/promises'), async original => {
  const fs = await original()
  return { ...fs, rename: (from, to) => (disk.renameFails ? Promise.reject(new Error('no rename')) : fs.rename(from, to)) }
})

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-log-'))
  path = join(folder, 'calls.jsonl')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const idsIn = async (file: string) => (await readFile(file, 'utf8')).split('\n').filter(line => line !== '').map(line => (JSON.parse(line) as CallRecord).id)
const allIds = async () => (await Promise.all((await readdir(folder)).map(name => idsIn(join(folder, name))))).flat().map(Number).sort((a, b) => a - b)
const lineBytes = Buffer.byteLength(`${JSON.stringify(record(1))}\n`)

describe('appending', () => {
  it('writes one JSON object per line that reads back as the record', async () => {
    const odd = record(2, { model: 'a\nb\u2028\u0000 "q" 😀' })
    await jsonlSink(path).write([record(1), odd])
    const lines = (await readFile(path, 'utf8')).split('\n')
    expect(lines).toHaveLength(3)
    expect(lines[2]).toBe('')
    expect(JSON.parse(lines[1] ?? '')).toEqual(odd)
  })

  it('keeps what an earlier process wrote', async () => {
    await jsonlSink(path).write([record(1)])
    await jsonlSink(path).write([record(2)])
    expect(await idsIn(path)).toEqual(['1', '2'])
  })

  it('makes a folder and a file that other users cannot read', async () => {
    const deep = join(folder, 'a', 'b', 'calls.jsonl')
    for (const file of [path, deep]) {
      await jsonlSink(file).write([record(1)])
      expect((await stat(file)).mode & 0o777).toBe(0o600)
    }
    expect((await stat(join(folder, 'a', 'b'))).mode & 0o077).toBe(0)
  })

  it('makes the folder again when someone removed it', async () => {
    const deep = join(folder, 'logs', 'calls.jsonl')
    const sink = jsonlSink(deep)
    await sink.write([record(1)])
    await rm(join(folder, 'logs'), { recursive: true })
    await sink.write([record(2)])
    expect(await idsIn(deep)).toEqual(['2'])
  })

  it('does not glue a record to a line that a crash cut short', async () => {
    await writeFile(path, '{"version":1,"id":"ha')
    await jsonlSink(path).write([record(1)])
    const lines = (await readFile(path, 'utf8')).split('\n')
    expect(lines[0]).toBe('{"version":1,"id":"ha')
    expect(JSON.parse(lines[1] ?? '')).toEqual(record(1))
  })

  it('writes that come at once stay whole and in order', async () => {
    const ids = Array.from({ length: 30 }, (_, i) => i + 10)
    const calm = jsonlSink(join(folder, 'calm', 'calls.jsonl'))
    await Promise.all(ids.map(async id => calm.write([record(id)])))
    expect(await idsIn(join(folder, 'calm', 'calls.jsonl'))).toEqual(ids.map(String))
    await rm(join(folder, 'calm'), { recursive: true })
    const sink = jsonlSink(path, { maxBytes: lineBytes * 3 + 3 })
    await Promise.all(ids.map(async id => sink.write([record(id)])))
    expect(await allIds()).toEqual(ids)
    expect(await readdir(folder)).toHaveLength(10)
  })

  it('a record that JSON cannot hold loses its metadata, not its neighbours', async () => {
    const circle: { [key: string]: never } = {}
    Object.assign(circle, { circle })
    await jsonlSink(path).write([record(1), record(2, { metadata: circle }), record(3)])
    expect(await idsIn(path)).toEqual(['1', '2', '3'])
    expect(await readFile(path, 'utf8')).toContain('"omitted":["metadata","content"]')
  })

  it('rejects where it cannot write, writes nothing twice, and works again after that', async () => {
    const sink = jsonlSink(join(path, 'calls.jsonl'))
    await writeFile(path, '')
    await expect(sink.write([record(1)])).rejects.toThrow()
    await rm(path)
    await sink.write([record(1)])
    expect(await idsIn(join(path, 'calls.jsonl'))).toEqual(['1'])
  })
})

describe('rotation', () => {
  it('no file grows past maxBytes and no record is lost or split', async () => {
    const sink = jsonlSink(path, { maxBytes: lineBytes * 2 + 1 })
    for (let i = 0; i < 7; i++) await sink.write([record(i)])
    const names = await readdir(folder)
    expect(names).toHaveLength(4)
    for (const name of names) expect((await stat(join(folder, name))).size).toBeLessThanOrEqual(lineBytes * 2)
    expect(await allIds()).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(await idsIn(path)).toEqual(['6'])
  })

  it('cuts one large batch over several files', async () => {
    await jsonlSink(path, { maxBytes: lineBytes * 3 }).write(Array.from({ length: 8 }, (_, i) => record(i)))
    expect(await readdir(folder)).toHaveLength(3)
    expect(await allIds()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('a record larger than a whole file gets one of its own instead of rotating for ever', async () => {
    await jsonlSink(path, { maxBytes: lineBytes }).write([record(1), record(2, { model: 'x'.repeat(lineBytes) }), record(3)])
    expect(await readdir(folder)).toHaveLength(3)
    expect(await allIds()).toEqual([1, 2, 3])
  })

  it('counts bytes, not characters', async () => {
    const wide = record(1, { model: '😀'.repeat(50) })
    const sink = jsonlSink(path, { maxBytes: JSON.stringify(wide).length * 2 + 150 })
    await sink.write([wide])
    await sink.write([wide])
    expect(await readdir(folder)).toHaveLength(2)
  })

  it('names a rotated file by the time of the records, and never overwrites one', async () => {
    const sink = jsonlSink(path, { maxBytes: lineBytes })
    for (let i = 0; i < 4; i++) await sink.write([record(i)])
    expect((await readdir(folder)).sort()).toEqual(['calls.20260301T120000.000Z-1.jsonl', 'calls.20260301T120000.000Z-2.jsonl', 'calls.20260301T120000.000Z.jsonl', 'calls.jsonl'])
    expect(await allIds()).toEqual([0, 1, 2, 3])
  })

  it('keeps another extension, or none, where it is', async () => {
    for (const name of ['calls.log', 'plain', '.hidden']) {
      const sink = jsonlSink(join(folder, name), { maxBytes: 10 })
      await sink.write([record(1)])
      await sink.write([record(2)])
    }
    expect((await readdir(folder)).sort()).toEqual(['.hidden', '.hidden.20260301T120000.000Z', 'calls.20260301T120000.000Z.log', 'calls.log', 'plain', 'plain.20260301T120000.000Z'])
  })

  it('two that rotate one file at the same moment wipe out nothing of each other', async () => {
    const sinks = [jsonlSink(path, { maxBytes: lineBytes }), jsonlSink(path, { maxBytes: lineBytes })]
    const ids = Array.from({ length: 40 }, (_, at) => at + 10)
    await Promise.all(ids.map(id => sinks[id % 2]?.write([record(id)])))
    expect(await allIds()).toEqual(ids)
  })

  it('a second try after half a batch does not write the first half twice', async () => {
    const sink = jsonlSink(path, { maxBytes: lineBytes })
    const batch = [record(1), record(2)]
    disk.renameFails = true
    try {
      await expect(sink.write(batch)).rejects.toThrow('no rename')
    } finally {
      disk.renameFails = false
    }
    expect(await allIds()).toEqual([1])
    await sink.write(batch)
    expect(await allIds()).toEqual([1, 2])
  })
})

describe('retention', () => {
  const old = 'calls.20260214T115959.999Z.jsonl'

  it('deletes rotated files older than retainDays, and nothing that is not its own', async () => {
    const others = ['calls.20260215T120000.000Z.jsonl', 'calls.20200101.jsonl', 'calls.backup.jsonl', 'calls.other.20200101T000000.000Z.jsonl', 'other.20200101T000000.000Z.jsonl', 'calls.20200101T000000.000Z.json1', 'calls.20209999T000000.000Z.jsonl']
    for (const name of [old, 'calls.20200101T000000.000Z-3.jsonl', ...others]) await appendFile(join(folder, name), '')
    await jsonlSink(path).write([record(1)])
    expect((await readdir(folder)).sort()).toEqual([...others, 'calls.jsonl'].sort())
  })

  it('looks again as time goes by, without a rotation', async () => {
    const sink = jsonlSink(path, { retainDays: 1 })
    await sink.write([record(1)])
    await appendFile(join(folder, 'calls.20260301T110000.000Z.jsonl'), '')
    await sink.write([record(2, { startedAt: '2026-03-02T10:59:00.000Z' })])
    expect(await readdir(folder)).toHaveLength(2)
    await sink.write([record(3, { startedAt: '2026-03-02T12:30:00.000Z' })])
    expect(await readdir(folder)).toEqual(['calls.jsonl'])
  })

  it('keeps everything when told to', async () => {
    await appendFile(join(folder, 'calls.19990101T000000.000Z.jsonl'), '')
    await jsonlSink(path, { retainDays: Infinity }).write([record(1)])
    expect(await readdir(folder)).toHaveLength(2)
  })

  it('a record without a readable time is written and deletes nothing', async () => {
    await appendFile(join(folder, old), '')
    const sink = jsonlSink(path, { maxBytes: 10 })
    await sink.write([record(1, { startedAt: 'yesterday' })])
    await sink.write([record(2, { startedAt: 'yesterday' })])
    expect((await readdir(folder)).sort()).toEqual([old, 'calls.jsonl', 'calls.undated.jsonl'])
  })
})

describe('through the plugin', () => {
  it('close leaves every record in the file, without content', async () => {
    const plugin = logPlugin(jsonlSink(path), { clock: new HandClock(), defer: fn => void setImmediate(fn) })
    for (let i = 0; i < 250; i++) plugin.observe?.(record(i, { content: CONTENT }))
    await plugin.close?.()
    expect(await idsIn(path)).toEqual(Array.from({ length: 250 }, (_, i) => String(i)))
    expect(await readFile(path, 'utf8')).not.toContain('canary')
    expect(plugin.dropped?.()).toBe(0)
  })

  it('content is written when asked for', async () => {
    const plugin = logPlugin(jsonlSink(path, { content: true }), { clock: new HandClock(), defer: fn => void setImmediate(fn) })
    plugin.observe?.(record(1, { content: CONTENT }))
    await plugin.close?.()
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(record(1, { content: CONTENT }))
  })

  it('a disk that refuses is counted', async () => {
    await writeFile(path, '')
    const plugin = logPlugin(jsonlSink(join(path, 'in-a-file.jsonl')), { clock: new HandClock(), defer: fn => void setImmediate(fn) })
    plugin.observe?.(record(1))
    await plugin.flush?.()
    expect(plugin.dropped?.()).toBe(1)
  })
})

it.each<[unknown, unknown, RegExp]>([
  ['', {}, /path of a file/],
  ['logs/', {}, /path of a file/],
  ['a\0b', {}, /path of a file/],
  [undefined, {}, /path of a file/],
  ['a', null, /must be an object/],
  ['a', { maxSize: 1 }, /has no option "maxSize"/],
  ['a', { maxBytes: 0 }, /maxBytes/],
  ['a', { maxBytes: '64MB' }, /maxBytes/],
  ['a', { retainDays: -1 }, /retainDays/],
  ['a', { retainDays: NaN }, /retainDays/],
  ['a', { content: 'yes' }, /content/],
])('refuses %j with %j', (where, options, message) => {
  expect(() => jsonlSink(where as string, options as JsonlSinkOptions)).toThrow(message)
})
