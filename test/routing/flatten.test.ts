import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fallback } from '../../src/index.js'
import type { Code } from '../../src/protocol/errors.js'
import type { Deployment, Group, RouteTarget, RouteView, Step } from '../../src/protocol/ports.js'
import { flatten } from '../../src/routing/flatten.js'
import { deploymentsOf } from '../../src/routing/tree.js'
import { routeView, scripted, seededRandom } from '../../src/testing/index.js'

const view: RouteView = routeView({ random: seededRandom(3) })
const numbered = (at: number): Deployment => scripted({ id: `d${at}`, answers: 'x' })
const [a, b, c, d] = [numbered(0), numbered(1), numbered(2), numbered(3)]
const pool = [a, b, c, d, numbered(4), numbered(5)]
const ids = (target: RouteTarget) => flatten(target, view).map(({ deployment }) => deployment.id)
const leaves = (target: RouteTarget): Deployment[] => (target.kind === 'deployment' ? [target] : target.kind === 'step' ? leaves(target.use) : target.targets.flatMap(leaves))

function shuffled(targets: readonly RouteTarget[], seed: number): readonly RouteTarget[] {
  const random = seededRandom(seed)
  return targets.map(target => [random(), target] as const).sort(([a], [b]) => a - b).map(([, target]) => target)
}
/** A strategy that shuffles and may leave some out. */
const group = (targets: readonly RouteTarget[], seed: number, keep = targets.length): Group => ({ kind: 'group', strategy: 'shuffled', targets, order: given => shuffled(given, seed).slice(0, keep) })

const { tree } = fc.letrec<{ tree: Group; node: RouteTarget }>(tie => ({
  tree: fc.tuple(fc.uniqueArray(tie('node'), { minLength: 1, maxLength: 4 }), fc.nat(99), fc.nat(4)).map(([targets, seed, less]) => group(targets, seed, Math.max(1, targets.length - less))),
  node: fc.oneof({ maxDepth: 4, withCrossShrink: true }, fc.constantFrom<RouteTarget>(...pool), tie('tree')),
}))

describe('a routing tree becomes a line', () => {
  it('in which each deployment stands once, and nobody else', () => {
    fc.assert(
      fc.property(tree, target => {
        const line = flatten(target, view).map(({ deployment }) => deployment)
        expect(new Set(line).size).toBe(line.length)
        const known = new Set(leaves(target))
        expect(line.every(deployment => known.has(deployment))).toBe(true)
        expect(line.length).toBeGreaterThan(0)
        expect(new Set(deploymentsOf(target, 'it'))).toEqual(known)
      }),
    )
  })

  it('in which the targets of a group stay together', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }), fc.nat(999), (sizes, seed) => {
        const units = sizes.map((size, unit) => group(Array.from({ length: size }, (_, at) => scripted({ id: `${unit}.${at}`, answers: 'x' })), seed + unit))
        const line = ids(group(units, seed)).map(id => id.split('.')[0])
        const changes = line.filter((unit, at) => unit !== line[at - 1]).length
        expect([line.length, changes]).toEqual([sizes.reduce((a, b) => a + b), sizes.length])
      }),
    )
  })

  it('in the order given, through nested chains', () => {
    expect(ids(fallback(a, fallback(b, fallback(c)), d))).toEqual(['d0', 'd1', 'd2', 'd3'])
    expect(ids(fallback(fallback(b, a), a, b, c))).toEqual(['d1', 'd0', 'd2'])
  })

  it.each([
    ['a target that is not its own', () => [scripted('x')]],
    ['a target twice', (given: readonly RouteTarget[]) => [...given, ...given.slice(0, 1)]],
    ['a target of its own target', (given: readonly RouteTarget[]) => given.flatMap(leaves)],
  ])('a strategy that returns %s is refused, not obeyed', (_what, order) => {
    const bad: Group = { kind: 'group', strategy: 'mine', targets: [fallback(...pool)], order }
    expect(() => flatten(bad, view)).toThrow('The strategy "mine" returned a target twice, or one it was not given')
  })

  it('in which a condition reaches all that stands below it, and nested conditions must all hold', () => {
    const step = (use: Deployment | Group, ...only: Code[]): Step => ({ kind: 'step', use, only })
    const inner = group([step(b, 'timeout', 'network'), c], 0)
    const line = flatten({ ...group([], 0), targets: [a, step(inner, 'timeout', 'overloaded')], order: given => given }, view)
    const only = Object.fromEntries(line.map(({ deployment, onlyAfter }) => [deployment.id, onlyAfter]))
    expect(only).toEqual({ d0: undefined, d1: ['timeout'], d2: ['timeout', 'overloaded'] })
  })

  it('refuses a tree that holds itself, and one that is nested without end', () => {
    const targets: RouteTarget[] = []
    const self = group(targets, 0)
    targets.push(a, { kind: 'step', use: self, only: ['timeout'] })
    expect(() => deploymentsOf(self, 'It')).toThrow('It is cyclic')
    let deep: Group | Deployment = a
    for (let at = 0; at < 100; at++) deep = fallback(deep)
    expect(() => deploymentsOf(deep, 'It')).toThrow('It is cyclic')
    // The same group in two places is no circle.
    const twice = fallback(a)
    expect(deploymentsOf(fallback(twice, fallback(twice)), 'It')).toHaveLength(1)
  })
})
