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

/** What a kind costs as where it has no price of its own. */
export const PART_OF: Readonly<Partial<Record<keyof Rates, keyof Rates>>> = {
  cachedInput: 'input',
  cacheWrite: 'input',
  cacheWrite1h: 'cacheWrite',
  inputAudio: 'input',
  cachedInputAudio: 'cachedInput',
  inputImage: 'input',
  reasoning: 'output',
  outputAudio: 'output',
  outputImage: 'output',
}

/** The rate of a kind for a prompt of that size, where there is one. */
export function rateOf(price: ServicePrice, kind: keyof Rates, prompt: number): number | undefined {
  const { tiers } = price
  let rate = price[kind]
  if (tiers === undefined) return rate
  let best = -1
  for (const tier of tiers) {
    if (tier.above >= prompt || tier.above <= best || tier[kind] === undefined) continue
    best = tier.above
    rate = tier[kind]
  }
  return rate
}
