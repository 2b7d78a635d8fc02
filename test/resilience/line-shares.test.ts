import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Line } from '../../src/resilience/line.js'
import { Tenants, type Place } from '../../src/resilience/line-tenants.js'
import { weigher } from '../../src/resilience/shares.js'
import { scene } from './line-gates.js'

const NAMES = ['a', 'b', 'c', 'd'] as const
const weightsOf = (list: readonly number[]) => new Map(NAMES.map((name, at) => [name as string, list[at] ?? 1]))
const someWeights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: NAMES.length, maxLength: NAMES.length })

/** An order with those who stand in it, by name of the tenant. */
function order(weigh: (tenant: string) => number) {
  const tenants = new Tenants()
  const waiting = new Map<string, number>()
  const count = (tenant: string) => waiting.get(tenant) ?? 0
  const stand = (tenant: string, times = 1, priority = 0): Place[] =>
    Array.from({ length: times }, () => {
      const place: Place = { tenant, priority, leave: undefined }
      waiting.set(tenant, count(tenant) + 1)
      tenants.enqueue(() => Promise.resolve(tenant), { place, weight: weigh(tenant) })
      return place
    })
  const leave = (place: Place): boolean => {
    if (place.leave === undefined) return false
    place.leave()
    waiting.set(place.tenant, count(place.tenant) - 1)
    return true
  }
  const turn = async (): Promise<string> => {
    const tenant = String(await tenants.dequeue()?.())
    waiting.set(tenant, count(tenant) - 1)
    return tenant
  }
  const turns = async (times: number): Promise<string> => {
    let said = ''
    for (let at = 0; at < times; at++) said += await turn()
    return said
  }
  return { tenants, count, stand, leave, turn, turns }
}
const times = (said: string, name: string) => said.split(name).length - 1

describe('shares of turns', () => {
  it('give three turns for each one, spread and not in a block', async () => {
    const { stand, turns } = order(weigher({ g: 3 }))
    stand('g', 9)
    stand('s', 3)
    expect(await turns(12)).toBe('ggsgggsgggsg')
  })

  it('go to the tenants nobody named through the star, each its own', async () => {
    const { stand, turns } = order(weigher({ batch: 1, '*': 2 }))
    for (const name of ['batch', 'x', 'y']) stand(name, 10)
    const said = await turns(10)
    expect(['batch', 'x', 'y'].map(name => times(said, name))).toEqual([2, 4, 4])
  })

  it('leave the order inside a tenant alone: priority, then arrival', async () => {
    const { tenants, stand } = order(weigher({ a: 5 }))
    const [low] = stand('a', 1, -1)
    const [first, second] = stand('a', 2)
    const [high] = stand('a', 1, 7)
    for (const place of [high, first, second, low]) {
      expect(place?.leave).toBeDefined()
      await tenants.dequeue()?.()
      expect(place?.leave).toBeUndefined()
    }
  })

  it('give a late comer no credit for the time before it came', async () => {
    const { stand, turns } = order(weigher({ a: 3 }))
    stand('a', 400)
    stand('b', 400)
    await turns(200)
    stand('c', 40)
    const said = await turns(50)
    expect(['a', 'b', 'c'].map(name => times(said, name))).toEqual([30, 10, 10])
  })

  it('hold nothing against a tenant who had the line to itself before', async () => {
    const { stand, turns } = order(weigher({ a: 3 }))
    stand('b', 400)
    await turns(200)
    stand('a', 100)
    const said = await turns(40)
    expect([times(said, 'a'), times(said, 'b')]).toEqual([30, 10])
  })

  it('win nothing for one who leaves and comes back', async () => {
    const { stand, leave, turn } = order(weigher({ a: 3 }))
    stand('a', 100)
    let places = stand('b')
    let had = 0
    for (let at = 0; at < 40; at++) {
      if ((await turn()) === 'b') had++
      for (const place of places) leave(place)
      places = stand('b')
    }
    expect(had).toBeLessThanOrEqual(10)
  })

  it('lose nothing for one whose next call comes only after its turn', async () => {
    const { stand, turn } = order(weigher({ a: 3 }))
    stand('b', 100)
    stand('a')
    let had = 0
    for (let at = 0; at < 40; at++) {
      if ((await turn()) !== 'a') continue
      had++
      stand('a')
    }
    expect(had).toBe(30)
  })

  it('still count after a weight so small that a step of it drowns every other', async () => {
    const { stand, turns } = order(weigher({ a: 3, tiny: 1e-308 }))
    stand('tiny', 5)
    expect(await turns(2)).toBe('tinytiny')
    stand('a', 30)
    stand('b', 10)
    const said = await turns(40)
    expect([times(said, 'a'), times(said, 'b')]).toEqual([30, 10])
    expect(await turns(3)).toBe('tinytinytiny')
  })
})

