import pRetry from 'p-retry'
import { GatewayError, verdict } from '../protocol/errors.js'
import type { ChatEvent } from '../protocol/events.js'
import type { Clock, Headers, Permit, Random, Wire } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import type { AttemptReport } from '../protocol/result.js'
import { Attempt } from './attempt.js'
import { backoffMs, type RetrySettings } from './backoff.js'
import type { Cancel } from './cancel.js'
import type { Deadlines } from './deadlines.js'
import { enter, isPermits } from './gates.js'
import { isCooling, type KeyLease } from './keypool.js'
import type { Line } from './line.js'
import type { LiveCandidate } from './live.js'
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
  readonly headers?: Headers
  readonly accept?: Accept
  readonly clock: Clock
  readonly random: Random
  readonly cancel: Cancel
  readonly line: Line
  readonly startedMs: number
}

type Entered = { readonly permits: readonly Permit[]; readonly key: KeyLease | undefined }

/**
 * Executes the order of a plan: one flat walk over the candidates, one budget of tries over everything. p-retry repeats one
 * candidate and is entered at its first failure; the walk goes on to the next. Where a status leads is read from the error
 * table.
 */
export class Walk {
  readonly reports: AttemptReport[] = []
  /** Attempts whose output the provider bills, with their place in `reports`. */
  readonly billed: { readonly attempt: Attempt; readonly at: number }[] = []
  readonly #spec: WalkSpec
  readonly #queue: LiveCandidate[]
  /** Candidates whose gates were full. */
  #full: LiveCandidate[] = []
  #left: number
  #last: { readonly fault: GatewayError; readonly candidate: LiveCandidate } | undefined
  #faults: GatewayError[] = []
  #repair: UpstreamRequest | undefined
  #repaired = false
  #prefill: UpstreamRequest | undefined
  #mustContinue = false

  constructor(spec: WalkSpec) {
    this.#spec = spec
    this.#queue = [...spec.candidates]
    this.#left = spec.retry.maxAttempts
  }

  /** Some candidate is left, and a try for it. */
  get hasNext(): boolean {
    return this.#left > 0 && this.#queue.some(candidate => this.#eligible(candidate) === undefined)
  }

