import { describe, expect, it } from 'vitest'
import { fallback, type BudgetOptions, type OnStoreError } from '../../src/index.js'
import { ask, BOUND, deployment, money, NANOS, says, usd } from './money-scene.js'
import { all, thrown } from './support.js'

const budget = (more: Partial<BudgetOptions> = {}): BudgetOptions => ({ name: 'b', usd: usd(10 * BOUND), window: 'total', ...more })
const scene = (budgets: readonly BudgetOptions[], options: Parameters<typeof money>[2] = {}) => {
  const d = deployment('d', says('one two three', { chunkMs: 10 }))
  return { d, ...money(d, [d], { budgets, ...options }) }
}

describe('a store that rejects', () => {
  const rows: readonly (readonly [gateway: OnStoreError | undefined, own: readonly (OnStoreError | undefined)[], answered: boolean])[] = [
    [undefined, [undefined], false],
    ['refuse', [undefined], false],
    ['allow', [undefined], true],
    ['allow', ['refuse'], false],
    ['refuse', ['allow'], true],
    // The strictest of those that apply.
    ['allow', ['allow', 'refuse'], false],
    [undefined, ['allow', 'allow'], true],
  ]

  it.each(rows)('with onStoreError %j of the gateway and %j of budgets: answered %j', async (onStoreError, own, answered) => {
    const budgets = own.map((one, at) => budget({ name: `b${at}`, of: at === 0 ? {} : { route: '*' }, ...(one !== undefined && { onStoreError: one }) }))
    const at = scene(budgets, onStoreError === undefined ? {} : { onStoreError })
    at.store.broken.set('acquire', 'reject')
    if (answered) expect((await at.chat()).cost.nanos).toBe(NANOS)
    else {
      const error = await thrown(() => at.chat())
      expect([error.code, error.origin, at.d.calls.length]).toEqual(['store_unavailable', 'gateway', 0])
      expect(error.message).not.toContain('disk')
    }
    at.store.resume()
    // What could not be held is written down as spent all the same.
    expect(await at.gateway.spend()).toMatchObject([{ nanos: answered ? NANOS : 0 }])
    await at.nothingLeft()
  })

  it('is no trouble to a call that no policy is about', async () => {
    const at = scene([budget({ of: { team: 'search' } })])
    at.store.broken.set('acquire', 'reject')
    expect((await at.chat()).text).toBe('one two three')
    await at.nothingLeft()
  })

  it('in the middle of a walk ends it where it is to refuse, and not where it is to allow', async () => {
    for (const onStoreError of ['refuse', 'allow'] as const) {
      const [a, b] = [deployment('a', { ...says('one two three four'), fail: 'cut', failAfter: 2, latencyMs: 100 }), deployment('b')]
      const at = money(fallback(a, b), [a, b], { budgets: [budget()], onStoreError, retry: { attempts: 1 }, chatWire: 'stream' })
      const chat = at.gateway.chat(ask() as never)
      await at.clock.advance(50)
      at.store.broken.set('acquire', 'reject')
      const end = await at.idle(chat).then(({ text }) => text, ({ code }: { readonly code: string }) => code)
      expect([end, b.calls.length]).toEqual(onStoreError === 'refuse' ? ['store_unavailable', 0] : ['Hello', 1])
      at.store.resume()
      await at.gateway.flush()
      // All that was used is charged, also what nothing was held for.
      expect(await at.charged()).toBe(at.recorded())
      await at.nothingLeft()
    }
  })

  it('after the call is counted, and never reaches the caller; the record leaves its cost to the hold that lapses', async () => {
    const at = scene([budget()])
    at.store.broken.set('settle', 'reject')
    expect((await at.chat()).text).toBe('one two three')
    const stream = await at.soon(at.gateway.stream(ask() as never))
    expect(await at.idle(all(stream))).not.toEqual([])
    await at.gateway.flush()
    expect([at.gateway.health().ledger, at.records.map(({ costNanos }) => costNanos), at.clock.pending]).toEqual([{ holds: 0, pending: 0, failures: 2 }, [0, 0], 0])
  })

  it('where nothing is held, what was spent is counted as lost, and the caller hears nothing', async () => {
    const at = scene([])
    at.store.broken.set('tally', 'reject')
    await at.chat()
    expect(at.gateway.health().ledger).toEqual({ holds: 0, pending: 0, failures: 1 })
    await at.nothingLeft()
  })
})

describe('a store that hangs', () => {
  it.each(['refuse', 'allow'] as const)('lets no call wait longer than its deadline, with onStoreError %j, and a late ok is given back', async onStoreError => {
    const at = scene([budget()], { onStoreError })
    at.store.broken.set('acquire', 'hang')
    const began = at.clock.now()
    const error = await thrown(() => at.chat(ask(), { deadlines: { totalMs: 700 } }))
    expect([error.code, error.deadline, at.clock.now() - began, at.d.calls.length]).toEqual(['timeout', 'total', 700, 0])
    expect(at.clock.pending).toBe(0)
    at.store.resume()
    await at.clock.advance(1)
    expect([at.store.asked.settle, await at.charged()]).toEqual([1, 0])
    await at.nothingLeft()
  })

  it('with the settle of a call holds back no answer, and no other call', async () => {
    const at = scene([budget()])
    at.store.broken.set('settle', 'hang')
    expect((await at.chat()).text).toBe('one two three')
    expect((await at.chat()).text).toBe('one two three')
    // Each has its settle and its record under way.
    expect(at.gateway.health().ledger).toEqual({ holds: 0, pending: 4, failures: 0 })
    at.store.resume()
    await at.gateway.flush()
    expect([at.records.length, await at.charged()]).toEqual([2, 2 * NANOS])
    await at.nothingLeft()
  })

  it('when a refused call has to give back its hold does not hold back the refusal', async () => {
    const at = scene([budget()])
    at.store.broken.set('settle', 'hang')
    const error = await thrown(() => at.chat(ask(), { headers: { 'x-bad': 'two\r\nlines' } }))
    expect(error.code).toBe('invalid_request')
    at.store.resume()
    await at.nothingLeft()
  })
})
