import { GatewayError, verdict } from '../protocol/errors.js'
import type { Clock, Permit, Refusal } from '../protocol/ports.js'
import { enter, isPermits } from './gates.js'
import { isCooling, type KeyLease, type KeysCooling } from './keypool.js'
import type { LiveCandidate } from './live.js'
import type { WalkLog } from './log.js'
import type { WalkSpec } from './walk-spec.js'

type EntrySpec = Pick<WalkSpec, 'clock' | 'gateCall' | 'startedMs' | 'retry' | 'deadlines'>

/** Leave to try a candidate: its permits and a key. */
export interface Entered {
  readonly permits: readonly Permit[]
  readonly key: KeyLease | undefined
}
/** No leave: every place is `full`; the candidate is `shut` for a time; or its keys `rest`, which is waited for like an upstream's own wait. */
export interface Barred {
  readonly why: 'full' | 'shut' | 'rests'
  /** Why it is full, in words. */
  readonly reason?: string
  readonly fault?: GatewayError
}

const SHUT: Barred = { why: 'shut' }

/** Gates and keys of candidates: entered without waiting, or written down why not. */
export class Entry {
  readonly #spec: EntrySpec
  readonly #clock: Clock
  readonly #log: WalkLog

  constructor(spec: EntrySpec, log: WalkLog) {
    this.#spec = spec
    this.#clock = spec.clock
    this.#log = log
  }

  tryEnter(candidate: LiveCandidate, call = this.#spec.gateCall): Entered | Barred | Promise<Entered | Barred> {
    const permits = enter(candidate.live, call)
    if (isPermits(permits)) return this.lend(candidate, permits)
    return this.#isFull(permits) ? { why: 'full', reason: permits.reason ?? 'every place is taken' } : this.#shut(candidate, permits)
  }

  /** A key for the permits, or the permits given back. Waits only where a function is asked for the key. */
  lend(candidate: LiveCandidate, permits: readonly Permit[]): Entered | Barred | Promise<Entered | Barred> {
    const { keys } = candidate.live
    if (keys === undefined) return { permits, key: undefined }
    const lent = keys.lend(this.#clock.now())
    if (!(lent instanceof Promise)) return isCooling(lent) ? this.#rests(candidate, permits, lent) : { permits, key: lent }
    return lent.then(
      key => ({ permits, key }),
      (error: unknown) => this.#without(candidate, permits, 'its apiKey function failed', error as GatewayError, SHUT),
    )
  }

  skip(candidate: LiveCandidate, reason: string, fault?: GatewayError): void {
    this.#log.skipped(candidate, reason, this.#clock.now() - this.#spec.startedMs, fault)
  }

  /** A place frees when an answer ends; one of a limit of ours that slides on soon is as good as that. A circuit that is open is neither. */
  #isFull({ refused, retryAtMs }: Refusal): boolean {
    if (refused === 'queue_full' || verdict(refused).blame !== 'key' || retryAtMs === undefined) return refused === 'queue_full'
    const { retry, startedMs, deadlines } = this.#spec
    return retryAtMs - this.#clock.now() <= retry.retryAfterCapMs && retryAtMs < startedMs + deadlines.totalMs
  }

  #shut(candidate: LiveCandidate, { refused, retryAtMs, reason = `refused: ${refused}` }: Refusal): Barred {
    const wait = retryAtMs === undefined ? undefined : Math.ceil(Math.max(0, retryAtMs - this.#clock.now()))
    const fault = new GatewayError(refused, `"${candidate.live.deployment.id}" is not asked: ${reason}.`, { origin: 'gateway', ...(wait !== undefined && { retryAfterMs: wait }) })
    this.skip(candidate, reason, fault)
    return { why: 'shut', fault }
  }

  #rests(candidate: LiveCandidate, permits: readonly Permit[], { untilMs, fault: { code } }: KeysCooling): Barred {
    const restMs = Math.ceil(untilMs - this.#clock.now())
    const fault = new GatewayError(code, `Every key of "${candidate.live.deployment.id}" rests after ${code}.`, { origin: 'upstream', retryAfterMs: restMs })
    return this.#without(candidate, permits, `every key rests for ${restMs} ms`, fault, { why: 'rests', fault })
  }

  #without(candidate: LiveCandidate, permits: readonly Permit[], reason: string, fault: GatewayError, barred: Barred): Barred {
    this.skip(candidate, reason, fault)
    for (const permit of permits) permit.release({ outcome: 'neutral', durationMs: 0 })
    return barred
  }
}

export function isEntered(answer: Entered | Barred): answer is Entered {
  return (answer as Partial<Entered>).permits !== undefined
}
