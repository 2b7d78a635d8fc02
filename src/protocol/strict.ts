import { GatewayError } from './errors.js'
import type { Warning } from './events.js'
import type { UpstreamRequest } from './request.js'

const LOST: ReadonlySet<Warning['code']> = new Set(['unsupported', 'dropped'])

/** Throws `invalid_request` where a strict request would lose something on its way to an upstream. What only changes its form is no loss. */
export function refuseLosses({ strict }: UpstreamRequest, warnings: readonly Warning[]): void {
  if (strict !== true) return
  const lost = warnings.find(({ code }) => LOST.has(code))
  if (lost === undefined) return
  const what = lost.parameter === undefined ? '' : ` (${lost.parameter})`
  throw new GatewayError('invalid_request', `The request is strict, and not all of it can be sent to this deployment${what}: ${lost.message} Leave it out, ask another deployment, or leave out "strict".`, { origin: 'caller' })
}
