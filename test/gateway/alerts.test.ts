import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Gateway, type Alert, type BudgetOptions } from '../../src/index.js'
import { alertsTo } from '../../src/plugins/alerts.js'
import { memoryStore, virtualClock } from '../../src/testing/index.js'
import { until } from '../compositions/support.js'
import { ask, books, BOUND, deployment, money, NANOS, usd } from './money-scene.js'
import { thrown } from './support.js'

/** A hundred calls. */
const budget = (more: Partial<BudgetOptions> = {}): BudgetOptions => ({ name: 'b', usd: usd(100 * NANOS), window: 'hour', hard: false, alertAt: [0.8, 0.5], ...more })
const told = (alerts: readonly Alert[]) => alerts.map(({ kind, share, of }) => [kind, share, ...Object.values(of)])
const scene = (given: BudgetOptions, options: Parameters<typeof money>[2] = {}) => {
  const d = deployment('d')
  return { d, ...money(d, [d], { budgets: [given], ...options }) }
}
const times = async (count: number, work: () => Promise<unknown>): Promise<void> => {
  for (let i = 0; i < count; i++) await work()
}

describe('a share of a budget', () => {
  it('is told once per window, with what is spent, and again in the next', async () => {
    const at = scene(budget())
    await times(49, () => at.soon(at.gateway.chat(ask() as never)))
    expect(at.alerts).toEqual([])
    await times(51, () => at.soon(at.gateway.chat(ask() as never)))
    expect(at.alerts).toMatchObject([
      { kind: 'share', share: 0.5, policy: 'b', of: {}, spentUsd: usd(50 * NANOS), limitUsd: usd(100 * NANOS), period: '2026-01-01T00:00:00.000Z' },
      { kind: 'share', share: 0.8, spentUsd: usd(80 * NANOS) },
    ])
    await at.clock.advance(3_600_000)
    await times(60, () => at.soon(at.gateway.chat(ask() as never)))
    expect(at.alerts.slice(2)).toMatchObject([{ share: 0.5, period: '2026-01-01T01:00:00.000Z' }])
    await at.nothingLeft()
  })

  it('of each team is told apart', async () => {
    const at = scene(budget({ of: { team: '*' }, usd: usd(NANOS), alertAt: [1] }))
    for (const team of ['a', 'b', 'a']) await at.chat(ask(), { principal: { team } })
    expect(told(at.alerts)).toEqual([['share', 1, 'a'], ['share', 1, 'b']])
    await at.nothingLeft()
  })

  it('of a rolling window is told again when the first telling has left it', async () => {
    const at = scene(budget({ window: { rollingMs: 10_000 }, usd: usd(NANOS), alertAt: [1] }))
    await times(3, () => at.soon(at.gateway.chat(ask() as never)))
    expect(at.alerts).toHaveLength(1)
    await at.clock.advance(10_000)
    await times(3, () => at.soon(at.gateway.chat(ask() as never)))
    expect(at.alerts).toHaveLength(2)
    await at.nothingLeft()
  })

  it('is told by one of two gateways on one store', async () => {
    const clock = virtualClock()
    const shared = memoryStore({ clock })
    const two = [1, 2].map(() => scene(budget({ usd: usd(NANOS), alertAt: [1] }), { clock, store: books(clock, shared) }))
    for (const at of [...two, ...two]) await at.soon(at.gateway.chat(ask() as never))
    expect(two.map(({ alerts }) => alerts.length)).toEqual([1, 0])
    for (const at of two) await at.nothingLeft()
  })

  it('that could not be told, because the store failed, is told later', async () => {
    const at = scene(budget({ usd: usd(NANOS), alertAt: [1] }))
    const { acquire } = at.store
    let failing = true
    Object.assign(at.store, { acquire: (...given: Parameters<typeof acquire>) => (failing && given[0][0]?.key.startsWith('alert:') === true ? Promise.reject(new Error('gone')) : acquire(...given)) })
    await at.chat()
    expect([at.alerts.length, at.gateway.health().ledger?.failures]).toEqual([0, 1])
    failing = false
    await at.chat()
    expect(at.alerts).toHaveLength(1)
    await at.nothingLeft()
  })
})

