import type { Deployment, DeploymentStats, Price, RouteTarget } from '../../src/protocol/ports.js'

/** A deployment that nobody calls. */
export function unit(id: string, more: Partial<Deployment> = {}): Deployment {
  return { kind: 'deployment', id, provider: 'p', model: id, capabilities: {}, tags: [], reach: { upstream: { open: () => Promise.reject(new Error('order() must not call')) } }, ...more }
}

export const priced = (id: string, input: number, output = input): Deployment => unit(id, { price: { input, output } satisfies Price })

export const idsOf = (targets: readonly RouteTarget[]): string[] => targets.map(target => (target.kind === 'deployment' ? target.id : target.kind === 'step' ? 'step' : target.strategy))

/** Measurements by id; the rest is unknown. */
export function measured(known: Readonly<Record<string, Partial<DeploymentStats>>>): (deployment: Deployment) => DeploymentStats {
  return ({ id }) => ({ inFlight: 0, failures: 0, stuckMs: 0, ...known[id] })
}

/** The error a body throws. */
export function thrownBy(body: () => unknown): { readonly code?: string; readonly message: string } {
  try {
    body()
  } catch (error) {
    return error as { readonly code?: string; readonly message: string }
  }
  throw new Error('expected it to throw')
}
