import type { GatewayError } from '../protocol/errors.js'
import type { Usage } from '../protocol/events.js'
import type { Headers } from '../protocol/ports.js'
import type { Downgraded } from '../protocol/policy.js'
import type { AttemptReport, Cost, Excluded } from '../protocol/result.js'
import type { Note } from '../protocol/strategy.js'
import type { Reader } from '../resilience/attempt.js'

/** Events that can be asked for. */
export interface Reading {
  /** Tells the next events, nothing at the end, or a fault. */
  read(done: Reader): void
  /** The reader leaves, without a verdict on anybody; idempotent, and nothing after the end. */
  end(reason: GatewayError): void
  /** From here on a reader cannot take back what it was given: where a restart would be due, the fault is told. */
  holdToWhatWasSaid(): void
}
/** Events that have to be opened first. */
export interface Opening extends Reading {
  /** Resolves at commit. */
  open(): Promise<void>
}

/** Who gave an answer, as far as it came. */
export interface Answered {
  readonly deployment: string
  readonly provider: string
  /** The model that was asked for. */
  readonly model: string
  readonly headers: Headers
  readonly note?: Note | undefined
  /** When its first content came, on the clock of the gateway. */
  readonly firstEventAtMs?: number | undefined
}

/** What happened on the way to an answer. */
export interface Way {
  readonly attempts: readonly AttemptReport[]
  readonly excluded: readonly Excluded[]
  readonly restarts: number
}

/** Where the events of a call come from: a flight of its own, one it joined, or the cache. */
export interface Source extends Opening {
  readonly answered: Answered | undefined
  readonly way: Way
  /** Not asked upstream for this call: taken from the cache, or from the flight of another call. */
  readonly cached: false | 'hit' | 'joined'
  /** What the call pays, once it has ended. */
  bill(): Cost
  /** Some budget or limit is about it. */
  readonly policed?: boolean
  /** A budget sent it another way. */
  readonly downgraded?: Downgraded | undefined
  /** After the end: settles what was held, where it is on this call. Resolves when the store has it; false where the hold had lapsed before. */
  close?(): boolean | Promise<boolean> | undefined
  /** The whole answer turned out not to be what was asked for: it must not be given again. */
  refused?(): void
}

/** Upstream work of our own. */
export interface Launched extends Source {
  /** What the provider said of the answer, for those who keep it. */
  readonly usage: Usage
  close(): boolean | Promise<boolean> | undefined
}
