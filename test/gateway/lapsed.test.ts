import { describe, expect, it } from 'vitest'
import type { BudgetOptions, CallOptions } from '../../src/index.js'
import { memoryStore, virtualClock } from '../../src/testing/index.js'
import { ask, books, BOUND, deployment, money, NANOS, says, usd, type MoneyScene } from './money-scene.js'

const TEAM: CallOptions = { principal: { team: 'search', user: 'ann', tags: ['beta'] } }
const BUDGET: BudgetOptions = { name: 'b', of: { team: '*' }, usd: usd(10 * BOUND), window: 'total' }

/** Two gateways on one store; the first dies with a call under way: its store hears of nothing any more. */
async function death(budget: Partial<BudgetOptions> = {}, more: { readonly callOptions?: CallOptions; readonly limits?: Parameters<typeof money>[2] } = {}) {
  const clock = virtualClock()
  const shared = memoryStore({ clock })
  const budgets = [{ ...BUDGET, ...budget }]
  const dies = deployment('dies', says('slow', { latencyMs: 3_600_000 }))
  const lives = deployment('lives')
  const dead = books(clock, shared)
  const one = money(dies, [dies], { clock, store: dead, budgets, deadlines: { answerMs: 7_200_000, totalMs: 7_200_000 }, ...more.limits })
  const two = money(lives, [lives], { clock, store: books(clock, shared), budgets, ...more.limits })
  one.gateway.chat(ask(), more.callOptions ?? TEAM).catch(() => undefined)
  await clock.advance(1)
  for (const verb of ['renew', 'settle', 'tally', 'acquire'] as const) dead.broken.set(verb, 'reject')
  return { clock, one, two }
}
const spent = async ({ gateway }: MoneyScene, by?: 'team' | 'user' | 'tag' | 'deployment') => (await gateway.spend(by === undefined ? {} : { by })).map(({ of, nanos, attempts }) => [of, nanos, attempts])

describe('a process that dies with an open hold', () => {
  it('is charged at its bound by the next claim after the lease, with a record and an alert of its own, and in spend()', async () => {
    const { clock, one, two } = await death()
    await clock.advance(59_000)
    await two.soon(two.gateway.chat(ask(), TEAM))
    expect(two.records).toMatchObject([{ costNanos: NANOS }])
    await clock.advance(2_000)
    await two.soon(two.gateway.chat(ask(), TEAM))
    await two.gateway.flush()
    const lapsed = two.records.find(({ system }) => system !== undefined)
    expect(lapsed).toMatchObject({ outcome: 'aborted', costNanos: BOUND, route: 'smart', model: 'smart', deployment: 'dies', provider: 'p-dies', principal: { team: 'search', user: 'ann', tags: ['beta'] }, startedAt: '2026-01-01T00:00:00.000Z' })
    expect(lapsed?.id).toBe(`${(lapsed?.system as { readonly lapsed: string }).lapsed}-lapsed`)
    expect(two.alerts.filter(({ kind }) => kind === 'lapsed')).toMatchObject([{ spentUsd: usd(BOUND), of: { team: 'search', user: 'ann' } }])
    expect([await two.charged(), two.recorded()]).toEqual([BOUND + 2 * NANOS, BOUND + 2 * NANOS])
    expect(await spent(two, 'team')).toEqual([['search', BOUND + 2 * NANOS, 3]])
    expect(await spent(two, 'deployment')).toEqual([['dies', BOUND, 1], ['lives', 2 * NANOS, 2]])
    await one.gateway.close()
    await two.nothingLeft()
  })

  it('is told of once, however many claims follow', async () => {
    const { clock, one, two } = await death()
    await clock.advance(61_000)
    for (let i = 0; i < 3; i++) await two.soon(two.gateway.chat(ask(), TEAM))
    await two.gateway.flush()
    expect(two.records.filter(({ system }) => system !== undefined)).toHaveLength(1)
    expect(two.alerts.filter(({ kind }) => kind === 'lapsed')).toHaveLength(1)
    await one.gateway.close()
    await two.nothingLeft()
  })

  it.each([{ onLapsed: 'release' as const }, { hard: false }])('leaves nothing behind with %o but a record of its end', async budget => {
    const { clock, one, two } = await death(budget)
    await clock.advance(61_000)
    await two.soon(two.gateway.chat(ask(), TEAM))
    await two.gateway.flush()
    expect(two.records.find(({ system }) => system !== undefined)).toMatchObject({ costNanos: 0, outcome: 'aborted' })
    expect([await two.charged(), two.recorded(), await spent(two)]).toEqual([NANOS, NANOS, [[null, NANOS, 1]]])
    await one.gateway.close()
    await two.nothingLeft()
  })

  it('that comes back to life is not charged a second time: its own record says 0', async () => {
    const { clock, one, two } = await death()
    await clock.advance(61_000)
    await two.soon(two.gateway.chat(ask(), TEAM))
    one.store.resume()
    await clock.advance(3_600_000)
    await one.gateway.flush()
    expect(one.records).toMatchObject([{ outcome: 'success', costNanos: 0 }])
    expect([await two.charged(), one.recorded() + two.recorded()]).toEqual([BOUND + NANOS, BOUND + NANOS])
    expect(await spent(two)).toEqual([[null, BOUND + NANOS, 2]])
  })

  it('that comes back to life after its hold was released says what it cost after all', async () => {
    const { clock, one, two } = await death({ onLapsed: 'release' })
    await clock.advance(61_000)
    await two.soon(two.gateway.chat(ask(), TEAM))
    one.store.resume()
    await clock.advance(3_600_000)
    await one.gateway.flush()
    expect(one.records).toMatchObject([{ outcome: 'success', costNanos: NANOS }])
    expect(await spent(two)).toEqual([[null, 2 * NANOS, 2]])
  })

  it('with names and tags as long as they may be is still written down', async () => {
    const long = (char: string): string => char.repeat(200)
    const tags = Array.from({ length: 50 }, (_, at) => `${at}`.padStart(200, '\u0001'))
    const { clock, one, two } = await death({}, { callOptions: { principal: { team: long('\u0001'), project: long('\u0002'), user: long('\u0003'), tags } } })
    await clock.advance(61_000)
    await two.soon(two.gateway.chat(ask(), TEAM))
    await two.gateway.flush()
    expect(two.records.find(({ system }) => system !== undefined)).toMatchObject({ costNanos: BOUND })
    expect(await spent(two)).toEqual([[null, BOUND + NANOS, 2]])
    await one.gateway.close()
    await two.nothingLeft()
  })
})

describe('a hold of limits alone that lapses', () => {
  it('gives its place back, and the call that lives on is recorded with what it cost', async () => {
    const { clock, one, two } = await death({}, { limits: { budgets: [], limits: [{ name: 'l', concurrency: 1, requestsPerDay: 5 }] } })
    await clock.advance(61_000)
    // With one place in all, this is let in because the dead one is cleared away.
    await two.soon(two.gateway.chat(ask(), TEAM))
    one.store.resume()
    await clock.advance(3_600_000)
    await one.gateway.flush()
    expect(one.records).toMatchObject([{ outcome: 'success', costNanos: NANOS }])
    expect(await spent(two)).toEqual([[null, 2 * NANOS, 2]])
    expect(await two.store.standings()).toMatchObject({ 'limit:l:concurrency:': { charged: 0, held: 0 }, 'limit:l:requests:86400000': { charged: 2, held: 0 } })
  })
})
