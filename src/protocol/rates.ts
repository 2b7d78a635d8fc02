/**
 * US dollars per million tokens of a kind. A kind left out costs what it is part of: `cacheWrite1h` as `cacheWrite`,
 * `cachedInputAudio` as `cachedInput`, other parts of the prompt as `input`, parts of the answer as `output`.
 */
export interface Rates {
  readonly input?: number
  readonly output?: number
  readonly cachedInput?: number
  /** What is written to a cache for about five minutes. */
  readonly cacheWrite?: number
  readonly cacheWrite1h?: number
  readonly reasoning?: number
  readonly inputAudio?: number
  readonly cachedInputAudio?: number
  readonly outputAudio?: number
  /** Per million image tokens, as usage reports them; not per picture. */
  readonly inputImage?: number
  readonly outputImage?: number
}

/** Rates of a whole request whose prompt, cached part included, has more than `above` tokens. */
export interface PriceTier extends Rates {
  readonly above: number
}

/** Rates of a service tier; a kind it leaves out costs as usual. */
export interface ServicePrice extends Rates {
  readonly tiers?: readonly PriceTier[]
}

/**
 * What a deployment charges: {@link Rates}, and `request` in US dollars per call. A price of 0 is a price. Of `tiers` each kind takes the
 * highest below the prompt size that names it. `serviceTiers` apply where `usage.serviceTier` is one of their names.
 *
 * @example
 * ```ts
 * const price: Price = { input: 2.5, output: 15, cachedInput: 0.25, tiers: [{ above: 272_000, input: 5, output: 22.5 }], serviceTiers: { priority: { input: 5, output: 30 } } }
 * ```
 */
export interface Price extends Rates {
  readonly input: number
  readonly output: number
  readonly request?: number
  readonly tiers?: readonly PriceTier[]
  readonly serviceTiers?: Readonly<Record<string, ServicePrice>>
}

function tiered({ tiers }: ServicePrice, kind: keyof Rates, prompt: number): number | undefined {
  if (tiers === undefined) return undefined
  let found: number | undefined
  let best = -1
  for (const tier of tiers) {
    if (tier.above >= prompt || tier.above <= best || tier[kind] === undefined) continue
    best = tier.above
    found = tier[kind]
  }
  return found
}

/** The rate of one kind for a prompt of that size. */
export function rateOf(price: Price, service: ServicePrice | undefined, kind: keyof Rates, prompt: number): number | undefined {
  const own = service && (tiered(service, kind, prompt) ?? service[kind])
  return own ?? tiered(price, kind, prompt) ?? price[kind]
}
