import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import { type VirtualKeys } from '../../src/state/keys.js'
import type { KeyUpdate } from '../../src/state/keys-spec.js'
import { fault, virtualKeys } from './keys-helpers.js'

const SECRET = /^sp-[a-z2-7]{10}-[A-Za-z0-9_-]{43}$/

const valid = async (keys: VirtualKeys, secret: string) => {
  try {
    return (await keys.authenticate(secret)) !== undefined
  } catch (error) {
    expect(error).toMatchObject({ code: 'unauthenticated', origin: 'caller' })
    return false
  }
}

describe('a secret', () => {
  test('is shown once and stored as a hash only', async () => {
    const { keys, store, changes } = virtualKeys()
    const { secret, ...key } = await keys.create({ name: 'ci', team: 'search', tags: ['a', 'b', 'a'], models: ['smart'], metadata: { note: [1, null] } })
    expect(secret).toMatch(SECRET)
    expect(secret.startsWith(`${key.prefix}-`)).toBe(true)
    expect(key).toEqual({ id: key.id, prefix: `sp-${key.id}`, name: 'ci', team: 'search', tags: ['a', 'b'], models: ['smart'], metadata: { note: [1, null] }, createdAt: Date.UTC(2026, 0, 1) })
    const stored = await store.scan('')
    const part = secret.slice(14)
    expect(JSON.stringify(stored)).not.toContain(part)
    const { hash } = stored[0]?.[1] as { hash: string }
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    const shown = JSON.stringify([await keys.get(key.id), await keys.list(), await keys.authenticate(secret), await keys.update(key.id, { name: 'x' }), await keys.revoke(key.id), changes])
    expect(shown).not.toContain(part)
    expect(shown).not.toContain(hash)
    expect(shown).not.toContain('hash')
  })

  test('differs from key to key, and uses every byte it was given', async () => {
    const { keys } = virtualKeys({ randomBytes: length => new Uint8Array(length).fill(255) })
    expect((await keys.create()).secret).toBe(`sp-7777777777-${'_'.repeat(42)}8`)
    const { keys: others } = virtualKeys()
    const made = await Promise.all(Array.from({ length: 20 }, () => others.create()))
    expect(new Set(made.map(({ id }) => id)).size).toBe(20)
    expect(new Set(made.map(({ secret }) => secret.slice(14))).size).toBe(20)
  })

  test('of bytes that repeat is refused: it could be guessed, and would take another key away', async () => {
    const { keys } = virtualKeys({ randomBytes: length => new Uint8Array(length) })
    await keys.create()
    expect(await fault(() => keys.create())).toMatchObject({ code: 'invalid_config' })
    expect(await fault(() => virtualKeys({ randomBytes: () => new Uint8Array(1) }).keys.create())).toMatchObject({ code: 'invalid_config' })
  })

  test('what is given out is frozen through and through: nobody widens a key that is cached', async () => {
    const { keys } = virtualKeys()
    const spec = { models: ['smart'], metadata: { a: { b: 1 } }, budgets: [{ usd: 1 }] }
    const { id, secret } = await keys.create(spec)
    spec.models.push('other')
    spec.metadata.a.b = 2
    const key = await keys.authenticate(secret)
    expect(key).toMatchObject({ models: ['smart'], metadata: { a: { b: 1 } } })
    for (const part of [key, key.models, key.metadata, key.metadata?.['a'], key.budgets?.[0], await keys.get(id)]) expect(Object.isFrozen(part)).toBe(true)
  })
})

