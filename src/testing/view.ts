import type { Deployment, DeploymentStats, Group, Note, RouteTarget, RouteView } from '../protocol/ports.js'
import { seededRandom } from './random.js'

/** What {@link routeView} can be given; everything else has a plain default. */
export type RouteViewOptions = Partial<Omit<RouteView, 'state' | 'note'>>

const IDLE: DeploymentStats = { inFlight: 0, failures: 0, stuckMs: 0 }

/**
 * A call as a strategy sees it, for tests of strategies: one user message, a seeded die, no measurements, and the cost of
 * 1,000 input and 500 output tokens at the deployment's own price. What the strategy notes is kept in `notes`.
 *
 * @example
 * const view = routeView({ random: seededRandom(7), principal: { user: 'ann' } })
 * const order = weighted([a, 3], [b, 1]).order([a, b], view)
 */
export function routeView(options: RouteViewOptions = {}): RouteView & { readonly notes: ReadonlyMap<RouteTarget, Note> } {
  const states = new WeakMap<Group, unknown>()
  const notes = new Map<RouteTarget, Note>()
  return {
    request: { messages: [{ role: 'user', content: 'Hello' }] },
    random: seededRandom(1),
    nowMs: Date.UTC(2026, 0, 1),
    kind: 'chat',
    cost: (deployment: Deployment) => (deployment.price === undefined ? undefined : Math.round(1_000 * (1_000 * deployment.price.input + 500 * deployment.price.output))),
    stats: () => IDLE,
    ...options,
    state: <T>(group: Group, make: () => T): T => {
      if (!states.has(group)) states.set(group, make())
      return states.get(group) as T
    },
    note: (target, note) => void notes.set(target, note),
    notes,
  }
}
