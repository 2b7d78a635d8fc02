import type { GatewayError } from '../protocol/errors.js'
import type { ChatEvent } from '../protocol/events.js'
import type { Clock, GateCall, Headers, Random, Wire } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import type { RetrySettings } from './backoff.js'
import type { Attempt } from './attempt.js'
import type { Cancel } from './cancel.js'
import type { Deadlines } from './deadlines.js'
import type { RetryBudget } from './hedge.js'
import type { Line } from './line.js'
import type { Live, LiveCandidate } from './live.js'

/** Judges a whole answer before commit; a refusal says how to ask again. */
export type Accept = (events: readonly ChatEvent[]) => Promise<{ readonly fault: GatewayError; readonly repair: UpstreamRequest } | undefined>

/** When a second candidate is asked beside the first. */
export interface HedgeSpec {
  /** Milliseconds, or the 95th percentile of the first candidate. */
  readonly afterMs: number | 'p95'
  readonly budget: RetryBudget
}

/** The worst case of one attempt, held. */
export interface Cover {
  /** The upstream is asked from here on: until then nothing can be owed. */
  begins(): void
  /** The attempt is over: what it used takes the place of what it could use. */
  ended(attempt: Attempt): void
}
/** Holds what each attempt could use before it opens. */
interface Purse {
  /** Rejects where there is no room, which ends the walk unless another candidate may have some. `cancel` ends the wait: that of the walk, or of one side of a hedge. */
  cover(live: Live, request: UpstreamRequest, cancel: Cancel): Cover | Promise<Cover>
}

/** What a walk is given. */
export interface WalkSpec {
  readonly request: UpstreamRequest
  readonly op: 'chat' | 'embed'
  readonly candidates: readonly LiveCandidate[]
  readonly wire: Wire
  readonly commit: 'content' | 'finish'
  readonly retry: RetrySettings
  readonly deadlines: Deadlines
  /** What holds on this route where the caller says nothing. */
  readonly usual: Deadlines
  readonly headers: Headers | undefined
  readonly accept: Accept | undefined
  readonly clock: Clock
  readonly random: Random
  readonly cancel: Cancel
  readonly line: Line
  /** What gates may know of the call. */
  readonly gateCall: GateCall
  /** How the call stands in line: its priority, and whose turn it takes. */
  readonly priority: number
  readonly tenant: string | undefined
  /** Waits while every candidate is unavailable, for at most so many milliseconds in all. */
  readonly maxWaitMs: number | undefined
  readonly hedge: HedgeSpec | undefined
  readonly purse: Purse | undefined
  readonly startedMs: number
}

/** What the parts of a walk share and change. */
export interface WalkState {
  /** Tries left. */
  left: number
  /** Sent instead to a deployment that can go on from an assistant's half answer. */
  prefill: UpstreamRequest | undefined
  /** Only such a deployment is asked: the reader cannot take back what it was given. */
  mustContinue: boolean
  /** The one repair of the call was asked for. */
  repaired: boolean
}