describe('rotation', () => {
  test('without an overlap the old secret ends at once, also where it was cached', async () => {
    const { keys, clock } = virtualKeys()
    const first = await keys.create({ team: 't' })
    expect(await valid(keys, first.secret)).toBe(true)
    await clock.advance(10)
    const second = await keys.rotate(first.id)
    expect(second).toMatchObject({ id: first.id, prefix: first.prefix, team: 't', createdAt: first.createdAt, rotatedAt: first.createdAt + 10 })
    expect(second).not.toHaveProperty('oldSecretUntil')
    expect(await valid(keys, first.secret)).toBe(false)
    expect(await valid(keys, second.secret)).toBe(true)
  })

  test('with one the old secret lives to its end and not a millisecond longer', async () => {
    const { keys, clock } = virtualKeys()
    const first = await keys.create()
    const second = await keys.rotate(first.id, { overlapMs: 1000 })
    expect(second.oldSecretUntil).toBe(clock.now() + 1000)
    await clock.advance(999)
    expect([await valid(keys, first.secret), await valid(keys, second.secret)]).toEqual([true, true])
    await clock.advance(1)
    expect([await valid(keys, first.secret), await valid(keys, second.secret)]).toEqual([false, true])
  })

  test('a third secret ends the first: never are three valid', async () => {
    const { keys } = virtualKeys()
    const first = await keys.create()
    const second = await keys.rotate(first.id, { overlapMs: 1000 })
    const third = await keys.rotate(first.id, { overlapMs: 1000 })
    expect(await Promise.all([first, second, third].map(({ secret }) => valid(keys, secret)))).toEqual([false, true, true])
  })

  test('an overlap that is none, or an option that is none, changes nothing', async () => {
    const { keys } = virtualKeys()
    const { id, secret } = await keys.create()
    for (const overlapMs of [-1, NaN, Infinity, '5']) expect(await fault(() => keys.rotate(id, { overlapMs: overlapMs as number }))).toMatchObject({ code: 'invalid_request' })
    expect((await fault(() => keys.rotate(id, { overlap: 5 } as object))).message).toContain('Did you mean "overlapMs"?')
    expect(await valid(keys, secret)).toBe(true)
  })
})

describe('revocation', () => {
  test('is final: neither an update nor a rotation brings the key back', async () => {
    const { keys, clock, changes } = virtualKeys()
    const first = await keys.create()
    const second = await keys.rotate(first.id, { overlapMs: 1e6 })
    await keys.authenticate(second.secret)
    const { revokedAt } = await keys.revoke(first.id)
    expect(revokedAt).toBe(clock.now())
    await clock.advance(5)
    expect((await keys.revoke(first.id)).revokedAt).toBe(revokedAt)
    expect(await keys.update(first.id, { name: 'late', expiresInMs: 1000 })).toMatchObject({ revokedAt, name: 'late' })
    const error = await fault(() => keys.rotate(first.id))
    expect(error).toMatchObject({ code: 'invalid_request' })
    expect(error.message).toContain('Create a new one')
    expect([await valid(keys, first.secret), await valid(keys, second.secret)]).toEqual([false, false])
    expect(changes.map(({ change }) => change)).toEqual(['key_created', 'key_rotated', 'key_revoked', 'key_updated'])
  })
})

describe('updates', () => {
  test('a field that is left out stays, null removes it, and the event names what changed', async () => {
    const { keys, changes, clock } = virtualKeys()
    const { id, secret } = await keys.create({ name: 'a', team: 't', models: ['m'], expiresInMs: 1000, limits: 5 })
    await keys.authenticate(secret)
    expect(await keys.update(id, { name: 'b', models: null, expiresInMs: null, metadata: { x: 1 } })).toEqual({ id, prefix: `sp-${id}`, name: 'b', team: 't', limits: 5, metadata: { x: 1 }, createdAt: clock.now() })
    expect(changes.at(-1)).toEqual({ change: 'key_updated', id, at: clock.now(), fields: ['name', 'models', 'expiresAt', 'metadata'] })
    expect(await keys.authenticate(secret)).toMatchObject({ name: 'b' })
    await clock.advance(2000)
    expect(await valid(keys, secret)).toBe(true)
  })

  test('an update of nothing writes nothing and tells nobody', async () => {
    const { keys, changes } = virtualKeys()
    const { id } = await keys.create({ name: 'a' })
    expect(await keys.update(id, { name: undefined } as unknown as KeyUpdate)).toMatchObject({ name: 'a' })
    expect(changes.length).toBe(1)
  })

  test('is as strict as creation', async () => {
    const { keys } = virtualKeys()
    const { id } = await keys.create({ name: 'a' })
    for (const changes of [{ models: [] }, { name: '' }, { expiresAt: 5 }, { expiresAt: null, expiresInMs: 5 }, { hash: 'x' }, { revokedAt: null }, null]) {
      expect(await fault(() => keys.update(id, changes as KeyUpdate))).toMatchObject({ code: 'invalid_request' })
    }
    expect(await keys.get(id)).not.toHaveProperty('expiresAt')
  })

  test('two at once in one process lose neither change', async () => {
    const { keys } = virtualKeys()
    const { id } = await keys.create()
    await Promise.all([keys.update(id, { team: 't' }), keys.update(id, { user: 'u' }), fault(() => keys.update(id, { user: '' })), keys.update(id, { name: 'n' })])
    expect(await keys.get(id)).toMatchObject({ team: 't', user: 'u', name: 'n' })
  })

  test('a listener that throws neither undoes the change nor hides the secret', async () => {
    const { keys } = virtualKeys({ onChange() { throw new Error('no') } })
    const { id, secret } = await keys.create()
    expect(secret).toMatch(SECRET)
    expect(await keys.revoke(id)).toHaveProperty('revokedAt')
  })
})

