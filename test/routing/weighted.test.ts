import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canary, fallback, weighted } from '../../src/index.js'
import type { Group, RouteTarget } from '../../src/protocol/ports.js'
import { flatten } from '../../src/routing/flatten.js'
import { routeView, seededRandom } from '../../src/testing/index.js'
import { idsOf, thrownBy, unit } from './units.js'

const [a, b, c, d] = [unit('a'), unit('b'), unit('c'), unit('d')]
const order = (group: Group, options: Parameters<typeof routeView>[0] = {}) => group.order(group.targets, routeView(options))

function firsts(group: Group, count: number, view = routeView({ random: seededRandom(11) })): Map<RouteTarget | undefined, number> {
  const hits = new Map<RouteTarget | undefined, number>()
  for (let at = 0; at < count; at++) {
    const [first] = group.order(group.targets, view)
    hits.set(first, (hits.get(first) ?? 0) + 1)
  }
  return hits
}

describe('weights that cannot be meant are refused', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['no choice', () => weighted(), /at least one/],
    ['a deployment without a weight', () => weighted(a, [b, 1]), /argument 1 has no weight/],
    ['a negative weight', () => weighted([a, -1], [b, 1]), /0 or more/],
    ['a weight that is no number', () => weighted([a, NaN]), /must be a number/],
    ['an endless weight', () => weighted([a, Infinity]), /must be a number/],
    ['nothing but zeros', () => weighted([a, 0], [b, 0]), /every weight is 0/],
    ['a group without a weight', () => weighted(fallback(a) as never), /has no weight/],
    ['a target twice', () => weighted([a, 1], [a, 2]), /argument 2 is there already/],
    ['something else', () => weighted(['a', 1] as never), /not a deployment or a group/],
    ['a wrong key', () => weighted({ use: a, wieght: 1 } as never), /Did you mean "weight"/],
    ['an unknown option', () => weighted([a, 1], { stikcy: 'user' } as never), /Did you mean "sticky"/],
    ['an unknown binding', () => weighted([a, 1], { sticky: 'users' } as never), /Did you mean "user"/],
    ['two deployments of one name, sticky', () => weighted([a, 1], [unit('a'), 1], { sticky: 'user' }), /same ids/],
    ['a canary without a share', () => canary(a, b, {} as never), /from 0 to 1/],
    ['a canary with percents', () => canary(a, b, { share: 5 }), /from 0 to 1/],
    ['a canary of itself', () => canary(a, a, { share: 0.5 }), /there already/],
  ])('%s', (_title, make, message) => {
    const error = thrownBy(make)
    expect(error.code).toBe('invalid_config')
    expect(error.message).toMatch(message)
  })
})

describe('drawn by weight', () => {
  it('gives first places in proportion (100,000 draws, chi-square)', () => {
    const weights = [[a, 5], [b, 3], [c, 1], [d, 0.5]] as const
    const hits = firsts(weighted(...weights), 100_000)
    const chi = weights.reduce((sum, [target, weight]) => sum + ((hits.get(target) ?? 0) - (100_000 * weight) / 9.5) ** 2 / ((100_000 * weight) / 9.5), 0)
    expect(chi).toBeLessThan(16.27)
  })

  it('draws the second place among the rest, by weight too', () => {
    const group = weighted([a, 1_000_000], [b, 3], [c, 1])
    const view = routeView({ random: seededRandom(5) })
    let second = 0
    for (let at = 0; at < 10_000; at++) if (group.order(group.targets, view)[1] === b) second++
    expect(Math.abs(second - 7_500)).toBeLessThan(3.3 * Math.sqrt(10_000 * 0.75 * 0.25))
  })

  it('takes a weight of 0 for a last resort, in the order given', () => {
    const group = weighted([a, 0], [b, 1], [c, 0])
    for (let seed = 0; seed < 20; seed++) expect(idsOf(order(group, { random: seededRandom(seed) }))).toEqual(['b', 'a', 'c'])
  })

  it('reads the weight of a deployment that has one', () => {
    expect(firsts(weighted(unit('x', { weight: 0 }), [a, 1]), 50).get(a)).toBe(50)
  })

  it('keeps a group as a unit', () => {
    const group = weighted([fallback(a, b), 1], [c, 1])
    expect(flatten(group, routeView()).map(({ deployment }) => deployment.id).join()).toMatch(/a,b/)
  })
})

