import { boundNanos, boundOf } from '../protocol/bound.js'
import { GatewayError } from '../protocol/errors.js'
import type { Downgraded, DowngradeOptions, OnStoreError, OnUnknownPrice } from '../protocol/policy.js'
import type { Claim, ClaimVerdict, Clock, Price, Standing, Tally } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import type { Cancel } from '../resilience/cancel.js'
import type { Live } from '../resilience/live.js'
import type { Cover } from '../resilience/walk-spec.js'
import { storeFault, type Ledger, type Owner } from '../state/ledger.js'
import { linesOf, type Line, type Matched, type Payer } from '../state/meters.js'
import { spendTallies } from '../state/spend.js'
import type { Call } from './call.js'
import { cancellable } from './cancellable.js'
import { amountOf, Covered, NOTHING, type Used } from './covered.js'

/** What a purse is made of. */
export interface PurseParts {
  readonly ledger: Ledger
  readonly clock: Clock
  readonly call: Call
  readonly payer: Payer
  readonly policies: readonly Matched[]
  readonly onUnknownPrice: OnUnknownPrice
  readonly onStoreError: OnStoreError | undefined
  /** That of the route, where a budget has none of its own. */
  readonly downgrade: DowngradeOptions | undefined
}
/** A claim that does not fit: whose counter, and when it would. */
export interface Lack {
  readonly line: Line
  readonly retryAfterMs: number | undefined
}
interface Hold {
  readonly id: string
  readonly parts: readonly { readonly line: Line; readonly amount: number }[]
  /** Where it lapses, what it holds is charged and written down as spent. */
  readonly charged: boolean
}

/**
 * The money, tokens and requests of one flight: the worst case of each attempt is held before it opens, on top of what the attempts
 * before it used; all of them are settled at the end. A call that no policy is about holds nothing, and is only written down.
 */
export class Purse {
  readonly #parts: PurseParts
  /** Lines by deployment. */
  readonly #lines = new Map<Live, readonly Line[]>()
  readonly #covers: Covered[] = []
  readonly #holds: Hold[] = []
  #closed = false
  #counted = false

  constructor(parts: PurseParts) {
    this.#parts = parts
  }

  get onUnknownPrice(): OnUnknownPrice {
    return this.#parts.onUnknownPrice
  }
  /** Some policy is about this call. */
  get bound(): boolean {
    return this.#parts.policies.length > 0
  }
  /** A hard budget is: prices must be known, and answers must have an end. */
  get hard(): boolean {
    return this.#parts.policies.some(({ policy }) => policy.kind === 'budget' && policy.hard)
  }

  /** How long an answer can get must be known. */
  get counts(): boolean {
    return this.hard || this.#parts.policies.some(({ policy }) => policy.kind === 'limit' && policy.meters.some(({ kind }) => kind === 'outputTokens' || kind === 'tokens'))
  }

  /** The price that a bound is made with; `undefined` where there is none. */
  price(live: Live): Price | undefined {
    const { onUnknownPrice } = this.#parts
    return live.price ?? (typeof onUnknownPrice === 'object' ? onUnknownPrice.assume : undefined)
  }

  /** Holds what one more attempt could use: at once where enough is held already, else with what does not fit. `early`: budgets are taken for used up at the share from which calls go another way. */
  ensure(live: Live, request: UpstreamRequest, early = false): Promise<Lack | undefined> | undefined {
    return this.#ensure(live, this.#most(live, request), this.#parts.call.cancel, early)
  }

  /** Holds a request and a place for a call that asks nobody itself. */
  count(): Promise<Lack | undefined> | undefined {
    this.#counted = true
    const nobody = { provider: '', deployment: '' }
    const lines = this.#parts.policies.filter(({ open }) => open.length === 0).flatMap(policy => linesOf(policy, nobody)).filter(({ meter }) => meter.kind === 'requests' || meter.kind === 'concurrency')
    if (lines.length === 0) return undefined
    const nowMs = this.#parts.clock.now()
    return this.#acquire(lines.map(line => line.claim(1, nowMs)), lines.map(line => ({ line, amount: 1 })), undefined, this.#parts.call.cancel)
  }

