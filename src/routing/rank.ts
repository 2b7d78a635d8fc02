import { GatewayError } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { Deployment, Group, Random, RouteTarget } from '../protocol/ports.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'
import { isTarget } from './fallback.js'
import { deploymentsOf } from './tree.js'

/** What a strategy is made of. */
export type Unit = Deployment | Group

export function bad(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}

/** Checks what a strategy is made of: at least one, each a deployment or a group, none twice. */
export function unitsOf(name: string, given: readonly unknown[]): readonly Unit[] {
  if (given.length === 0) throw bad(`${name}() needs at least one deployment.`)
  const units = new Set<Unit>()
  for (const [at, unit] of given.entries()) {
    if (!isTarget(unit)) throw bad(`${name}(): argument ${at + 1} is not a deployment or a group. Make one with a factory.`)
    deploymentsOf(unit, `${name}(): argument ${at + 1}`)
    if (units.has(unit)) throw bad(`${name}(): argument ${at + 1} is there already. Give each target once.`)
    units.add(unit)
  }
  return Object.freeze([...units])
}

/** Takes an object of options off the end of the arguments of a strategy. */
export function splitOptions(name: string, given: readonly unknown[], known: ReadonlySet<string>): { readonly targets: readonly unknown[]; readonly options: Record<string, unknown> } {
  const last = given.at(-1)
  if (!isObject(last) || 'kind' in last || 'use' in last) return { targets: given, options: {} }
  refuseUnknownKeys(last, known, `${name}()`)
  return { targets: given.slice(0, -1), options: last }
}

/** A frozen group. */
export function groupOf(strategy: string, targets: readonly RouteTarget[], order: Group['order'], more?: Pick<Group, 'shadows'>): Group {
  return Object.freeze<Group>({ kind: 'group', strategy, targets, order, ...more })
}

/** Ids of the deployments of a target: its name in every process. */
export function keyOf(target: RouteTarget): string {
  return deploymentsOf(target, 'A target')
    .map(({ id }) => id)
    .join('\n')
}

/**
 * The least value of the deployments a unit may begin with: itself; the first one of a chain, and of what is mirrored; of
 * any other group all, because its order is not known yet.
 */
export function least(target: RouteTarget, value: (deployment: Deployment) => number): number {
  if (target.kind === 'deployment') return value(target)
  if (target.kind === 'step') return least(target.use, value)
  const { targets, fixed, shadows } = target
  if (fixed === true || shadows !== undefined) {
    const first = targets.find(one => one.kind !== 'step') ?? targets[0]
    return first === undefined ? Infinity : least(first, value)
  }
  let best = Infinity
  for (const one of targets) best = Math.min(best, least(one, value))
  return best
}

/** The targets by score, least first; equals keep their order. */
export function ranked<T>(targets: readonly T[], scoreOf: (target: T) => number): readonly T[] {
  if (targets.length < 2) return targets
  const scored = targets.map(target => ({ target, score: scoreOf(target) }))
  return scored.sort(byScore).map(({ target }) => target)
}

function byScore(a: { readonly score: number }, b: { readonly score: number }): number {
  // Not a difference: that of two infinities is no number.
  return a.score < b.score ? -1 : a.score > b.score ? 1 : 0
}

/** Draws without putting back, each in proportion to its weight; those of weight 0 come last, as they were. */
export function drawn(targets: readonly RouteTarget[], weightOf: (target: RouteTarget) => number, random: Random): readonly RouteTarget[] {
  return ranked(targets, target => arrival(1 - random(), weightOf(target)))
}

/** When a clock of this rate strikes first, `chance` in (0, 1]: the earliest of several is a weighted draw. */
export function arrival(chance: number, weight: number): number {
  return weight > 0 ? -Math.log(chance) / weight : Infinity
}
