import { boundNanos, boundOf } from '../protocol/bound.js'
import { GatewayError } from '../protocol/errors.js'
import type { Downgraded, DowngradeOptions, OnStoreError, OnUnknownPrice } from '../protocol/policy.js'
import type { Clock, Price, PromptClaim, PromptVerdict, Tally } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import type { Cancel } from '../resilience/cancel.js'
import type { Live } from '../resilience/live.js'
import type { Cover } from '../resilience/walk-spec.js'
import { storeFault, type Ledger, type OpenHold } from '../state/ledger.js'
import type { Account, Line } from '../state/meters.js'
import type { Call } from './call.js'
import { cancellable } from './cancellable.js'
import { amountOf, Covered, NOTHING, type Used } from './covered.js'
import { settle } from './settlement.js'

/** What a purse is made of. */
export interface PurseParts {
  readonly ledger: Ledger
  readonly clock: Clock
  readonly call: Call
  readonly account: Account
  readonly onUnknownPrice: OnUnknownPrice
  readonly onStoreError: OnStoreError | undefined
  /** That of the route, where a budget has none of its own. */
  readonly downgrade: DowngradeOptions | undefined
  readonly defer: (fn: () => void) => void
}
/** A claim that does not fit: whose counter, and when it would. */
export interface Lack {
  readonly line: Line
  readonly retryAfterMs: number | undefined
}
/** What a hold holds. */
export interface Part {
  readonly line: Line
  readonly amount: number
}
/** A hold of the flight. */
export interface Held {
  readonly open: OpenHold
  readonly parts: readonly Part[]
  /** Where it lapses, what it holds is charged and written down as spent. */
  readonly charged: boolean
}
type Maybe<T> = T | Promise<T>

/**
 * The money, tokens and requests of one flight: the worst case of each attempt is held before it opens, on top of what the attempts
 * before it used; all of them are settled at the end. A call that no policy is about holds nothing, and is only written down.
 * Nothing is waited for where the store is in memory.
 */
export class Purse {
  readonly #parts: PurseParts
  readonly #covers: Covered[] = []
  readonly #holds: Held[] = []
  /** All that is held, or asked for just now. */
  #all: readonly Part[] = []
  #closed = false
  #counted = false
  #lastLive: Live | undefined
  #lastRequest: UpstreamRequest | undefined
  #lastMost = NOTHING

  constructor(parts: PurseParts) {
    this.#parts = parts
  }

  get onUnknownPrice(): OnUnknownPrice {
    return this.#parts.onUnknownPrice
  }
  /** Some policy is about this call. */
  get bound(): boolean {
    return this.#parts.account.policies.length > 0
  }
  /** A hard budget is: prices must be known, and answers must have an end. */
  get hard(): boolean {
    return this.#parts.account.hard
  }
  /** How long an answer can get must be known. */
  get counts(): boolean {
    return this.#parts.account.counts
  }

  /** The price that a bound is made with; `undefined` where there is none. */
  price(live: Live): Price | undefined {
    const { onUnknownPrice } = this.#parts
    return live.price ?? (typeof onUnknownPrice === 'object' ? onUnknownPrice.assume : undefined)
  }

  /** Holds what one more attempt could use, or tells what does not fit. `early`: budgets are taken for used up at the share from which calls go another way. */
  ensure(live: Live, request: UpstreamRequest, early = false): Maybe<Lack | undefined> {
    return this.#ensure(live, this.#most(live, request), this.#parts.call.cancel, early)
  }

  /** Holds a request and a place for a call that asks nobody itself. */
  count(): Maybe<Lack | undefined> {
    this.#counted = true
    const { account, clock, call } = this.#parts
    const lines = account.callLines
    if (lines.length === 0) return undefined
    const nowMs = clock.now()
    return this.#acquire(lines.map(line => line.claim(1, nowMs)), lines.map(line => ({ line, amount: 1 })), undefined, call.cancel)
  }

