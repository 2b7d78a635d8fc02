import { GatewayError } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import { quoted } from '../protocol/suggest.js'

/** Turns by tenant: `'*'` is every tenant not named. */
export type Shares = Readonly<Record<string, number>>

const OTHERS = '*'

/**
 * The weight of each tenant; 1 where nothing is said. Throws `invalid_config` where a weight is not a number above 0.
 * @param name what to call the shares in the message.
 */
export function weigher(shares: Shares | undefined, name = 'queue.shares'): (tenant: string) => number {
  if (shares === undefined) return () => 1
  const bad = (what: string) => new GatewayError('invalid_config', `${what}, as in { batch: 1, '*': 3 }.`)
  if (!isObject(shares)) throw bad(`${name} must be an object of weights by tenant`)
  const weights = new Map<string, number>()
  for (const [tenant, weight] of Object.entries<unknown>(shares)) {
    // The reciprocal is what is counted with: it must be finite as well.
    if (typeof weight !== 'number' || !(weight > 0 && weight < Infinity && 1 / weight < Infinity)) throw bad(`${name}: the weight of ${quoted(tenant)} must be a number above 0`)
    weights.set(tenant, weight)
  }
  const others = weights.get(OTHERS) ?? 1
  return tenant => weights.get(tenant) ?? others
}
