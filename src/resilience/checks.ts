import { GatewayError } from '../protocol/errors.js'

/** The number that was given or the default; throws `invalid_config` where it cannot be meant. */
export function above0(given: number | undefined, otherwise: number, name: string, kind: 'number' | 'whole' | 'share' = 'number'): number {
  const value = given ?? otherwise
  const fits = Number.isFinite(value) && value > 0 && (kind === 'number' || (kind === 'whole' ? Number.isSafeInteger(value) : value <= 1))
  if (!fits) throw new GatewayError('invalid_config', `${name} must be a ${kind === 'whole' ? 'whole number' : 'number'} above 0${kind === 'share' ? ' and at most 1' : ''}.`)
  return value
}
