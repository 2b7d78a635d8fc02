import type { Deployment, DeploymentStats, Group, Note, Prefer, Principal, Random, RouteTarget, RouteView } from '../protocol/ports.js'
import type { Json } from '../protocol/json.js'
import type { CallKind, UpstreamRequest } from '../protocol/request.js'
import type { Admitted } from './call.js'

/** What every view of a gateway looks at. */
export interface Sights {
  readonly random: Random
  readonly nowMs: () => number
  readonly stats: (deployment: Deployment) => DeploymentStats
  readonly cost: (deployment: Deployment, request: UpstreamRequest) => number | undefined
}

/** Makes the views of a gateway, which share what strategies keep from call to call. */
export function createView(sights: Sights): (admitted: Admitted) => View {
  const states = new WeakMap<Group, unknown>()
  return admitted => new View(admitted, sights, states)
}

/** One call as strategies see it. Verbs are fields: a copy of a view still works. */
export class View implements RouteView {
  readonly request: UpstreamRequest
  readonly random: Random
  readonly nowMs: number
  readonly kind: CallKind
  readonly principal?: Principal
  readonly conversation?: string
  readonly metadata?: { readonly [key: string]: Json }
  readonly prefer?: Prefer
  readonly notes = new Map<RouteTarget, Note>()
  readonly stats: (deployment: Deployment) => DeploymentStats
  readonly cost: (deployment: Deployment) => number | undefined
  readonly state: <T>(group: Group, make: () => T) => T
  readonly note: (target: RouteTarget, note: Note) => void

  constructor({ call, request }: Admitted, { random, nowMs, stats, cost }: Sights, states: WeakMap<Group, unknown>) {
    this.request = request
    this.random = random
    this.nowMs = nowMs()
    this.kind = call.kind
    this.stats = stats
    const costOf = (deployment: Deployment): number | undefined => cost(deployment, request)
    const stateOf = <T>(group: Group, make: () => T): T => {
      if (!states.has(group)) states.set(group, make())
      return states.get(group) as T
    }
    const noteOn = (target: RouteTarget, note: Note): void => void this.notes.set(target, note)
    this.cost = costOf
    this.state = stateOf
    this.note = noteOn
    const { principal, conversation, metadata, prefer } = call.options
    if (principal !== undefined) this.principal = principal
    if (conversation !== undefined) this.conversation = conversation
    if (metadata !== undefined) this.metadata = metadata
    if (prefer !== undefined) this.prefer = prefer
  }
}
