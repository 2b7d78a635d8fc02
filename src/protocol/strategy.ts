import type { Code } from './errors.js'
import type { Json } from './json.js'
import type { Deployment, Random } from './ports.js'
import type { CallKind, UpstreamRequest } from './request.js'
import type { CallRecord } from './result.js'

/** A step of a chain that is taken only after certain faults. */
export interface Step {
  readonly kind: 'step'
  readonly use: Group | Deployment
  readonly only: readonly Code[]
}
export type RouteTarget = Deployment | Group | Step
/** Who a call stands for. */
export interface Principal {
  readonly team?: string
  readonly project?: string
  readonly user?: string
  /** Id of the virtual key the call came with; set by the gateway. */
  readonly key?: string
  readonly tags?: readonly string[]
}
/** What was measured of a deployment, as far as it is known. */
export interface DeploymentStats {
  /** Attempts open now. */
  readonly inFlight: number
  /** Typical milliseconds to the first event: the exponential of a time-decayed average of logarithms; absent where nothing was measured. */
  readonly firstEventMs?: number
  /** Typical milliseconds for each output token after the first event. */
  readonly perTokenMs?: number
  /** How long answers were, on average, in output tokens. */
  readonly outputTokens?: number
  /** The share of prompts that was read from the provider's cache, 0 to 1. */
  readonly cachedShare?: number
  /** The 95th percentile of milliseconds to the first event, as far as a log-normal spread tells. */
  readonly p95FirstEventMs?: number
  /** Time-decayed share of attempts that failed, 0 to 1. */
  readonly failures: number
  /** By how much the oldest unanswered attempt is older than twice what was expected; else 0. */
  readonly stuckMs: number
}
/** What a strategy may look at. */
export interface RouteView {
  readonly request: UpstreamRequest
  readonly random: Random
  readonly nowMs: number
  readonly kind: CallKind
  readonly principal?: Principal
  /** What stickiness is bound to beside the user. */
  readonly conversation?: string
  readonly metadata?: { readonly [key: string]: Json }
  readonly prefer?: Prefer
  /** Expected cost of this request there, in nano-dollars; `undefined` where no price is known. */
  cost(deployment: Deployment): number | undefined
  stats(deployment: Deployment): DeploymentStats
  /** What a strategy keeps from call to call: one value for each group of a gateway. */
  state<T>(group: Group, make: () => T): T
  /** Writes down why a target was chosen: shown on the result and the record of the answer it gives. */
  note(target: RouteTarget, note: Note): void
  /** What `prepare()` of the group that is asked resolved to. */
  readonly prepared?: unknown
}
/** What a strategy says of a choice. */
export interface Note {
  /** Name of the branch of an experiment. */
  readonly variant?: string
  readonly [key: string]: Json | undefined
}
/** A score for an answer, as the application found it out. */
export interface Report {
  readonly id: string
  readonly score: number
  readonly record: CallRecord
}
/** A node of the routing tree: it orders its targets and never calls a provider. */
export interface Group {
  readonly kind: 'group'
  readonly strategy: string
  readonly targets: readonly RouteTarget[]
  /** `order()` always gives the targets as they are, so that a line can be kept from call to call. */
  readonly fixed?: boolean
  /** A subset of `targets`, reordered, without duplicates; each is kept as a unit. */
  order(targets: readonly RouteTarget[], view: RouteView): readonly RouteTarget[]
  /** Work that has to wait, done before `order()`; what it resolves to is `view.prepared`. A rejection refuses nothing: `prepared` is then absent. */
  prepare?(request: UpstreamRequest): Promise<unknown>
  /** Sees each finished call that this group ordered, and each score reported for one. */
  learn?(about: CallRecord | Report): void
  /** Targets that get a copy of the call whose answer is thrown away. */
  shadows?(view: RouteView): readonly Shadow[]
}
/** Shadow traffic. */
export interface Shadow {
  readonly target: RouteTarget
  /** Charged to the caller's budget. Default: to nobody, recorded as `system`. */
  readonly bill: boolean
}
/** A deployment in line. */
export interface Candidate {
  readonly deployment: Deployment
  readonly onlyAfter?: readonly Code[]
  readonly note?: Note
}

/** What the caller would like of the deployments of a route. `only`, `ignore` and `max...` exclude, `order` and `sort` reorder, `min...` and `maxLatencyMs` demote. */
export interface Prefer {
  /** Deployment ids, providers or `provider/model`, best first; the others follow. */
  readonly order?: readonly string[]
  /** Nobody but these. */
  readonly only?: readonly string[]
  readonly ignore?: readonly string[]
  readonly sort?: 'price' | 'latency' | 'throughput'
  /** US dollars this request may be expected to cost. */
  readonly maxPrice?: number
  /** Output tokens per second; slower ones come last. */
  readonly minThroughput?: number
  /** Milliseconds to the first event; slower ones come last. */
  readonly maxLatencyMs?: number
  /** Only deployments that are known to take every parameter of the request. */
  readonly requireParameters?: boolean
  /** Promises a deployment must have made in its `dataPolicy`. */
  readonly dataPolicy?: string | readonly string[]
}
