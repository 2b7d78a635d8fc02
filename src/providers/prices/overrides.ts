import { GatewayError } from '../../protocol/errors.js'
import { isObject } from '../../protocol/json.js'
import type { Price } from '../../protocol/ports.js'
import { checkPrice } from '../../protocol/price-check.js'
import { quoted } from '../../protocol/suggest.js'

interface Glob {
  readonly pieces: readonly string[]
  readonly price: Price
}

const literal = ({ pieces }: Glob) => pieces.reduce((sum, piece) => sum + piece.length, 0)

/** Whether a name is the pieces in order, with anything between them: linear in the name. */
function fits(name: string, pieces: readonly string[]): boolean {
  const [first = ''] = pieces
  const last = pieces.at(-1) ?? ''
  const end = name.length - last.length
  if (!name.startsWith(first) || !name.endsWith(last)) return false
  let at = first.length
  for (let i = 1; i < pieces.length - 1; i++) {
    const piece = pieces[i] ?? ''
    const found = name.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return at <= end
}

/**
 * Prices of your own, by `provider/model`. An exact name wins over names with `*` (any run of characters); of those the one
 * with the most text of its own wins, then the first. US dollars per million tokens.
 *
 * @throws `invalid_config` naming the row that is wrong.
 * @example
 * ```ts
 * const overrides = new PriceOverrides({ 'openai/gpt-5*': { input: 1, output: 8 }, 'groq/*': { input: 0, output: 0 } })
 * console.log(overrides.priceOf('openai', 'gpt-5-mini'))
 * ```
 */
export class PriceOverrides {
  readonly #exact = new Map<string, Price>()
  readonly #globs: Glob[] = []

  constructor(rows: Readonly<Record<string, Price>>) {
    if (!isObject(rows as unknown)) throw new GatewayError('invalid_config', 'prices must be an object: { "provider/model": { input, output } } in US dollars per million tokens.')
    for (const [name, given] of Object.entries(rows)) {
      const where = `prices[${quoted(name)}]`
      if (!/^[^/]+\/./.test(name)) throw new GatewayError('invalid_config', `${where} must be named "provider/model", such as "openai/gpt-5" or "openai/gpt-5*".`)
      checkPrice(given, where)
      const price = Object.freeze({ ...given })
      if (name.includes('*')) this.#globs.push({ pieces: name.split('*'), price })
      else this.#exact.set(name, price)
    }
    this.#globs.sort((a, b) => literal(b) - literal(a))
  }

  priceOf(provider: string, model: string): Price | undefined {
    const name = `${provider}/${model}`
    return this.#exact.get(name) ?? this.#globs.find(({ pieces }) => fits(name, pieces))?.price
  }
}
