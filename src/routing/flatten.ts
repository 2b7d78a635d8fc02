import { GatewayError, type Code } from '../protocol/errors.js'
import type { Candidate, Deployment, Group, Note, RouteTarget, RouteView, Shadow } from '../protocol/ports.js'

/** Shadow traffic a group asks for, and the places in line that it filled. */
export interface Mirrored {
  readonly shadows: readonly Shadow[]
  readonly places: readonly Candidate[]
}

/** What comes with the order of a tree. */
export interface Ordering {
  /** Notes of the strategies, by the target they are about. */
  readonly notes?: ReadonlyMap<RouteTarget, Note>
  /** What `prepare()` of each group resolved to. */
  readonly prepared?: ReadonlyMap<Group, unknown>
  /** Takes the shadow traffic that groups ask for. */
  readonly mirrored?: Mirrored[]
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
    const from = this.#out.length
    const ordered = this.#order(target)
    const given = ordered === target.targets ? undefined : new Set(target.targets)
    for (const child of ordered) {
      if (given?.delete(child) === false) {
        throw new GatewayError('invalid_config', `The strategy "${target.strategy}" returned a target twice, or one it was not given. order() must return a subset of its targets.`)
      }
      this.walk(child, onlyAfter, note)
    }
    if (target.shadows !== undefined) this.#mirror(target, from)
  }

  #order(group: Group): readonly RouteTarget[] {
    const view = this.#viewOf(group)
    return view === undefined ? group.targets : group.order(group.targets, view)
  }

  #mirror(group: Group, from: number): void {
    const view = this.#viewOf(group)
    const shadows = view === undefined ? undefined : group.shadows?.(view)
    if (shadows !== undefined && shadows.length > 0) this.#ordering.mirrored?.push({ shadows, places: this.#out.slice(from) })
  }

  #viewOf(group: Group): RouteView | undefined {
    const { prepared } = this.#ordering
    return this.#view !== undefined && prepared?.has(group) === true ? { ...this.#view, prepared: prepared.get(group) } : this.#view
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
