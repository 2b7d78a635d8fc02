import type { Price, Rates } from '../../protocol/ports.js'
import { SAME_BILL, SOURCES, TABLE } from './data.js'

/** A price of the table, with where it is from and of which day (YYYY-MM-DD). */
export interface TablePrice {
  readonly price: Price
  /** The source's name. */
  readonly source: string
  readonly date: string
  /** Whether the other source says the same (`agreed`), something else (`disputed`), or nothing (`alone`). */
  readonly said: string
}

const PLACES = ['input', 'output', 'cachedInput', 'cacheWrite', 'cacheWrite1h'] as const
const LETTERS: Readonly<Record<string, keyof Price>> = { r: 'reasoning', a: 'inputAudio', b: 'outputAudio', c: 'cachedInputAudio', i: 'inputImage', j: 'outputImage', q: 'request' }
const DATED = /[-@]20\d\d(-?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])$/

const NONE: ReadonlyMap<string, TablePrice> = new Map()

function ratesFrom(words: readonly string[]): Rates {
  const rates: Record<string, number> = {}
  for (const [at, word] of words.entries()) {
    const kind = LETTERS[word.charAt(0)]
    const key = kind ?? PLACES[at]
    if (key !== undefined && word !== '-') rates[key] = Number(kind === undefined ? word : word.slice(1))
  }
  return Object.freeze(rates)
}

/** A price from its text: rates, then `>N rates` above N prompt tokens, then `@name rates` of a service tier. */
export function priceFrom(text: string): Price {
  const [base = '', ...more] = text.split(/(?=[>@])/)
  const tiers: { above: number }[] = []
  const serviceTiers: Record<string, Rates> = {}
  for (const part of more) {
    const [name = '', ...words] = part.slice(1).split(' ')
    if (part.startsWith('>')) tiers.push(Object.freeze({ above: Number(name), ...ratesFrom(words) }))
    else serviceTiers[name] = ratesFrom(words)
  }
  const [input = NaN, output = NaN] = base.split(' ').map(Number)
  return Object.freeze({
    ...ratesFrom(base.split(' ')),
    input,
    output,
    ...(tiers.length > 0 && { tiers: Object.freeze(tiers) }),
    ...(Object.keys(serviceTiers).length > 0 && { serviceTiers: Object.freeze(serviceTiers) }),
  })
}

/** The table, read provider by provider as they are asked for. */
export class PriceTable {
  readonly #providers = new Map<string, ReadonlyMap<string, TablePrice>>()

  /**
   * The price of a model, by the name its provider has for it. A name that ends in a date (`-2025-08-07`, `-20250807`, `@20250807`) and is not in the
   * table has the price of the name without it; nothing else is guessed, since no price is better than a wrong one.
   *
   * @example
   * ```ts
   * console.log(new PriceTable().priceOf('openai', 'gpt-5')?.price.input)
   * ```
   */
  priceOf(provider: string, model: string): TablePrice | undefined {
    const rows = this.#rowsOf(provider)
    return rows.get(model) ?? rows.get(model.replace(DATED, ''))
  }

  /** The models of a provider that have a price. */
  models(provider: string): string[] {
    return [...this.#rowsOf(provider).keys()]
  }

  #rowsOf(provider: string): ReadonlyMap<string, TablePrice> {
    const name = Object.hasOwn(SAME_BILL, provider) ? (SAME_BILL[provider] ?? provider) : provider
    const text = Object.hasOwn(TABLE, name) ? TABLE[name] : undefined
    if (text === undefined) return NONE
    let rows = this.#providers.get(name)
    if (rows === undefined) this.#providers.set(name, (rows = rowsFrom(text)))
    return rows
  }
}

function rowsFrom(text: string): ReadonlyMap<string, TablePrice> {
  const rows = new Map<string, TablePrice>()
  for (const group of text.split('|')) {
    const at = group.indexOf('=')
    const [source = '', date = '', said = ''] = SOURCES[group.charCodeAt(0) - 65] ?? []
    const row = Object.freeze({ price: priceFrom(group.slice(1, at)), source, date, said })
    for (const model of group.slice(at + 1).split(' ')) rows.set(model, row)
  }
  return rows
}
