import { GatewayError, type Code } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { Candidate, Deployment, RouteTarget, RouteView, Step } from '../protocol/ports.js'
import { isTarget } from './fallback.js'

/** Deepest nesting of groups. */
const MAX_DEPTH = 32

/** Orders a routing tree into a line of candidates; each child of a group stays a unit, each deployment comes once. */
export function flatten(target: RouteTarget, view: RouteView): readonly Candidate[] {
  if (target.kind === 'deployment') return [{ deployment: target }]
  const out: Candidate[] = []
  walk(target, view, undefined, out)
  return out
}

function walk(target: RouteTarget, view: RouteView, onlyAfter: readonly Code[] | undefined, out: Candidate[]): void {
  if (target.kind === 'step') {
    const both = onlyAfter === undefined ? target.only : target.only.filter(code => onlyAfter.includes(code))
    walk(target.use, view, both, out)
    return
  }
  if (target.kind === 'deployment') {
    // A place that is taken only after certain faults does not stand for a plain one further down.
    if (out.some(one => one.deployment === target && (one.onlyAfter === undefined || onlyAfter !== undefined))) return
    out.push(onlyAfter === undefined ? { deployment: target } : { deployment: target, onlyAfter })
    return
  }
  const ordered = target.order(target.targets, view)
  const given = ordered === target.targets ? undefined : new Set(target.targets)
  for (const child of ordered) {
    if (given?.delete(child) === false) {
      throw new GatewayError('invalid_config', `The strategy "${target.strategy}" returned a target twice, or one it was not given. order() must return a subset of its targets.`)
    }
    walk(child, view, onlyAfter, out)
  }
}

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
