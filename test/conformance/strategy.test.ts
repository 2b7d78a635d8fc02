import { describe, test } from 'vitest'
import { balanced, canary, cheapest, fallback, fastest, mirror, route, weighted, when } from '../../src/index.js'
import type { Deployment, Group, RouteTarget, RouteView } from '../../src/protocol/ports.js'
import { strategyConformance } from '../../src/testing/conformance/index.js'
import { expectCaught } from './caught.js'

type Order = (targets: readonly RouteTarget[], view: RouteView, group: Group) => readonly RouteTarget[]

function strategy(order: Order): (targets: readonly RouteTarget[]) => Group {
  return targets => {
    const group: Group = { kind: 'group', strategy: 'sketch', targets: [...targets], order: (given, view) => order(given, view, group) }
    return group
  }
}

function shuffled(targets: readonly RouteTarget[], random: () => number): RouteTarget[] {
  const left = [...targets]
  return targets.flatMap(() => left.splice(Math.floor(random() * left.length), 1))
}

const inOrder = strategy(targets => targets)
const drawn = strategy((targets, { random }) => shuffled(targets, random))
const affordable = strategy(targets => targets.filter(target => target.kind !== 'deployment' || (target.price?.input ?? 0) < 3))

describe('sound strategies pass', () => {
  for (const [title, make] of [['in order', inOrder], ['drawn by lot', drawn]] as const) {
    for (const check of strategyConformance(make, make)) test(`${title}: ${check.name}`, () => check.run())
  }
  for (const check of strategyConformance(affordable)) test(`filtered: ${check.name}`, () => check.run())
})

type Make = (targets: readonly (Deployment | Group)[]) => Group

/** A pair of it under each other target, so that it takes any number. */
const pairs = (pair: (first: Deployment | Group, second: Deployment | Group) => Group): Make => targets => {
  const [first, second] = targets
  return first !== undefined && second !== undefined && targets.length === 2 ? pair(first, second) : fallback(...targets)
}

const ours: readonly (readonly [title: string, make: Make])[] = [
  ['fallback', targets => fallback(...targets)],
  ['weighted', targets => weighted(...targets.map((target, at) => [target, 1 + (at % 3)] as const))],
  ['weighted with zeros', targets => weighted(...targets.map((target, at) => [target, at === 0 ? 1 : 0] as const))],
  ['weighted, sticky', targets => weighted(...targets.map(target => ({ use: target, weight: 1, variant: 'v' })), { sticky: 'user' })],
  ['weighted, smooth', targets => weighted(...targets.map(target => [target, 1] as const), { smooth: true })],
  ['canary', pairs((stable, trial) => canary(stable, trial, { share: 0.3 }))],
  ['cheapest', targets => cheapest(...targets)],
  ['balanced', targets => balanced(...targets)],
  ['fastest', targets => fastest(...targets)],
  ['route', targets => route(...targets.map((target, at) => (at === targets.length - 1 ? target : when(view => view.random() < 0.3, target))))],
  ['mirror', pairs((main, shadow) => mirror(main, shadow, { share: 0.5 }))],
]

describe('the strategies of the library pass', () => {
  for (const [title, make] of ours) for (const check of strategyConformance(make, make)) test(`${title}: ${check.name}`, () => check.run())
  test('weighted deployments: each check', async () => {
    for (const check of strategyConformance(targets => weighted(...targets))) await check.run()
  })
})

let turn = 0
const leaves = (target: RouteTarget): readonly RouteTarget[] => (target.kind === 'deployment' ? [target] : target.kind === 'step' ? leaves(target.use) : target.targets.flatMap(leaves))

describe('a broken strategy is caught', () => {
  test.each<[string, (targets: readonly RouteTarget[]) => Group, string]>([
    ['copies its targets', strategy(targets => targets.map(target => ({ ...target }))), 'the order is a subset of the targets'],
    ['adds a target twice', strategy(targets => [...targets, ...targets.slice(0, 1)]), 'no target comes twice'],
    ['draws with putting back', strategy((targets, { random }) => targets.flatMap(() => targets[Math.floor(random() * targets.length)] ?? [])), 'no target comes twice'],
    ['looks at its own targets', strategy((_targets, { random }, group) => shuffled(group.targets, random)), 'only the targets that are given are ordered'],
    ['loses the last one', strategy(targets => targets.slice(1)), 'one target works'],
    ['draws beyond the end', strategy((targets, { random }) => targets.slice(Math.round(random()))), 'one target works'],
    ['draws by chance of its own', strategy(targets => shuffled(targets, Math.random)), 'the order is deterministic under a seed'],
    ['shares a cursor', strategy(targets => [...targets.slice(turn++ % targets.length), ...targets].slice(0, targets.length)), 'the order is deterministic under a seed'],
    ['sorts in place', strategy(targets => (targets as RouteTarget[]).reverse()), 'the input is never changed'],
    ['empties what it is given', strategy(targets => (targets as RouteTarget[]).splice(0)), 'the input is never changed'],
    ['shadows a stranger', targets => ({ ...inOrder(targets), shadows: () => targets.slice(0, 1).map(target => ({ target: { ...target }, bill: false })) }), 'shadows are among the targets'],
    ['notes a stranger', strategy((targets, { note }) => (targets.forEach(target => note({ ...target }, { variant: 'v' })), targets)), 'notes are about the targets'],
    ['trusts what it prepared', targets => ({ ...inOrder(targets), prepare: () => Promise.resolve([...targets]), order: (given, { prepared }) => (given.length === 7 && targets.length === 7 ? (prepared as RouteTarget[]).slice(0, 7) : given) }), 'it orders without what it prepares'],
    ['has no name', targets => ({ ...inOrder(targets), strategy: '' }), 'a group holds the targets it was made of'],
    ['forgets a target', targets => inOrder(targets.slice(0, 2)), 'a group holds the targets it was made of'],
  ])('%s', async (_title, make, name) => {
    await expectCaught(strategyConformance(make), name)
  })

  test('sorts the list it was made of', async () => {
    const make = (targets: readonly RouteTarget[]) => inOrder((targets as RouteTarget[]).sort(() => -1))
    await expectCaught(strategyConformance(make), 'the input is never changed')
  })

  test('asks an upstream', async () => {
    const make = strategy(targets => {
      for (const target of targets) {
        if (target.kind !== 'deployment' || !('upstream' in target.reach)) continue
        const ctx = { wire: 'json', signal: AbortSignal.abort(), clock: { now: () => 0, after: () => ({ cancel: () => undefined }) }, onActivity: () => undefined } as const
        target.reach.upstream.open('chat', { messages: [] }, ctx).catch(() => undefined)
      }
      return targets
    })
    await expectCaught(strategyConformance(make), 'no upstream is called')
  })

  test('takes units apart', async () => {
    const make = strategy(targets => targets.flatMap(leaves))
    await expectCaught(strategyConformance(make, make), 'nested groups are kept as units')
  })
})
