import type { Deployment, Group, Random, RouteTarget, RouteView } from '../../protocol/ports.js'
import { seededRandom } from '../random.js'
import { routeView } from '../view.js'
import { check, ensure, equal, failed, frozen, show, type Check } from './check.js'

/** Puts targets under the strategy that is checked. */
export type MakeStrategy<Target extends RouteTarget> = (targets: readonly Target[]) => Group

const SIZES = [1, 2, 3, 7, 20]
const SEEDS = 25

class Called extends Error {}

function deployments(count: number): Deployment[] {
  return Array.from({ length: count }, (_, i) => ({
    kind: 'deployment',
    id: `d${i}`,
    provider: `p${i % 3}`,
    model: `m${i}`,
    capabilities: i % 2 === 0 ? { contextWindow: 8000 * (1 + i), tools: true } : {},
    tags: i % 2 === 0 ? ['even'] : [],
    weight: 1 + (i % 4),
    price: { input: (i * 7) % 5, output: (i * 11) % 6 },
    reach: {
      upstream: {
        open: () => {
          throw new Called('expected order() not to call an upstream, but it opened one')
        },
      },
    },
  }))
}

function view(random: Random): RouteView {
  return routeView({ request: frozen({ messages: [{ role: 'user' as const, content: 'Hello' }], maxOutputTokens: 100 }), random })
}

function name(target: RouteTarget): string {
  if (target.kind === 'deployment') return target.id
  return target.kind === 'step' ? `step(${name(target.use)})` : `${target.strategy}(${target.targets.map(name).join(', ')})`
}

const names = (targets: readonly RouteTarget[]) => targets.map(name)

/** Many seeds, and the two ends of chance. */
function dice(): readonly Random[] {
  return [() => 0, () => 1 - 2 ** -32, ...Array.from({ length: SEEDS }, (_, seed) => seededRandom(seed))]
}

function* orders(group: Group, targets: readonly RouteTarget[] = group.targets): Generator<readonly RouteTarget[]> {
  for (const random of dice()) yield group.order(targets, view(random))
}

function holdsItsTargets(make: MakeStrategy<Deployment>): void {
  for (const size of SIZES) {
    const group = make(deployments(size))
    equal(group.kind, 'group', 'the kind of a group')
    const { strategy } = group
    ensure(typeof strategy === 'string' && strategy.trim() !== '', () => 'expected group.strategy to be the name of the strategy')
    ensure(Array.isArray(group.targets) && group.targets.length === size, () => `expected group.targets to hold the ${size} targets it was made of, found ${show(names(group.targets))}`)
  }
}

function givesSubset(make: MakeStrategy<Deployment>): void {
  for (const size of SIZES) {
    const group = make(deployments(size))
    for (const ordered of orders(group)) {
      const foreign = ordered.filter(target => !group.targets.includes(target))
      ensure(foreign.length === 0, () => `expected order() to give only targets it was given, each as it was, found also ${show(names(foreign))}`)
    }
  }
}

function givesEachOnce(make: MakeStrategy<Deployment>): void {
  for (const size of SIZES) {
    for (const ordered of orders(make(deployments(size)))) {
      ensure(new Set(ordered).size === ordered.length, () => `expected no target twice, found ${show(names(ordered))}`)
    }
  }
}

function ordersWhatItIsGiven(make: MakeStrategy<Deployment>): void {
  const group = make(deployments(7))
  const given = group.targets.filter((_, i) => i % 2 === 1)
  for (const ordered of orders(group, given)) {
    const others = ordered.filter(target => !given.includes(target))
    ensure(others.length === 0, () => `expected order() to look at the targets it is given, not at group.targets: found ${show(names(others))}, which had been taken out`)
  }
  for (const ordered of orders(group, [])) equal(names(ordered), [], 'the order of no targets')
}

function worksWithOne(make: MakeStrategy<Deployment>): void {
  const group = make(deployments(1))
  for (const ordered of orders(group)) equal(names(ordered), names(group.targets), 'the order of one target')
}

function isDeterministic(make: MakeStrategy<Deployment>): void {
  for (const size of SIZES) {
    const first = [...orders(make(deployments(size)))].map(names)
    const second = [...orders(make(deployments(size)))].map(names)
    equal(second, first, `the orders of ${size} targets, asked again of a new group with the same seeds`)
  }
}

