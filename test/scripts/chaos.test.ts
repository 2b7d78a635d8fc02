import { describe, expect, test } from 'vitest'
import { mostAtOnce, mostWithin, storiesOf, type Evidence, type Row } from '../../scripts/chaos/evidence.js'
import { judge } from '../../scripts/chaos/judge.js'
import type { Line } from '../../scripts/chaos/journal.js'
import type { Reading } from '../../scripts/chaos/monitor.js'
import type { Served } from '../../scripts/chaos/provider.js'
import { LIMITS } from '../../scripts/chaos/world.js'

const TOTAL = 'budget:total:nanos:'

function linesOf(call: string, atMs: number, nanos: number, more: Partial<{ key: string; user: string; settled: boolean }> = {}): Line[] {
  const { key, user = 'user-1', settled = true } = more
  const hold = `hold-${call}`
  return [
    { is: 'asked', call, user, ...(key !== undefined && { key }), atMs },
    { is: 'held', call, hold, loMs: atMs, hiMs: atMs + 1, claims: [[TOTAL, nanos * 2]] },
    ...(settled ? ([{ is: 'settling', call, hold, nanos }, { is: 'settled', hold, lived: true, loMs: atMs + 5, hiMs: atMs + 6, charges: [[TOTAL, nanos]] }, { is: 'ended', call, atMs: atMs + 7, end: 'answered' }] as const) : []),
  ]
}

const served = (call: string, startMs: number, outputTokens: number): Served => ({ call, startMs, endMs: startMs + 2, inputTokens: 0, outputTokens, billed: true, whole: true })
const reading = (most: number): Reading => ({ key: TOTAL, policy: 'total', of: '', kind: 'nanos', limit: 1e9, most, charged: 0, held: 0, times: 20 })
const record = (call: string, costNanos: number): Evidence['records'][number] => ({ id: call, costNanos, metadata: { call }, principal: { project: call } }) as unknown as Evidence['records'][number]
const row = (project: string, nanos: number) => ({ of: project, nanos, usd: nanos / 1e9, attempts: 1, unpriced: 0 })

function evidence(parts: Partial<Evidence> = {}): Evidence {
  return {
    scene: { name: 'SQLite', processes: 2, callers: 2, loadMs: 1_000, users: 2, usd: { total: 1, rolling: 1, hour: 1, team: 1, key: 1 }, seed: 1, hours: 'UTC' },
    keys: [],
    revoked: { id: 'gone', atMs: 0 },
    killed: { index: 1, atMs: 900 },
    journals: [linesOf('w0-1', 10, 100_000), linesOf('w1-1', 20, 200_000)],
    records: [record('w0-1', 100_000), record('w1-1', 200_000)],
    came: [{ call: 'w0-1', startMs: 12 }, { call: 'w1-1', startMs: 22 }],
    served: [served('w0-1', 12, 10), served('w1-1', 22, 20)],
    readings: [reading(5e8)],
    looks: 20,
    holdsLeft: 0,
    spend: { all: [row('', 300_000)], byProject: [row('w0-1', 100_000), row('w1-1', 200_000)], byKey: [] },
    ...parts,
  }
}

function rowOf(start: string, parts: Partial<Evidence> = {}): Row {
  const found = judge(evidence(parts)).find(({ promise }) => promise.startsWith(start))
  if (found === undefined) throw new Error(`no row ${start}`)
  return found
}

describe('what certainly counted', () => {
  test('only what lies wholly in a window counts, so that a slow answer accuses nobody', () => {
    const all = [{ loMs: 0, hiMs: 1, amount: 1 }, { loMs: 500, hiMs: 1_100, amount: 1 }, { loMs: 998, hiMs: 999, amount: 1 }]
    expect(mostWithin(all, 1_000)).toBe(2)
    expect(mostWithin(all, 1_200)).toBe(3)
  })

  test('what ends in the moment another begins is over', () => {
    expect(mostAtOnce([{ startMs: 0, endMs: 5 }, { startMs: 5, endMs: 9 }])).toBe(1)
    expect(mostAtOnce([{ startMs: 0, endMs: 6 }, { startMs: 5, endMs: 9 }])).toBe(2)
  })
})

