import pRetry from 'p-retry'
import { GatewayError, verdict } from '../protocol/errors.js'
import type { ChatEvent } from '../protocol/events.js'
import type { Clock, GateCall, Headers, Permit, Random, Wire } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import { Attempt } from './attempt.js'
import { backoffMs, type RetrySettings } from './backoff.js'
import type { Cancel } from './cancel.js'
import type { Deadlines } from './deadlines.js'
import { enter, isPermits } from './gates.js'
import { isCooling, type KeyLease, type KeysCooling } from './keypool.js'
import type { Line } from './line.js'
import type { LiveCandidate } from './live.js'
import { WalkLog } from './log.js'
import { wait } from './wait.js'

/** Judges a whole answer before commit; a refusal says how to ask again. */
export type Accept = (events: readonly ChatEvent[]) => Promise<{ readonly fault: GatewayError; readonly repair: UpstreamRequest } | undefined>

/** What a walk is given. */
export interface WalkSpec {
  readonly request: UpstreamRequest
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
  readonly startedMs: number
}

type Entered = { readonly permits: readonly Permit[]; readonly key: KeyLease | undefined }

/**
 * Executes the order of a plan: one flat walk over the candidates, one budget of tries over everything. p-retry repeats one
 * candidate and is entered at its first failure; the walk goes on to the next. Where a fault leads is read from the error
 * table.
 */
export class Walk {
  readonly log = new WalkLog()
  readonly #spec: WalkSpec
  readonly #queue: LiveCandidate[]
  /** Candidates whose gates were full. */
  #full: LiveCandidate[] = []
  #left: number
  #prefill: UpstreamRequest | undefined
  #mustContinue = false
  #repair: UpstreamRequest | undefined
  #repaired = false
  /** Why the candidate entered last has no key for us now. */
  #resting: GatewayError | undefined

  constructor(spec: WalkSpec) {
    this.#spec = spec
    this.#queue = [...spec.candidates]
    this.#left = spec.retry.maxAttempts
  }

  /** Some candidate is left, and a try for it. */
  get hasNext(): boolean {
    return this.#left > 0 && [...this.#queue, ...this.#full].some(candidate => this.#barred(candidate) === undefined)
  }

