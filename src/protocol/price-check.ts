import { GatewayError } from './errors.js'
import { isObject } from './json.js'
import { PART_OF } from './rates.js'
import { refuseUnknownKeys } from './suggest.js'

const KINDS = ['input', 'output', ...Object.keys(PART_OF)]
const PRICE = new Set([...KINDS, 'request', 'tiers', 'serviceTiers'])
const TIER = new Set([...KINDS, 'above'])
const SERVICE = new Set([...KINDS, 'tiers'])
const WHOLE = ['input', 'output']
const TIERED = ['above']
const UNIT = 'US dollars per million tokens'
const UNITS: Readonly<Record<string, string>> = { request: 'US dollars per call', above: 'prompt tokens' }

/**
 * Throws `invalid_config` unless `price` is a `Price`; `where` names it in the message.
 * @param known the keys of a part of a price; only the whole must say what input and output cost.
 */
export function checkPrice(price: unknown, where: string, known: ReadonlySet<string> = PRICE): void {
  const bad = (what: string) => new GatewayError('invalid_config', where + what)
  if (!isObject(price)) throw bad(` must be an object such as { input: 3, output: 15 }, in ${UNIT}.`)
  refuseUnknownKeys(price, known, where, 'invalid_config', undefined, `Known, in ${UNIT}: ${[...known].join(', ')}.`)
  for (const key of known) {
    const value = price[key]
    if (value === undefined && !(known === PRICE ? WHOLE : TIERED).includes(key)) continue
    if (key === 'tiers' || key === 'serviceTiers') checkParts(value, `${where}.${key}`, key === 'tiers' ? TIER : SERVICE)
    else if (typeof value !== 'number' || !(value >= 0 && value < Infinity)) throw bad(`.${key} must be a number of ${UNITS[key] ?? UNIT}, 0 or more.`)
  }
}

function checkParts(parts: unknown, where: string, known: ReadonlySet<string>): void {
  const list = known === TIER
  if (typeof parts !== 'object' || parts === null || Array.isArray(parts) !== list) throw new GatewayError('invalid_config', `${where} must be ${list ? 'a list of { above, input, output }' : 'an object of prices by name'}.`)
  for (const [at, part] of Object.entries(parts)) checkPrice(part, `${where}.${at}`, known)
}
