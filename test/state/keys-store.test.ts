import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import type { Json } from '../../src/protocol/json.js'
import type { Store } from '../../src/protocol/ports.js'
import { VirtualKeys } from '../../src/state/keys.js'
import { memoryStore } from '../../src/state/memory.js'
import { virtualClock } from '../../src/testing/clock.js'
import { bytesOf, fault } from './keys-helpers.js'

type Verb = (verb: 'get' | 'set', key: string, value?: Json) => unknown

/** A store whose every step may be held up, or fail, by a test. */
function make(before: Verb = () => undefined) {
  const clock = virtualClock()
  const inner = memoryStore({ clock })
  const hook = { before }
  const store: Store = {
    ...inner,
    async get(key) {
      await hook.before('get', key)
      return inner.get(key)
    },
    async set(key, value) {
      await hook.before('set', key, value)
      return inner.set(key, value)
    },
  }
  const keys = new VirtualKeys({ store, clock, randomBytes: bytesOf(3) })
  const other = new VirtualKeys({ store: inner, clock, randomBytes: bytesOf(4) })
  return { clock, inner, keys, other, hook }
}

describe('what the store holds is not believed', () => {
  const hash = 'a'.repeat(64)
  const broken: [string, (id: string) => Json][] = [
    ['a text', () => 'nonsense'],
    ['a list', () => []],
    ['nothing of ours', () => ({})],
    ['no version', id => ({ id, hash, createdAt: 1 })],
    ['the record of another key', () => ({ version: 1, id: 'aaaaaaaaaa', hash, createdAt: 1 })],
    ['a short hash', id => ({ version: 1, id, hash: 'aa', createdAt: 1 })],
    ['no hash', id => ({ version: 1, id, createdAt: 1 })],
    ['an old hash that is none', id => ({ version: 1, id, hash, createdAt: 1, old: { hash, untilMs: 'late' } })],
    ['a time that is none', id => ({ version: 1, id, hash, createdAt: 1, revokedAt: 'yesterday' })],
    ['no time', id => ({ version: 1, id, hash })],
    ['an expiry that is none', id => ({ version: 1, id, hash, createdAt: 1, expiresAt: null })],
    ['models that allow nothing', id => ({ version: 1, id, hash, createdAt: 1, models: [] })],
    ['models that are a text', id => ({ version: 1, id, hash, createdAt: 1, models: 'all' })],
    ['tags of numbers', id => ({ version: 1, id, hash, createdAt: 1, tags: [1] })],
    ['a newer version', id => ({ version: 2, id, hash, createdAt: 1 })],
  ]
  for (const [what, value] of broken) {
    test(`${what} is store_unavailable wherever it is read, and is not written over`, async () => {
      const { keys, inner } = make()
      const { id, secret } = await keys.create()
      await inner.set(`key:${id}`, value(id))
      for (const work of [() => keys.authenticate(secret), () => keys.get(id), () => keys.list(), () => keys.update(id, { name: 'x' }), () => keys.rotate(id), () => keys.revoke(id)]) {
        const error = await fault(work)
        expect(error).toMatchObject({ code: 'store_unavailable', origin: 'gateway' })
        expect(error.message).toContain(id)
        expect(inspect(error)).not.toMatch(/a{64}/)
      }
      expect(await inner.get(`key:${id}`)).toEqual(value(id))
    })
  }

  test('a newer version says that this process is too old', async () => {
    const { keys, inner } = make()
    await inner.set('key:aaaaaaaaaa', { version: 2 })
    expect((await fault(() => keys.get('aaaaaaaaaa'))).message).toContain('Update this process')
  })

  test('a key of somebody else under our prefix is not repeated', async () => {
    const { keys, inner } = make()
    await inner.set('key:sk-very-private', 'x')
    const error = await fault(() => keys.list())
    expect(error.code).toBe('store_unavailable')
    expect(inspect(error)).not.toContain('private')
  })

  test('what is more in a record than we know is not shown', async () => {
    const { keys, inner } = make()
    const { id } = await keys.create({ name: 'a' })
    await inner.set(`key:${id}`, { ...((await inner.get(`key:${id}`)) as object), secretThing: 1, __proto__: { x: 1 } })
    expect(Object.keys(await keys.get(id)).sort()).toEqual(['createdAt', 'id', 'name', 'prefix'])
  })

  test('a store that says null for nothing holds nothing', async () => {
    const { clock, inner } = make()
    const keys = new VirtualKeys({ store: { ...inner, get: async key => (await inner.get(key)) ?? null }, clock, randomBytes: bytesOf(1) })
    const { secret, id } = await keys.create()
    expect(await keys.authenticate(secret)).toMatchObject({ id })
    expect(await keys.update(id, { name: 'x' })).not.toHaveProperty('revokedAt')
  })
})