function leavesInputAlone(make: MakeStrategy<Deployment>): void {
  for (const size of SIZES) {
    const given = deployments(size)
    const before = [...given]
    const group = make(given)
    ensure(given.length === size && given.every((target, i) => target === before[i]), () => 'expected the list a group is made of to stay as it was')
    const targets = [...group.targets]
    for (const _ of orders(group)) ensure(group.targets.length === size && group.targets.every((target, i) => target === targets[i]), () => 'expected order() to leave group.targets as they were')
    const sealed = make(frozen(deployments(size)))
    for (const _ of orders(sealed, Object.freeze([...sealed.targets]))) continue
  }
}

async function callsNobody(make: MakeStrategy<Deployment>): Promise<void> {
  const opened: string[] = []
  const targets = deployments(5).map(target => ({
    ...target,
    reach: {
      upstream: {
        open: () => {
          opened.push(target.id)
          return Promise.reject(new Called('not to be called'))
        },
      },
    },
  }))
  for (const ordered of orders(make(targets))) {
    ensure(Array.isArray(ordered), () => 'expected order() to give a list, at once')
    // A call that was not waited for would come one turn later.
    await Promise.resolve()
  }
  equal(opened, [], 'the upstreams order() opened')
}

function keepsUnits(make: MakeStrategy<Deployment | Group>): void {
  const [first, second, ...rest] = deployments(6)
  if (first === undefined || second === undefined) return
  const units = [make(rest.slice(0, 2)), make(rest.slice(2))]
  const group = make([first, ...units, second])
  equal(group.targets.length, 4, 'the number of targets of a group of two deployments and two groups')
  for (const unit of units) ensure(group.targets.includes(unit), () => `expected a nested group to be a target as it is, found ${show(names(group.targets))}`)
  for (const ordered of orders(group)) {
    const foreign = ordered.filter(target => !group.targets.includes(target))
    ensure(foreign.length === 0, () => `expected nested groups to be kept as units, found ${show(names(foreign))} instead`)
  }
}

function shadowsItsOwn(make: MakeStrategy<Deployment>): void {
  for (const size of SIZES) {
    const group = make(deployments(size))
    for (const random of dice()) {
      for (const { target } of group.shadows?.(view(random)) ?? []) {
        ensure(group.targets.includes(target), () => `expected a shadow to be one of group.targets, so that it is known, found ${name(target)}`)
      }
    }
  }
}

function notesItsOwn(make: MakeStrategy<Deployment>): void {
  for (const size of SIZES) {
    const group = make(deployments(size))
    for (const random of dice()) {
      const seen = routeView({ random })
      group.order(group.targets, seen)
      for (const target of seen.notes.keys()) ensure(group.targets.includes(target), () => `expected notes about group.targets only, found one about ${name(target)}, which no answer would carry`)
    }
  }
}

async function worksUnprepared(make: MakeStrategy<Deployment>): Promise<void> {
  const group = make(deployments(7))
  const plain = view(seededRandom(1))
  let prepared: unknown
  try {
    prepared = await group.prepare?.(plain.request)
  } catch {
    // What cannot be prepared is absent: that is the case checked here.
  }
  for (const seen of [plain, { ...view(seededRandom(1)), prepared }]) {
    const what = `expected order() to give a subset of its targets ${'prepared' in seen ? 'with' : 'without'} view.prepared`
    let ordered: readonly RouteTarget[]
    try {
      ordered = group.order(group.targets, seen)
    } catch (error) {
      throw failed(what, error)
    }
    const foreign = ordered.filter(target => !group.targets.includes(target))
    ensure(foreign.length === 0, () => `${what}, found also ${show(names(foreign))}`)
  }
}

/**
 * What every strategy must do.
 * @param make puts deployments under the strategy.
 * @param nested the same for groups among the targets, where the strategy takes them: checks that they are kept as units.
 */
export function strategyConformance(make: MakeStrategy<Deployment>, nested?: MakeStrategy<Deployment | Group>): Check[] {
  return [
    check('a group holds the targets it was made of', () => holdsItsTargets(make)),
    check('the order is a subset of the targets', () => givesSubset(make)),
    check('no target comes twice', () => givesEachOnce(make)),
    check('only the targets that are given are ordered', () => ordersWhatItIsGiven(make)),
    check('one target works', () => worksWithOne(make)),
    check('the order is deterministic under a seed', () => isDeterministic(make)),
    check('the input is never changed', () => leavesInputAlone(make)),
    check('no upstream is called', () => callsNobody(make)),
    check('shadows are among the targets', () => shadowsItsOwn(make)),
    check('notes are about the targets', () => notesItsOwn(make)),
    check('it orders without what it prepares', () => worksUnprepared(make)),
    ...(nested === undefined ? [] : [check('nested groups are kept as units', () => keepsUnits(nested))]),
  ]
}
