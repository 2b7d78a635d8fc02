import type { Usage } from './events.js'
import { PART_OF, rateOf, type Price, type Rates, type ServicePrice } from './rates.js'
import type { Cost } from './result.js'

const NANOS_PER_DOLLAR = 1e9

/** What one attempt cost, in integer nano-dollars; the parts, by kind of use, are integers that add up to it. */
export interface Bill {
  readonly nanos: number
  /** `unpriced tier: NAME` (0) says that a service tier was billed at the standard price, since it has no price of its own. */
  readonly parts: { readonly [kind: string]: number }
  readonly source: 'reported' | 'priced'
}

type Counted = Usage & { readonly inputTokens: number; readonly outputTokens: number }

/**
 * Prices the usage of one attempt. The provider's own figure wins; a usage without tokens or a deployment without a price
 * has no bill. Each token is charged once: cached, audio and image tokens are taken out of `inputTokens`, reasoning, audio
 * and image tokens out of `outputTokens`.
 */
export function bill(usage: Usage | undefined, price: Price | undefined): Bill | undefined {
  const reported = usage?.reportedCostUsd
  if (reported !== undefined && reported >= 0) {
    const nanos = Math.round(reported * NANOS_PER_DOLLAR)
    return { nanos, parts: { reported: nanos }, source: 'reported' }
  }
  if (price === undefined || usage?.inputTokens === undefined || usage.outputTokens === undefined) return undefined
  const { nanos, parts } = new Meter(usage as Counted, price)
  return { nanos, parts, source: 'priced' }
}

/** What a call is expected to cost, in integer nano-dollars: the figure that routing compares. */
export function expectedNanos(expected: Counted, price: Price): number {
  return new Meter(expected, price).nanos
}

/** One usage at one price. It rounds the sum, not each amount: a part is what the rounded sum grew by, so the parts add up. */
class Meter {
  readonly parts: Record<string, number> = {}
  nanos = 0
  #exact = 0
  readonly #price: Price
  readonly #service: ServicePrice | undefined
  readonly #prompt: number

  constructor(usage: Counted, price: Price) {
    const { serviceTier: tier, inputTokens } = usage
    const { serviceTiers, request } = price
    this.#price = price
    this.#prompt = inputTokens
    this.#service = tier !== undefined && serviceTiers !== undefined && Object.hasOwn(serviceTiers, tier) ? serviceTiers[tier] : undefined
    this.#chargePrompt(usage)
    this.#chargeAnswer(usage)
    if (request !== undefined) this.#fee('request', request * NANOS_PER_DOLLAR)
    if (tier !== undefined && this.#service === undefined) this.parts[`unpriced tier: ${tier.slice(0, 40)}`] = 0
  }

  /** The wires leave open which cached tokens were audio: so audio and images take no more than is left of the fresh ones. */
  #chargePrompt(usage: Counted): void {
    const { inputTokens, cachedInputTokens: cached = 0, cacheWriteTokens: written = 0, cacheWrite1hTokens = 0, inputAudioTokens = 0, cachedInputAudioTokens = 0, inputImageTokens = 0 } = usage
    const hour = Math.min(cacheWrite1hTokens, written)
    const heardBefore = Math.min(cachedInputAudioTokens, cached)
    const fresh = Math.max(0, inputTokens - cached - written)
    const heard = Math.min(Math.max(0, inputAudioTokens - heardBefore), fresh)
    const seen = Math.min(inputImageTokens, fresh - heard)
    this.#add('input', fresh - heard - seen)
    this.#add('cachedInput', cached - heardBefore)
    this.#add('cacheWrite', written - hour)
    this.#add('cacheWrite1h', hour)
    this.#add('inputAudio', heard)
    this.#add('cachedInputAudio', heardBefore)
    this.#add('inputImage', seen)
  }

  #chargeAnswer({ outputTokens, reasoningTokens = 0, outputAudioTokens = 0, outputImageTokens = 0 }: Counted): void {
    // Without a price of its own reasoning is output like any other.
    const thought = reasoningTokens > 0 && this.#own('reasoning') !== undefined ? reasoningTokens : 0
    const rest = Math.max(0, outputTokens - thought)
    const spoken = Math.min(outputAudioTokens, rest)
    const drawn = Math.min(outputImageTokens, rest - spoken)
    this.#add('output', rest - spoken - drawn)
    this.#add('reasoning', thought)
    this.#add('outputAudio', spoken)
    this.#add('outputImage', drawn)
  }

  #own(kind: keyof Rates): number | undefined {
    return (this.#service && rateOf(this.#service, kind, this.#prompt)) ?? rateOf(this.#price, kind, this.#prompt)
  }

  #add(kind: keyof Rates, tokens: number): void {
    if (tokens <= 0) return
    let perMillion = this.#own(kind)
    for (let whole = PART_OF[kind]; perMillion === undefined && whole !== undefined; whole = PART_OF[whole]) perMillion = this.#own(whole)
    // One token at 1 USD per million is 1,000 nano-dollars. By the token first: 37.5 is a number, 0.0375 is not quite.
    this.#fee(kind, tokens * ((perMillion ?? 0) * 1000))
  }

  #fee(kind: string, nanos: number): void {
    this.#exact += nanos
    const sum = Math.round(this.#exact)
    this.parts[kind] = sum - this.nanos
    this.nanos = sum
  }
}

/** Adds the bills of all attempts that billed; one `undefined` among them makes the total unknown. */
export function total(bills: readonly (Bill | undefined)[], estimated: boolean): Cost {
  const [only] = bills
  // Most calls have one attempt that billed.
  if (bills.length === 1 && only !== undefined) return { usd: only.nanos / NANOS_PER_DOLLAR, nanos: only.nanos, parts: only.parts, estimated, saved: 0, source: only.source }
  const parts: Record<string, number> = {}
  let nanos: number | null = 0
  let source: Cost['source'] = 'priced'
  for (const one of bills) {
    if (one === undefined) {
      nanos = null
      source = 'unknown'
      continue
    }
    if (nanos !== null) nanos += one.nanos
    if (source === 'priced' && one.source === 'reported') source = 'reported'
    for (const [kind, amount] of Object.entries(one.parts)) parts[kind] = (parts[kind] ?? 0) + amount
  }
  return { usd: nanos === null ? null : nanos / NANOS_PER_DOLLAR, nanos, parts, estimated, saved: 0, source }
}