describe('sticky', () => {
  const users = Array.from({ length: 20_000 }, (_, at) => ({ principal: { user: `user-${at}` } }))

  it('gives the same user the same line, whatever chance says, in every gateway', () => {
    const make = () => weighted([a, 2], [b, 1], [c, 1], { sticky: 'user' })
    expect(idsOf(order(make(), { principal: { user: 'ann' }, random: () => 0 }))).toEqual(idsOf(order(make(), { principal: { user: 'ann' }, random: seededRandom(9) })))
  })

  it('gives users in proportion, within three sigma', () => {
    const group = weighted([a, 5], [b, 3], [c, 2], { sticky: 'user' })
    for (const [target, share] of [[a, 0.5], [b, 0.3], [c, 0.2]] as const) {
      const hits = users.filter(user => order(group, user)[0] === target).length
      expect(Math.abs(hits - users.length * share)).toBeLessThan(3 * Math.sqrt(users.length * share * (1 - share)))
    }
  })

  it('moves only the users of a target that is taken away', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 6 }), fc.nat(), fc.string(), (weights, gone, prefix) => {
        const targets = weights.map((weight, at) => unit(`t${at}`, { weight }))
        const rest = targets.filter((_, at) => at !== gone % targets.length)
        const [all, fewer] = [weighted(...targets, { sticky: 'user' }), weighted(...rest, { sticky: 'user' })]
        for (let user = 0; user < 40; user++) {
          const view = { principal: { user: `${prefix}${user}` } }
          expect(idsOf(order(fewer, view))).toEqual(idsOf(order(all, view).filter(target => rest.includes(target as never))))
        }
      }),
      { numRuns: 50 },
    )
  })

  it('tells groups apart by who is in them', () => {
    const group = weighted([fallback(a, b), 1], [fallback(b, a), 1], { sticky: 'conversation' })
    const hits = new Set(Array.from({ length: 50 }, (_, at) => order(group, { conversation: `c${at}` })[0]))
    expect(hits.size).toBe(2)
  })

  it('draws for a call without a user', () => {
    const group = weighted([a, 1], [b, 1], { sticky: 'user' })
    expect(firsts(group, 100).size).toBe(2)
  })
})

describe('smooth', () => {
  it('gives everyone exactly its share in each round, interleaved', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 5 }).filter(weights => weights.some(weight => weight > 0)), fc.nat(), (weights, seed) => {
        const targets = weights.map((weight, at) => unit(`t${at}`, { weight }))
        const group = weighted(...targets, { smooth: true })
        const view = routeView({ random: seededRandom(seed) })
        const round = weights.reduce((sum, weight) => sum + weight, 0)
        for (let at = 0; at < 3; at++) {
          const hits = firsts(group, round, view)
          expect(targets.map(target => hits.get(target) ?? 0)).toEqual(weights)
        }
      }),
      { numRuns: 50 },
    )
    const group = weighted([a, 5], [b, 1], [c, 1], { smooth: true })
    const view = routeView()
    expect(Array.from({ length: 7 }, () => idsOf(group.order(group.targets, view))[0]).join('')).toBe('aabacaa')
  })

  it('lets a last resort wait, also behind one that has had its turn', () => {
    const group = weighted([c, 0], [a, 1], [b, 1], { smooth: true })
    const view = routeView()
    expect(idsOf(group.order(group.targets, view))[0]).toBe('a')
    expect(idsOf(group.order([c, a], view))).toEqual(['a', 'c'])
  })

  it('counts for each gateway alone', () => {
    const group = weighted([a, 1], [b, 1], { smooth: true })
    expect(idsOf(order(group))[0]).toBe('a')
    expect(idsOf(order(group))[0]).toBe('a')
  })
})

describe('variants', () => {
  it('are noted on the answers of each branch, through nested groups', () => {
    const group = weighted({ use: fallback(a, b), weight: 1, variant: 'old' }, { use: c, weight: 1, variant: 'new' }, [d, 0])
    const view = routeView()
    const notes = view.notes
    expect(Object.fromEntries(flatten(group, view, { notes }).map(({ deployment, note }) => [deployment.id, note?.variant]))).toEqual({ a: 'old', b: 'old', c: 'new', d: undefined })
  })

  it('of a canary are stable and canary, and the share holds', () => {
    const group = canary(a, b, { share: 0.05 })
    expect(Math.abs((firsts(group, 20_000).get(b) ?? 0) - 1_000)).toBeLessThan(3 * Math.sqrt(20_000 * 0.05 * 0.95))
    const view = routeView()
    group.order(group.targets, view)
    expect([view.notes.get(a), view.notes.get(b)]).toEqual([{ variant: 'stable' }, { variant: 'canary' }])
    expect(firsts(canary(a, b, { share: 0 }), 200).get(b)).toBeUndefined()
    expect(firsts(canary(a, b, { share: 1 }), 200).get(a)).toBeUndefined()
  })
})
