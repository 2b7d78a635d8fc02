import { GatewayError } from './errors.js'
import { isObject } from './json.js'
import { nearest, quoted } from './suggest.js'

const KINDS = ['input', 'output', 'cachedInput', 'cacheWrite', 'cacheWrite1h', 'reasoning', 'inputAudio', 'cachedInputAudio', 'outputAudio', 'inputImage', 'outputImage']
const PRICE = new Set([...KINDS, 'request', 'tiers', 'serviceTiers'])
const TIER = new Set([...KINDS, 'above'])
const SERVICE = new Set([...KINDS, 'tiers'])
const UNIT = 'US dollars per million tokens'

const bad = (message: string) => new GatewayError('invalid_config', message)

/** Throws `invalid_config` unless `price` is a {@link Price}; `where` names it in the message. */
export function checkPrice(price: unknown, where: string): void {
  if (!isObject(price)) throw bad(`${where} must be { input, output } in ${UNIT}.`)
  checkRates(price, PRICE, where)
  for (const key of ['input', 'output']) if (price[key] === undefined) throw bad(`${where}.${key} is missing. Give it in ${UNIT}; 0 where it is free.`)
  const { serviceTiers } = price
  checkTiers(price['tiers'], `${where}.tiers`)
  if (serviceTiers === undefined) return
  if (!isObject(serviceTiers)) throw bad(`${where}.serviceTiers must be an object of prices by tier, such as { priority: { input, output } }.`)
  for (const [name, tier] of Object.entries(serviceTiers)) {
    const at = `${where}.serviceTiers[${quoted(name)}]`
    if (!isObject(tier)) throw bad(`${at} must be an object of ${UNIT}.`)
    checkRates(tier, SERVICE, at)
    checkTiers(tier['tiers'], `${at}.tiers`)
  }
}

function checkTiers(tiers: unknown, where: string): void {
  if (tiers === undefined) return
  if (!Array.isArray(tiers)) throw bad(`${where} must be a list of { above, input, output }: above in prompt tokens.`)
  for (const [i, tier] of tiers.entries()) {
    const at = `${where}[${i}]`
    if (!isObject(tier) || !Number.isSafeInteger(tier['above'])) throw bad(`${at} needs "above": a whole number of prompt tokens.`)
    checkRates(tier, TIER, at)
  }
}

function checkRates(rates: Record<string, unknown>, known: ReadonlySet<string>, where: string): void {
  for (const [key, value] of Object.entries(rates)) {
    const unit = key === 'request' ? 'US dollars per call' : key === 'above' ? 'prompt tokens' : UNIT
    if (!known.has(key)) {
      const better = nearest(key, known)
      throw bad(`${where} has no price ${quoted(key)}. ${better === undefined ? `Known: ${[...known].sort().join(', ')}.` : `Did you mean "${better}"?`} Prices are ${UNIT}.`)
    }
    if (value === undefined || key === 'tiers' || key === 'serviceTiers') continue
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw bad(`${where}.${key} must be a number of ${unit}, 0 or more.`)
  }
}
