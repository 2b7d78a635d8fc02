import type { GatewayError } from '../protocol/errors.js'
import type { Reader } from '../resilience/attempt.js'

/** Where a delivery gets its events: a flight, a seat in a shared one, or a replay. */
export interface Source {
  /** Tells the next events, nothing at the end, or a fault. */
  read(done: Reader): void
  /** The reader leaves; idempotent, and nothing after the end. */
  end(reason: GatewayError): void
  /** What was given out cannot be taken back. */
  holdToWhatWasSaid(): void
}
/** A source that has to be opened first. */
export interface Opening extends Source {
  open(): Promise<void>
}
