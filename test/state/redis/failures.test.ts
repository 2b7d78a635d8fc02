import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Clock, Store } from '../../../src/protocol/ports.js'
import { redisStore, type RedisClient } from '../../../src/state/redis.js'
import { clients, describeRedis, Opened } from './clients.js'
import { cli, eventually, freePort, startServer } from './servers.js'

const LEASE = { ttlMs: 60_000 }
const UNAVAILABLE = { code: 'store_unavailable', origin: 'gateway' }
const clock: Clock = {
  now: () => Date.now(),
  after: (ms, fn) => {
    const timer = setTimeout(fn, ms)
    return { cancel: () => clearTimeout(timer) }
  },
}

function started(client: RedisClient, options: { readonly timeoutMs?: number; readonly prefix?: string } = {}) {
  const store = redisStore(client, options)
  store.start({ clock })
  return store
}

async function timed(work: Promise<unknown>): Promise<number> {
  const since = performance.now()
  await work
  return performance.now() - since
}

const verbs: readonly (readonly [string, (store: Store) => Promise<unknown>])[] = [
  ['get', store => store.get('a')],
  ['set', store => store.set('a', 1)],
  ['delete', store => store.delete('a')],
  ['add', store => store.add('a', 1)],
  ['scan', store => store.scan('')],
  ['acquire', store => store.acquire([{ key: 'a', amount: 1, limit: 9 }], LEASE)],
  ['settle', store => store.settle('no such hold', [])],
  ['renew', store => store.renew('no such hold', 1)],
  ['tally', store => store.tally([{ group: 'g', field: 'f', amount: 1 }])],
  ['tallies', store => store.tallies({ start: 'a', end: 'z' })],
]

describeRedis('a server that fails', () => {
  describe.each(['node-redis', 'ioredis'] as const)('%s', kind => {
    const opened = new Opened()
    const connect = async (port: number) => (kind === 'ioredis' ? opened.io(clients.io(port)) : opened.node(clients.node(port)))

    test('scripts that the server forgets are sent again, and the first use counts nothing twice', async () => {
      const { port } = opened.server(await startServer())
      const store = started(await connect(port))
      for (let i = 1; i <= 3; i++) {
        expect(await store.add('a', 1)).toBe(i)
        cli(port, 'script', 'flush')
      }
    })

    test.each([['lost', false], ['kept', true]] as const)('a restart rejects in time and works again, with data %s', async (_, kept) => {
      const folder = opened.add(mkdtempSync(join(tmpdir(), 'sallyport-kept-')), path => rmSync(path, { recursive: true, force: true }))
      const args = kept ? ['--appendonly', 'yes', '--appendfsync', 'always', '--dir', folder] : []
      const port = await freePort()
      const server = opened.server(await startServer({ port, args }))
      const store = started(await connect(port), { timeoutMs: 300 })
      const held = await store.acquire([{ key: 'a', amount: 3, limit: 10 }], LEASE)
      await server.stop()
      const spent = await Promise.all(verbs.map(async ([, ask]) => timed(expect(ask(store)).rejects.toMatchObject(UNAVAILABLE))))
      expect(Math.max(...spent)).toBeLessThan(1000)
      opened.server(await startServer({ port, args }))
      await eventually('the store', () => store.get('b').then(() => true))
      const standing = held.ok ? await store.settle(held.holdId, [{ key: 'a', amount: 2 }]) : undefined
      expect(standing?.map(({ charged }) => charged)).toEqual(kept ? expect.anything() : undefined)
      for (const [name, ask] of verbs) await ask(store).catch((error: unknown) => expect(error, name).toBeUndefined())
    })

    test('a server that hangs is not waited for, and the hold that comes late is given back', async () => {
      const server = opened.server(await startServer())
      const store = started(await connect(server.port), { timeoutMs: 400 })
      await eventually('the store', () => store.add('a', 0))
      process.kill(server.pid, 'SIGSTOP')
      try {
        const asked = [...verbs.filter(([name]) => name !== 'add'), ['acquire', (one: Store) => one.acquire([{ key: 'late', amount: 9, limit: 9 }], LEASE)] as const]
        const spent = await Promise.all(asked.map(async ([, ask]) => timed(expect(ask(store)).rejects.toMatchObject(UNAVAILABLE))))
        expect(Math.min(...spent)).toBeGreaterThanOrEqual(390)
        expect(Math.max(...spent)).toBeLessThan(1100)
      } finally {
        process.kill(server.pid, 'SIGCONT')
      }
      const again = await eventually('what the late one held', async () => {
        const verdict = await store.acquire([{ key: 'late', amount: 9, limit: 9 }], LEASE)
        return verdict.ok ? verdict : undefined
      })
      await eventually('its end', async () => (await store.settle(again.holdId, [])) ?? [])
      await eventually('all that is held', async () => (cli(server.port, 'zcard', '{sallyport}:holds') === '0' ? true : undefined))
    })

    test('a server that is full, that is a replica, or whose schema is newer', async () => {
      const { port } = opened.server(await startServer())
      const client = await connect(port)
      const store = started(client)
      await store.set('a', 1)
      cli(port, 'config', 'set', 'maxmemory', '1')
      await expect(store.set('a', 2)).rejects.toMatchObject({ ...UNAVAILABLE, message: expect.stringContaining('(OOM)') as string })
      cli(port, 'config', 'set', 'maxmemory', '0')
      cli(port, 'replicaof', '127.0.0.1', '1')
      await expect(store.set('a', 2)).rejects.toMatchObject({ ...UNAVAILABLE, message: expect.stringContaining('(READONLY)') as string })
      cli(port, 'replicaof', 'no', 'one')
      expect(await store.get('a')).toBe(1)
      cli(port, 'set', '{other}:version', '2')
      const newer = started(client, { prefix: 'other' })
      for (const [, ask] of verbs) await expect(ask(newer)).rejects.toMatchObject({ ...UNAVAILABLE, message: expect.stringContaining('schema is newer') as string })
      expect(cli(port, 'keys', '{other}*')).toBe('{other}:version')
      cli(port, 'set', '{other}:version', '1')
      expect(await newer.add('a', 1)).toBe(1)
    })

    test('a client that is closed is unavailable at once, and no error is left over', async () => {
      const { port } = opened.server(await startServer())
      const client = await connect(port)
      const store = redisStore(client)
      await store.add('a', 1)
      if ('destroy' in client) await client.destroy()
      else client.disconnect()
      await eventually('the end', async () => (('status' in client && client.status === 'end') || ('isOpen' in client && !client.isOpen) ? true : undefined))
      for (const [, ask] of verbs) await expect(ask(store)).rejects.toMatchObject(UNAVAILABLE)
    })

    test('a password is in no error', async () => {
      const { port } = opened.server(await startServer({ args: ['--requirepass', 'right'] }))
      const wrong = { password: 'hunter2', url: `redis://default:hunter2@127.0.0.1:${port}` }
      const client = kind === 'ioredis' ? opened.io(clients.io(port, wrong)) : clients.node(port, wrong)
      // It tries again for ever.
      if ('connect' in client) void opened.node(client).catch(() => undefined)
      const store = started(client, { timeoutMs: 100 })
      for (const error of await Promise.all(verbs.map(([, ask]) => ask(store).catch((caught: unknown) => caught)))) {
        expect(error).toMatchObject(UNAVAILABLE)
        expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2')
      }
    })
  })
})

