import type { Group, RouteTarget, RouteView } from '../protocol/ports.js'
import { arrival, groupOf, least, ranked, unitsOf, type Unit } from './rank.js'

/**
 * Asks the one where this request is expected to cost least, then the next dearer one. A group is priced by the deployment it
 * begins with, or by its cheapest one where its order is not fixed. Where no price is known it comes last; a price of 0 is
 * a price.
 *
 * @example
 * cheapest(openai('gpt-5.6-mini'), compatible('groq', 'llama-4'), ollama('llama4'))
 */
export function cheapest(...targets: readonly Unit[]): Group {
  return groupOf('cheapest', unitsOf('cheapest', targets), byCost)
}

/**
 * Draws in proportion to 1 / cost², so that most calls are cheap and none of the targets goes cold. What costs nothing comes
 * first, what has no known price last.
 *
 * @example
 * balanced(openai('gpt-5.6'), openai('gpt-5.6', { baseUrl: 'https://second.example/v1', id: 'second' }))
 */
export function balanced(...targets: readonly Unit[]): Group {
  return groupOf('balanced', unitsOf('balanced', targets), byChance)
}

/** Nano-dollars; infinite where unknown. */
function costOf(target: RouteTarget, view: RouteView): number {
  return least(target, deployment => {
    const cost = view.cost(deployment)
    return cost !== undefined && cost >= 0 ? cost : Infinity
  })
}

function byCost(targets: readonly RouteTarget[], view: RouteView): readonly RouteTarget[] {
  return ranked(targets, target => costOf(target, view))
}

function byChance(targets: readonly RouteTarget[], view: RouteView): readonly RouteTarget[] {
  const priced = targets.map(target => ({ target, cost: costOf(target, view), chance: 1 - view.random() }))
  // Free ones lie below 0, and those without a price beyond every other, each in an order of its own chance.
  const line = ranked(priced, ({ cost, chance }) => (cost === 0 ? -chance : cost === Infinity ? Number.MAX_VALUE * (1 - chance / 2) : Math.min(arrival(chance, 1) * cost * cost, 1e300)))
  return line.map(({ target }) => target)
}
