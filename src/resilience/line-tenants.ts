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
  /** Turns its tenant has for each one of a tenant with 1. Counts from when the tenant comes until none of its calls waits. Default 1. */
  readonly weight?: number
}
type Entry = { readonly place: Place; readonly run: Run }
type Tenant = { readonly name: string; readonly weight: number; readonly entries: Entry[]; fromAt: number; steps: number; dueAt: number }

// Far above it, a small step would be lost in rounding.
const FAR = 2 ** 20

/**
 * The order of the line, as p-queue asks for it: tenants take turns, as many as their weights say; inside a tenant by
 * priority, then by arrival. A tenant is due one step, `1 / weight`, after it came or had its last turn, on a clock that
 * stands where the last turn was due. So one who comes, or comes back, brings neither credit nor debt, and waits for at most
 * `floor(other / own) + 1` turns of each other. Where all weights are equal, each waits for at most one turn of every other.
 */
export class Tenants {
  /** Nobody in it is empty. */
  readonly #tenants = new Map<string, Tenant>()
  /** By weight. Equal steps keep the order of coming, which is the order a `Set` keeps: so the first of each is due first. */
  readonly #turns = new Map<number, Set<Tenant>>()
  #now = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  enqueue(run: Run, ticket?: Ticket): void {
    const place = ticket?.place
    if (place === undefined) return
    const entry = { place, run }
    const tenant = this.#tenants.get(place.tenant) ?? this.#come(place.tenant, ticket?.weight ?? 1)
    const { entries } = tenant
    let at = entries.length
    while (at > 0 && (entries[at - 1]?.place.priority ?? 0) < place.priority) at--
    entries.splice(at, 0, entry)
    this.#size++
    const leave = (): Run | undefined => this.#take(tenant, entries.indexOf(entry))
    place.leave = leave
  }

  dequeue(): Run | undefined {
    const tenant = this.#next()
    if (tenant === undefined) return undefined
    this.#now = tenant.dueAt
    const run = this.#take(tenant, 0)
    if (this.#now > FAR) this.#rewind()
    if (tenant.entries.length > 0) this.#behind(tenant)
    return run
  }

  /** p-queue asks these two only for calls that a line does not make. */
  filter(): Run[] {
    return []
  }
  setPriority(): void {}

  #come(name: string, weight: number): Tenant {
    const tenant: Tenant = { name, weight, entries: [], fromAt: this.#now, steps: 0, dueAt: 0 }
    this.#tenants.set(name, tenant)
    this.#behind(tenant)
    return tenant
  }

  /** Its next turn is one step on, behind those of the same weight. */
  #behind(tenant: Tenant): void {
    // Not a sum of steps: three thirds would not be one.
    tenant.dueAt = tenant.fromAt + ++tenant.steps / tenant.weight
    const turns = this.#turns.get(tenant.weight) ?? new Set()
    turns.delete(tenant)
    this.#turns.set(tenant.weight, turns.add(tenant))
  }

  #next(): Tenant | undefined {
    let best: Tenant | undefined
    for (const turns of this.#turns.values()) {
      for (const first of turns) {
        // Of two due at once, the one with the longer step has waited longer.
        if (best === undefined || first.dueAt < best.dueAt || (first.dueAt === best.dueAt && first.weight < best.weight)) best = first
        break
      }
    }
    return best
  }

  #rewind(): void {
    for (const tenant of this.#tenants.values()) {
      tenant.fromAt = tenant.dueAt -= this.#now
      tenant.steps = 0
    }
    this.#now = 0
  }

  #take(tenant: Tenant, at: number): Run | undefined {
    const { name, weight, entries } = tenant
    const [entry] = entries.splice(at, 1)
    if (entry === undefined) return undefined
    this.#size--
    entry.place.leave = undefined
    if (entries.length === 0) {
      this.#tenants.delete(name)
      this.#turns.get(weight)?.delete(tenant)
    }
    return entry.run
  }
}
