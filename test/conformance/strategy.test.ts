import { describe, test } from 'vitest'
import type { Group, RouteTarget, RouteView } from '../../src/protocol/ports.js'
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
