import pRetry from 'p-retry'
import { GatewayError, mayHaveExpired, verdict } from '../protocol/errors.js'
import type { UpstreamRequest } from '../protocol/request.js'
import { Attempt } from './attempt.js'
import { backoffMs } from './backoff.js'
import type { Cancel } from './cancel.js'
import { isEntered, type Barred, type Entered, type Entry } from './entry.js'
import type { LiveCandidate } from './live.js'
import type { WalkLog } from './log.js'
import { wait } from './wait.js'
import type { Accept, Cover, WalkSpec, WalkState } from './walk-spec.js'

/** What a visit tells the walk it belongs to. */
export interface Host {
  /** Every place was taken between two tries: the candidate goes to the line. */
  full(candidate: LiveCandidate): void
  /** The candidate refused a prefill nobody asked it for, and is to be asked again from the start. */
  afresh(candidate: LiveCandidate): void
}

/** What a visit is made within. */
export interface Visiting {
  readonly host: Host
  readonly spec: WalkSpec
  readonly state: WalkState
  readonly log: WalkLog
  readonly entry: Entry
  /** Ends this visit; the call's own, or that of one side of a hedge. */
  readonly cancel: Cancel
}

/** One candidate with its tries. p-retry repeats it and is entered at the first failure; where a fault leads is read from the error table. */
export class Visit {
  readonly #in: Visiting
  readonly #candidate: LiveCandidate
  #repair: UpstreamRequest | undefined
  #shut = false
  /** A token that was refused may have expired: whoever gives them was asked for another. */
  #refreshed = false

  constructor(visiting: Visiting, candidate: LiveCandidate) {
    this.#in = visiting
    this.#candidate = candidate
  }

