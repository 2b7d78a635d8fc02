import { inspect } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { Gateway, type GatewayOptions } from 'sallyport'
import { memoryStore, scripted } from 'sallyport/testing'
import { redisStore } from 'sallyport/redis'
import { sqliteStore } from 'sallyport/sqlite'
import type { Store } from '../../src/protocol/ports.js'
import { thrown } from '../gateway/support.js'
import { clients, describeRedis, Opened } from '../state/redis/clients.js'
import { startServer } from '../state/redis/servers.js'
import { ENGINES, folder, realClock } from '../state/sqlite/engine.js'

/** Strings that mean something to one store or another. */
const HOSTILE: readonly string[] = [
  '', ' ', '*', 'key:*', "' OR '1'='1", "'; DROP TABLE sallyport_entries; --", '" OR ""="', 'key:aaaaaaaaaa', '../../etc/passwd', '{tag}', '\0', 'a\r\nDEL x\r\n', '*3\r\n$3\r\nSET\r\n', '$ne', '{"$gt":""}', '__proto__', 'constructor', '%', '_', '[a-z]*', '\\', '\ud800', '\u202e', '💥'.repeat(40), 'x'.repeat(100_000), 'gw_', 'sk-' + 'a'.repeat(64),
]
const closers: (() => Promise<void> | void)[] = []
afterAll(async () => {
  for (const close of closers) await close()
})

/** What is asked of a store, and with what. */
function witnessed(store: Store): { readonly store: Store; readonly asked: string[] } {
  const asked: string[] = []
  const get = (target: Store, name: string | symbol): unknown => {
    const verb: unknown = Reflect.get(target, name)
    if (typeof verb !== 'function') return verb
    return (...all: unknown[]): unknown => {
      if (name === 'get' || name === 'set') asked.push(...all.map(one => (typeof one === 'string' ? one : JSON.stringify(one) ?? '')))
      return Reflect.apply(verb, target, all)
    }
  }
  return { asked, store: new Proxy(store, { get }) }
}

async function holds(make: () => Store | Promise<Store>): Promise<void> {
  const { store, asked } = witnessed(await make())
  const gateway = new Gateway({ routes: { smart: scripted({ answers: 'fine', price: { input: 1, output: 1 } }) }, store, budgets: [{ name: 'all', usd: 1_000, window: 'day', hard: false }] } as GatewayOptions)
  closers.push(() => gateway.close())
  const { id, secret } = await gateway.keys.create({ team: 'search' })
  const chat = (key: string) => gateway.chat({ model: 'smart', messages: 'Hi' } as never, { key })
  expect((await chat(secret)).text).toBe('fine')
  // Only a digest of the secret is kept.
  const random = secret.slice(-43)
  expect(asked.join('\n')).not.toContain(random)
  expect(inspect(await gateway.keys.get(id), { depth: Infinity })).not.toContain(random)

  const before = asked.length
  const errors: unknown[] = []
  for (const key of [...HOSTILE, secret.slice(0, -1), `${secret}x`, secret.toUpperCase(), ...HOSTILE.slice(1, 12).map(bad => secret.slice(0, -random.length) + bad), ...HOSTILE.slice(1, 12).map(bad => bad + secret)]) errors.push(await thrown(() => chat(key)))
  // One and the same sentence, and nothing of what was tried.
  expect(new Set(errors.map(error => JSON.stringify(error))).size).toBe(1)
  expect(errors[0]).toMatchObject({ code: 'unauthenticated', origin: 'caller' })
  // What was asked of the store is a key of ours or nothing.
  for (const key of asked.slice(before)) expect(key).toMatch(/^key(?:-revoked)?:[a-z2-7]{10}$|^\{/)
  for (const bad of HOSTILE) {
    await gateway.keys.get(bad).catch(() => undefined)
    await gateway.keys.revoke(bad).catch(() => undefined)
    for (const field of ['team', 'project', 'user', 'name']) await gateway.keys.create({ [field]: bad, tags: [bad] } as never).catch(() => undefined)
    await gateway.chat({ model: 'smart', messages: 'Hi', maxOutputTokens: 5 } as never, { principal: { team: bad, user: bad } }).catch(() => undefined)
  }
  await gateway.flush()
  await gateway.spend({ by: 'team' })
  expect((await chat(secret)).text).toBe('fine')
  expect((await gateway.keys.get(id))?.id).toBe(id)
}

describe('hostile virtual keys and principals reach a store as values alone', () => {
  it('in memory', () => holds(() => memoryStore({ clock: realClock })))

  it.each(ENGINES)('in SQLite over $name, where they are parameters', async ({ open }) => {
    const at = folder(true)
    closers.push(() => at.remove())
    await holds(() => sqliteStore(open(at.path('keys.db'))))
  })
})

describeRedis('hostile virtual keys and principals in Redis', () => {
  const opened = new Opened()
  it('are arguments of its scripts', async () => {
    const server = opened.server(await startServer())
    await holds(async () => redisStore(await opened.node(clients.node(server.port))))
  })
})