  /**
   * The next attempt that commits. Rejects with the error of the call when nobody is left.
   * @param prefill what is sent instead to a deployment that can go on from an assistant's half answer; see also {@link mustContinue}.
   */
  async next(prefill?: UpstreamRequest): Promise<Attempt> {
    this.#prefill = prefill
    for (;;) {
      const { reason } = this.#spec.cancel
      if (reason !== undefined) throw this.log.final(reason)
      const candidate = this.#queue.shift()
      if (candidate === undefined) this.#leaveBarred()
      if (candidate === undefined && (this.#full.length === 0 || this.#left < 1)) throw this.log.exhausted()
      const attempt = await (candidate === undefined ? this.#standInLine() : this.#visit(candidate))
      if (attempt !== undefined) return attempt
    }
  }

  /** A committed answer failed: the walk goes on after it, and comes back to it where nobody else is left. */
  failed(attempt: Attempt, fault: GatewayError): void {
    const candidate = this.#spec.candidates.find(({ live }) => live === attempt.live) ?? { live: attempt.live }
    this.log.failed(candidate, fault)
    if (this.#queue.length === 0 && verdict(fault.code).retry) this.#queue.push(candidate)
  }

  /** From here on only a deployment that can go on from half an answer is asked: the reader cannot take it back. */
  mustContinue(): void {
    this.#mustContinue = true
  }

  /** Why this candidate is not asked after what happened so far. */
  #barred({ live, onlyAfter }: LiveCandidate): string | undefined {
    const { last } = this.log
    if (this.#mustContinue && live.deployment.capabilities.prefill !== true) return 'it does not go on from half an answer'
    if (onlyAfter !== undefined) return last !== undefined && onlyAfter.includes(last.fault.code) ? undefined : `only after ${onlyAfter.join(', ')}`
    if (last === undefined) return undefined
    const { next } = verdict(last.fault.code)
    if (next === 'any') return undefined
    if (next === 'none') return `not asked after ${last.fault.code}`
    const failed = last.candidate.live.deployment.capabilities.contextWindow ?? 0
    const own = live.deployment.capabilities.contextWindow ?? 0
    return own > failed ? undefined : 'its context window is not known to be larger'
  }

  /** Candidates that were full are held to the fault of those that were not. */
  #leaveBarred(): void {
    this.#full = this.#full.filter(candidate => {
      const why = this.#barred(candidate)
      if (why !== undefined) this.#skip(candidate, why)
      return why === undefined
    })
  }

  /** Makes no promise of its own: this is the path of every call. */
  #visit(candidate: LiveCandidate): Promise<Attempt | undefined> | undefined {
    const why = this.#barred(candidate)
    if (why !== undefined) return this.#skip(candidate, why)
    const untried = this.#full.length + this.#queue.filter(other => other.onlyAfter === undefined).length
    const allowed = Math.min(this.#spec.retry.attempts, Math.max(this.#left - untried, Math.min(1, this.#left)))
    if (allowed < 1) return this.#skip(candidate, 'no try left: retry.maxAttempts')
    const entering = this.#enter(candidate)
    return entering instanceof Promise ? entering.then(entered => this.#entered(candidate, entered, allowed)) : this.#entered(candidate, entering, allowed)
  }

  #entered(candidate: LiveCandidate, entered: Entered | undefined, allowed: number): Promise<Attempt | undefined> | undefined {
    if (entered !== undefined) return this.#ask(candidate, entered, allowed - 1)
    // With nobody else to ask, a short rest is waited for like any other wait the upstream asks for.
    const alone = this.#queue.length === 0 && this.#full.length === 0
    return alone && this.#resting !== undefined ? this.#again(candidate, this.#resting, allowed - 1) : undefined
  }

  /** Every gate was full and nobody else is left: waits in the line of the route for the first that frees. */
  async #standInLine(): Promise<Attempt | undefined> {
    const waiting = this.#full
    this.#full = []
    const { candidate, permits } = await this.#spec.line.enter(waiting, this.#spec.gateCall, this.#spec.cancel).catch((error: unknown) => {
      throw this.log.final(asFault(error))
    })
    this.#full = waiting.filter(other => other !== candidate)
    const entered = await this.#lend(candidate, permits)
    return entered === undefined ? undefined : this.#ask(candidate, entered, Math.min(this.#spec.retry.attempts, this.#left) - 1)
  }

  #ask(candidate: LiveCandidate, entered: Entered, retries: number): Promise<Attempt | undefined> {
    this.#repair = undefined
    return this.#once(candidate, entered).catch((error: unknown) => {
      const fault = asFault(error)
      return this.#refusedPrefill(candidate, fault) ? undefined : this.#again(candidate, fault, retries)
    })
  }

  /** The caller never asked for a prefill and must not see it refused: the candidate is asked again from the start. */
  #refusedPrefill(candidate: LiveCandidate, fault: GatewayError): boolean {
    if (fault.code !== 'invalid_request' || this.#prefill === undefined) return false
    if (this.#mustContinue) return true
    this.#prefill = undefined
    this.#queue.unshift(candidate)
    return true
  }

  async #again(candidate: LiveCandidate, first: GatewayError, retries: number): Promise<Attempt | undefined> {
    let recorded: GatewayError | undefined = first
    let failures = 0
    const once = async (): Promise<Attempt> => {
      if (recorded !== undefined) {
        const fault = recorded
        recorded = undefined
        throw fault
      }
      const entered = await this.#enter(candidate)
      if (entered === undefined) throw this.#resting ?? first
      return this.#once(candidate, entered)
    }
    try {
      return await pRetry(once, { retries, minTimeout: 0, shouldRetry: ({ error }) => this.#mayRetry(candidate, asFault(error), ++failures) })
    } catch (error) {
      const fault = this.#spec.cancel.reason ?? asFault(error)
      if (!this.#refusedPrefill(candidate, fault)) this.log.failed(candidate, fault)
      return undefined
    }
  }

  /** Waits as long as the retry must, or says no. */
  async #mayRetry({ live: { keys } }: LiveCandidate, fault: GatewayError, failures: number): Promise<boolean> {
    const { clock, cancel, retry, random, deadlines, startedMs } = this.#spec
    if (cancel.reason !== undefined || this.#left < 1) return false
    const nowMs = clock.now()
    const { retry: sameAgain, blame } = verdict(fault.code)
    if (blame === 'key' && keys?.another(nowMs) === true) return true
    if (fault.code === 'output_invalid') return this.#mayRepair()
    const waitMs = sameAgain ? backoffMs(failures, fault.retryAfterMs, retry, random) : undefined
    if (waitMs === undefined || nowMs + waitMs >= startedMs + deadlines.totalMs) return false
    this.log.waited(waitMs)
    await wait(waitMs, clock, cancel)
    return true
  }

  /** One repair per call. */
  #mayRepair(): boolean {
    if (this.#repaired || this.#repair === undefined) return false
    this.#repaired = true
    return true
  }

  /** Gates and key, without waiting; `undefined` after writing down why not. */
  #enter(candidate: LiveCandidate): Entered | undefined | Promise<Entered | undefined> {
    this.#resting = undefined
    const permits = enter(candidate.live, this.#spec.gateCall)
    if (!isPermits(permits)) {
      if (!this.#full.includes(candidate)) this.#full.push(candidate)
      return undefined
    }
    return this.#lend(candidate, permits)
  }

  /** A key for the permits, or the permits given back. Waits only where a function is asked for the key. */
  #lend(candidate: LiveCandidate, permits: readonly Permit[]): Entered | undefined | Promise<Entered | undefined> {
    const { keys } = candidate.live
    if (keys === undefined) return { permits, key: undefined }
    const lent = keys.lend(this.#spec.clock.now())
    if (!(lent instanceof Promise)) return isCooling(lent) ? this.#rests(candidate, permits, lent) : { permits, key: lent }
    return lent.then(
      key => ({ permits, key }),
      (error: unknown) => this.#withoutKey(candidate, permits, 'its apiKey function failed', asFault(error)),
    )
  }

  #rests(candidate: LiveCandidate, permits: readonly Permit[], { untilMs, fault: { code } }: KeysCooling): undefined {
    const restMs = untilMs - this.#spec.clock.now()
    this.#resting = new GatewayError(code, `Every key of "${candidate.live.deployment.id}" rests after ${code}.`, { origin: 'upstream', retryAfterMs: restMs })
    return this.#withoutKey(candidate, permits, `every key rests for ${Math.ceil(restMs)} ms`, this.#resting)
  }

  #withoutKey(candidate: LiveCandidate, permits: readonly Permit[], reason: string, fault: GatewayError): undefined {
    this.#skip(candidate, reason, fault)
    for (const permit of permits) permit.release({ outcome: 'neutral', durationMs: 0 })
  }

  #once(candidate: LiveCandidate, { permits, key }: Entered): Promise<Attempt> {
    const { wire, commit, deadlines, usual, headers, clock, cancel, startedMs, accept } = this.#spec
    const { live } = candidate
    const prefill = live.deployment.capabilities.prefill === true ? this.#prefill : undefined
    const request = this.#repair ?? prefill ?? this.#spec.request
    const at = this.log.reports.length
    this.#left--
    const opening = Attempt.open({
      live,
      request,
      wire,
      commit,
      deadlines,
      usual,
      headers,
      clock,
      cancel,
      permits,
      key,
      callStartedMs: startedMs,
      onEnd: (report, ended) => this.log.ended(at, report, ended),
    })
    return accept === undefined ? opening : this.#accepted(accept, opening, at)
  }

  async #accepted(accept: Accept, opening: Promise<Attempt>, at: number): Promise<Attempt> {
    const attempt = await opening
    const refused = await accept(attempt.head.flat())
    if (refused === undefined) return attempt
    this.#repair = refused.repair
    this.log.rejected(at, refused.fault)
    throw refused.fault
  }

  #skip(candidate: LiveCandidate, reason: string, fault?: GatewayError): undefined {
    this.log.skipped(candidate, reason, this.#spec.clock.now() - this.#spec.startedMs, fault)
  }
}

function asFault(error: unknown): GatewayError {
  if (GatewayError.is(error)) return error
  return new GatewayError('upstream_error', `A part of the gateway failed with a ${error instanceof Error ? error.name : typeof error}.`, { origin: 'gateway' })
}