describe('an id that is none', () => {
  test('gets the nearest form, and a secret that was given by mistake is not repeated', async () => {
    const { keys } = virtualKeys()
    const { id, secret, prefix } = await keys.create()
    for (const given of [secret, prefix, id.toUpperCase(), `${prefix}-x`]) {
      const error = await fault(() => keys.get(given))
      expect(error).toMatchObject({ code: 'invalid_request' })
      expect(error.message).toContain(`Did you mean "${id}"?`)
      expect(JSON.stringify(error)).not.toContain(secret.slice(14))
    }
    for (const given of [secret.slice(14), secret.slice(3, 12), '', 5, null, 'x'.repeat(1e6)]) {
      const error = await fault(() => keys.revoke(given as string))
      expect(error.message).toContain('10 characters')
      expect(error.message.length).toBeLessThan(200)
      if (given !== '') expect(error.message).not.toContain(String(given))
    }
  })

  test('does not tell of the keys there are', async () => {
    const { keys } = virtualKeys()
    const { id } = await keys.create()
    const near = (id.startsWith('a') ? 'b' : 'a') + id.slice(1)
    for (const work of [() => keys.get(near), () => keys.rotate(near), () => keys.revoke(near), () => keys.update(near, { name: 'x' })]) {
      const error = await fault(work)
      expect(error).toMatchObject({ code: 'invalid_request' })
      expect(error.message).not.toContain(id)
    }
    expect((await keys.list()).length).toBe(1)
  })
})

describe('lists', () => {
  test('pages meet without a gap or a repetition, whatever their size, and a team sees its own', async () => {
    const { keys } = virtualKeys()
    const made: string[] = []
    for (let i = 0; i < 130; i++) made.push((await keys.create({ team: i % 3 === 0 ? 'a' : 'b' })).id)
    const inOrder = [...made].sort()
    expect((await keys.list()).map(({ id }) => id)).toEqual(inOrder.slice(0, 100))
    for (const [limit, team] of [[7, undefined], [130, undefined], [1000, 'a'], [11, 'a']] as const) {
      const seen: string[] = []
      for (let after: string | undefined; ; ) {
        const page = await keys.list({ limit, ...(after && { after }), ...(team && { team }) })
        seen.push(...page.map(({ id }) => id))
        after = page.at(-1)?.id
        if (page.length < limit) break
      }
      expect(seen).toEqual(inOrder.filter(id => team === undefined || made.indexOf(id) % 3 === 0))
    }
    expect(await keys.list({ team: 'c' })).toEqual([])
  })

  test('revoked keys are listed, notes of revocations are not', async () => {
    const { keys } = virtualKeys()
    const { id } = await keys.create()
    await keys.revoke(id)
    expect(await keys.list()).toMatchObject([{ id, revokedAt: expect.any(Number) as number }])
  })

  test('a page without bounds is refused', async () => {
    const { keys } = virtualKeys()
    for (const page of [{ limit: 0 }, { limit: 1001 }, { limit: 1.5 }, { after: 'sp-x' }, { team: 5 as unknown as string }, { page: 5 } as object]) expect(await fault(() => keys.list(page))).toMatchObject({ code: 'invalid_request' })
  })
})

test('a cache older than five seconds is refused: a revoked key would live on in it', () => {
  for (const cacheMs of [-1, 5001, NaN]) expect(() => virtualKeys({ cacheMs })).toThrow(GatewayError)
})
