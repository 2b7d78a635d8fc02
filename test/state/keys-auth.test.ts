import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import type { Store } from '../../src/protocol/ports.js'
import { VirtualKeys, type VirtualKeysDeps } from '../../src/state/keys.js'
import { PROOF } from '../../src/state/keys-proof.js'
import { memoryStore } from '../../src/state/memory.js'
import { virtualClock } from '../../src/testing/clock.js'
import { bytesOf, fault } from './keys-helpers.js'

function make(deps: Partial<VirtualKeysDeps> = {}) {
  const clock = virtualClock()
  const inner = memoryStore({ clock })
  const work = { reads: 0, digested: [] as string[], compares: 0 }
  const held: (() => void)[] = []
  const gate = { shut: false }
  const store: Store = {
    ...inner,
    async get(key) {
      work.reads++
      // Read now, told later: what is told may be old by then.
      const found = await inner.get(key)
      if (gate.shut) await new Promise<void>(resolve => held.push(resolve))
      return found
    },
  }
  const randomBytes = bytesOf(7)
  const proof = {
    digest: (text: string) => (work.digested.push(text), PROOF.digest(text)),
    same: (a: Int32Array, b: Int32Array) => (work.compares++, PROOF.same(a, b)),
  }
  const keys = new VirtualKeys({ store, clock, randomBytes, proof, ...deps })
  const other = new VirtualKeys({ store: inner, clock, randomBytes: bytesOf(8) })
  const open = () => {
    gate.shut = false
    for (const go of held.splice(0)) go()
  }
  return { clock, inner, keys, other, work, gate, open }
}

const wrong = (secret: string) => secret.slice(0, -2) + (secret.endsWith('AA') ? 'BB' : 'AA')
const unknownTo = (secret: string) => `sp-${secret[3] === 'a' ? 'b' : 'a'}${secret.slice(4)}`

describe('what is wrong with a key is never told', () => {
  test('not by words: malformed, unknown, wrong, expired, revoked and rotated are one error', async () => {
    const { keys, clock } = make()
    const key = await keys.create()
    const expired = await keys.create({ expiresInMs: 1 })
    const revoked = await keys.create()
    await keys.revoke(revoked.id)
    const rotated = await keys.create()
    await keys.rotate(rotated.id)
    await clock.advance(1)
    const given = ['', 'sk-x', key.prefix, `${key.secret} `, ` ${key.secret}`, key.secret.toUpperCase(), `${key.secret}\n`, 'é'.repeat(57), 5, null, undefined, {}, wrong(key.secret), unknownTo(key.secret), expired.secret, revoked.secret, rotated.secret]
    const errors = await Promise.all(given.map(secret => fault(() => keys.authenticate(secret as string))))
    const [first] = errors
    expect(first).toMatchObject({ code: 'unauthenticated', origin: 'caller' })
    for (const error of errors) {
      expect(JSON.stringify(error)).toBe(JSON.stringify(first))
      for (const { secret } of [key, expired, revoked, rotated]) expect(inspect(error)).not.toContain(secret.slice(14))
    }
    expect(await keys.authenticate(key.secret)).toMatchObject({ id: key.id })
  })

  test('not by work: each costs one digest of one length and two compares, let in or not', async () => {
    const { keys, work, clock } = make()
    const key = await keys.create()
    const expired = await keys.create({ expiresInMs: 1 })
    const revoked = await keys.create()
    await keys.revoke(revoked.id)
    await clock.advance(1)
    const costs = async (secret: string) => {
      work.digested.length = work.compares = work.reads = 0
      const outcome = await fault(() => keys.authenticate(secret)).catch(() => 'in')
      return { in: outcome === 'in', digests: work.digested.map(text => text.length), compares: work.compares, reads: work.reads }
    }
    const same = { digests: [43], compares: 2 }
    for (const cached of [false, true]) {
      const reads = cached ? 0 : 1
      expect(await costs(key.secret)).toEqual({ in: true, ...same, reads })
      expect(await costs(unknownTo(key.secret))).toEqual({ in: false, ...same, reads })
      expect(await costs(expired.secret)).toEqual({ in: false, ...same, reads })
      expect(await costs(revoked.secret)).toEqual({ in: false, ...same, reads })
      expect(await costs(wrong(key.secret))).toEqual({ in: false, ...same, reads: 0 })
      expect(await costs(`${key.secret}!`)).toEqual({ in: false, ...same, reads: 0 })
    }
  })

  test('a text without end is refused without reading all of it, and without the store', async () => {
    const { keys, work } = make()
    const { secret } = await keys.create()
    work.digested.length = work.reads = 0
    await fault(() => keys.authenticate(secret + 'x'.repeat(1e6)))
    expect(work.digested.map(text => text.length)).toEqual([43])
    expect(work.reads).toBe(0)
  })

  test('a compare looks at all 32 bytes', () => {
    const digest = PROOF.digest('a')
    expect(PROOF.same(digest, Int32Array.from(digest))).toBe(true)
    for (let at = 0; at < 8; at++) for (const bit of [0, 15, 31]) expect(PROOF.same(digest, digest.map((word, i) => (i === at ? word ^ (1 << bit) : word)))).toBe(false)
    expect(PROOF.same(digest, digest.slice(0, 7))).toBe(false)
  })
})

