import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import { VirtualKeys, type KeyChange } from '../../src/state/keys.js'
import { memoryStore } from '../../src/state/memory.js'
import { seededRandom } from '../../src/testing/random.js'

/** A clock that is set by hand: thousands of steps need no turn of the event loop each. */
function handClock(nowMs: number) {
  const clock = { nowMs, now: () => clock.nowMs, after: () => ({ cancel: () => undefined }) }
  return clock
}

interface Model {
  readonly id: string
  /** Each secret it ever had, with the moment from which it is refused. */
  readonly secrets: { readonly secret: string; endsMs: number }[]
  expiresMs: number
  revoked: boolean
}

const at = fc.nat({ max: 5 })
const step = fc.oneof(
  fc.record({ do: fc.constant('create' as const), lifeMs: fc.option(fc.integer({ min: 1, max: 40_000 }), { nil: undefined }) }),
  fc.record({ do: fc.constant('rotate' as const), at, overlapMs: fc.constantFrom(0, 1, 3_000, 20_000) }),
  fc.record({ do: fc.constant('revoke' as const), at }),
  fc.record({ do: fc.constant('extend' as const), at, lifeMs: fc.option(fc.integer({ min: 1, max: 40_000 }), { nil: null }) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 2_999, 5_000, 17_000) }),
  fc.record({ do: fc.constant('look' as const) }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function play(seed: number, steps: readonly Step[]) {
  const random = seededRandom(seed)
  const clock = handClock(1_000_000)
  const store = memoryStore({ clock })
  const changes: KeyChange[] = []
  const randomBytes = (length: number) => Uint8Array.from({ length }, () => Math.floor(random() * 256))
  const keys = new VirtualKeys({ store, clock, randomBytes, onChange: change => changes.push(change) })
  const models: Model[] = []
  const shown: unknown[] = [changes]
  let told = 0

  const apply = async (model: Model, taken: Exclude<Step, { do: 'create' | 'wait' | 'look' }>): Promise<void> => {
    if (taken.do === 'revoke') {
      if (!model.revoked) told++
      model.revoked = true
      shown.push(await keys.revoke(model.id))
    } else if (taken.do === 'extend') {
      shown.push(await keys.update(model.id, { expiresInMs: taken.lifeMs }))
      model.expiresMs = taken.lifeMs === null ? Infinity : clock.nowMs + taken.lifeMs
      told++
    } else if (model.revoked) {
      const error: unknown = await keys.rotate(model.id, { overlapMs: taken.overlapMs }).catch((caught: unknown) => caught)
      expect(GatewayError.is(error) && error.code).toBe('invalid_request')
      shown.push(error)
    } else {
      const { secret, ...rest } = await keys.rotate(model.id, { overlapMs: taken.overlapMs })
      shown.push(rest)
      for (const [age, old] of [...model.secrets].reverse().entries()) old.endsMs = age === 0 ? clock.nowMs + taken.overlapMs : -Infinity
      model.secrets.push({ secret, endsMs: Infinity })
      told++
    }
  }
  const look = async (): Promise<void> => {
    for (const model of models) {
      for (const { secret, endsMs } of model.secrets) {
        const expected = !model.revoked && clock.nowMs < endsMs && clock.nowMs < model.expiresMs
        const found: unknown = await (async () => keys.authenticate(secret))().catch((caught: unknown) => caught)
        shown.push(found)
        expect(GatewayError.is(found) ? found.code : found).toEqual(expected ? expect.objectContaining({ id: model.id }) : 'unauthenticated')
      }
    }
  }

  for (const taken of steps) {
    if (taken.do === 'wait') clock.nowMs += taken.ms
    else if (taken.do === 'look') await look()
    else if (taken.do === 'create') {
      const { secret, ...rest } = await keys.create(taken.lifeMs === undefined ? {} : { expiresInMs: taken.lifeMs })
      shown.push(rest)
      models.push({ id: rest.id, secrets: [{ secret, endsMs: Infinity }], expiresMs: clock.nowMs + (taken.lifeMs ?? Infinity), revoked: false })
      told++
    } else {
      const model = models[taken.at % Math.max(1, models.length)]
      if (model !== undefined) await apply(model, taken)
    }
  }
  await look()
  return { models, shown, stored: await store.scan(''), changes, told }
}

test('over any history the keys that are valid are those that should be, and nothing tells a secret or a hash', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(step, { maxLength: 30 }), async (seed, steps) => {
      const { models, shown, stored, changes, told } = await play(seed, steps)
      expect(changes.length).toBe(told)
      const said = JSON.stringify(shown)
      const kept = JSON.stringify(stored)
      expect(said).not.toMatch(/[0-9a-f]{64}/)
      for (const { secrets } of models) {
        for (const { secret } of secrets) {
          expect(said).not.toContain(secret.slice(14))
          expect(kept).not.toContain(secret.slice(14))
        }
      }
      // Two hashes at most for each key.
      expect((kept.match(/[0-9a-f]{64}/g) ?? []).length).toBeLessThanOrEqual(2 * models.length)
    }),
    { numRuns: 300, seed: 20260101 },
  )
})
