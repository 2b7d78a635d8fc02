import { GatewayError } from '../../protocol/errors.js'

/** Throws `invalid_config` with `message` where an option is not right. */
export function must(right: boolean, message: string): void {
  if (!right) throw new GatewayError('invalid_config', message)
}
