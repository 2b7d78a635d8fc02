import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/index.js'
import { memoryStore, virtualClock } from '../../src/testing/index.js'
import { ask, books, BOUND, deployment, money, NANOS, says, usd } from './money-scene.js'
import { thrown } from './support.js'

const scene = (options: Parameters<typeof money>[2] = {}) => {
  const [d, e] = [deployment('d'), deployment('e')]
  return { d, e, ...money({ smart: d, cheap: e }, [d, e], options) }
}

describe('a virtual key', () => {
  it('stands for its principal in the record and in spend(), bound or given with a call', async () => {
    const at = scene()
    const { id, secret } = await at.gateway.keys.create({ team: 'search', user: 'ann', project: 'web', tags: ['beta'] })
    await at.idle(at.gateway.as({ key: secret }).chat(ask() as never))
    await at.chat(ask(), { key: secret })
    const stream = await at.soon(at.gateway.as({ key: secret }).stream(ask() as never))
    await at.idle(stream.result())
    expect(at.records.map(({ principal }) => principal)).toEqual(Array.from({ length: 3 }, () => ({ team: 'search', user: 'ann', project: 'web', tags: ['beta'], key: id })))
    expect(await at.gateway.spend({ by: 'key' })).toMatchObject([{ of: id, nanos: 3 * NANOS, attempts: 3 }])
    await at.nothingLeft()
  })

  it('may ask for its models alone, and is told the same for those there are and those there are not', async () => {
    const at = scene()
    const { secret } = await at.gateway.keys.create({ models: ['cheap'] })
    expect((await at.chat(ask({ model: 'cheap' }), { key: secret })).deployment).toBe('e')
    const errors = [await thrown(() => at.chat(ask(), { key: secret })), await thrown(() => at.chat(ask({ model: 'nowhere' as never }), { key: secret }))]
    expect(errors.map(({ code, message }) => [code, message])).toEqual(Array.from({ length: 2 }, () => ['permission_denied', errors[0]?.message]))
    await at.nothingLeft()
  })

  it('that is unknown, expired, revoked or half a key gets one and the same error, and asks nobody', async () => {
    const at = scene()
    const [expired, revoked, whole] = await Promise.all([at.gateway.keys.create({ expiresInMs: 1_000 }), at.gateway.keys.create(), at.gateway.keys.create()])
    await at.gateway.keys.revoke(revoked.id)
    await at.clock.advance(1_000)
    const secrets = ['', 'x', expired.secret, revoked.secret, whole.secret.slice(0, -1), `${whole.secret.slice(0, -1)}!`, revoked.secret.replace(revoked.id, whole.id)]
    const errors = await Promise.all(secrets.map(key => thrown(() => at.chat(ask(), { key }))))
    expect(new Set(errors.map(error => JSON.stringify(error))).size).toBe(1)
    expect([errors[0]?.code, errors[0]?.origin, at.d.calls.length]).toEqual(['unauthenticated', 'caller', 0])
    await at.nothingLeft()
  })

  it('that is rotated is good for its overlap, and revoked ends with the next call', async () => {
    const at = scene()
    const old = await at.gateway.keys.create()
    const fresh = await at.gateway.keys.rotate(old.id, { overlapMs: 1_000 })
    await at.chat(ask(), { key: old.secret })
    await at.chat(ask(), { key: fresh.secret })
    await at.clock.advance(1_000)
    expect((await thrown(() => at.chat(ask(), { key: old.secret }))).code).toBe('unauthenticated')
    await at.gateway.keys.revoke(old.id)
    expect((await thrown(() => at.chat(ask(), { key: fresh.secret }))).code).toBe('unauthenticated')
    await at.nothingLeft()
  })

  it('has budgets and limits of its own, beside those of the gateway', async () => {
    const at = scene({ budgets: [{ name: 'team', of: { team: '*' }, usd: 1, window: 'total' }] })
    const policies = { budgets: [{ name: 'own', usd: usd(BOUND + NANOS - 1), window: 'total' }], limits: { name: 'calls', requestsPerMinute: 3 } }
    const one = await at.gateway.keys.create({ team: 'search', ...policies })
    const two = await at.gateway.keys.create({ team: 'search', ...policies })
    await at.chat(ask(), { key: one.secret })
    expect((await thrown(() => at.chat(ask(), { key: one.secret }))).policy).toBe('own')
    await at.chat(ask(), { key: two.secret })
    await at.gateway.keys.update(one.id, { budgets: null })
    await at.chat(ask(), { key: one.secret })
    await at.chat(ask(), { key: one.secret })
    const error = await thrown(() => at.chat(ask(), { key: one.secret }))
    expect([error.policy, error.code]).toEqual(['calls', 'limit_exceeded'])
    expect((await at.store.standings())['budget:team:nanos::team=search']).toEqual({ charged: 4 * NANOS, held: 0 })
    await at.nothingLeft()
  })

  it('and its secret is nowhere but in the hand of who made it', async () => {
    const clock = virtualClock()
    const store = books(clock, memoryStore({ clock }))
    const d = deployment('d', [says(), { fail: { status: 503 } }])
    const at = money(d, [d], { clock, store, retry: { attempts: 1 } })
    const { secret } = await at.gateway.keys.create({ team: 'search' })
    const part = secret.slice(-43)
    const seen: unknown[] = [await at.chat(ask(), { key: secret })]
    seen.push(await at.chat(ask(), { key: secret }).catch((error: unknown) => error), await at.chat(ask({ model: 'nowhere' as never }), { key: secret }).catch((error: unknown) => error))
    seen.push(await at.chat(ask(), { key: `${secret}x` }).catch((error: unknown) => error), at.records, at.gateway.health(), await at.gateway.spend({ by: 'key' }), await at.gateway.keys.list(), await store.scan(''), d.calls, at.gateway, at.gateway.as({ key: secret }))
    for (const one of seen) {
      expect(inspect(one, { depth: 9, showHidden: false })).not.toContain(part)
      expect(JSON.stringify(one) ?? '').not.toContain(part)
    }
    expect(seen.filter(one => GatewayError.is(one))).toHaveLength(3)
    await at.nothingLeft()
  })

  it('without a team shares no cached answer with another', async () => {
    const at = scene({ cache: true })
    const [one, two, team, mate] = await Promise.all([at.gateway.keys.create(), at.gateway.keys.create(), at.gateway.keys.create({ team: 't' }), at.gateway.keys.create({ team: 't' })])
    const cached = []
    for (const { secret } of [one, two, one, team, mate]) cached.push((await at.chat(ask(), { key: secret })).cached)
    cached.push((await at.chat()).cached)
    expect(cached).toEqual([false, false, 'hit', false, 'hit', false])
    await at.nothingLeft()
  })

  it('and a principal together are refused, with what to do', async () => {
    const at = scene()
    const { secret } = await at.gateway.keys.create()
    const error = await thrown(() => at.chat(ask(), { key: secret, principal: { team: 'x' } }))
    expect(error.message).toContain('Give "key" or "principal", not both')
    expect((await thrown(() => at.chat(ask(), { principal: { key: 'k' } as never }))).code).toBe('invalid_request')
    await at.nothingLeft()
  })

  it('whose store hangs holds a call no longer than its own deadline, nor ten seconds', async () => {
    const at = scene({ deadlines: { totalMs: 3_000 } })
    const { secret } = await at.gateway.keys.create()
    await at.clock.advance(6_000)
    at.store.broken.set('get', 'hang')
    for (const [options, ms] of [[{}, 3_000], [{ deadlines: { totalMs: 500 } }, 500], [{ deadlines: { totalMs: 60_000 } }, 10_000]] as const) {
      const began = at.clock.now()
      const error = await thrown(() => at.chat(ask(), { key: secret, ...options }))
      expect([error.code, error.deadline, at.clock.now() - began]).toEqual(['timeout', 'total', ms])
    }
    at.store.resume()
    await at.clock.advance(0)
    expect(at.d.calls).toHaveLength(0)
    await at.nothingLeft()
  })
})