  /**
   * The next attempt that commits. Rejects with the error of the call when nobody is left.
   * @param prefill what is sent instead to a deployment that can go on from an assistant's half answer; see also {@link mustContinue}.
   */
  async next(prefill?: UpstreamRequest): Promise<Attempt> {
    this.#prefill = prefill
    for (;;) {
      const { reason } = this.#spec.cancel
      if (reason !== undefined) throw this.#final(reason)
      const candidate = this.#queue.shift()
      if (candidate === undefined) {
        if (this.#full.length === 0 || this.#left < 1) throw this.#exhausted()
        const attempt = await this.#queueUp()
        if (attempt !== undefined) return attempt
        continue
      }
      const why = this.#eligible(candidate)
      if (why !== undefined) {
        this.#skip(candidate, why)
        continue
      }
      const attempt = await this.#try(candidate)
      if (attempt !== undefined) return attempt
    }
  }

  /** From here on only a deployment that can go on from half an answer is asked: the reader cannot take it back. */
  mustContinue(): void {
    this.#mustContinue = true
  }

  /** A committed answer failed: the walk goes on after it, and comes back to it where nobody else is left. */
  failed(candidate: LiveCandidate, fault: GatewayError): void {
    this.#note(candidate, fault)
    if (this.#queue.length === 0 && verdict(fault.code).retry) this.#queue.push(candidate)
  }

  candidateOf(attempt: Attempt): LiveCandidate {
    return this.#spec.candidates.find(candidate => candidate.live === attempt.live) ?? { live: attempt.live }
  }

  #eligible({ live, onlyAfter }: LiveCandidate): string | undefined {
    const last = this.#last
    if (this.#mustContinue && live.deployment.capabilities.prefill !== true) return 'it does not go on from half an answer'
    if (onlyAfter !== undefined) {
      return last !== undefined && onlyAfter.includes(last.fault.code) ? undefined : `only after ${onlyAfter.join(', ')}`
    }
    if (last === undefined) return undefined
    const { next } = verdict(last.fault.code)
    if (next === 'any') return undefined
    if (next === 'none') return `not asked after ${last.fault.code}`
    const failed = last.candidate.live.deployment.capabilities.contextWindow ?? 0
    const own = live.deployment.capabilities.contextWindow ?? 0
    return own > failed ? undefined : 'its context window is not known to be larger'
  }

  async #try(candidate: LiveCandidate): Promise<Attempt | undefined> {
    const untried = this.#queue.filter(other => other.onlyAfter === undefined).length
    const allowed = Math.min(this.#spec.retry.attempts, Math.max(this.#left - untried, Math.min(1, this.#left)))
    if (allowed < 1) {
      this.#skip(candidate, 'no try left: retry.maxAttempts')
      return undefined
    }
    const entered = await this.#enter(candidate)
    if (entered === undefined) return undefined
    return this.#first(candidate, entered, allowed - 1)
  }

  async #first(candidate: LiveCandidate, entered: Entered, retries: number): Promise<Attempt | undefined> {
    this.#repair = undefined
    try {
      return await this.#once(candidate, this.#requestFor(candidate), entered)
    } catch (error) {
      const fault = asFault(error)
      return this.#refusedPrefill(candidate, fault) ? undefined : this.#again(candidate, fault, retries)
    }
  }

  /** The caller never asked for a prefill and must not see it refused: the candidate is asked again from the start. */
  #refusedPrefill(candidate: LiveCandidate, fault: GatewayError): boolean {
    if (fault.code !== 'invalid_request' || this.#prefill === undefined) return false
    if (this.#mustContinue) return true
    this.#prefill = undefined
    this.#queue.unshift(candidate)
    return true
  }

  #requestFor({ live }: LiveCandidate): UpstreamRequest {
    return this.#prefill !== undefined && live.deployment.capabilities.prefill === true ? this.#prefill : this.#spec.request
  }

  async #again(candidate: LiveCandidate, first: GatewayError, retries: number): Promise<Attempt | undefined> {
    let recorded: GatewayError | undefined = first
    let failures = 0
    try {
      return await pRetry(
        async () => {
          if (recorded !== undefined) {
            const fault = recorded
            recorded = undefined
            throw fault
          }
          const entered = await this.#enter(candidate)
          if (entered === undefined) throw this.#last?.fault ?? first
          return this.#once(candidate, this.#repair ?? this.#requestFor(candidate), entered)
        },
        { retries, minTimeout: 0, shouldRetry: ({ error }) => this.#mayRetry(candidate, asFault(error), ++failures) },
      )
    } catch (error) {
      const fault = this.#spec.cancel.reason ?? asFault(error)
      if (!this.#refusedPrefill(candidate, fault)) this.#note(candidate, fault)
      return undefined
    }
  }

  /** Waits as long as the retry must, or says no. */
  async #mayRetry(candidate: LiveCandidate, fault: GatewayError, failures: number): Promise<boolean> {
    const { clock, cancel, retry, random, deadlines, startedMs } = this.#spec
    if (cancel.reason !== undefined || this.#left < 1) return false
    const { retry: sameAgain, blame } = verdict(fault.code)
    const nowMs = clock.now()
    if (blame === 'key' && candidate.live.keys?.ready(nowMs) === true && (candidate.live.keys.state(nowMs).keys > 1)) return true
    if (!sameAgain) return false
    if (fault.code === 'output_invalid') {
      if (this.#repaired || this.#repair === undefined) return false
      this.#repaired = true
      return true
    }
    const waitMs = backoffMs(failures, fault.retryAfterMs, retry, random)
    if (waitMs === undefined || nowMs + waitMs >= startedMs + deadlines.totalMs) return false
    const last = this.reports.at(-1)
    if (last !== undefined) this.reports[this.reports.length - 1] = { ...last, waitedMs: waitMs }
    await wait(waitMs, clock, cancel)
    return true
  }

  /** Gates and key, without waiting; `undefined` after writing down why not. */
  async #enter(candidate: LiveCandidate): Promise<Entered | undefined> {
    const { live } = candidate
    const permits = enter(live)
    if (!isPermits(permits)) {
      this.#full.push(candidate)
      return undefined
    }
    const key = await this.#lend(candidate, permits)
    return key === null ? undefined : { permits, key }
  }

  /** `null` after giving the permits back. */
  async #lend(candidate: LiveCandidate, permits: readonly Permit[]): Promise<KeyLease | undefined | null> {
    const nowMs = this.#spec.clock.now()
    try {
      const lent = await candidate.live.keys?.lend(nowMs)
      if (lent === undefined || !isCooling(lent)) return lent
      const fault = new GatewayError(lent.fault.code, `Every key of "${candidate.live.deployment.id}" rests after ${lent.fault.code}.`, { origin: 'upstream', retryAfterMs: lent.untilMs - nowMs })
      this.#skip(candidate, `every key rests for ${Math.ceil(lent.untilMs - nowMs)} ms`, fault)
    } catch (error) {
      this.#skip(candidate, 'its apiKey function failed', asFault(error))
    }
    for (const permit of permits) permit.release({ outcome: 'neutral', durationMs: 0 })
    return null
  }

  async #once(candidate: LiveCandidate, request: UpstreamRequest, { permits, key }: Entered): Promise<Attempt> {
    const { wire, commit, deadlines, headers, clock, cancel, startedMs, accept } = this.#spec
    this.#left--
    const at = this.reports.length
    let opened: Attempt | undefined
    try {
      opened = await Attempt.open({
        live: candidate.live,
        request,
        wire,
        commit,
        deadlines,
        clock,
        cancel,
        callStartedMs: startedMs,
        permits,
        key,
        ...(headers !== undefined && { headers }),
        onEnd: (report, attempt) => {
          this.reports[at] = report
          if (attempt.billed) this.billed.push({ attempt, at })
        },
      })
      const refused = await accept?.(opened.head.flat())
      if (refused === undefined) return opened
      this.#repair = refused.repair
      throw refused.fault
    } catch (error) {
      const fault = asFault(error)
      opened?.end('failure', fault)
      if (fault.code === 'output_invalid' && this.reports[at] !== undefined) {
        this.reports[at] = { ...this.reports[at], outcome: 'failure', code: fault.code, reason: fault.message }
      }
      throw fault
    }
  }

