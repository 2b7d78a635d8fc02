import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { auditLog, type AuditChange, type AuditLogOptions } from '../../src/plugins/audit.js'
import { canonical } from '../../src/protocol/canonical.js'
import type { CallRecord } from '../../src/protocol/result.js'
import { verifyAudit, virtualClock } from '../../src/testing/index.js'
import { attempt, CONTENT, record } from './log-helpers.js'

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-audit-'))
  path = join(folder, 'audit.jsonl')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

type Loose = { readonly [key: string]: unknown }
const entries = async () => (await readFile(path, 'utf8')).trimEnd().split('\n').map(line => JSON.parse(line) as Loose)
const defer = (fn: () => void) => void setImmediate(fn)

function started(options: AuditLogOptions = {}, mark = 'm1') {
  const clock = virtualClock()
  const log = auditLog(path, options)
  log.start({ clock, defer, mark })
  return { clock, log }
}

describe('what a line says', () => {
  it('a stranger can check the chain with nothing but the documented rule', async () => {
    const { log } = started()
    log.observe(record(1))
    log.change({ change: 'key.create', id: 'k1', fields: ['budget'], by: 'ann' })
    await log.close()
    let prev = '0'.repeat(64)
    const all = await entries()
    for (const [at, { hash, ...rest }] of all.entries()) {
      expect(rest).toMatchObject({ v: 1, chain: 'm1', seq: at + 1, prev })
      expect(hash).toBe(createHash('sha256').update(canonical(rest)).digest('hex'))
      prev = hash as string
    }
    expect(all.map(entry => entry['kind'])).toEqual(['open', 'call', 'change', 'close'])
    expect(Object.keys(all[1] ?? {}).slice(0, 5)).toEqual(['v', 'chain', 'seq', 'at', 'kind'])
  })

  it('a call is logged with who, what, where, how it ended and what it cost', async () => {
    const { log } = started()
    const full = record('c1', {
      principal: { team: 't', project: 'p', user: 'u', key: 'k', tags: ['a', 'b'], secret: 'canary' } as NonNullable<CallRecord['principal']>,
      outcome: 'failure',
      code: 'timeout',
      costNanos: 17,
      usage: { inputTokens: 3 },
      attempts: [attempt({ outcome: 'skipped' }), attempt(), attempt()],
      metadata: { note: 'canary' },
      conversation: 'canary',
      policy: { decision: 'refused', by: 'r1', code: 'limit_exceeded' },
      ...{ headers: { authorization: 'canary' } },
    })
    log.observe(full)
    await log.close()
    const { hash: _, prev: __, ...call } = (await entries())[1] ?? {}
    expect(call).toEqual({
      v: 1, chain: 'm1', seq: 2, at: '2026-01-01T00:00:00.000Z', kind: 'call', id: 'c1', op: 'chat',
      principal: { team: 't', project: 'p', user: 'u', key: 'k', tags: ['a', 'b'] },
      model: 'smart', route: 'smart', deployment: 'openai/m', provider: 'openai', outcome: 'failure', code: 'timeout',
      costNanos: 17, usage: { inputTokens: 3 }, policy: { decision: 'refused', by: 'r1', code: 'limit_exceeded' }, attempts: 2, startedAt: '2026-03-01T12:00:00.000Z', totalMs: 12,
    })
    expect(await readFile(path, 'utf8')).not.toContain('canary')
  })

  it('prompts stay out unless they are asked for', async () => {
    const { log } = started()
    expect(log.content).toBe(false)
    log.observe(record(1, { content: CONTENT }))
    await log.close()
    expect(await readFile(path, 'utf8')).not.toContain('canary')
  })

  it('prompts are logged as they were where they are asked for, bytes as text', async () => {
    const { log } = started({ content: true })
    const messages = [{ role: 'user', content: [{ data: Uint8Array.of(1, 2, 3) }, { data: Buffer.from('hi') }, { toJSON: 'odd', __proto__: null }] }]
    log.observe(record(1, { content: { ...CONTENT, messages: messages as never } }))
    await log.close()
    expect((await entries())[1]).toMatchObject({ content: { text: 'canary-answer', messages: [{ content: [{ data: { base64: 'AQID' } }, { data: { base64: 'aGk=' } }, { toJSON: 'odd' }] }] } })
    expect(await verifyAudit(path)).toMatchObject({ ok: true, lines: 3 })
  })

  it('a caller who goes on with the tags changes nothing that waits', async () => {
    const { log } = started()
    const tags = ['before']
    log.observe(record(1, { principal: { tags } }))
    tags.push('after')
    await log.close()
    expect((await entries())[1]).toMatchObject({ principal: { tags: ['before'] } })
  })

  it('odd names and odd text verify', async () => {
    const { log } = started()
    const odd = JSON.parse('{"__proto__":{"x":1},"10":1,"2":-0,"e":1e21,"s":"\\ud800 \\u2028 😀"}') as object
    log.observe(record('\ud800"\n', { ...({ policy: odd } as object), model: '\u0000' }))
    await log.close()
    expect(await verifyAudit(path)).toMatchObject({ ok: true, lines: 3 })
  })
})

