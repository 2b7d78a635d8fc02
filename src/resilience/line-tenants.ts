/** A place in the line, as its order sees it. */
export interface Place {
  /** Who takes turns with whom. */
  readonly tenant: string
  /** Higher goes first, among the places of one tenant. */
  readonly priority: number
  /** Set while it stands in the order: takes it out. */
  leave: (() => void) | undefined
}
type Run = () => Promise<unknown>
/** What p-queue passes on. */
export interface Ticket {
  readonly id?: string
  readonly place?: Place
}
type Entry = { readonly place: Place; readonly run: Run }

/**
 * The order of the line, as p-queue asks for it: tenants take turns, one place each; inside a tenant by priority, then by
 * arrival. A tenant who comes, or comes back, goes behind the others, so each waits for at most one turn of every other.
 */
export class Tenants {
  /** Nobody in it is empty. In the order of turns: a `Map` keeps the order of insertion. */
  readonly #turns = new Map<string, Entry[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  enqueue(run: Run, ticket?: Ticket): void {
    const place = ticket?.place
    if (place === undefined) return
    const entry = { place, run }
    const entries = this.#turns.get(place.tenant) ?? []
    let at = entries.length
    while (at > 0 && (entries[at - 1]?.place.priority ?? 0) < place.priority) at--
    entries.splice(at, 0, entry)
    this.#turns.set(place.tenant, entries)
    this.#size++
    const leave = (): Run | undefined => this.#take(entries, entries.indexOf(entry))
    place.leave = leave
  }

  dequeue(): Run | undefined {
    for (const [tenant, entries] of this.#turns) {
      const run = this.#take(entries, 0)
      if (this.#turns.delete(tenant) && entries.length > 0) this.#turns.set(tenant, entries)
      return run
    }
    return undefined
  }

  /** p-queue asks these two only for calls that a line does not make. */
  filter(): Run[] {
    return []
  }
  setPriority(): void {}

  #take(entries: Entry[], at: number): Run | undefined {
    const [entry] = entries.splice(at, 1)
    if (entry === undefined) return undefined
    this.#size--
    entry.place.leave = undefined
    if (entries.length === 0) this.#turns.delete(entry.place.tenant)
    return entry.run
  }
}
