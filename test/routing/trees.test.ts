import fc from 'fast-check'
import { expect, it } from 'vitest'
import { balanced, canary, cheapest, fallback, fastest, mirror, route, weighted, when } from '../../src/index.js'
import type { Deployment, Group } from '../../src/protocol/ports.js'
import { flatten } from '../../src/routing/flatten.js'
import { deploymentsOf } from '../../src/routing/tree.js'
import { routeView, seededRandom } from '../../src/testing/index.js'
import { unit } from './units.js'

type Node = Deployment | Group
const pool = Array.from({ length: 8 }, (_, at) => unit(`d${at}`, { ...(at % 3 > 0 && { price: { input: at - 1, output: at } }), weight: 1 + at }))
const weights = (targets: readonly Node[]) => targets.map((target, at) => [target, 1 + (at % 4)] as const)

/** Each way to put targets together that keeps them all in line. */
const whole: readonly ((targets: readonly Node[]) => Group)[] = [
  targets => fallback(...targets),
  targets => weighted(...weights(targets)),
  targets => weighted(...weights(targets), { smooth: true }),
  targets => cheapest(...targets),
  targets => balanced(...targets),
  targets => fastest(...targets),
  ([first, second, ...rest]) => fallback(first && second ? canary(first, second, { share: 0.2 }) : first!, ...rest),
]
/** And those that leave some out. */
const some: readonly ((targets: readonly Node[]) => Group)[] = [
  targets => route(...targets.map((target, at) => (at === targets.length - 1 ? target : when(view => view.random() < 0.5, target)))),
  ([first, second]) => (second === undefined ? fallback(first!) : mirror(first!, second)),
]

const trees = (kinds: readonly ((targets: readonly Node[]) => Group)[]) =>
  fc.letrec<{ tree: Group; node: Node }>(tie => ({
    tree: fc.tuple(fc.constantFrom(...kinds), fc.uniqueArray(tie('node'), { minLength: 1, maxLength: 4 })).map(([make, targets]) => make(targets)),
    node: fc.oneof({ maxDepth: 3, withCrossShrink: true }, fc.constantFrom<Node>(...pool), tie('tree')),
  })).tree

function lineOf(tree: Group, seed: number): readonly Deployment[] {
  const random = seededRandom(seed)
  const stats = () => ({ inFlight: Math.floor(random() * 5), failures: random(), stuckMs: 0, ...(random() < 0.7 && { firstEventMs: 500 * random() }) })
  return flatten(tree, routeView({ random, stats })).map(({ deployment }) => deployment)
}

it('each deployment of a tree of any strategies stands in line once', () => {
  fc.assert(
    fc.property(trees(whole), fc.nat(), (tree, seed) => {
      const line = lineOf(tree, seed)
      expect(new Set(line).size).toBe(line.length)
      expect(new Set(line)).toEqual(new Set(deploymentsOf(tree, 'it')))
    }),
    { numRuns: 300 },
  )
})

it('nobody stands in line twice, or from elsewhere, where a strategy leaves some out', () => {
  fc.assert(
    fc.property(trees([...whole, ...some]), fc.nat(), (tree, seed) => {
      const line = lineOf(tree, seed)
      const known = new Set(deploymentsOf(tree, 'it'))
      expect(new Set(line).size).toBe(line.length)
      expect(line.length).toBeGreaterThan(0)
      expect(line.every(deployment => known.has(deployment))).toBe(true)
    }),
    { numRuns: 300 },
  )
})

it('a tree is frozen: what was checked stays', () => {
  for (const make of [...whole, ...some]) {
    const group = make(pool.slice(0, 2))
    expect(Object.isFrozen(group) && Object.isFrozen(group.targets)).toBe(true)
  }
})