describe('a refusal', () => {
  it('is told once per window', async () => {
    const at = scene(budget({ hard: true, usd: usd(BOUND - 1), alertAt: [] }))
    await times(3, () => thrown(() => at.soon(at.gateway.chat(ask() as never))))
    expect(told(at.alerts)).toEqual([['exceeded', undefined]])
    await at.clock.advance(3_600_000)
    await thrown(() => at.soon(at.gateway.chat(ask() as never)))
    expect(told(at.alerts)).toHaveLength(2)
    await at.nothingLeft()
  })
})

describe('who is told', () => {
  it.each([
    ['throws', () => { throw new Error('no') }],
    ['rejects', () => Promise.reject(new Error('no'))],
  ] as const)('and %s changes nothing, and the others are told', async (_how, target) => {
    const heard: Alert[] = []
    const at = scene(budget({ usd: usd(NANOS), alertAt: [1] }), { onAlert: [target, alert => void heard.push(alert)] })
    expect((await at.chat()).text).toBe('Hello')
    await at.gateway.flush()
    expect([heard.length, at.gateway.health().ledger?.failures]).toEqual([1, 1])
    await at.nothingLeft()
  })

  it('and never answers delays no call', async () => {
    const at = scene(budget({ usd: usd(NANOS), alertAt: [1] }), { onAlert: () => new Promise<void>(() => undefined) })
    expect((await at.chat()).text).toBe('Hello')
    expect((await at.chat()).text).toBe('Hello')
    expect(at.records).toHaveLength(2)
  })
})

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A server that gives these statuses, and the last one for ever. */
async function hook(statuses: readonly number[]) {
  const heard: { readonly headers: Record<string, unknown>; readonly body: unknown }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => void (body += chunk.toString()))
    request.on('end', () => {
      heard.push({ headers: request.headers, body: JSON.parse(body) as unknown })
      response.writeHead(statuses[Math.min(heard.length, statuses.length) - 1] ?? 200).end('thanks')
    })
  })
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { heard, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts` }
}

describe('a webhook', () => {
  it('that has just failed is given time before it is asked again', async () => {
    const clock = virtualClock()
    const asked: number[] = []
    const work: Promise<unknown>[] = []
    const tell = alertsTo({ url: 'https://example.com/' }, async () => asked.push(clock.now()) && 503, clock, one => void work.push(one.catch(() => undefined)))
    const startMs = clock.now()
    tell?.({ kind: 'share', at: '', policy: 'b', of: {} })
    await clock.advance(60_000)
    await Promise.all(work)
    expect(asked.map(ms => ms - startMs)).toEqual([0, 250, 1_250])
    expect(clock.pending).toBe(0)
  })

  it.each([
    [[200], 1, 0],
    [[500, 204], 2, 0],
    [[404], 1, 1],
    [[500], 3, 1],
  ] as const)('that answers %j is asked %i times', async (statuses, asked, failures) => {
    const { heard, url } = await hook(statuses)
    const d = deployment('d')
    const clock = virtualClock()
    const gateway = new Gateway({ clock, routes: { smart: d }, budgets: [budget({ usd: usd(NANOS), alertAt: [1] })], onAlert: { url, headers: { authorization: 'Bearer x' } } })
    await gateway.chat(ask() as never)
    await until(() => {
      void clock.advance(25)
      return gateway.health().ledger?.pending === 0
    })
    expect(heard).toHaveLength(asked)
    expect(heard[0]).toMatchObject({ headers: { 'content-type': 'application/json', authorization: 'Bearer x' }, body: { kind: 'share', share: 1, policy: 'b' } })
    expect(gateway.health().ledger).toEqual({ holds: 0, pending: 0, failures })
    await gateway.close()
    expect(gateway.health().sockets).toBe(0)
  })
})
