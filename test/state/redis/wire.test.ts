import { beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../../src/protocol/ports.js'
import { redisStore, type RedisClient, type RedisStoreOptions } from '../../../src/state/redis.js'
import { clients, describeRedis, Opened } from './clients.js'
import { cli, eventually, startServer } from './servers.js'

const LEASE = { ttlMs: 60_000 }
const DAY = 86_400_000

describeRedis('what the redis store leaves on the server', () => {
  const opened = new Opened()
  let port = 0
  let client: RedisClient
  let stores = 0
  beforeAll(async () => {
    port = opened.server(await startServer()).port
    client = await opened.node(clients.node(port))
  })
  const make = (options: RedisStoreOptions = {}) => {
    const prefix = `wire${++stores}`
    return { store: redisStore(client, { prefix, ...options }), key: (name: string) => `{${prefix}}:${name}` }
  }
  const ttl = (key: string) => Number(cli(port, 'pttl', key))
  const calls = () => [...cli(port, 'info', 'commandstats').matchAll(/cmdstat_(?:eval|evalsha):calls=(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0)

  test('one round trip for each verb, and one more with the first use', async () => {
    const { store } = make()
    const verbs: readonly ((store: Store) => Promise<unknown>)[] = [
      one => one.get('a'),
      one => one.set('a', 1, { ttlMs: 1000 }),
      one => one.delete('a'),
      one => one.add('a', 1),
      one => one.scan(''),
      one => one.acquire([{ key: 'a', amount: 1, limit: 9 }, { key: 'b', amount: 1, limit: 9, windowMs: 1000 }, { key: 'c', amount: 1, limit: 9, periods: [0, 9e12] }], LEASE),
      one => one.settle('none', [{ key: 'a', amount: 1 }], [{ group: 'g', field: 'f', amount: 1 }]),
      one => one.renew('none', 1),
      one => one.tally([{ group: 'g', field: 'f', amount: 1 }]),
      one => one.tallies({ start: 'a', end: 'z' }),
    ]
    for (const verb of verbs) await verb(store)
    for (const verb of verbs) {
      const before = calls()
      await verb(store)
      expect(calls() - before).toBe(1)
    }
    const { store: fresh } = make()
    const before = calls()
    await Promise.all([fresh.get('a'), fresh.get('a'), fresh.get('a')])
    expect(calls() - before).toBe(4)
  })

  test('every key has the hash tag of the store', async () => {
    const { store, key } = make({ prefix: 'tag' })
    cli(port, 'flushall')
    await store.set('{x}', 1)
    await store.add('{x}', 1)
    await store.acquire([{ key: '{x}', amount: 1, limit: 9, windowMs: 1000 }, { key: '{x}', amount: 1, limit: 9, periods: [0, 9e12] }], LEASE)
    await store.tally([{ group: '{x}', field: 'f', amount: 1 }])
    const keys = cli(port, 'keys', '*').split('\n')
    expect(keys.length).toBeGreaterThan(10)
    expect(keys.filter(name => !name.startsWith('{tag}:'))).toEqual([])
    expect(key('').startsWith('{wire')).toBe(true)
  })

  test('an idle window and a period that is over go by themselves, and never what is held or is of all time', async () => {
    const { store, key } = make()
    const nowMs = Number(cli(port, 'time').split('\n')[0]) * 1000
    const endMs = nowMs + 3_600_000
    const claims = [{ key: 'all', amount: 1, limit: 9 }, { key: 'w', amount: 1, limit: 9, windowMs: 5000 }, { key: 'p', amount: 1, limit: 9, periods: [nowMs - 1000, endMs] }, { key: 'p0', amount: 0, limit: 9, periods: [nowMs - 1000, endMs] }]
    const period = key(`c:p${nowMs - 1000}:p`)
    const holds = await Promise.all([1, 2].map(() => store.acquire(claims, LEASE)))
    for (const verdict of holds) {
      expect([ttl(period), ttl(`${period}0`), ttl(key('c:all:all')), ttl(key('holds'))]).toEqual([-1, -1, -1, -1])
      if (verdict.ok) await store.settle(verdict.holdId, claims.map(claim => ({ key: claim.key, amount: 1 })))
    }
    for (const name of [period, `${period}0`]) {
      expect(ttl(name)).toBeGreaterThan(3_590_000)
      expect(ttl(name)).toBeLessThan(3_670_000)
    }
    for (const name of ['c:5000:w', 'w:5000:w']) {
      expect(ttl(key(name))).toBeGreaterThan(5000)
      expect(ttl(key(name))).toBeLessThan(66_000)
    }
    expect(ttl(key('c:all:all'))).toBe(-1)
  })

  test('sums go with their groups, values with their end, and neither leaves its name behind', async () => {
    const { store, key } = make({ keepTalliesMs: 300 })
    for (let i = 0; i < 5; i++) {
      await store.set(`v${i}`, i, { ttlMs: 300 })
      await store.tally([{ group: `g${i}`, field: 'f', amount: 1 }])
    }
    expect((await store.tallies({ start: 'g', end: 'h' })).length).toBe(5)
    await eventually('the end', async () => ((await store.scan('')).length + (await store.tallies({ start: 'g', end: 'h' })).length === 0 ? true : undefined))
    await store.set('last', 1)
    await store.tally([{ group: 'g1', field: 'f', amount: 2 }])
    expect(await store.tallies({ start: 'g', end: 'h' })).toEqual([['g1', 'f', 2]])
    expect(['values', 'values:ends', 'groups', 'groups:ends'].map(name => cli(port, 'zcard', key(name)))).toEqual(['1', '0', '1', '1'])
    const { store: kept, key: of } = make()
    await kept.tally([{ group: 'g', field: 'f', amount: 1 }])
    expect(ttl(of('t:g')) / DAY).toBeCloseTo(400)
  })

  test('what does not fit one page is read whole and in order', async () => {
    const { store } = make()
    const names = Array.from({ length: 1203 }, (_, i) => `n${String(i).padStart(4, '0')}`)
    await Promise.all(names.map(name => store.set(name, name)))
    expect((await store.scan('n')).map(([name]) => name)).toEqual(names)
    expect((await store.scan('n', { start: 'n0001', limit: 1100 })).map(([name]) => name)).toEqual(names.slice(1, 1101))
    await Promise.all(names.map(group => store.tally([...'abcdef'].map(field => ({ group, field, amount: 1 })))))
    expect((await store.tallies({ start: 'n', end: 'o' })).map(([group, field]) => group + field)).toEqual(names.flatMap(name => [...'abcdef'].map(field => name + field)))
  })

  test('a window with very many entries is refused exactly, and in a moment', async () => {
    const time = { nowMs: 1_767_225_600_000 }
    const { store } = make({ now: () => time.nowMs })
    const claim = { key: 'a', amount: 1, limit: 2000, windowMs: 3_600_000 }
    for (let i = 0; i < 2000; i++) {
      time.nowMs += 7
      expect((await store.acquire([claim], { ttlMs: 9e9 })).ok).toBe(true)
    }
    const since = performance.now()
    expect(await store.acquire([{ ...claim, amount: 1600 }], LEASE)).toEqual({ ok: false, key: 'a', retryAfterMs: 3_600_000 - 400 * 7 })
    expect(performance.now() - since).toBeLessThan(100)
  })

  test('time is that of the server', async () => {
    const { store } = make()
    const seconds = Number(cli(port, 'time').split('\n')[0])
    await expect(store.acquire([{ key: 'a', amount: 1, limit: 9, periods: [0, 1000] }], LEASE)).rejects.toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('too far apart') as string })
    const held = await store.acquire([{ key: 'a', amount: 1, limit: 9, periods: [0, (seconds - 5) * 1000, (seconds + 900) * 1000] }], LEASE)
    expect(held.ok && (await store.settle(held.holdId, []))).toEqual([{ key: 'a', period: (seconds - 5) * 1000, charged: 0, held: 0 }])
    const claim = { key: 'w', amount: 1, limit: 1, windowMs: 120 }
    expect((await store.acquire([claim], LEASE)).ok).toBe(true)
    const { retryAfterMs } = { retryAfterMs: 0, ...(await store.acquire([claim], LEASE)) }
    expect(retryAfterMs).toBeGreaterThan(0)
    await new Promise(resolve => setTimeout(resolve, retryAfterMs + 2))
    expect((await store.acquire([claim], LEASE)).ok).toBe(true)
  })

  test('the listener on a client without one is taken off by close, which closes no client', async () => {
    const bare = clients.io(port)
    opened.add(bare, () => bare.disconnect())
    const store = redisStore(bare)
    expect(bare.listenerCount('error')).toBe(1)
    await store.add('a', 1)
    await store.close?.()
    await store.close?.()
    expect(bare.listenerCount('error')).toBe(0)
    expect(await bare.call('ping')).toBe('PONG')
    await expect(store.add('a', 1)).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  test('a client that takes no commands is refused', async () => {
    const io = opened.io(clients.io(port))
    await io.call('subscribe', 'x')
    expect(() => redisStore(io)).toThrow(/subscriber/)
    expect(() => redisStore({ isPubSubActive: true, isOpen: true, sendCommand: () => undefined } as RedisClient)).toThrow(/subscribed/)
  })
})

describe('options of the redis store', () => {
  const client = { status: 'ready', call: async () => [] } as RedisClient

  test('anything that is no client is refused, in words that name those that are', () => {
    const wrong: unknown[] = [undefined, null, 'redis://localhost', {}, { call: () => 1 }, { sendCommand: () => 1 }, { isOpen: true }, { status: 'ready' }, { isOpen: true, sendCommand: () => 1, release: () => 1 }, { isOpen: true, sendCommand: () => 1, options: { legacyMode: true } }]
    for (const one of wrong) expect(() => redisStore(one as RedisClient), JSON.stringify(one)).toThrow(expect.objectContaining({ code: 'invalid_config', message: expect.stringContaining('createClient') as string }) as Error)
  })

  test('a mistake is said at once', () => {
    const wrong: unknown[] = [null, { prefix: '' }, { prefix: 'a}b' }, { prefix: 'x'.repeat(129) }, { timeoutMs: 0 }, { timeoutMs: Infinity }, { keepTalliesMs: -1 }, { now: 5 }, { prefx: 'a' }]
    for (const options of wrong) expect(() => redisStore(client, options as RedisStoreOptions)).toThrow(expect.objectContaining({ code: 'invalid_config' }) as Error)
    expect(() => redisStore(client, { prefx: 'a' } as RedisStoreOptions)).toThrow(/"prefix"/)
  })
})