describe('the local cache', () => {
  test('a key that is known is let in without waiting; five seconds later the store is asked again', async () => {
    const { keys, clock, work } = make()
    const { secret, id } = await keys.create()
    expect(keys.authenticate(secret)).toBeInstanceOf(Promise)
    await keys.authenticate(secret)
    work.reads = 0
    expect(keys.authenticate(secret)).toMatchObject({ id })
    expect(keys.authenticate(secret)).toBe(keys.authenticate(secret))
    await clock.advance(4999)
    expect(keys.authenticate(secret)).toMatchObject({ id })
    expect(work.reads).toBe(0)
    await clock.advance(1)
    await keys.authenticate(secret)
    expect(work.reads).toBe(1)
  })

  test('expiry and the end of an overlap are judged by the clock, not by the cache', async () => {
    const { keys, clock } = make()
    const key = await keys.create({ expiresInMs: 100 })
    const rotated = await keys.rotate(key.id, { overlapMs: 50 })
    await keys.authenticate(key.secret)
    await clock.advance(50)
    expect(() => keys.authenticate(key.secret)).toThrow(GatewayError)
    expect(keys.authenticate(rotated.secret)).toMatchObject({ id: key.id })
    await clock.advance(50)
    expect(() => keys.authenticate(rotated.secret)).toThrow(GatewayError)
  })

  test('a revocation elsewhere holds here within five seconds, counted from when the store was asked', async () => {
    const { keys, other, clock, gate, open } = make()
    const { secret, id } = await keys.create()
    gate.shut = true
    const slow = keys.authenticate(secret)
    await clock.advance(3000)
    await other.revoke(id)
    open()
    expect(await slow).toMatchObject({ id })
    await clock.advance(1999)
    expect(keys.authenticate(secret)).toMatchObject({ id })
    await clock.advance(1)
    expect(await fault(() => keys.authenticate(secret))).toMatchObject({ code: 'unauthenticated' })
  })

  test('many calls with one key share one read', async () => {
    const { keys, work } = make()
    const { secret, id } = await keys.create()
    work.reads = 0
    const outcomes = await Promise.allSettled([...Array.from({ length: 100 }, () => keys.authenticate(secret)), keys.authenticate(wrong(secret))])
    expect(outcomes.slice(0, 100).every(outcome => outcome.status === 'fulfilled' && outcome.value.id === id)).toBe(true)
    expect(outcomes[100]).toMatchObject({ status: 'rejected', reason: { code: 'unauthenticated' } })
    expect(work.reads).toBe(1)
  })

  test('nobody joins a read that is too old to be believed', async () => {
    const { keys, other, clock, gate, open, work } = make()
    const { secret, id } = await keys.create()
    gate.shut = true
    const early = keys.authenticate(secret)
    await clock.advance(5001)
    await other.revoke(id)
    work.reads = 0
    const late = fault(() => keys.authenticate(secret))
    expect(work.reads).toBe(1)
    open()
    expect(await late).toMatchObject({ code: 'unauthenticated' })
    expect(await fault(() => early)).toMatchObject({ code: 'unauthenticated' })
  })

  test('a change here voids what is cached and what is on its way', async () => {
    const { keys, gate, open, clock } = make()
    const { secret, id } = await keys.create()
    gate.shut = true
    const during = fault(() => keys.authenticate(secret))
    await clock.advance(0)
    gate.shut = false
    await keys.revoke(id)
    open()
    expect(await during).toMatchObject({ code: 'unauthenticated' })
    expect(await fault(() => keys.authenticate(secret))).toMatchObject({ code: 'unauthenticated' })
  })

  test('unknown ids are remembered too, as long and no longer: guessing one does not hammer the store', async () => {
    const { keys, clock, work } = make()
    const guess = `sp-aaaaaaaaaa-${'x'.repeat(43)}`
    await fault(() => keys.authenticate(guess))
    work.reads = 0
    for (let i = 0; i < 100; i++) expect(() => keys.authenticate(guess)).toThrow(GatewayError)
    expect(work.reads).toBe(0)
    await clock.advance(5000)
    await fault(() => keys.authenticate(guess))
    expect(work.reads).toBe(1)
  })

  test('a key made here works at once, though its id was guessed before', async () => {
    const { keys } = make({ randomBytes: length => new Uint8Array(length).fill(1) })
    const guess = `sp-bbbbbbbbbb-${'x'.repeat(43)}`
    await fault(() => keys.authenticate(guess))
    const { secret, id } = await keys.create()
    expect(id).toBe('bbbbbbbbbb')
    expect(await keys.authenticate(secret)).toMatchObject({ id })
  })

  test('guesses are bounded, and push out no key that is in use', async () => {
    const { keys, work } = make()
    const { secret, id } = await keys.create()
    await keys.authenticate(secret)
    const letters = 'abcdefghijklmnopqrstuvwxyz234567'
    const guess = (i: number) => `sp-aaaaaaa${letters[i >> 10]}${letters[(i >> 5) & 31]}${letters[i & 31]}-${'x'.repeat(43)}`
    for (let i = 0; i < 10_001; i++) await Promise.resolve(keys.authenticate(guess(i))).catch(() => undefined)
    work.reads = 0
    expect(keys.authenticate(secret)).toMatchObject({ id })
    await fault(() => keys.authenticate(guess(10_000)))
    expect(work.reads).toBe(0)
    await fault(() => keys.authenticate(guess(0)))
    expect(work.reads).toBe(1)
  })

  test('a store that hangs gathers only so many who wait', async () => {
    const { keys, gate, open } = make()
    gate.shut = true
    const letters = 'abcdefghijklmnopqrstuvwxyz234567'
    const waiting = Array.from({ length: 10_000 }, (_, i) => keys.authenticate(`sp-aaaaaaa${letters[i >> 10]}${letters[(i >> 5) & 31]}${letters[i & 31]}-${'x'.repeat(43)}`))
    expect(await fault(() => keys.authenticate(`sp-bbbbbbbbbb-${'x'.repeat(43)}`))).toMatchObject({ code: 'store_unavailable' })
    await Promise.resolve()
    open()
    expect((await Promise.allSettled(waiting)).every(({ status }) => status === 'rejected')).toBe(true)
  })

  test('a cache of nothing asks every time', async () => {
    const { keys, work } = make({ cacheMs: 0 })
    const { secret } = await keys.create()
    work.reads = 0
    await keys.authenticate(secret)
    await keys.authenticate(secret)
    expect(work.reads).toBe(2)
  })
})
