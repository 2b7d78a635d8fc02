import type { EmbedRequest } from '../protocol/embed.js'
import type { GatewayError } from '../protocol/errors.js'
import type { Prefer, Principal, Shadow, Timer, Wire } from '../protocol/ports.js'
import type { CallKind, ChatRequest, UpstreamRequest } from '../protocol/request.js'
import type { Json } from '../protocol/json.js'
import type { Downgraded, DowngradeOptions } from '../protocol/policy.js'
import type { Excluded } from '../protocol/result.js'
import type { HookChain } from '../plugins/hooks.js'
import type { Deadlines } from '../resilience/deadlines.js'
import type { RetrySettings } from '../resilience/backoff.js'
import { Cancel } from '../resilience/cancel.js'
import type { LiveCandidate } from '../resilience/live.js'
import type { Route } from '../routing/router.js'
import type { CachePolicy, CallCache } from '../state/cache-options.js'
import type { Policy } from '../state/policies.js'
import type { OpenCalls } from './open-calls.js'
import type { Purse } from './purse.js'
import type { OutputSpec } from './schema.js'

/** What a stream does when its upstream fails after commit. */
export type Recover = 'error' | 'restart' | 'continue'

/** The outage queue: how many calls may wait for a route whose every deployment is unavailable, and how long each. */
export interface QueueSettings {
  readonly maxSize: number
  readonly maxWaitMs: number
}
/** When a second candidate is asked beside the first, and for how large a share of the calls at the most. */
export interface HedgeSettings {
  /** Milliseconds without content, or the 95th percentile of the first candidate as it was measured. */
  readonly afterMs: number | 'p95'
  readonly budget: number
}

/** What holds for a call: the nearest of call, route and gateway wins. */
export interface Settings {
  readonly queue?: QueueSettings
  readonly hedge?: HedgeSettings
  readonly cache?: CachePolicy
  readonly retry: RetrySettings
  readonly deadlines: Deadlines
  readonly chatWire: Wire
  readonly recover: Recover
  /** What a deployment cannot take is an error in place of a warning. */
  readonly strict?: boolean
  /** Sent where the request names none. */
  readonly maxOutputTokens?: number
  /** Where calls go that a budget has no room for. */
  readonly downgrade?: DowngradeOptions
}

/** Milliseconds; what is left out keeps its default. */
export type DeadlineOptions = { readonly [K in Exclude<keyof Deadlines, 'reasoningFirstEventMs'>]?: number }
/** What is left out keeps its default. */
export type RetryOptions = { readonly [K in keyof RetrySettings]?: number }

/** What the caller may say about one call. */
export interface CallOptions {
  /** Ends the call: the upstream's socket is closed within 100 ms. */
  readonly signal?: AbortSignal
  readonly deadlines?: DeadlineOptions
  readonly retry?: RetryOptions
  readonly recover?: Recover
  /** What a deployment cannot take is `invalid_request`, and not left out with a warning. */
  readonly strict?: boolean
  /** Extra request headers for the upstream. */
  readonly headers?: Readonly<Record<string, string>>
  /** The virtual key the call comes with: who it stands for, what it may ask for, and its own budgets and limits. */
  readonly key?: string
  /** Who the call stands for, where the application knows it by itself. Not with a `key`. */
  readonly principal?: Principal
  /** What the call belongs to: stickiness is bound to it. */
  readonly conversation?: string
  /** What the caller would like of the deployments of the route. */
  readonly prefer?: Prefer
  /** What the cache may do for this call, where its route has one; see {@link CallCache}. */
  readonly cache?: CallCache
  /** Place in the waiting line: higher goes first. Default 0. */
  readonly priority?: number
  /** Written into the record of the call. */
  readonly metadata?: { readonly [key: string]: Json }
}

/** Why the gateway asks by itself. */
export interface SystemCall {
  readonly shadowOf: string
}

/** One caller's request: its abort, its deadline, its record. */
export class Call {
  readonly cancel = new Cancel()
  readonly id: string
  readonly kind: CallKind
  readonly asked: ChatRequest | EmbedRequest
  options: CallOptions
  readonly startedMs: number
  readonly #open: OpenCalls
  /** Where it stands among the open calls. */
  place = -1
  #releases: (() => void)[] | undefined
  #timer: Timer | undefined

  /** Set where no caller asked: the gateway itself did. */
  readonly system: SystemCall | undefined

  /** Whose virtual key it came with. */
  keyPolicies: readonly Policy[] | undefined

  /** @param open where it stands until it was settled. */
  constructor(id: string, kind: Call['kind'], asked: ChatRequest | EmbedRequest, options: CallOptions, startedMs: number, open: OpenCalls, system?: SystemCall) {
    this.id = id
    this.kind = kind
    this.asked = asked
    this.options = options
    this.startedMs = startedMs
    this.#open = open
    this.system = system
    open.add(this)
  }

  /** The clock over everything. */
  limit(timer: Timer): void {
    this.#timer = timer
  }

  /** Runs once, when the call was settled. */
  onEnd(release: () => void): void {
    ;(this.#releases ??= []).push(release)
  }

  /** Lets go of what `onEnd` and `limit` collected. */
  end(): void {
    this.#open.delete(this)
    this.#timer?.cancel()
    const releases = this.#releases
    this.#releases = undefined
    if (releases !== undefined) for (const release of releases) release()
  }
}

/** A call that was let in. */
export interface Admitted {
  readonly call: Call
  readonly route: Route<Settings>
  readonly settings: Settings
  readonly hooks: HookChain
  /** After the hooks: what upstreams, records and caches see. */
  readonly request: UpstreamRequest
  readonly output: OutputSpec | undefined
}

/** A call with its line of candidates. */
export interface Plan {
  readonly admitted: Admitted
  readonly candidates: readonly LiveCandidate[]
  readonly excluded: readonly Excluded[]
  /** Copies of the call whose answers are thrown away. */
  readonly shadows: readonly Shadow[]
  /** What it may use; here once it was reserved. */
  readonly purse?: Purse
  readonly downgraded?: Downgraded
}

/** How a call ended, for `settle`. */
export interface CallEnd {
  readonly outcome: 'success' | 'failure' | 'aborted'
  readonly fault?: GatewayError
}