  /** For the walk: holds one attempt, and hears of its end. */
  cover(live: Live, request: UpstreamRequest, cancel: Cancel): Cover | Promise<Cover> {
    const most = this.bound ? this.#most(live, request) : NOTHING
    const ensuring = this.bound ? this.#ensure(live, most, cancel) : undefined
    const covered = new Covered(live, most, this.#parts.onUnknownPrice)
    this.#covers.push(covered)
    if (ensuring === undefined) return covered
    return ensuring.then(
      lack => {
        if (lack === undefined) return covered
        covered.drop()
        // With an answer on its way it was a hedge that was refused, and not the call.
        if (this.#covers.every(({ over }) => over)) this.exceeded(lack)
        throw this.refusal(lack)
      },
      (error: unknown) => {
        covered.drop()
        throw error
      },
    )
  }

  /** The error of a call that a policy has no room for. */
  refusal({ line, retryAfterMs }: Lack): GatewayError {
    const { policy, meter, only } = line
    const wait = retryAfterMs === undefined ? '' : ` Room may be there in ${Math.ceil(retryAfterMs / 1000)} s.`
    const details = { origin: 'gateway', policy: policy.name, ...(retryAfterMs !== undefined && { retryAfterMs }) } as const
    if (policy.kind === 'budget') return new GatewayError('budget_exceeded', `The budget "${policy.name}" has no room for what this call could cost at most.${wait} Lower maxOutputTokens, wait, or raise the budget.`, details)
    // A limit of one deployment leaves the others.
    const code = only.length === 0 ? 'limit_exceeded' : 'rate_limited'
    return new GatewayError(code, `The limit "${policy.name}" of ${meter.kind} is reached.${wait}`, details)
  }

  /** Ends the flight: charges what was used, gives back the rest. Once. Resolves when the store has it. */
  close(downgraded?: Downgraded): Promise<boolean> | undefined {
    if (this.#closed) return undefined
    this.#closed = true
    const { ledger, payer, call } = this.#parts
    const tallies = this.#covers.flatMap(cover => cover.tallies(payer, call.startedMs))
    if (downgraded !== undefined) this.#tellDowngrade(downgraded)
    if (this.#holds.length === 0) {
      if (tallies.length > 0) ledger.later(ledger.tally(tallies))
      return undefined
    }
    const work = this.#settle(tallies)
    ledger.later(work)
    return work
  }

  exceeded({ line }: Lack): void {
    if (line.policy.kind === 'budget') this.#parts.ledger.alert('exceeded', line, { call: this.#parts.call.id })
  }

  #tellDowngrade({ policy: name }: Downgraded): void {
    for (const lines of this.#lines.values()) for (const line of lines) {
      if (line.policy.name === name) return this.#parts.ledger.alert('downgraded', line, { call: this.#parts.call.id })
    }
  }

  #most(live: Live, request: UpstreamRequest): Used {
    const bound = boundOf(request, live.deployment.capabilities)
    const price = this.price(live)
    const outputTokens = Number.isFinite(bound.outputTokens) ? bound.outputTokens : 0
    return { ...bound, outputTokens, nanos: price === undefined ? 0 : boundNanos({ ...bound, outputTokens }, price) }
  }

  #of(live: Live): readonly Line[] {
    let lines = this.#lines.get(live)
    if (lines === undefined) {
      const { provider, id } = live.deployment
      const known = [...this.#lines.values()].flat()
      lines = this.#parts.policies.flatMap(policy => linesOf(policy, { provider, deployment: id })).map(line => known.find(one => one.key === line.key) ?? line)
      this.#lines.set(live, lines)
    }
    return lines
  }

  /** What all attempts used or could use of a line. */
  #used(line: Line, more: Used): number {
    const { kind } = line.meter
    if (kind === 'requests' || kind === 'concurrency') return 1
    let sum = amountOf(kind, more)
    for (const cover of this.#covers) if (line.isFor(cover.payee)) sum += amountOf(kind, cover.used)
    return sum
  }

  #ensure(live: Live, most: Used, cancel: Cancel, early = false): Promise<Lack | undefined> | undefined {
    const nowMs = this.#parts.clock.now()
    const parts: Hold['parts'][number][] = []
    const claims: Claim[] = []
    for (const line of this.#of(live)) {
      const amount = this.#used(line, most) - line.held
      if (amount <= 0) continue
      parts.push({ line, amount })
      claims.push(line.claim(amount, nowMs, early ? this.#share(line) : undefined))
    }
    return claims.length === 0 ? undefined : this.#acquire(claims, parts, live, cancel)
  }

  /** Of a budget that sends calls another way, also of one that refuses nothing. */
  #share({ policy: { kind, downgrade } }: Line): number | undefined {
    const option = kind === 'budget' ? (downgrade ?? this.#parts.downgrade) : undefined
    return option === undefined ? undefined : (option.at ?? 1)
  }

  async #acquire(claims: readonly Claim[], parts: Hold['parts'], live: Live | undefined, cancel: Cancel): Promise<Lack | undefined> {
    const { ledger, call, payer } = this.#parts
    // What one attempt adds, and not what it could cost alone: that much is charged where the hold lapses.
    const nanos = Math.max(0, ...parts.map(({ line, amount }) => (line.meter.kind === 'nanos' && line.policy.onLapsed === 'charge' ? amount : 0)))
    const charged = live !== undefined && nanos > 0
    // Counted as held from here, so that a second attempt at once does not rely on the same room.
    for (const { line, amount } of parts) line.held += amount
    let verdict: ClaimVerdict | undefined
    try {
      const asking = ledger.acquire(claims, this.#owner(nanos, live), charged ? spendTallies(payer, live.deployment, call.startedMs, nanos, false) : [])
      verdict = await cancellable(asking, cancel, late => void (late.ok && ledger.later(ledger.settle(late.holdId, [], []))))
    } catch (error) {
      for (const { line, amount } of parts) line.held -= amount
      return this.#withoutStore(error, parts)
    }
    if (verdict.ok) {
      if (!this.#closed) this.#holds.push({ id: verdict.holdId, parts, charged })
      // The flight ended meanwhile: nobody will use it, and nothing else gives it back.
      else ledger.later(ledger.settle(verdict.holdId, [], []))
      return undefined
    }
    for (const { line, amount } of parts) line.held -= amount
    const { key, retryAfterMs } = verdict
    const lacking = parts.find(({ line }) => line.key === key)?.line ?? parts[0]?.line
    return lacking === undefined ? undefined : { line: lacking, retryAfterMs }
  }

  /** Nobody can be asked: what the strictest of the policies says. */
  #withoutStore(error: unknown, parts: Hold['parts']): undefined {
    const fault = storeFault(error)
    if (fault.code !== 'store_unavailable') throw fault
    const { onStoreError = 'refuse' } = this.#parts
    if (parts.some(({ line }) => (line.policy.onStoreError ?? onStoreError) === 'refuse')) throw fault
    return undefined
  }

  /** What is written down where the process dies. */
  #owner(nanos: number, live: Live | undefined): Owner {
    const { call, payer } = this.#parts
    const { id, provider, model } = live?.deployment ?? {}
    return { call: call.id, kind: call.kind, startedMs: call.startedMs, asked: call.asked.model.slice(0, 200), payer, nanos, deployment: id, provider, model }
  }

  async #settle(tallies: readonly Tally[]): Promise<boolean> {
    const { ledger, call } = this.#parts
    const left = new Map<Line, number>()
    const last = new Map<Line, Hold>()
    for (const hold of this.#holds) for (const { line } of hold.parts) {
      last.set(line, hold)
      left.set(line, this.#final(line))
    }
    // Written down with the first hold that is still there.
    let owed = tallies
    let charged = false
    let failure: unknown
    for (const hold of this.#holds.splice(0)) {
      const charges = hold.parts.map(({ line, amount }) => {
        const rest = left.get(line) ?? 0
        // What was used beyond its bound is charged all the same.
        const charge = last.get(line) === hold ? rest : Math.min(rest, amount)
        left.set(line, rest - charge)
        return { key: line.key, amount: charge }
      })
      let standings: readonly Standing[] | undefined
      try {
        standings = await ledger.settle(hold.id, charges, owed)
      } catch (error) {
        // The others are given back all the same.
        failure ??= error
        continue
      }
      if (standings === undefined) charged ||= hold.charged
      else {
        owed = []
        ledger.shares([...left.keys()], standings, call.id)
      }
    }
    if (failure !== undefined) throw failure
    // Where all had lapsed and left nothing behind, what was used is known here alone.
    if (owed.length > 0 && !charged) await ledger.tally(owed)
    return owed.length === 0 || !charged
  }

  #final(line: Line): number {
    const { kind } = line.meter
    if (kind === 'concurrency') return 0
    const own = this.#covers.filter(cover => cover.began && line.isFor(cover.payee))
    if (kind === 'requests') return this.#counted || own.length > 0 ? 1 : 0
    return own.reduce((sum, { used }) => sum + amountOf(kind, used), 0)
  }
}
