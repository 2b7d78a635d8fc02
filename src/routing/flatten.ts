import { GatewayError, type Code } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { Candidate, Deployment, Group, Note, RouteTarget, RouteView, Shadow, Step } from '../protocol/ports.js'
import { isTarget } from './fallback.js'

/** Deepest nesting of groups. */
const MAX_DEPTH = 32

/** What comes with the order of a tree. */
export interface Ordering {
  /** Notes of the strategies, by the target they are about. */
  readonly notes?: ReadonlyMap<RouteTarget, Note>
  /** What `prepare()` of each group resolved to. */
  readonly prepared?: ReadonlyMap<Group, unknown>
  /** Takes the shadow traffic that groups ask for. */
  readonly shadows?: Shadow[]
}

/**
 * Orders a routing tree into a line of candidates; each child of a group stays a unit, each deployment comes once.
 * @param view left out for a tree in which every group is `fixed`.
 */
export function flatten(target: RouteTarget, view: RouteView | undefined, ordering: Ordering = {}): readonly Candidate[] {
  if (target.kind === 'deployment') return [{ deployment: target }]
  const out: Candidate[] = []
  new Walker(view, ordering, out).walk(target, undefined, undefined)
  return out
}

class Walker {
  readonly #view: RouteView | undefined
  readonly #ordering: Ordering
  readonly #out: Candidate[]

  constructor(view: RouteView | undefined, ordering: Ordering, out: Candidate[]) {
    this.#view = view
    this.#ordering = ordering
    this.#out = out
  }

  walk(target: RouteTarget, onlyAfter: readonly Code[] | undefined, above: Note | undefined): void {
    const own = this.#ordering.notes?.get(target)
    const note = own === undefined || above === undefined ? (own ?? above) : { ...above, ...own }
    if (target.kind === 'step') {
      const both = onlyAfter === undefined ? target.only : target.only.filter(code => onlyAfter.includes(code))
      return this.walk(target.use, both, note)
    }
    if (target.kind === 'deployment') return this.#add(target, onlyAfter, note)
    const ordered = this.#order(target)
    const given = ordered === target.targets ? undefined : new Set(target.targets)
    for (const child of ordered) {
      if (given?.delete(child) === false) {
        throw new GatewayError('invalid_config', `The strategy "${target.strategy}" returned a target twice, or one it was not given. order() must return a subset of its targets.`)
      }
      this.walk(child, onlyAfter, note)
    }
  }

  #order(group: Group): readonly RouteTarget[] {
    if (this.#view === undefined) return group.targets
    const { prepared, shadows } = this.#ordering
    const view = prepared?.has(group) === true ? { ...this.#view, prepared: prepared.get(group) } : this.#view
    if (shadows !== undefined && group.shadows !== undefined) shadows.push(...group.shadows(view))
    return group.order(group.targets, view)
  }

  #add(deployment: Deployment, onlyAfter: readonly Code[] | undefined, note: Note | undefined): void {
    // A place that is taken only after certain faults does not stand for a plain one further down.
    if (this.#out.some(one => one.deployment === deployment && (one.onlyAfter === undefined || onlyAfter !== undefined))) return
    const candidate: { -readonly [K in keyof Candidate]: Candidate[K] } = { deployment }
    if (onlyAfter !== undefined) candidate.onlyAfter = onlyAfter
    if (note !== undefined) candidate.note = note
    this.#out.push(candidate)
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
