import { describe, expect, it } from 'vitest'
import type { Alert } from '../../src/protocol/policy.js'
import { Ledger, storeFault } from '../../src/state/ledger.js'
import { Accounts, type Line, type Payer } from '../../src/state/meters.js'
import { budgetsOf, limitsOf } from '../../src/state/policies.js'
import { spend, Spender } from '../../src/state/spend.js'
import { virtualClock } from '../../src/testing/index.js'
import { books } from '../gateway/money-scene.js'

const PAYER = { team: 'search', tags: [], route: 'smart' }
const PAYEE = { provider: 'p', id: 'd' }
const only = (lines: readonly Line[]): Line => {
  const [line] = lines
  if (line === undefined) throw new Error('no line')
  return line
}
function scene() {
  const clock = virtualClock()
  const store = books(clock)
  const alerts: Alert[] = []
  const ledger = new Ledger({ store, clock, onAlert: alert => void alerts.push(alert), onLapsed: () => undefined })
  return { clock, store, alerts, ledger, hold: () => ledger.acquire([{ key: 'k', amount: 1, limit: 10 }], () => ({ owner: '{}' })) }
}
const linesFor = (policies: Parameters<typeof Accounts.prototype.with>[0], payer: Payer): readonly Line[] => new Accounts(policies ?? []).of(payer).lines(PAYEE)

describe('a lease', () => {
  it('is renewed while its hold is open, and the timer ends with the last hold', async () => {
    const { clock, store, ledger, hold } = scene()
    const [one, two] = [await hold(), await hold()]
    if (!one.ok || !two.ok) throw new Error('refused')
    const opened = [ledger.track(one.hold), ledger.track(two.hold)] as const
    await clock.advance(600_000)
    expect(store.asked.renew).toBe(2 * 40)
    await ledger.settle(opened[0], [], [])
    expect([clock.pending, ledger.state.holds]).toEqual([1, 1])
    expect(await ledger.settle(opened[1], [], [])).toBeDefined()
    expect([clock.pending, ledger.state]).toEqual([0, { holds: 0, pending: 0, failures: 0 }])
  })

  it('that the store no longer knows is not renewed for ever', async () => {
    const { clock, store, ledger, hold } = scene()
    const verdict = await hold()
    if (verdict.ok) ledger.track(verdict.hold)
    store.broken.set('renew', 'reject')
    await clock.advance(61_000)
    store.broken.clear()
    await clock.advance(30_000)
    expect([ledger.state.holds, clock.pending, store.asked.renew]).toEqual([0, 0, 5])
  })
})

describe('what was told', () => {
  it('is forgotten beyond ten thousand, and the store knows it all the same', async () => {
    const { store, alerts, ledger } = scene()
    const policies = budgetsOf([{ usd: 1, of: { team: '*' } }], 'budgets')
    const lineOf = (team: string): Line => only(linesFor(policies, { ...PAYER, team }))
    for (let at = 0; at < 10_001; at++) ledger.alert('exceeded', lineOf(`t${at}`), {})
    await ledger.flush()
    expect([alerts.length, store.asked.acquire]).toEqual([10_001, 10_001])
    // Still known here: the store is not asked. The first was forgotten here: it is, and says no.
    ledger.alert('exceeded', lineOf('t10000'), {})
    ledger.alert('exceeded', lineOf('t0'), {})
    await ledger.flush()
    expect([alerts.length, store.asked.acquire]).toEqual([10_001, 10_002])
  })

  it('of a limit holds no money', async () => {
    const { alerts, ledger } = scene()
    const line = only(linesFor(limitsOf([{ requestsPerMinute: 5 }], 'limits'), PAYER))
    ledger.alert('exceeded', line, { standing: { key: line.key, charged: 5, held: 0 } })
    await ledger.flush()
    expect(alerts).toEqual([{ kind: 'exceeded', at: '2026-01-01T00:00:00.000Z', policy: 'limit all', of: {} }])
  })
})

describe('lines', () => {
  it('of one tag are one, however often it is named', () => {
    const policies = budgetsOf([{ usd: 1, of: { tag: '*' } }], 'budgets')
    expect(linesFor(policies, { ...PAYER, tags: ['a', 'b', 'a'] }).map(({ of }) => of)).toEqual([{ tag: 'a' }, { tag: 'b' }])
  })

  it('have keys apart for each window, dimension and value', () => {
    const policies = [...limitsOf([{ name: 'x', requestsPerSecond: 1, requestsPerDay: 1, tokensPerDay: 1 }, { name: 'y', of: { team: 'search' }, requestsPerDay: 1 }, { name: 'z', of: { route: '*', team: '*' }, requestsPerDay: 1 }], 'limits'), ...budgetsOf([{ name: 'x', usd: 1 }, { name: 'x2', usd: 1, window: 'day' }], 'budgets')]
    const keys = linesFor(policies, PAYER).map(({ key }) => key)
    expect(new Set(keys).size).toBe(7)
  })
})

describe('what is written down as spent', () => {
  it('fits the fields of a store and can be read back, whatever the names', async () => {
    const { clock, store } = scene()
    const long = (char: string): string => char.repeat(200)
    const deployment = { id: long('i'), provider: long('p'), model: long('m') } as Parameters<Spender['tallies']>[0]
    const payers = ['a', '\u0001', '"'].map(char => ({ team: long(char), project: long(char), user: long(char), key: 'k', tags: Array.from({ length: 50 }, (_, at) => long(char) + at), route: long(char) }))
    for (const payer of payers) {
      const tallies = new Spender(payer).tallies(deployment, clock.now(), 7, false)
      for (const { field } of tallies) expect(field.length).toBeLessThanOrEqual(16_384)
      await store.tally(tallies)
    }
    expect(await spend(store, {})).toMatchObject([{ nanos: 21, attempts: 3 }])
    // Each is still told apart from the others.
    expect(await spend(store, { by: 'team' })).toHaveLength(3)
  })
})

describe('a failure of the store', () => {
  it('says what kind it was, and nothing that it said', () => {
    const fault = storeFault(new TypeError('redis://user:secret@host failed'))
    expect([fault.code, fault.origin, fault.message.includes('TypeError'), JSON.stringify(fault).includes('secret')]).toEqual(['store_unavailable', 'gateway', true, false])
  })
})
