import type { DeploymentHealth } from './fleet-health.js'
import type { Member } from './fleet.js'
import { GatewayError } from './protocol/errors.js'
import { nearest, quoted } from './protocol/suggest.js'
import type { Breaker } from './resilience/breaker.js'

/** The circuits of a deployment; throws `invalid_request` where it has none. `deployments`: those there are. */
export function breakersOf(id: string, members: readonly Member[], deployments: readonly DeploymentHealth[]): readonly Breaker[] {
  const breakers = members.flatMap(({ breaker }) => breaker ?? [])
  if (breakers.length > 0) return breakers
  const ids = deployments.map(deployment => deployment.id)
  if (ids.includes(id)) throw new GatewayError('invalid_request', `The deployment ${quoted(id)} has no circuit: its key is missing, or "breaker" is false.`, { origin: 'caller' })
  const near = nearest(id, ids)
  throw new GatewayError('invalid_request', `No deployment ${quoted(id)} with a circuit is known.${near === undefined ? '' : ` Did you mean "${near}"?`}`, { origin: 'caller' })
}