describe('what does not fit', () => {
  it('a prompt too long for a line costs the prompt, not the entry', async () => {
    const { log } = started({ content: true })
    log.observe(record(1, { content: { ...CONTENT, text: 'x'.repeat(2 ** 20) } }))
    log.observe(record(2, { content: { ...CONTENT, text: '"'.repeat(2 ** 20 - 300) } }))
    await log.close()
    for (const entry of (await entries()).slice(1, 3)) {
      expect(entry).toMatchObject({ kind: 'call', omitted: ['content'] })
      expect(entry['content']).toBeUndefined()
    }
    expect(await verifyAudit(path)).toMatchObject({ ok: true, chains: [{ lost: 0 }] })
    expect(log.dropped()).toBe(0)
  })

  it('many long prompts do not fill the memory', async () => {
    const log = auditLog(path, { content: true })
    const text = 'x'.repeat(1_000_000)
    for (let i = 0; i < 40; i++) log.observe(record(i, { content: { ...CONTENT, text } }))
    log.start({ clock: virtualClock(), defer, mark: 'm' })
    await log.close()
    const all = await entries()
    expect(all).toHaveLength(42)
    expect(all.filter(entry => entry['content'] !== undefined)).toHaveLength(33)
  })

  it('what JSON cannot say is left out by name', async () => {
    const { log } = started()
    const circle: Record<string, unknown> = {}
    circle['circle'] = circle
    let deep: unknown = 1
    for (let i = 0; i < 300; i++) deep = [deep]
    for (const policy of [circle, { n: 1n }, deep]) log.observe(record(1, { ...({ policy } as object), restarts: 0 }))
    await log.close()
    for (const entry of (await entries()).slice(1, 4)) expect(entry).toMatchObject({ omitted: ['policy'] })
    expect(await verifyAudit(path)).toMatchObject({ ok: true, lines: 5 })
  })

  it('an entry that cannot be written at all is counted, and the next line says so', async () => {
    const { log } = started()
    log.observe(record('x'.repeat(2 ** 20)))
    log.observe(record('x'.repeat(2 ** 20)))
    log.observe(record(3))
    await log.close()
    expect((await entries())[1]).toMatchObject({ seq: 2, lost: 2, id: '3' })
    expect(log.dropped()).toBe(2)
    expect(await verifyAudit(path)).toMatchObject({ ok: true, chains: [{ lost: 2 }] })
  })
})

describe('changes', () => {
  it('are logged with their own time where they have one', async () => {
    const { log } = started()
    log.change({ change: 'limit.set', at: Date.UTC(2025, 0, 1) })
    await log.close()
    expect((await entries())[1]).toMatchObject({ kind: 'change', change: 'limit.set', at: '2025-01-01T00:00:00.000Z' })
  })

  it.each<[unknown, RegExp]>([
    [undefined, /says what was done/],
    [{ change: '' }, /says what was done/],
    [{ change: 'key.create', value: 'sk-canary' }, /has no option "value"/],
    [{ change: 'key.create', field: [] }, /Did you mean "fields"/],
    [{ change: 'a', id: 1 }, /"id"/],
    [{ change: 'a', by: null }, /"by"/],
    [{ change: 'a', fields: [1] }, /"fields"/],
    [{ change: 'a', fields: 'budget' }, /"fields"/],
    [{ change: 'a', at: NaN }, /"at"/],
    [{ change: 'a', at: '5' }, /"at"/],
    [{ change: 'a', at: 9e15 }, /"at"/],
  ])('%j is refused before it is in the chain', (entry, message) => {
    expect(() => auditLog(path).change(entry as AuditChange)).toThrow(message)
  })
})

describe('the beginning', () => {
  it('entries that come before the gateway has a clock wait behind the open line', async () => {
    const log = auditLog(path)
    log.observe(record(1))
    await log.flush()
    expect(await readdir(folder)).toEqual([])
    log.start({ clock: virtualClock(), defer, mark: 'm' })
    await log.close()
    expect((await entries()).map(({ kind, at }) => [kind, at])).toEqual(['open', 'call', 'close'].map(kind => [kind, '2026-01-01T00:00:00.000Z']))
  })

  it('one log in two gateways is refused: their chains would be one', () => {
    const { log, clock } = started()
    expect(() => log.start({ clock, defer, mark: 'm2' })).toThrow(/another gateway/)
  })

  it('a log that never had a gateway counts what it was given', async () => {
    const log = auditLog(path)
    log.observe(record(1))
    await log.close()
    expect(log.dropped()).toBe(1)
    expect(await readdir(folder)).toEqual([])
  })

  it.each(['', 'x'.repeat(65), undefined])('a chain without a proper name is refused: %j', mark => {
    expect(() => auditLog(path).start({ clock: virtualClock(), defer, mark: mark as string })).toThrow(/mark/)
  })
})

it.each<[unknown, unknown, RegExp]>([
  ['', {}, /path of a file/],
  ['logs/', {}, /path of a file/],
  ['a\0b', {}, /path of a file/],
  [undefined, {}, /path of a file/],
  ['a', null, /must be an object/],
  ['a', { maxByte: 1 }, /Did you mean "maxBytes"/],
  ['a', { maxBytes: 0 }, /maxBytes/],
  ['a', { maxBuffered: 0.5 }, /maxBuffered/],
  ['a', { content: 'yes' }, /content/],
])('refuses %j with %j', (where, options, message) => {
  expect(() => auditLog(where as string, options as AuditLogOptions)).toThrow(message)
})
