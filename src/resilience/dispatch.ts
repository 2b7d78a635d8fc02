import { verdict, type GatewayError } from '../protocol/errors.js'
import type { GateCall } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import type { Attempt } from './attempt.js'
import { Cancel } from './cancel.js'
import { backoffMs } from './backoff.js'
import { asFault, Visit, type Host, type Visiting } from './dispatch-visit.js'
import { Entry, isEntered, type Barred, type Entered } from './entry.js'
import { hedged } from './hedge.js'
import type { Admitted as InLine, Standing } from './line.js'
import type { LiveCandidate } from './live.js'
import { WalkLog } from './log.js'
import { wait } from './wait.js'
import type { HedgeSpec, WalkSpec, WalkState } from './walk-spec.js'

const MOST_TURNED_AWAY = 3

/**
 * Executes the order of a plan: one flat walk over the candidates, one budget of tries over everything. A visit repeats one
 * candidate; the walk goes on to the next.
 */
export class Walk implements Host {
  readonly log = new WalkLog()
  readonly #spec: WalkSpec
  readonly #entry: Entry
  readonly #state: WalkState
  readonly #queue: LiveCandidate[]
  /** Candidates whose gates were full. */
  #full: LiveCandidate[] = []
  /** Candidates that a gate or their keys refused for a time, and until when where that was named. */
  #shut: Map<LiveCandidate, number | undefined> | undefined
  /** Times that gates let the call in and it got no key. */
  #turnedAway = 0
  /** Since when it waits out an outage. */
  #outageMs: number | undefined

  constructor(spec: WalkSpec) {
    this.#spec = spec
    this.#queue = [...spec.candidates]
    this.#state = { left: spec.retry.maxAttempts, prefill: undefined, mustContinue: false, repaired: false }
    this.#entry = new Entry(spec, this.log)
  }

  /** Some candidate is left, and a try for it. */
  get hasNext(): boolean {
    return this.#state.left > 0 && [...this.#queue, ...this.#full].some(candidate => this.#barred(candidate) === undefined)
  }

  /**
   * The next attempt that commits. Rejects with the error of the call when nobody is left.
   * @param prefill what is sent instead to a deployment that can go on from an assistant's half answer; see also {@link mustContinue}.
   */
  next(prefill?: UpstreamRequest): Promise<Attempt> {
    const { cancel, hedge } = this.#spec
    this.#state.prefill = prefill
    return hedge === undefined || prefill !== undefined ? this.#go(cancel) : this.#hedged(hedge)
  }