  /** Asks, with `retries` more tries; `undefined` where the candidate was given up. */
  ask(entered: Entered, retries: number): Promise<Attempt | undefined> {
    if (this.#spent(entered)) {
      this.#in.entry.skip(this.#candidate, 'no try left: retry.maxAttempts')
      return Promise.resolve(undefined)
    }
    return this.#once(entered).then(undefined, (error: unknown) => {
      const fault = asFault(error)
      return this.#refusedPrefill(fault) ? undefined : this.again(fault, retries)
    })
  }

  /** Goes on after a fault. */
  async again(first: GatewayError, retries: number): Promise<Attempt | undefined> {
    const { log, cancel } = this.#in
    let recorded: GatewayError | undefined = first
    let failures = 0
    const once = async (): Promise<Attempt> => {
      if (recorded !== undefined) {
        const fault = recorded
        recorded = undefined
        throw fault
      }
      const answer = await this.#in.entry.tryEnter(this.#candidate)
      if (!isEntered(answer)) throw this.#barred(answer, first)
      if (this.#spent(answer)) throw first
      return this.#once(answer)
    }
    try {
      return await pRetry(once, { retries, minTimeout: 0, shouldRetry: ({ error }) => this.#mayRetry(asFault(error), ++failures) })
    } catch (error) {
      const fault = cancel.reason ?? asFault(error)
      if (!this.#refusedPrefill(fault)) log.failed(this.#candidate, fault)
      return undefined
    }
  }

  /** The other side of a hedge may have taken the last try meanwhile: then all that was entered is given back. */
  #spent(entered: Entered): boolean {
    if (this.#in.state.left > 0) return false
    this.#giveBack(entered)
    return true
  }

  #giveBack({ permits, key }: Entered): void {
    for (const permit of permits) permit.release({ outcome: 'neutral', durationMs: 0 })
    key?.release(undefined, this.#in.spec.clock.now())
  }

  #barred({ why, fault }: Barred, first: GatewayError): GatewayError {
    // A circuit that opened meanwhile ends the tries; a full place is tried for again.
    this.#shut = why === 'shut'
    if (why === 'full') this.#in.host.full(this.#candidate)
    return why === 'rests' ? (fault ?? first) : first
  }

  /** Waits as long as the retry must, or says no. */
  async #mayRetry(fault: GatewayError, failures: number): Promise<boolean> {
    const { spec, state, log, cancel } = this.#in
    const { clock, retry, random, deadlines, startedMs } = spec
    if (cancel.reason !== undefined || state.left < 1 || this.#shut) return false
    const nowMs = clock.now()
    const { retry: sameAgain, blame } = verdict(fault.code)
    const { keys } = this.#candidate.live
    if (blame === 'key' && keys?.another(nowMs) === true) return true
    if (keys?.asks === true && !this.#refreshed && mayHaveExpired(fault)) return (this.#refreshed = true)
    if (fault.code === 'output_invalid') return this.#mayRepair()
    const waitMs = sameAgain ? backoffMs(failures, fault.retryAfterMs, retry, random) : undefined
    if (waitMs === undefined || nowMs + waitMs >= startedMs + deadlines.totalMs) return false
    log.waited(waitMs)
    await wait(waitMs, clock, cancel)
    return true
  }

  /** One repair per call. */
  #mayRepair(): boolean {
    const { state } = this.#in
    if (state.repaired || this.#repair === undefined) return false
    state.repaired = true
    return true
  }

  /** The caller never asked for a prefill and must not see it refused. */
  #refusedPrefill(fault: GatewayError): boolean {
    const { state } = this.#in
    if (fault.code !== 'invalid_request' || state.prefill === undefined) return false
    if (state.mustContinue) return true
    state.prefill = undefined
    this.#in.host.afresh(this.#candidate)
    return true
  }

  #once(entered: Entered): Promise<Attempt> {
    const { spec, state, cancel } = this.#in
    const { live } = this.#candidate
    const prefill = live.deployment.capabilities.prefill === true ? state.prefill : undefined
    const request = this.#repair ?? prefill ?? spec.request
    state.left--
    const cover = spec.purse?.cover(live, request, cancel)
    if (!(cover instanceof Promise)) return this.#open(entered, request, cover)
    return cover.then(
      held => this.#open(entered, request, held),
      (error: unknown) => this.#uncovered(entered, asFault(error)),
    )
  }

  /** Nobody was asked: the try is not used up, and no wait here would make room. */
  #uncovered(entered: Entered, fault: GatewayError): never {
    const { spec, state, cancel, entry } = this.#in
    this.#giveBack(entered)
    this.#shut = true
    // In an outage queue the candidate comes back again and again: there tries are what ends it.
    if (spec.maxWaitMs === undefined) state.left++
    if (cancel.reason === undefined) entry.skip(this.#candidate, fault.message)
    throw fault
  }

  #open({ permits, key }: Entered, request: UpstreamRequest, cover: Cover | undefined): Promise<Attempt> {
    const { spec, log, cancel } = this.#in
    const { op, wire, commit, deadlines, usual, headers, clock, startedMs, accept } = spec
    const { live, note } = this.#candidate
    const at = log.begin()
    if (cancel.reason === undefined) cover?.begins()
    const onEnd = (report: Parameters<WalkLog['ended']>[1], ended: Attempt): void => {
      cover?.ended(ended)
      log.ended(at, report, ended)
    }
    const opening = Attempt.open({ live, request, op, wire, commit, deadlines, usual, headers, clock, cancel, permits, key, note, callStartedMs: startedMs, onEnd })
    return accept === undefined ? opening : this.#accepted(accept, opening, at)
  }

  async #accepted(accept: Accept, opening: Promise<Attempt>, at: number): Promise<Attempt> {
    const attempt = await opening
    const refused = await accept(attempt.head.flat())
    if (refused === undefined) return attempt
    this.#repair = refused.repair
    this.#in.log.rejected(at, refused.fault)
    throw refused.fault
  }
}

/** Anything thrown on the way to an upstream as the one error class. */
export function asFault(error: unknown): GatewayError {
  if (GatewayError.is(error)) return error
  return new GatewayError('upstream_error', `A part of the gateway failed with a ${error instanceof Error ? error.name : typeof error}.`, { origin: 'gateway' })
}