describe('a store that fails', () => {
  test('is store_unavailable, lets nobody in, and is asked again', async () => {
    const { keys, hook } = make()
    const { secret, id } = await keys.create()
    for (const thrown of [new Error('down'), new GatewayError('unauthenticated', 'redis says no'), 'text', Object.create(null)]) {
      hook.before = () => {
        throw thrown
      }
      for (const work of [() => keys.authenticate(secret), () => keys.create(), () => keys.revoke(id), () => keys.get(id)]) expect(await fault(work)).toMatchObject({ code: 'store_unavailable' })
    }
    hook.before = () => undefined
    expect(await keys.authenticate(secret)).toMatchObject({ id })
  })

  test('repeats neither secret nor hash in its words', async () => {
    const { keys, hook } = make((verb, _key, value) => {
      if (verb === 'set') throw new Error(`READONLY ${JSON.stringify(value)}`)
    })
    const error = await fault(() => keys.create())
    expect(inspect(error)).toContain('READONLY')
    expect(inspect(error)).not.toMatch(/[0-9a-f]{16}/)
    hook.before = () => undefined
    expect(await keys.list()).toEqual([])
  })

  test('after a write that may have been done, the store is asked and not the cache', async () => {
    const { keys, inner, hook } = make()
    const { secret, id } = await keys.create()
    await keys.authenticate(secret)
    hook.before = async (verb, key, value) => {
      if (verb !== 'set' || key !== `key:${id}`) return
      await inner.set(key, value as Json)
      throw new Error('the answer got lost')
    }
    expect(await fault(() => keys.revoke(id))).toMatchObject({ code: 'store_unavailable' })
    expect(await fault(() => keys.authenticate(secret))).toMatchObject({ code: 'unauthenticated' })
  })
})

describe('two processes', () => {
  /** Lets `meanwhile` happen once, before the write of one process and after its read. */
  async function between(work: (make_: ReturnType<typeof make>, id: string) => Promise<unknown>, meanwhile: (other: VirtualKeys, id: string) => Promise<unknown>) {
    const made = make()
    const { id, secret } = await made.keys.create({ name: 'a' })
    made.hook.before = async (verb, key) => {
      if (verb !== 'set' || key !== `key:${id}`) return
      made.hook.before = () => undefined
      await meanwhile(made.other, id)
    }
    const outcome = await work(made, id).catch((error: unknown) => error)
    return { ...made, id, secret, outcome }
  }

  test('a revocation between the read and the write of an update is not undone', async () => {
    const { keys, other, id, secret, outcome } = await between(({ keys }, id) => keys.update(id, { name: 'b' }), (other, id) => other.revoke(id))
    expect(outcome).toMatchObject({ name: 'b', revokedAt: expect.any(Number) as number })
    expect(await other.get(id)).toMatchObject({ name: 'b', revokedAt: expect.any(Number) as number })
    for (const one of [keys, other]) expect(await fault(() => one.authenticate(secret))).toMatchObject({ code: 'unauthenticated' })
  })

  test('nor of a rotation, which gives no secret out', async () => {
    const { other, id, outcome } = await between(({ keys }, id) => keys.rotate(id), (other, id) => other.revoke(id))
    expect(outcome).toMatchObject({ code: 'invalid_request' })
    expect(await other.get(id)).toHaveProperty('revokedAt')
  })

  test('nor where its note cannot be read any more', async () => {
    const { keys, inner } = make()
    const { id } = await keys.create()
    await inner.set(`key-revoked:${id}`, 'nonsense')
    expect(await keys.update(id, { name: 'b' })).toHaveProperty('revokedAt')
  })

  test('a revocation keeps what was changed while it was noted', async () => {
    const made = make()
    const { id } = await made.keys.create()
    made.hook.before = async (verb, key) => {
      if (verb === 'set' && key === `key-revoked:${id}`) await made.other.update(id, { team: 't' })
    }
    expect(await made.keys.revoke(id)).toMatchObject({ team: 't', revokedAt: expect.any(Number) as number })
  })

  test('of two revocations the one that was stored keeps its time', async () => {
    const made = make()
    const { id } = await made.keys.create()
    const at = made.clock.now()
    made.hook.before = async (verb, key) => {
      if (verb !== 'set' || key !== `key-revoked:${id}`) return
      await made.clock.advance(10)
      await made.other.revoke(id)
    }
    expect(await made.keys.revoke(id)).toMatchObject({ revokedAt: at + 10 })
  })

  test('of two updates the later write wins', async () => {
    const { other, id } = await between(({ keys }, id) => keys.update(id, { name: 'b' }), (other, id) => other.update(id, { name: 'c' }))
    expect(await other.get(id)).toMatchObject({ name: 'b' })
  })
})