  /** A committed answer failed: the walk goes on after it, and comes back to it where nobody else is left. */
  failed(attempt: Attempt, fault: GatewayError): void {
    const candidate = this.#spec.candidates.find(({ live }) => live === attempt.live) ?? { live: attempt.live }
    this.log.failed(candidate, fault)
    if (this.#queue.length === 0 && verdict(fault.code).retry) this.#queue.push(candidate)
  }

  /** From here on only a deployment that can go on from half an answer is asked: the reader cannot take it back. */
  mustContinue(): void {
    this.#state.mustContinue = true
  }

  full(candidate: LiveCandidate, reason?: string): void {
    if (this.#full.includes(candidate)) return
    this.#full.push(candidate)
    // Said where somebody else is asked instead; a call that waits for it is its own explanation.
    if (reason !== undefined && this.#queue.length > 0) this.#entry.skip(candidate, reason)
  }

  afresh(candidate: LiveCandidate): void {
    this.#queue.unshift(candidate)
  }

  /** Most calls are answered by the first candidate: they make one promise here. */
  #go(cancel: Cancel): Promise<Attempt> {
    try {
      const first = this.#step(cancel)
      return first === undefined ? this.#on(cancel) : first.then(attempt => attempt ?? this.#on(cancel))
    } catch (error) {
      return Promise.reject(asFault(error))
    }
  }

  async #on(cancel: Cancel): Promise<Attempt> {
    for (;;) {
      const attempt = await this.#step(cancel)
      if (attempt !== undefined) return attempt
    }
  }

  /** Two walks over one queue: the second begins where the first one is slow, and takes the candidates that are left. */
  #hedged({ afterMs, budget }: HedgeSpec): Promise<Attempt> {
    const { cancel, clock } = this.#spec
    budget.deposit()
    const [first] = this.#queue
    const waitMs = afterMs === 'p95' ? first?.live.stats().p95FirstEventMs : afterMs
    if (waitMs === undefined || this.#queue.length < 2) return this.#go(cancel)
    const lanes = { first: laneOf(cancel), second: laneOf(cancel) }
    const second = (): Promise<Attempt> | undefined => (this.#queue.length > 0 && this.#state.left > 0 && budget.tryTake() ? this.#go(lanes.second) : undefined)
    const opening = hedged(this.#go(lanes.first), second, waitMs, clock, cancel, (side, fault) => lanes[side].cancel(fault))
    // The error of one side was made while the other was still trying.
    return opening.catch((error: unknown) => Promise.reject(this.log.final(asFault(error))))
  }

  /** One move: the next candidate, or the line. Throws where neither is left. */
  #step(cancel: Cancel): Promise<Attempt | undefined> | undefined {
    if (cancel.reason !== undefined) throw this.log.final(cancel.reason)
    const candidate = this.#queue.shift()
    if (candidate !== undefined) return this.#visit(candidate, cancel)
    this.#leaveBarred()
    if (this.#state.left < 1) throw this.log.exhausted()
    if (this.#full.length > 0) return this.#standInLine(cancel)
    const waiting = this.#spec.maxWaitMs === undefined ? [] : this.#spec.candidates.filter(one => this.#barred(one) === undefined)
    return waiting.length === 0 ? this.#lastResort(cancel) : this.#waitOut(waiting, cancel)
  }

  /** Why this candidate is not asked after what happened so far. */
  #barred({ live, onlyAfter }: LiveCandidate): string | undefined {
    const { last } = this.log
    if (this.#state.mustContinue && live.deployment.capabilities.prefill !== true) return 'it does not go on from half an answer'
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
    if (this.#full.length === 0) return
    this.#full = this.#full.filter(candidate => {
      const why = this.#barred(candidate)
      if (why !== undefined) this.#entry.skip(candidate, why)
      return why === undefined
    })
  }

  /** Makes no promise of its own: this is the path of every call. */
  #visit(candidate: LiveCandidate, cancel: Cancel): Promise<Attempt | undefined> | undefined {
    const why = this.#barred(candidate)
    if (why !== undefined) return this.#skip(candidate, why)
    const allowed = this.#allowed()
    if (allowed < 1) return this.#skip(candidate, 'no try left: retry.maxAttempts')
    const entering = this.#entry.tryEnter(candidate)
    return entering instanceof Promise ? entering.then(answer => this.#entered(candidate, answer, allowed, cancel)) : this.#entered(candidate, entering, allowed, cancel)
  }

  /** Tries for the next candidate: one is kept for each that was not asked yet. */
  #allowed(): number {
    // With a queue, one try is kept for the time after the outage.
    const left = this.#state.left - (this.#spec.maxWaitMs === undefined || this.#outageMs !== undefined ? 0 : 1)
    let untried = this.#full.length
    for (const { onlyAfter } of this.#queue) if (onlyAfter === undefined) untried++
    return Math.min(this.#spec.retry.attempts, Math.max(left - untried, Math.min(1, left)))
  }

  #entered(candidate: LiveCandidate, answer: Entered | Barred, allowed: number, cancel: Cancel): Promise<Attempt | undefined> | undefined {
    if (isEntered(answer)) return this.#visiting(candidate, cancel).ask(answer, allowed - 1)
    const { why, fault, reason } = answer
    if (why === 'full') this.full(candidate, reason)
    else (this.#shut ??= new Map()).set(candidate, fault?.retryAfterMs === undefined ? undefined : this.#spec.clock.now() + fault.retryAfterMs)
    // With nobody else to ask, a short rest is waited for like any other wait the upstream asks for.
    const alone = this.#queue.length === 0 && this.#full.length === 0
    return alone && why === 'rests' && fault !== undefined && this.#spec.maxWaitMs === undefined ? this.#visiting(candidate, cancel).again(fault, allowed - 1) : undefined
  }

  /** Somebody was asked and failed, and the others were passed over for their circuits: one of them is asked once rather than nobody. */
  #lastResort(cancel: Cancel): Promise<Attempt | undefined> | undefined {
    const candidate = this.log.last === undefined ? undefined : [...(this.#shut?.keys() ?? [])].find(one => this.#barred(one) === undefined)
    this.#shut = undefined
    if (candidate === undefined) throw this.log.exhausted()
    const { gateCall } = this.#spec
    const call: GateCall = { inputTokens: () => gateCall.inputTokens(), maxOutputTokens: gateCall.maxOutputTokens, lastResort: true }
    const entering = this.#entry.tryEnter(candidate, call)
    const ask = (answer: Entered | Barred): Promise<Attempt | undefined> | undefined => (isEntered(answer) ? this.#visiting(candidate, cancel).ask(answer, 0) : undefined)
    return entering instanceof Promise ? entering.then(ask) : ask(entering)
  }

  /** Every gate was full and nobody else is left: waits in the line of the route for the first that frees. */
  async #standInLine(cancel: Cancel): Promise<Attempt | undefined> {
    const waiting = this.#full
    this.#full = []
    const { startedMs, deadlines } = this.#spec
    // A limit of ours that slides on is waited for like a place; the call's own end bounds it.
    const candidate = await this.#inLine(waiting, { outage: true, untilMs: startedMs + deadlines.totalMs }, cancel)
    this.#full = waiting.filter(other => other !== candidate.candidate)
    return this.#letIn(candidate, Math.min(this.#spec.retry.attempts, this.#state.left) - 1, cancel)
  }

  /** An outage: every candidate is unavailable or has failed. Waits, in the line of the route, until one is well again. */
  async #waitOut(waiting: readonly LiveCandidate[], cancel: Cancel): Promise<Attempt | undefined> {
    const { clock, retry, random, startedMs, deadlines, maxWaitMs = 0 } = this.#spec
    const sinceMs = (this.#outageMs ??= clock.now())
    const untilMs = Math.min(sinceMs + maxWaitMs, startedMs + deadlines.totalMs)
    const known = this.#shut
    const shut = waiting.filter(one => known?.has(one) === true)
    // Who failed and is not shut would let us in at once, to fail again.
    if (shut.length < waiting.length) await wait(Math.min(backoffMs(retry.maxAttempts - this.#state.left, undefined, retry, random) ?? 0, untilMs - clock.now()), clock, cancel)
    const resets = shut.length < waiting.length ? [undefined] : shut.map(one => known?.get(one))
    const retryAtMs = resets.includes(undefined) ? undefined : Math.min(...(resets as number[]))
    this.#shut = undefined
    // One try: whoever fails again waits again, and longer.
    return this.#letIn(await this.#inLine(waiting, { outage: true, untilMs, ...(retryAtMs !== undefined && { retryAtMs }) }, cancel), 0, cancel)
  }

  async #inLine(waiting: readonly LiveCandidate[], standing: Standing, cancel: Cancel): Promise<InLine> {
    const { line, gateCall, priority, tenant } = this.#spec
    try {
      return await line.enter(waiting, gateCall, cancel, { ...standing, priority, ...(tenant !== undefined && { tenant }) })
    } catch (error) {
      throw this.log.final(asFault(error))
    }
  }

  async #letIn({ candidate, permits }: InLine, retries: number, cancel: Cancel): Promise<Attempt | undefined> {
    const answer = await this.#entry.lend(candidate, permits)
    if (isEntered(answer)) return this.#visiting(candidate, cancel).ask(answer, retries)
    // A key that cannot be had would be asked for again and again.
    if (++this.#turnedAway > MOST_TURNED_AWAY) throw this.log.exhausted()
    return undefined
  }

  #visiting(candidate: LiveCandidate, cancel: Cancel): Visit {
    const visiting: Visiting = { host: this, spec: this.#spec, state: this.#state, log: this.log, entry: this.#entry, cancel }
    return new Visit(visiting, candidate)
  }

  #skip(candidate: LiveCandidate, reason: string): undefined {
    this.#entry.skip(candidate, reason)
  }
}

/** Ends with the call, and alone where it lost. */
function laneOf(call: Cancel): Cancel {
  const lane = new Cancel()
  call.onCancel(reason => lane.cancel(reason))
  return lane
}