  /** Every gate was full and nobody else is left: waits in the line of the route for the first that frees. */
  async #queueUp(): Promise<Attempt | undefined> {
    const waiting = this.#full
    this.#full = []
    const { candidate, permits } = await this.#spec.line.enter(waiting, this.#spec.cancel).catch((error: unknown) => {
      throw this.#final(asFault(error))
    })
    this.#full = waiting.filter(other => other !== candidate)
    const key = await this.#lend(candidate, permits)
    if (key === null) return undefined
    return this.#first(candidate, { permits, key }, Math.min(this.#spec.retry.attempts, this.#left) - 1)
  }

  #note(candidate: LiveCandidate, fault: GatewayError): void {
    this.#last = { fault, candidate }
    this.#faults.push(fault)
  }

  #skip({ live: { deployment } }: LiveCandidate, reason: string, fault?: GatewayError): void {
    const { clock, startedMs } = this.#spec
    if (fault !== undefined) this.#faults.push(fault)
    this.reports.push({
      deployment: deployment.id,
      provider: deployment.provider,
      model: deployment.model,
      outcome: 'skipped',
      reason,
      startedMs: clock.now() - startedMs,
      durationMs: 0,
      ...(fault !== undefined && { code: fault.code }),
    })
  }

  /** One fault of one kind is that fault; several kinds are `attempts_failed`. */
  #exhausted(): GatewayError {
    const last = this.#last?.fault
    if (last !== undefined && verdict(last.code).next !== 'any') return this.#final(last)
    const codes = new Set(this.#faults.map(fault => fault.code))
    const final = this.#faults.at(-1)
    if (codes.size === 1 && final !== undefined) {
      const waits = this.#faults.flatMap(fault => fault.retryAfterMs ?? [])
      return this.#final(final, waits.length > 0 ? Math.min(...waits) : undefined)
    }
    const tried = this.reports.filter(report => report.outcome !== 'skipped')
    return new GatewayError(
      'attempts_failed',
      `No deployment answered: ${summary(this.reports)}. ${tried.length} tries were made; error.attempts has each with its reason.`,
      { origin: 'upstream', attempts: [...this.reports], ...(final !== undefined && { cause: final }) },
    )
  }

  #final(fault: GatewayError, retryAfterMs = fault.retryAfterMs): GatewayError {
    return fault.with({ attempts: [...this.reports], ...(retryAfterMs !== undefined && { retryAfterMs }) })
  }
}

function summary(reports: readonly AttemptReport[]): string {
  const lines = new Map<string, number>()
  for (const { deployment, code, reason } of reports) {
    const line = `${deployment} (${code ?? reason ?? 'failed'})`
    lines.set(line, (lines.get(line) ?? 0) + 1)
  }
  return [...lines].map(([line, times]) => (times > 1 ? `${line} x${times}` : line)).join(', ')
}

function asFault(error: unknown): GatewayError {
  if (GatewayError.is(error)) return error
  return new GatewayError('upstream_error', `A part of the gateway failed with a ${error instanceof Error ? error.name : typeof error}.`, { origin: 'gateway' })
}