describe('a key that is made with policies that cannot be meant', () => {
  const rows: readonly (readonly [object, RegExp])[] = [
    [{ budgets: [{ usd: -1 }] }, /keys\.create: budgets\[0\]\.usd must be US dollars from 0/],
    [{ budgets: [{ usd: 1, windw: 'day' }] }, /Did you mean "window"/],
    [{ budgets: [{ usd: 1, of: { key: 'other' } }] }, /holds for this key alone/],
    [{ team: 'search', budgets: [{ usd: 1, of: { team: 'ads' } }] }, /for the team "ads", and the key stands for "search"/],
    [{ budgets: [{ usd: 1, of: { user: '*' } }] }, /the key has none/],
    [{ tags: ['a'], limits: { requestsPerMinute: 1, of: { tag: 'b' } } }, /for the tag "b"/],
    [{ budgets: [{ usd: 1, downgrade: 'chep' }] }, /leads nowhere.*Did you mean "cheap"/],
    [{ limits: { requestPerMinute: 1 } }, /Did you mean "requestsPerMinute"/],
    [{ limits: [] , budgets: 5 }, /keys\.create\.budgets must be a list/],
  ]

  it.each(rows)('%j is refused, and nothing is stored', async (spec, says) => {
    const at = scene()
    const error = await thrown(() => at.gateway.keys.create(spec))
    expect([error.code, error.message]).toEqual(['invalid_request', expect.stringMatching(says)])
    expect(await at.store.scan('')).toEqual([])
    await at.nothingLeft()
  })

  it('by an update neither: it is looked at as a whole', async () => {
    const at = scene()
    const { id } = await at.gateway.keys.create({ team: 'search', budgets: [{ usd: 1, of: { team: 'search' } }] })
    expect((await thrown(() => at.gateway.keys.update(id, { team: 'ads' }))).message).toMatch(/keys\.update.*for the team "search"/)
    await at.gateway.keys.update(id, { team: 'ads', budgets: [{ usd: 1, of: { team: 'ads' } }] })
    expect(await at.gateway.keys.get(id)).toMatchObject({ team: 'ads' })
    await at.nothingLeft()
  })
})
