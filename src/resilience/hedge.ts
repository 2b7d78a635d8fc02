import { GatewayError } from '../protocol/errors.js'
import type { AttemptEnd, Clock, Timer } from '../protocol/ports.js'
import type { Cancel } from './cancel.js'

/** How much may be asked twice. */
export interface RetryBudgetOptions {
  /** What each call adds: .05 is one hedge to twenty calls. */
  readonly ratio?: number
  /** The most that is saved up; it starts full. */
  readonly burst?: number
}

// Twenty twentieths are not quite one in floating point.
const SLACK = 1e-9

/** Bounds hedges to a share of the calls: a bucket that each call fills by `ratio` and each hedge empties by one. */
export class RetryBudget {
  readonly #ratio: number
  readonly #burst: number
  #tokens: number
  #taken = 0
  #refused = 0

  constructor({ ratio = 0.05, burst = 10 }: RetryBudgetOptions = {}) {
    this.#ratio = ratio
    this.#burst = this.#tokens = burst
  }

  /** A call was made. */
  deposit(): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + this.#ratio)
  }

  /** True where one more may be asked; it is then paid for. */
  tryTake(): boolean {
    if (this.#tokens < 1 - SLACK) {
      this.#refused++
      return false
    }
    this.#tokens = Math.max(0, this.#tokens - 1)
    this.#taken++
    return true
  }

  get state(): { readonly tokens: number; readonly taken: number; readonly refused: number } {
    return { tokens: this.#tokens, taken: this.#taken, refused: this.#refused }
  }
}

/** The part of an attempt that a hedge needs. */
export interface Endable {
  end(outcome: AttemptEnd['outcome'], fault?: GatewayError): void
}
/** What runs beside what. */
export type Side = 'first' | 'second'
interface HedgeSpec<A> {
  readonly second: () => Promise<A> | undefined
  readonly clock: Clock
  readonly cancel: Cancel
  readonly onLost: ((side: Side, fault: GatewayError) => void) | undefined
  readonly resolve: (attempt: A) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Starts `second` where `first` has not settled after `afterMs`; the first to commit wins. The loser is ended neutrally, also
 * when it commits later. A fault of `first` before the delay is the fault of the call; with both under way a fault waits for
 * the other side, and where both fail it is the one of `first`. Rejects with the reason of `cancel` at once.
 * @param second gives nothing where nobody else may be asked.
 * @param onLost told that a side still under way has lost: the moment to close its socket. Its attempt is ended in any case.
 */
export function hedged<A extends Endable>(
  first: Promise<A>,
  second: () => Promise<A> | undefined,
  afterMs: number,
  clock: Clock,
  cancel: Cancel,
  onLost?: (side: Side, fault: GatewayError) => void,
): Promise<A> {
  return new Promise((resolve, reject) => void new Hedge(first, afterMs, { second, clock, cancel, onLost, resolve, reject }))
}

class Hedge<A extends Endable> {
  readonly #spec: HedgeSpec<A>
  readonly #timer: Timer
  readonly #off: (() => void) | undefined
  readonly #underWay = new Set<Side>()
  #firstFault: unknown
  /** What losers are ended with, once it is decided. */
  #lost: GatewayError | undefined

  constructor(first: Promise<A>, afterMs: number, spec: HedgeSpec<A>) {
    this.#spec = spec
    this.#watch('first', first)
    this.#timer = spec.clock.after(afterMs, () => this.#start())
    this.#off = spec.cancel.onCancel(reason => {
      spec.reject(reason)
      this.#decide(reason)
    })
  }

  #start(): void {
    let second: Promise<A> | undefined
    try {
      second = this.#spec.second()
    } catch {
      // A hedge that cannot start is no reason to lose the answer that is on its way.
    }
    if (second !== undefined) this.#watch('second', second)
  }

  #watch(side: Side, work: Promise<A>): void {
    this.#underWay.add(side)
    work.then(
      attempt => this.#committed(side, attempt),
      (reason: unknown) => this.#failed(side, reason),
    )
  }

  #committed(side: Side, attempt: A): void {
    this.#underWay.delete(side)
    if (this.#lost !== undefined) return attempt.end('neutral', this.#lost)
    this.#spec.resolve(attempt)
    this.#decide(new GatewayError('aborted', 'Another deployment answered first.', { origin: 'gateway' }))
  }

  #failed(side: Side, reason: unknown): void {
    this.#underWay.delete(side)
    if (this.#lost !== undefined) return
    if (side === 'first') this.#firstFault = reason
    if (this.#underWay.size > 0) return
    this.#spec.reject(this.#firstFault)
    this.#decide(new GatewayError('aborted', 'The call failed.', { origin: 'gateway' }))
  }

  #decide(lost: GatewayError): void {
    this.#lost = lost
    this.#timer.cancel()
    this.#off?.()
    for (const side of this.#underWay) this.#spec.onLost?.(side, lost)
  }
}