/** A client like ioredis that does not always tell what the server said. */
function deaf(client: RedisClient, answer: (name: string, ask: () => Promise<unknown>) => Promise<unknown>): RedisClient {
  const { call } = client as unknown as { call(...args: string[]): Promise<unknown> }
  return { status: 'ready', call: (...args: string[]) => answer(args.includes('=claim me') ? 'acquire' : '', () => call.apply(client, args)) } as RedisClient
}

describeRedis('an answer that is lost', () => {
  const opened = new Opened()
  const claims = [{ key: 'claim me', amount: 6, limit: 10 }]
  const lease = { ttlMs: 60_000, owner: 'claim me' }

  test('a hold nobody heard of is given back', async () => {
    const { port } = opened.server(await startServer())
    const store = started(
      deaf(opened.io(clients.io(port)), async (name, ask) => {
        const reply = await ask()
        if (name === 'acquire') throw new Error('redis://me:hunter2@host is gone')
        return reply
      }),
    )
    const error: unknown = await store.acquire(claims, lease).catch((caught: unknown) => caught)
    expect(error).toMatchObject(UNAVAILABLE)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2')
    await eventually('what is held', async () => (cli(port, 'zcard', '{sallyport}:holds') === '0' ? true : undefined))
  })

  test('an acquire that a client sends twice is one hold', async () => {
    const { port } = opened.server(await startServer())
    const store = started(deaf(opened.io(clients.io(port)), async (name, ask) => (name === 'acquire' && (await ask().catch(() => undefined)), ask())))
    for (let i = 0; i < 3; i++) {
      const verdict = await store.acquire(claims, lease)
      expect(verdict.ok && (await store.settle(verdict.holdId, []))).toEqual([{ key: 'claim me', charged: 0, held: 0 }])
    }
  })

  test('an answer that is none of a script is no crash', async () => {
    for (const reply of [undefined, null, 'OK', [1], [null], {}]) {
      const store = started({ status: 'ready', call: async () => reply } as RedisClient)
      for (const [, ask] of verbs) await expect(ask(store)).rejects.toMatchObject(UNAVAILABLE)
    }
  })
})
