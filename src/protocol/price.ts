import type { Usage } from './events.js'
import { rateOf, type Price, type Rates, type ServicePrice } from './rates.js'
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
 * has no bill. Each token is charged once: cached, audio and image tokens are taken out of `inputTokens`, reasoning, audio and image out of
 * `outputTokens`.
 */
export function bill(usage: Usage | undefined, price: Price | undefined): Bill | undefined {
  const reported = usage?.reportedCostUsd
  if (reported !== undefined && reported >= 0) {
    const nanos = Math.round(reported * NANOS_PER_DOLLAR)
    return { nanos, parts: { reported: nanos }, source: 'reported' }
  }
  if (price === undefined || usage?.inputTokens === undefined || usage.outputTokens === undefined) return undefined
  const tally = new Tally()
  charge(tally, usage as Counted, price)
  return { nanos: tally.nanos, parts: tally.parts, source: 'priced' }
}

/** What a call is expected to cost, in integer nano-dollars: the figure that routing compares. */
export function expectedNanos(expected: Counted, price: Price): number {
  const tally = new Tally()
  charge(tally, expected, price)
  return tally.nanos
}

/** Adds amounts and rounds the sum, not each of them; a part is what the rounded sum grew by, so the parts add up. */
class Tally {
  readonly parts: Record<string, number> = {}
  nanos = 0
  #exact = 0

  add(kind: string, tokens: number, perMillion: number): void {
    // One token at 1 USD per million is 1,000 nano-dollars.
    if (tokens > 0) this.fee(kind, tokens * perMillion * 1000)
  }

  fee(kind: string, nanos: number): void {
    this.#exact += nanos
    const sum = Math.round(this.#exact)
    this.parts[kind] = sum - this.nanos
    this.nanos = sum
  }
}

function charge(tally: Tally, usage: Counted, price: Price): void {
  if (isPlain(usage, price)) {
    tally.add('input', usage.inputTokens, price.input)
    tally.add('output', usage.outputTokens, price.output)
    return
  }
  const { serviceTier: tier } = usage
  const service = tier !== undefined && price.serviceTiers !== undefined && Object.hasOwn(price.serviceTiers, tier) ? price.serviceTiers[tier] : undefined
  const rates = new Resolved(price, service, usage.inputTokens)
  chargePrompt(tally, usage, rates)
  chargeAnswer(tally, usage, rates)
  if (price.request !== undefined) tally.fee('request', price.request * NANOS_PER_DOLLAR)
  if (tier !== undefined && service === undefined) tally.parts[`unpriced tier: ${tier.slice(0, 40)}`] = 0
}

/** Nothing but two rates and two counts: the way of most calls. */
function isPlain(usage: Counted, price: Price): boolean {
  return !(
    usage.cachedInputTokens ||
    usage.cacheWriteTokens ||
    usage.inputAudioTokens ||
    usage.outputAudioTokens ||
    usage.inputImageTokens ||
    usage.outputImageTokens ||
    usage.serviceTier !== undefined ||
    price.tiers !== undefined ||
    price.request !== undefined ||
    price.reasoning !== undefined
  )
}

/** The rates of one request: of its prompt size and service tier. */
class Resolved {
  readonly #price: Price
  readonly #service: ServicePrice | undefined
  readonly #prompt: number

  constructor(price: Price, service: ServicePrice | undefined, prompt: number) {
    this.#price = price
    this.#service = service
    this.#prompt = prompt
  }

  rate(kind: keyof Rates, otherwise: number): number {
    return rateOf(this.#price, this.#service, kind, this.#prompt) ?? otherwise
  }
}

/** What the wires leave open is which cached tokens were audio: so audio and images take no more than is left of the fresh ones. */
function chargePrompt(tally: Tally, usage: Counted, rates: Resolved): void {
  const { inputTokens, cachedInputTokens: cached = 0, cacheWriteTokens: written = 0, cachedInputAudioTokens = 0, inputAudioTokens = 0, inputImageTokens = 0 } = usage
  const hour = Math.min(usage.cacheWrite1hTokens ?? 0, written)
  const heardBefore = Math.min(cachedInputAudioTokens, cached)
  let fresh = Math.max(0, inputTokens - cached - written)
  const heard = Math.min(Math.max(0, inputAudioTokens - heardBefore), fresh)
  fresh -= heard
  const seen = Math.min(inputImageTokens, fresh)
  const input = rates.rate('input', 0)
  const cachedInput = rates.rate('cachedInput', input)
  const cacheWrite = rates.rate('cacheWrite', input)
  tally.add('input', fresh - seen, input)
  tally.add('cachedInput', cached - heardBefore, cachedInput)
  tally.add('cacheWrite', written - hour, cacheWrite)
  tally.add('cacheWrite1h', hour, rates.rate('cacheWrite1h', cacheWrite))
  tally.add('inputAudio', heard, rates.rate('inputAudio', input))
  tally.add('cachedInputAudio', heardBefore, rates.rate('cachedInputAudio', cachedInput))
  tally.add('inputImage', seen, rates.rate('inputImage', input))
}

function chargeAnswer(tally: Tally, usage: Counted, rates: Resolved): void {
  const { outputTokens, reasoningTokens = 0, outputAudioTokens = 0, outputImageTokens = 0 } = usage
  const output = rates.rate('output', 0)
  const reasoning = rates.rate('reasoning', NaN)
  // Without a price of its own reasoning is output like any other.
  const thought = Number.isNaN(reasoning) ? 0 : reasoningTokens
  let rest = Math.max(0, outputTokens - thought)
  const spoken = Math.min(outputAudioTokens, rest)
  rest -= spoken
  const drawn = Math.min(outputImageTokens, rest)
  tally.add('output', rest - drawn, output)
  tally.add('reasoning', thought, reasoning)
  tally.add('outputAudio', spoken, rates.rate('outputAudio', output))
  tally.add('outputImage', drawn, rates.rate('outputImage', output))
}

/** Adds the bills of all attempts that billed; one `undefined` among them makes the total unknown. */
export function total(bills: readonly (Bill | undefined)[], estimated: boolean): Cost {
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
