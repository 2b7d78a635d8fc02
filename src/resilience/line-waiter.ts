import { GatewayError } from '../protocol/errors.js'
import type { Clock, GateCall, Permit, Refusal, Timer } from '../protocol/ports.js'
import { enter, isPermits } from './gates.js'
import type { Place } from './line-tenants.js'
import type { LiveCandidate } from './live.js'

/** A candidate whose gates let us in. */
export interface Admitted {
  readonly candidate: LiveCandidate
  readonly permits: readonly Permit[]
}

/** How a call stands in line. */
export interface Standing {
  /** Higher goes first among the calls of one tenant. Default 0. */
  readonly priority?: number
  /** Tenants take turns. */
  readonly tenant?: string
  /** Waits also where only time helps (open, cooling, limited). Else it waits for places, and such a refusal ends the wait. */
  readonly outage?: boolean
  /** The earliest reset that the gates named when they refused the call, where each of them named one. */
  readonly retryAtMs?: number
  /** The instant after which an answer comes too late, such as the total deadline of the call. */
  readonly untilMs?: number
}

/** What a waiter needs to know. */
export interface WaiterSpec {
  readonly candidates: readonly LiveCandidate[]
  readonly call: GateCall
  readonly standing: Standing
  readonly clock: Clock | undefined
  /** The last instant at which being let in helps. */
  readonly untilMs: number
  /** Told once: let in, or out for this reason. */
  readonly onEnd: (admitted: Admitted | undefined, reason?: unknown) => void
}

// A gate that names an instant which has passed must not be asked in a circle.
const SOONEST_MS = 1

/** One call in line. At the head it tries its gates: at once, when one frees, and when the earliest reset has come. */
export class Waiter implements Place {
  readonly tenant: string
  readonly priority: number
  leave: (() => void) | undefined
  readonly #spec: WaiterSpec
  #over = false
  #trying = false
  #offs: (() => void)[] | undefined
  #timer: Timer | undefined
  #retryAtMs: number | undefined
  #turnEnds: (() => void) | undefined
  readonly #try = (): void => this.#tryGates()

  constructor(spec: WaiterSpec) {
    this.#spec = spec
    this.tenant = spec.standing.tenant ?? ''
    this.priority = spec.standing.priority ?? 0
  }

  get over(): boolean {
    return this.#over
  }
  /** The reset it waits for, where it stands at the head and one is known. */
  get retryAtMs(): number | undefined {
    return this.#retryAtMs
  }

  /** Stands at the head; resolves when it has left the line. */
  turn(): Promise<void> {
    return new Promise(resolve => {
      if (this.#over) return resolve()
      this.#turnEnds = resolve
      this.#tryGates()
      if (this.#over) return
      // Candidates may share a gate, and a wake is one try.
      const gates = new Set(this.#spec.candidates.flatMap(({ live }) => live.gates))
      this.#offs = Array.from(gates, gate => gate.onFree(this.#try))
    })
  }

  /** Leaves the line, from wherever it stands: once. */
  end(admitted: Admitted | undefined, reason?: unknown): void {
    if (this.#over) return
    this.#over = true
    this.leave?.()
    this.#timer?.cancel()
    this.#offs?.forEach(off => off())
    this.#spec.onEnd(admitted, reason)
    this.#turnEnds?.()
  }

  #tryGates(): void {
    // Permits given back by a try that failed half-way free a gate, which wakes us again.
    if (this.#over || this.#trying) return
    this.#trying = true
    try {
      const refusals: Refusal[] = []
      for (const candidate of this.#spec.candidates) {
        const answer = enter(candidate.live, this.#spec.call, this.#spec.clock?.now())
        if (isPermits(answer)) return this.end({ candidate, permits: answer })
        refusals.push(answer)
      }
      this.#refused(refusals)
    } catch (error) {
      this.end(undefined, error)
    } finally {
      this.#trying = false
    }
  }

  #refused(refusals: readonly Refusal[]): void {
    const { standing, clock, untilMs } = this.#spec
    const nowMs = clock?.now() ?? 0
    const [soonest] = refusals.filter(({ refused }) => refused !== 'queue_full').sort((a, b) => (a.retryAtMs ?? Infinity) - (b.retryAtMs ?? Infinity))
    const atMs = refusals.reduce((least, { retryAtMs = Infinity }) => Math.min(least, retryAtMs), Infinity)
    if (standing.outage !== true && soonest !== undefined && refusals.every(({ refused }) => refused !== 'queue_full')) return this.end(undefined, unavailable(soonest, nowMs))
    if (atMs >= untilMs && refusals.every(({ retryAtMs }) => retryAtMs !== undefined)) return this.end(undefined, tooLate(atMs - nowMs))
    this.#timer?.cancel()
    this.#timer = undefined
    this.#retryAtMs = atMs < Infinity ? atMs : undefined
    if (atMs < Infinity) this.#timer = clock?.after(Math.max(SOONEST_MS, atMs - nowMs), this.#try)
  }
}

/** Refused at once: nobody can be asked before the wait is over. */
export function tooLate(retryAfterMs: number): GatewayError {
  return new GatewayError('queue_timeout', `Every deployment of the route rests, the first for ${Math.ceil(retryAfterMs)} ms more, which is longer than this call may wait. Try again then, raise queue.maxWaitMs, or add a deployment.`, { retryAfterMs: Math.ceil(retryAfterMs) })
}

/** Waited for as long as it may. */
export function waitedOut(waitedMs: number, retryAtMs: number | undefined, nowMs: number): GatewayError {
  const details = retryAtMs === undefined || retryAtMs <= nowMs ? {} : { retryAfterMs: Math.ceil(retryAtMs - nowMs) }
  return new GatewayError('queue_timeout', `No deployment of the route became free in ${waitedMs} ms. Raise queue.maxWaitMs or limits.concurrency, or add a deployment.`, details)
}

function unavailable({ refused, retryAtMs, reason }: Refusal, nowMs: number): GatewayError {
  const details = retryAtMs === undefined ? {} : { retryAfterMs: Math.max(0, Math.ceil(retryAtMs - nowMs)) }
  return new GatewayError(refused, `Every deployment of the route rests${reason === undefined ? '' : `: ${reason}`}. Set "queue" to wait for it, or add a deployment.`, details)
}
