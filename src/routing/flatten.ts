import { GatewayError, type Code } from '../protocol/errors.js'
import type { Candidate, Deployment, Group, Note, RouteTarget, RouteView, Shadow } from '../protocol/ports.js'

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
