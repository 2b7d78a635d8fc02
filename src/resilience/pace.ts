import type { Code, GatewayError } from '../protocol/errors.js'
import type { AttemptEnd, Clock, Deployment, Gate, GateCall, Permit, RateLimits, Refusal } from '../protocol/ports.js'
import { neverBegan, UNUSED } from './gates.js'
import { TimedListeners } from './listeners.js'
import { Meter } from './meter.js'

/** An exhausted quota rests this long where the provider names no time. */
const EXHAUSTED_MS = 60_000

/** What the provider said is left, and until when it wants to be left alone. Epoch milliseconds. */
export interface PaceState {
  readonly inFlight: number
  readonly coolUntilMs?: number
  readonly requestsLeft?: number
  readonly tokensLeft?: number
}

/**
 * Keeps to what the provider says of its limits: what is left of a limit is spread over the time to its reset when it runs
 * low, and nothing is sent when nothing is left. With `cooldown` it also keeps the wait that came with a `rate_limited` or
 * `quota_exhausted`; leave that out where a key pool lets the key cool. Not for a deployment with several keys, whose limits
 * are not the same.
 */
export class Pace implements Gate {
  readonly #clock: Clock
  readonly #cooldown: boolean
  readonly #listeners: TimedListeners
  readonly #requests = new Meter()
  readonly #tokens = new Meter()
  #inFlight = 0
  #coolUntilMs = 0
  #coolCode: Code = 'rate_limited'
  /** What had been taken when the newest try entered whose headers we know. */
  #learned = 0

  constructor(deps: { readonly clock: Clock; readonly cooldown: boolean }) {
    this.#clock = deps.clock
    this.#cooldown = deps.cooldown
    this.#listeners = new TimedListeners(deps.clock)
  }

  tryEnter(_deployment: Deployment, call: GateCall): Permit | Refusal {
    const requests = this.#requests
    const tokens = this.#tokens
    if (!requests.known && !tokens.known && this.#coolUntilMs === 0) return this.#enter(0, 0)
    const nowMs = this.#clock.now()
    if (nowMs < this.#coolUntilMs) return this.#refusal(this.#coolUntilMs, nowMs, `the provider asked for a pause (${this.#coolCode})`, this.#coolCode)
    this.#coolUntilMs = 0
    // Not the output: providers differ in what they count before it is there, and the next answer tells.
    const amount = tokens.known ? call.inputTokens() : 0
    const freeAtMs = Math.max(requests.freeAtMs(1, nowMs), tokens.freeAtMs(amount, nowMs))
    if (freeAtMs === Infinity && this.#inFlight === 0) {
      requests.forget()
      tokens.forget()
    } else if (freeAtMs === Infinity) return { refused: 'queue_full', reason: 'the limit of the provider is used up as far as we know; the next answer will tell' }
    else if (freeAtMs > 0) return this.#refusal(freeAtMs, nowMs, 'the limit of the provider is nearly used up')
    return this.#enter(amount, nowMs)
  }

  onFree(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  state(): PaceState {
    return {
      inFlight: this.#inFlight,
      ...(this.#coolUntilMs > this.#clock.now() && { coolUntilMs: this.#coolUntilMs }),
      ...(this.#requests.known && { requestsLeft: this.#requests.left }),
      ...(this.#tokens.known && { tokensLeft: this.#tokens.left }),
    }
  }

  /** Of its permits alone: `seenMs` is when the headers of the answer were there. */
  leave(end: AttemptEnd, entry: Entry): void {
    this.#inFlight--
    if (neverBegan(end)) {
      this.#requests.give(1, entry.requestPauseMs)
      this.#tokens.give(entry.tokens, entry.tokenPauseMs)
    } else {
      if (end.limits !== undefined) this.#learn(end.limits, entry)
      if (this.#cooldown && end.outcome === 'failure' && end.fault !== undefined) this.#cool(end.fault)
    }
    if (end !== UNUSED) this.#listeners.wake()
  }

  #enter(amount: number, nowMs: number): Permit {
    this.#inFlight++
    const requestPauseMs = this.#requests.take(1, nowMs)
    const tokenPauseMs = this.#tokens.take(amount, nowMs)
    return new Entry(this, this.#clock, amount, requestPauseMs, tokenPauseMs, this.#requests.taken, this.#tokens.taken)
  }

  #learn(limits: RateLimits, entry: Entry): void {
    // Answers end in another order than they were counted.
    if (entry.requestMark < this.#learned) return
    this.#learned = entry.requestMark
    const nowMs = this.#clock.now()
    const seenMs = entry.seenMs ?? nowMs
    const { limitRequests, remainingRequests, resetRequestsMs = 0, limitTokens, remainingTokens, resetTokensMs = 0 } = limits
    if (seenMs + resetRequestsMs > nowMs) this.#requests.learn(limitRequests, remainingRequests, seenMs + resetRequestsMs, entry.requestMark)
    if (seenMs + resetTokensMs > nowMs) this.#tokens.learn(limitTokens, remainingTokens, seenMs + resetTokensMs, entry.tokenMark)
  }

  #cool({ code, retryAfterMs }: GatewayError): void {
    const restMs = code === 'quota_exhausted' ? (retryAfterMs ?? EXHAUSTED_MS) : code === 'rate_limited' ? (retryAfterMs ?? 0) : 0
    if (restMs <= 0) return
    this.#coolUntilMs = Math.max(this.#coolUntilMs, this.#clock.now() + restMs)
    this.#coolCode = code
  }

  #refusal(retryAtMs: number, nowMs: number, why: string, refused: Code = 'rate_limited'): Refusal {
    this.#listeners.at(retryAtMs)
    return { refused, retryAtMs, reason: `${why}; free in ${Math.ceil((retryAtMs - nowMs) / 1000)} s` }
  }
}

/** A try, with what had been taken when it entered: an answer counts what came before it and nothing after. */
class Entry implements Permit {
  readonly #clock: Clock
  #pace: Pace | undefined
  seenMs: number | undefined

  constructor(
    pace: Pace,
    clock: Clock,
    readonly tokens: number,
    readonly requestPauseMs: number,
    readonly tokenPauseMs: number,
    readonly requestMark: number,
    readonly tokenMark: number,
  ) {
    this.#pace = pace
    this.#clock = clock
  }

  committed(): void {
    if (this.#pace !== undefined) this.seenMs ??= this.#clock.now()
  }

  release(end: AttemptEnd): void {
    const pace = this.#pace
    this.#pace = undefined
    pace?.leave(end, this)
  }
}
