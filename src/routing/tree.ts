import { GatewayError } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { Deployment, RouteTarget, Step } from '../protocol/ports.js'
import { isTarget } from './fallback.js'

/** Deepest nesting of groups. */
const MAX_DEPTH = 32

function isStep(node: unknown): node is Step {
  return isObject(node) && node['kind'] === 'step' && Array.isArray(node['only'])
}

/** Every deployment of a tree, each once. Throws `invalid_config` where the tree holds itself, nobody, or something else. */
export function deploymentsOf(target: RouteTarget, where: string): readonly Deployment[] {
  const found = new Set<Deployment>()
  const path = new Set<RouteTarget>()
  const visit = (node: RouteTarget, depth: number): void => {
    if (!isTarget(node) && !isStep(node)) throw new GatewayError('invalid_config', `${where} holds something that is no deployment, group or step. Make one with a factory.`)
    if (path.has(node) || depth > MAX_DEPTH) throw new GatewayError('invalid_config', `${where} is cyclic: a group holds itself. Take it out of its own targets.`)
    if (node.kind === 'deployment') {
      found.add(node)
      return
    }
    path.add(node)
    if (node.kind === 'step') visit(node.use, depth + 1)
    else for (const child of node.targets) visit(child, depth + 1)
    path.delete(node)
  }
  visit(target, 0)
  if (found.size === 0) throw new GatewayError('invalid_config', `${where} has no deployment. Add one.`)
  return [...found]
}