describe('the judge', () => {
  test('a hold that nobody settled counts with what it held', () => {
    const story = storiesOf({ journals: [linesOf('w0-1', 0, 50, { settled: false })], served: [] }).get('w0-1')
    expect(story?.holds[0]?.charges).toEqual([[TOTAL, 100]])
  })

  test('a budget passed by one nano-dollar fails', () => {
    expect(rowOf('no hard budget').ok).toBe(false)
    const teams = Array.from({ length: 5 }, (_, at): Reading => ({ ...reading(1e9), key: `${at}` }))
    expect(rowOf('no hard budget', { readings: teams }).ok).toBe(true)
    expect(rowOf('no hard budget', { readings: [...teams, reading(1e9 + 1)] })).toMatchObject({ ok: false, measured: expect.stringContaining('by 1 nano-dollars') as string })
  })

  test('a bill above the charge, and a record beside the bill, fail', () => {
    expect(rowOf('each call is charged').measured).toContain('0 otherwise')
    expect(rowOf('each call is charged', { served: [served('w0-1', 12, 11)] }).measured).toContain('w0-1 billed 110000, charged 100000')
    expect(rowOf('each call is charged', { records: [record('w0-1', 99_999)] }).measured).toContain('w0-1 billed 100000, recorded 99999')
  })

  test('only records that went down with the killed process may be missing', () => {
    expect(rowOf('spend() is').ok).toBe(true)
    expect(rowOf('spend() is', { records: [record('w0-1', 100_000)] })).toMatchObject({ ok: true, measured: expect.stringContaining('1 records were lost') as string })
    expect(rowOf('spend() is', { records: [record('w1-1', 200_000)] }).ok).toBe(false)
    expect(rowOf('spend() is', { records: [record('w0-1', 100_000), record('w1-1', 200_000), record('w1-1', 200_000)] }).ok).toBe(false)
  })

  test('a try without a hold before it fails', () => {
    expect(rowOf('nothing is sent').ok).toBe(true)
    expect(rowOf('nothing is sent', { came: [{ call: 'w0-1', startMs: 10.5 }] }).ok).toBe(false)
  })

  test('one request more than the limit within a second fails', () => {
    const many = (count: number) => {
      const calls = Array.from({ length: count }, (_, at) => `w0-${at}`)
      return { journals: [calls.flatMap((call, at) => linesOf(call, 10 + at, 1)), []], served: calls.map(call => served(call, 50, 1)) }
    }
    expect(rowOf('at most 7 requests', many(LIMITS.requestsPerSecond)).measured).toMatch(/^7;/)
    expect(rowOf('at most 7 requests', many(LIMITS.requestsPerSecond + 1))).toMatchObject({ ok: false, measured: expect.stringMatching(/^8;/) as string })
  })

  test('an alert that is told twice, or never, fails', () => {
    const alert: Line = { is: 'alert', atMs: 1, alert: { kind: 'share', at: '', policy: 'total', of: {}, share: 0.5 } }
    expect(rowOf('each alert', { journals: [[alert], []] }).ok).toBe(true)
    expect(rowOf('each alert', { journals: [[alert], [alert]] }).ok).toBe(false)
    const due = { readings: [{ ...reading(6e8), charged: 6e8 }], journals: [[...linesOf('w0-1', 1, 6e8)], []] }
    expect(rowOf('each alert', due).measured).toContain('1 never')
  })

  test('a hold that is left fails, and so does one that lapsed without a record', () => {
    const open = { journals: [[], linesOf('w1-1', 20, 100, { settled: false })] }
    const lapsed = { ...record('w1-1', 200), system: { lapsed: 'call' } } as Evidence['records'][number]
    expect(rowOf('no hold is left', { ...open, records: [lapsed] }).ok).toBe(true)
    expect(rowOf('no hold is left', { ...open, records: [lapsed], holdsLeft: 1 }).ok).toBe(false)
    expect(rowOf('no hold is left', open).ok).toBe(false)
  })

  test('a revoked key that gets through fails', () => {
    const late = (call: string, end: string): Line[] => [{ is: 'asked', call, user: 'u', key: 'gone', atMs: 6_000 }, { is: 'ended', call, atMs: 6_001, end }]
    expect(rowOf('a revoked key', { journals: [late('w0-9', 'unauthenticated'), late('w1-9', 'unauthenticated')] }).ok).toBe(true)
    expect(rowOf('a revoked key', { journals: [late('w0-9', 'unauthenticated'), late('w1-9', 'answered')] }).ok).toBe(false)
  })
})