describe('at saturation', () => {
  it('each tenant is within one round of its share at every turn, and has it exactly after each round', async () => {
    await fc.assert(
      fc.asyncProperty(someWeights, fc.shuffledSubarray([...NAMES], { minLength: 1 }), async (list, names) => {
        const weights = weightsOf(list)
        const weight = (name: string) => weights.get(name) ?? 1
        const round = names.reduce((sum, name) => sum + weight(name), 0)
        const { stand, turn } = order(weight)
        for (const name of names) stand(name, 8 * weight(name))
        const had = new Map<string, number>(names.map(name => [name, 0]))
        for (let turns = 1; turns <= 8 * round; turns++) {
          const name = await turn()
          had.set(name, (had.get(name) ?? 0) + 1)
          for (const [of, count] of had) {
            const share = (turns * weight(of)) / round
            expect(Math.abs(count - share)).toBeLessThanOrEqual(turns % round === 0 ? 1e-9 : weight(of))
          }
        }
      }),
    )
  })

  type Step = { readonly tenant: string; readonly come: number; readonly turns: number; readonly leave: number }
  const step: fc.Arbitrary<Step> = fc.record({ tenant: fc.constantFrom(...NAMES), come: fc.nat(4), turns: fc.nat(5), leave: fc.nat(3) })

  it('two who never run dry keep their ratio, whoever else comes and goes', async () => {
    await fc.assert(
      fc.asyncProperty(someWeights, fc.nat(30), fc.array(step, { maxLength: 60 }), async (list, warmUp, steps) => {
        const weights = weightsOf(list)
        const { stand, turns } = order(name => weights.get(name) ?? 1)
        stand('c', 400)
        await turns(warmUp)
        stand('a', 400)
        stand('b', 400)
        let said = ''
        for (const { tenant, come, turns: now } of steps) {
          stand(tenant, come)
          said += await turns(now)
          const [own, other] = [weights.get('a') ?? 1, weights.get('b') ?? 1]
          expect(Math.abs(times(said, 'a') / own - times(said, 'b') / other)).toBeLessThanOrEqual(1 / own + 1 / other + 1e-9)
        }
      }),
    )
  })

  it('nobody waits longer than for floor(other / own) + 1 turns of each other, whoever comes, leaves and comes back', async () => {
    await fc.assert(
      fc.asyncProperty(someWeights, fc.array(step, { maxLength: 60 }), async (list, steps) => {
        const weights = weightsOf(list)
        const weight = (name: string) => weights.get(name) ?? 1
        const { tenants, count, stand, leave, turn } = order(weight)
        const places: Place[] = []
        /** Turns of each other since a tenant came or had its own. */
        const passed = new Map<string, Map<string, number>>()
        const serve = async (): Promise<void> => {
          const name = await turn()
          passed.delete(name)
          for (const other of NAMES) {
            if (other === name) continue
            if (count(other) === 0) {
              passed.delete(other)
              continue
            }
            const seen = passed.get(other) ?? new Map<string, number>()
            passed.set(other, seen.set(name, (seen.get(name) ?? 0) + 1))
            expect(seen.get(name)).toBeLessThanOrEqual(Math.floor(weight(name) / weight(other)) + 1)
          }
        }
        for (const { tenant, come, turns, leave: leaving } of steps) {
          places.push(...stand(tenant, come))
          for (let at = 0; at < turns && tenants.size > 0; at++) await serve()
          for (const place of places.splice(0, leaving)) if (leave(place) && count(place.tenant) === 0) passed.delete(place.tenant)
        }
        while (tenants.size > 0) await serve()
        expect(NAMES.map(count)).toEqual([0, 0, 0, 0])
      }),
    )
  })

  it('equal weights other than 1 make the same order as none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_000 }), fc.array(step, { maxLength: 60 }), async (thousandths, steps) => {
        const [plain, equal] = [order(() => 1), order(weigher({ '*': thousandths / 37 }))]
        for (const { tenant, come, turns } of steps) {
          for (const { stand } of [plain, equal]) stand(tenant, come)
          for (let at = 0; at < turns && plain.tenants.size > 0; at++) expect(await equal.turn()).toBe(await plain.turn())
          expect(equal.tenants.size).toBe(plain.tenants.size)
        }
      }),
    )
  })
})

describe('a line with shares', () => {
  it('hands the weights to its order', async () => {
    const { clock, log, stand, release, nothingLeft } = await scene({ shares: { gold: 3 } })
    stand('holder')
    await clock.advance(0)
    stand('head')
    await clock.advance(0)
    for (let at = 1; at <= 6; at++) stand(`g${at}`, { tenant: 'gold' })
    for (let at = 1; at <= 2; at++) stand(`s${at}`, { tenant: 'silver' })
    for (let at = 0; at < 10; at++) await release()
    expect(log).toEqual(['holder', 'head', 'g1', 'g2', 's1', 'g3', 'g4', 'g5', 's2', 'g6'])
    nothingLeft()
  })

  it('is not fooled by tenants named like the parts of an object', () => {
    const weigh = weigher(JSON.parse('{ "__proto__": 4, "b": 2 }') as Record<string, number>)
    expect(['__proto__', 'b', 'constructor', 'toString', ''].map(weigh)).toEqual([4, 2, 1, 1, 1])
  })

  it('keeps its weights whatever becomes of the object they came in', () => {
    const given: Record<string, number> = { a: 3 }
    const weigh = weigher(given)
    given.a = given['*'] = 9
    expect([weigh('a'), weigh('b')]).toEqual([3, 1])
  })

  it('refuses a weight that cannot be meant, naming the tenant', () => {
    for (const weight of [0, -1, NaN, Infinity, 5e-324, '3', null, undefined]) {
      expect(() => new Line({ shares: { free: weight as number } })).toThrow(expect.objectContaining({ code: 'invalid_config', message: expect.stringMatching(/^queue\.shares: the weight of "free" must be a number above 0, as in \{/) }))
    }
    for (const shares of [null, [1], 'a', 3]) expect(() => new Line({ shares: shares as never })).toThrow(expect.objectContaining({ code: 'invalid_config', message: expect.stringMatching(/^queue\.shares must be an object/) }))
  })
})