  /** For the walk: holds one attempt, and hears of its end. */
  cover(live: Live, request: UpstreamRequest, cancel: Cancel): Maybe<Cover> {
    const most = this.bound ? this.#most(live, request) : NOTHING
    const lacking = this.bound ? this.#ensure(live, most, cancel) : undefined
    const covered = new Covered(live, most, this.#parts.onUnknownPrice)
    if (lacking === undefined) {
      this.#covers.push(covered)
      return covered
    }
    if (!(lacking instanceof Promise)) return Promise.reject(this.#refused(lacking))
    // Counted from here on: a second attempt at once must not rely on the same room.
    this.#covers.push(covered)
    const settled = (lack: Lack | undefined): Covered => {
      if (lack === undefined) return covered
      covered.drop()
      throw this.#refused(lack)
    }
    return lacking.then(settled, (error: unknown) => {
      covered.drop()
      throw error
    })
  }

  #refused(lack: Lack): GatewayError {
    // With an answer on its way it was a hedge that was refused, and not the call.
    if (this.#covers.every(({ over }) => over)) this.exceeded(lack)
    return this.refusal(lack, true)
  }

  /** The error of a call that a policy has no room for. */
  refusal({ line, retryAfterMs }: Lack, walking = false): GatewayError {
    const { policy, meter, only } = line
    const wait = retryAfterMs === undefined ? '' : ` Room may be there in ${Math.ceil(retryAfterMs / 1000)} s.`
    const details = { origin: 'gateway', policy: policy.name, ...(retryAfterMs !== undefined && { retryAfterMs }) } as const
    // What is for one provider or deployment leaves the others to a walk.
    if (policy.kind === 'budget') return new GatewayError(walking && only.length > 0 ? 'quota_exhausted' : 'budget_exceeded', `The budget "${policy.name}" has no room for what this call could cost at most.${wait} Lower maxOutputTokens, wait, or raise the budget.`, details)
    return new GatewayError(only.length === 0 ? 'limit_exceeded' : 'rate_limited', `The limit "${policy.name}" of ${meter.kind} is reached.${wait}`, details)
  }

  /** Ends the flight: charges what was used, gives back the rest. Once. Tells, when the store has it, whether the hold had lived that long. */
  close(downgraded?: Downgraded): Maybe<boolean> | undefined {
    if (this.#closed) return undefined
    this.#closed = true
    const { ledger, call, clock, defer, account: { calendars } } = this.#parts
    // After the first answer, so that neither it nor the next call waits for a clock of a zone.
    if (calendars.late) defer(() => calendars.meet(clock.now()))
    const tallies = this.#tallies()
    if (downgraded !== undefined) this.#tellDowngrade(downgraded)
    if (this.#holds.length === 0) {
      if (tallies.length > 0) ledger.tally(tallies)
      return undefined
    }
    try {
      return settle({ ledger, call, holds: this.#holds, final: line => this.#final(line), tallies })
    } catch (error) {
      // The answer is there: what the store refuses to write down is counted, and lapses.
      ledger.later(Promise.reject(storeFault(error)))
      return true
    }
  }

  exceeded({ line }: Lack): void {
    if (line.policy.kind === 'budget') this.#parts.ledger.alert('exceeded', line, { call: this.#parts.call.id })
  }

  #tallies(): readonly Tally[] {
    const { account: { spender }, call } = this.#parts
    const only = this.#covers[0]
    if (this.#covers.length === 1 && only !== undefined) return only.tallies(spender, call.startedMs)
    return this.#covers.flatMap(cover => cover.tallies(spender, call.startedMs))
  }

  #tellDowngrade({ policy: name }: Downgraded): void {
    for (const { line } of this.#all) if (line.policy.name === name) return this.#parts.ledger.alert('downgraded', line, { call: this.#parts.call.id })
  }

  /** Asked twice for the first attempt: by the stage, and by the walk. */
  #most(live: Live, request: UpstreamRequest): Used {
    if (live === this.#lastLive && request === this.#lastRequest) return this.#lastMost
    const { inputTokens, outputTokens: most } = boundOf(request, live.deployment.capabilities)
    const price = this.price(live)
    const outputTokens = most === Infinity ? 0 : most
    this.#lastLive = live
    this.#lastRequest = request
    return (this.#lastMost = { inputTokens, outputTokens, nanos: price === undefined ? 0 : boundNanos({ inputTokens, outputTokens }, price) })
  }

  #ensure(live: Live, most: Used, cancel: Cancel, early = false): Maybe<Lack | undefined> {
    const { account, clock } = this.#parts
    let parts: Part[] | undefined
    let claims: PromptClaim[] | undefined
    let nowMs = 0
    for (const line of account.lines(live.deployment)) {
      const amount = this.#needed(line, most) - this.#held(line)
      if (amount <= 0) continue
      if (claims === undefined) nowMs = clock.now()
      ;(parts ??= []).push({ line, amount })
      ;(claims ??= []).push(line.claim(amount, nowMs, early ? this.#share(line) : undefined))
    }
    return claims === undefined || parts === undefined ? undefined : this.#acquire(claims, parts, live, cancel)
  }

  /** What all attempts used or could use of a line. */
  #needed(line: Line, more: Used): number {
    const { kind } = line.meter
    if (kind === 'requests' || kind === 'concurrency') return 1
    return amountOf(kind, more) + this.#used(line)
  }

  #used(line: Line): number {
    let sum = 0
    for (const cover of this.#covers) if (line.isFor(cover.payee)) sum += amountOf(line.meter.kind, cover.used)
    return sum
  }

  /** Of a budget that sends calls another way, also of one that refuses nothing. */
  #share({ policy: { kind, downgrade } }: Line): number | undefined {
    const option = kind === 'budget' ? (downgrade ?? this.#parts.downgrade) : undefined
    return option === undefined ? undefined : (option.at ?? 1)
  }

  #acquire(claims: readonly PromptClaim[], parts: readonly Part[], live: Live | undefined, cancel: Cancel): Maybe<Lack | undefined> {
    const { ledger, call, account } = this.#parts
    // What one attempt adds, and not what it could cost alone: that much is charged where the hold lapses.
    const nanos = chargedOnLapse(parts)
    const charged = live !== undefined && nanos > 0
    const left = (): { owner: string; tallies: readonly Tally[] } => ({ owner: account.owner(call, nanos, live?.deployment), tallies: charged ? account.spender.tallies(live.deployment, call.startedMs, nanos, false) : [] })
    // Counted as held from here, so that a second attempt at once does not rely on the same room.
    this.#all = this.#all.length === 0 ? parts : [...this.#all, ...parts]
    try {
      const asking = ledger.acquire(claims, left)
      if (!(asking instanceof Promise)) return this.#taken(asking, parts, charged)
      const waiting = cancellable(asking, cancel, late => late.ok && ledger.giveBack(late.hold))
      return waiting.then(verdict => this.#taken(verdict, parts, charged), (error: unknown) => this.#withoutStore(error, parts))
    } catch (error) {
      return this.#withoutStore(error, parts)
    }
  }

  #taken(verdict: PromptVerdict, parts: readonly Part[], charged: boolean): Lack | undefined {
    const { ledger } = this.#parts
    if (verdict.ok && this.#closed) ledger.giveBack(verdict.hold)
    else if (verdict.ok) this.#holds.push({ open: ledger.track(verdict.hold), parts, charged })
    if (verdict.ok) return undefined
    this.#letGo(parts)
    const line = (parts.find(part => part.line.key === verdict.key) ?? parts[0])?.line
    return line === undefined ? undefined : { line, retryAfterMs: verdict.retryAfterMs }
  }

  #held(line: Line): number {
    let sum = 0
    for (const part of this.#all) if (part.line === line) sum += part.amount
    return sum
  }

  #letGo(parts: readonly Part[]): void {
    this.#all = this.#all.filter(part => !parts.includes(part))
  }

  /** Nobody can be asked: what the strictest of the policies says. */
  #withoutStore(error: unknown, parts: readonly Part[]): undefined {
    this.#letGo(parts)
    const fault = storeFault(error)
    if (fault.code !== 'store_unavailable') throw fault
    const { onStoreError = 'refuse' } = this.#parts
    if (parts.some(({ line }) => (line.policy.onStoreError ?? onStoreError) === 'refuse')) throw fault
    return undefined
  }

  #final(line: Line): number {
    const { kind } = line.meter
    if (kind === 'concurrency') return 0
    let began = this.#counted
    let sum = 0
    for (const cover of this.#covers) {
      if (!cover.began || !line.isFor(cover.payee)) continue
      began = true
      sum += amountOf(kind, cover.used)
    }
    return kind === 'requests' ? Number(began) : sum
  }
}

function chargedOnLapse(parts: readonly Part[]): number {
  let most = 0
  for (const { line, amount } of parts) if (line.meter.kind === 'nanos' && line.policy.onLapsed === 'charge') most = Math.max(most, amount)
  return most
}
