import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import type { Json } from '../../src/protocol/json.js'
import { allowsModel } from '../../src/state/keys-models.js'
import type { KeySpec } from '../../src/state/keys-spec.js'
import { fault, virtualKeys } from './keys-helpers.js'

describe('a key with an impossible scope', () => {
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  const deep: unknown = JSON.parse('['.repeat(300) + ']'.repeat(300))
  const now = Date.UTC(2026, 0, 1)
  const cases: [string, unknown, string][] = [
    ['no models', { models: [] }, 'Leave it out'],
    ['an empty model', { models: [''] }, 'models[0]'],
    ['two stars', { models: ['a*b*'] }, 'more than one'],
    ['too many models', { models: Array.from({ length: 201 }, (_, i) => `m${i}`) }, 'at most 200'],
    ['an empty tag', { tags: ['a', ''] }, 'tags[1]'],
    ['a hole among the tags', { tags: Array(2) }, 'tags[0]'],
    ['too many tags', { tags: Array(51).fill('t') }, 'at most 50'],
    ['tags that are a text', { tags: 'a' }, 'list'],
    ['an empty name', { name: '' }, '1 to 200'],
    ['a name without end', { user: 'x'.repeat(201) }, '1 to 200'],
    ['a name that is a number', { team: 5 }, 'keys.create.team'],
    ['a name that is null', { project: null }, 'keys.create.project'],
    ['an expiry in the past', { expiresAt: now }, 'in the past'],
    ['an expiry in seconds', { expiresAt: now / 1000 + 100 }, 'not seconds'],
    ['an expiry that is a Date', { expiresAt: new Date(now + 1) }, 'getTime'],
    ['an expiry that is no number', { expiresAt: NaN }, 'expiresAt'],
    ['an expiry beyond all dates', { expiresAt: 1e300 }, 'expiresAt'],
    ['an expiry that is null', { expiresAt: null }, 'expiresAt'],
    ['no time at all', { expiresInMs: 0 }, 'above 0'],
    ['time without end', { expiresInMs: Infinity }, 'above 0'],
    ['both expiries', { expiresInMs: 5, expiresAt: now + 5 }, 'one of them'],
    ['metadata that is too large', { metadata: { a: 'é'.repeat(4096) } }, '8192'],
    ['metadata that is a list', { metadata: [1] }, 'object'],
    ['metadata that holds itself', { metadata: circle }, 'cycles'],
    ['metadata that is too deep', { metadata: { deep } }, 'deeply'],
    ['budgets that are no list', { budgets: { usd: 1 } }, 'list'],
    ['budgets without end', { budgets: ['x'.repeat(20_000)] }, '16384'],
    ['limits that are nothing', { limits: null }, 'limits'],
    ['limits that are no JSON', { limits: () => 1 }, 'limits'],
    ['a word that is not known', { model: ['a'] }, 'Did you mean "models"?'],
    ['a word from elsewhere', { max_budget: 5 }, 'Did you mean "budgets"?'],
    ['a secret of their own', { secret: 'sp-mine' }, 'no option "secret"'],
    ['no object', [], 'takes an object'],
  ]
  for (const [what, spec, says] of cases) {
    test(`${what} is refused with what to do, and nothing is stored`, async () => {
      const { keys, store, changes } = virtualKeys()
      const error = await fault(() => keys.create(spec as KeySpec))
      expect(error).toMatchObject({ code: 'invalid_request', origin: 'caller' })
      expect(error.message).toContain(says)
      expect(error.message).not.toContain('sp-mine')
      expect(await store.scan('')).toEqual([])
      expect(changes).toEqual([])
    })
  }

  test('budgets and limits go to whoever knows them, and what that refuses is not stored', async () => {
    const asked: unknown[] = []
    const { keys, store } = virtualKeys({
      checkPolicies(policies, where) {
        asked.push([policies, where])
        if (policies.limits === 'bad') throw new GatewayError('invalid_request', 'no')
      },
    })
    const { id } = await keys.create({ budgets: [{ usd: 5 }], limits: { rpm: 1 } })
    await keys.create()
    await keys.update(id, { limits: { rpm: 2 }, budgets: null })
    expect(asked).toEqual([[{ budgets: [{ usd: 5 }], limits: { rpm: 1 } }, 'keys.create'], [{ limits: { rpm: 2 } }, 'keys.update']])
    const before = await store.scan('')
    expect(await fault(() => keys.create({ limits: 'bad' }))).toMatchObject({ message: 'no' })
    expect(await fault(() => keys.update(id, { limits: 'bad' }))).toMatchObject({ message: 'no' })
    expect(await store.scan('')).toEqual(before)
  })

  test('the largest that is allowed is allowed', async () => {
    const { keys } = virtualKeys()
    const tags = Array.from({ length: 50 }, (_, i) => `t${i}`)
    const models = Array.from({ length: 200 }, (_, i) => `${i}*`)
    const key = await keys.create({ name: 'x'.repeat(200), tags, models, metadata: { a: 'x'.repeat(8192 - 8) }, expiresInMs: 1 })
    expect(await keys.get(key.id)).toMatchObject({ tags, models, expiresAt: Date.UTC(2026, 0, 1) + 1 })
  })
})

describe('models', () => {
  const asks = (models: string[] | undefined, model: string) => allowsModel({ ...(models && { models }) }, model)

  test('a name is exact, a star is any run of characters, head and tail share none', () => {
    expect(asks(undefined, 'x')).toBe(true)
    expect(asks(['smart'], 'smart')).toBe(true)
    expect(asks(['smart'], 'smarter')).toBe(false)
    expect(asks(['a', 'vendor/*'], 'vendor/')).toBe(true)
    expect(asks(['vendor/*'], 'other/x')).toBe(false)
    expect(asks(['*-mini'], 'x-mini')).toBe(true)
    expect(asks(['*'], '')).toBe(true)
    expect(asks(['ab*ba'], 'aba')).toBe(false)
    expect(asks(['ab*ba'], 'abba')).toBe(true)
    expect(asks(['a.c'], 'abc')).toBe(false)
  })

  test('a long name costs no more than its length', () => {
    const long = 'a'.repeat(1e6)
    expect(asks([`${'a'.repeat(99)}*${'a'.repeat(99)}b`], long)).toBe(false)
  })
})

test('opaque policies come back as they were given', async () => {
  const { keys } = virtualKeys()
  const budgets: Json[] = [{ usd: 5, per: ['day'] }, 1, 'x']
  const { id } = await keys.create({ budgets, limits: false })
  expect(await keys.get(id)).toMatchObject({ budgets, limits: false })
})
