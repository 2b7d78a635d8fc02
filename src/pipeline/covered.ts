import type { Bound } from '../protocol/bound.js'
import type { Usage } from '../protocol/events.js'
import type { OnUnknownPrice } from '../protocol/policy.js'
import type { Tally } from '../protocol/ports.js'
import type { Attempt } from '../resilience/attempt.js'
import type { Live } from '../resilience/live.js'
import type { Cover } from '../resilience/walk-spec.js'
import type { Line } from '../state/meters.js'
import type { Spender } from '../state/spend.js'
import { billOf, usageOf } from './bill.js'

/** What an attempt used, or can use at most. */
export interface Used extends Bound {
  readonly nanos: number
}

export const NOTHING: Used = { nanos: 0, inputTokens: 0, outputTokens: 0 }

/** What of it a line counts. */
export function amountOf(kind: Line['meter']['kind'], { nanos, inputTokens, outputTokens }: Used): number {
  return kind === 'nanos' ? nanos : kind === 'inputTokens' ? inputTokens : kind === 'outputTokens' ? outputTokens : inputTokens + outputTokens
}

/** One attempt: its bound until it has ended, and then what it used. */
export class Covered implements Cover {
  readonly payee: { readonly provider: string; readonly deployment: string }
  used: Used
  /** The upstream was asked. */
  began = false
  over = false
  readonly #live: Live
  readonly #onUnknownPrice: OnUnknownPrice
  #billed = false
  #priced = true

  constructor(live: Live, most: Used, onUnknownPrice: OnUnknownPrice) {
    const { provider, id } = live.deployment
    this.payee = { provider, deployment: id }
    this.used = most
    this.#live = live
    this.#onUnknownPrice = onUnknownPrice
  }

  begins(): void {
    this.began = true
  }

  /** It never opened. */
  drop(): void {
    this.over = true
    this.used = NOTHING
  }

  ended(attempt: Attempt): void {
    this.over = true
    if (!attempt.billed) {
      this.used = NOTHING
      return
    }
    const usage: Usage = usageOf(attempt)
    const bill = billOf(usage, this.#live.price, this.#onUnknownPrice)
    this.#billed = true
    this.#priced = bill !== undefined
    this.used = { nanos: bill?.nanos ?? 0, inputTokens: usage.inputTokens ?? 0, outputTokens: usage.outputTokens ?? 0 }
  }

  tallies(spender: Spender, startedMs: number): readonly Tally[] {
    return this.#billed ? spender.tallies(this.#live.deployment, startedMs, this.used.nanos, !this.#priced) : []
  }
}
