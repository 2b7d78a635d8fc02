import { GatewayError } from '../protocol/errors.js'
import type { Alert } from '../protocol/policy.js'
import type { Claim, ClaimVerdict, Clock, Grip, Lapsed, Lease, PromptClaim, PromptVerdict, Standing, Store, Tally, Timer } from '../protocol/ports.js'
import type { Line } from './meters.js'

/** How long a hold lives without its process, in milliseconds. */
const LEASE_MS = 60_000
const NANOS_PER_DOLLAR = 1e9
/** Alerts that were told; past it the oldest are forgotten, and the store is asked again. */
const MOST_TOLD = 10_000

type Charge = { readonly key: string; readonly amount: number }

/** A hold that is renewed. It knows its place: a `Set` whose members change with every call keeps old ones alive. */
export interface OpenHold {
  readonly grip: Grip
  place: number
}

/** What a ledger is made of. */
export interface LedgerParts {
  readonly store: Store
  readonly clock: Clock
  readonly onAlert: ((alert: Alert) => void) | undefined
  /** Is told of each hold that a process left behind: what `owner` was, as far as it can be read. */
  readonly onLapsed: (owner: unknown) => void
  readonly leaseMs?: number
}
/** The books of a gateway over its store: holds are renewed while they are open, and everything that is settled can be waited for. */
export class Ledger {
  readonly #parts: LedgerParts
  readonly #leaseMs: number
  readonly #open: OpenHold[] = []
  readonly #pending = new Set<Promise<unknown>>()
  readonly #told = new Set<string>()
  #timer: Timer | undefined
  #failures = 0
  #hurried = 0
  /** Settles that wait for the store to come back. */
  readonly #paused = new Set<() => void>()

  constructor(parts: LedgerParts) {
    this.#parts = parts
    this.#leaseMs = parts.leaseMs ?? LEASE_MS
  }

  /** Holds that are open, and writes under way. */
  get state(): { readonly holds: number; readonly pending: number; readonly failures: number } {
    return { holds: this.#open.length, pending: this.#pending.size, failures: this.#failures }
  }

  /** At once where the store is in memory. */
  acquire(claims: readonly PromptClaim[], left: () => Pick<Lease, 'owner' | 'tallies'>): PromptVerdict | Promise<PromptVerdict> {
    const { store } = this.#parts
    const ttlMs = this.#leaseMs
    return store.prompt === undefined ? store.acquire(claims.map(told), { ttlMs, ...left() }).then(verdict => this.#acquired(gripped(verdict))) : this.#acquired(store.prompt.acquire(claims, { ttlMs, left }))
  }

  /** Gives the counters as they are then; nothing where the hold had lapsed, and was charged or released by that. */
  settle(hold: OpenHold, charges: readonly Charge[], tallies: readonly Tally[]): readonly Standing[] | undefined | Promise<readonly Standing[] | undefined> {
    const { prompt } = this.#parts.store
    if (prompt === undefined) return this.#settle(hold, charges, tallies)
    this.#untrack(hold)
    return prompt.settle(hold.grip, charges, tallies, this.#parts.onAlert === undefined)
  }

  /**
   * While the store cannot be asked it is tried again, for half a lease, and the hold is renewed: else it would lapse, and be charged at its
   * bound.
   */
  async #settle(hold: OpenHold, charges: readonly Charge[], tallies: readonly Tally[]): Promise<readonly Standing[] | undefined> {
    const { store, clock } = this.#parts
    const untilMs = clock.now() + this.#leaseMs / 2
    this.#untrack(hold)
    for (;;) {
      try {
        return await store.settle(hold.grip.id, charges, tallies)
      } catch (error) {
        if (storeFault(error).code !== 'store_unavailable' || clock.now() >= untilMs || this.#hurried > 0) throw error
      }
      const open = this.track(hold.grip)
      await this.#pause()
      this.#untrack(open)
    }
  }

  #pause(): Promise<void> {
    return new Promise(resolve => {
      const timer = this.#parts.clock.after(this.#leaseMs / 60, () => go())
      const go = (): void => {
        timer.cancel()
        this.#paused.delete(go)
        resolve()
      }
      this.#paused.add(go)
    })
  }

  /** Gives back what came too late for anybody. */
  giveBack({ id }: Grip): void {
    this.later(this.#parts.store.settle(id, []))
  }

  /** Renews a hold until it is settled. */
  track(grip: Grip): OpenHold {
    const hold = { grip, place: this.#open.length }
    this.#open.push(hold)
    this.#arm()
    return hold
  }

  /** Nobody waits for it. */
  tally(tallies: readonly Tally[]): void {
    const { store } = this.#parts
    if (store.prompt === undefined) return this.later(store.tally(tallies))
    try {
      store.prompt.tally(tallies)
    } catch {
      this.#failures++
    }
  }

  #acquired(verdict: PromptVerdict): PromptVerdict {
    if (verdict.lapsed !== undefined) this.#lapsed(verdict.lapsed)
    return verdict
  }

  /** Work that no caller waits for; `flush` does. */
  later(work: Promise<unknown>): void {
    const quiet = work.catch(() => void this.#failures++).finally(() => this.#pending.delete(quiet))
    this.#pending.add(quiet)
  }

  /** What the store does not take now is given up: whoever flushes may be about to end. */
  async flush(): Promise<void> {
    this.#hurried++
    for (const go of this.#paused) go()
    while (this.#pending.size > 0) await Promise.all(this.#pending)
    this.#hurried--
  }

  /** Waits for what is under way, but for no store that is out. */
  async settled(): Promise<void> {
    if (this.#paused.size === 0) await Promise.all(this.#pending)
  }

  close(): void {
    this.#rest()
    this.#open.length = 0
  }

  /** Tells each share of a budget that is reached, once per window. */
  shares(lines: readonly { readonly line: Line }[], standings: readonly Standing[], call: string): void {
    if (this.#parts.onAlert === undefined) return
    for (const standing of standings) {
      const line = lines.find(one => one.line.key === standing.key)?.line
      if (line === undefined) continue
      for (const share of line.policy.alertAt) if (standing.charged >= share * line.meter.limit) this.alert('share', line, { share, standing, call })
    }
  }

  /** Once per window, over all processes: whoever gets the only place for it tells. */
  alert(kind: Alert['kind'], line: Line, { share, standing, call }: { readonly share?: number; readonly standing?: Standing; readonly call?: string }): void {
    const { onAlert, clock } = this.#parts
    if (onAlert === undefined) return
    const nowMs = clock.now()
    const { calendar, meter: { windowMs, limit } } = line
    const period = standing?.period ?? calendar?.startOf(nowMs)
    const key = `alert:${kind}:${share ?? ''}:${line.key}`
    const mark = `${period ?? ''}:${key}`
    // In a rolling window it is told again when the first telling has left it.
    if (windowMs === undefined && this.#told.has(mark)) return
    const claim: Claim = { key: key.slice(0, 1_000), amount: 1, limit: 1, ...(windowMs !== undefined && { windowMs }), ...(calendar !== undefined && { periods: calendar.boundaries(nowMs) }) }
    const told = {
      share,
      spentUsd: standing === undefined || line.meter.kind !== 'nanos' ? undefined : standing.charged / NANOS_PER_DOLLAR,
      limitUsd: line.meter.kind === 'nanos' ? limit / NANOS_PER_DOLLAR : undefined,
      period: period === undefined ? undefined : new Date(period).toISOString(),
      call,
    }
    const known = Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined))
    const alert: Alert = { kind, at: new Date(nowMs).toISOString(), policy: line.policy.name, of: line.of, ...known }
    this.#remember(mark)
    const telling = this.#once(claim).then(
      first => void (first && onAlert(alert)),
      (error: unknown) => {
        // Nobody was told: the next one that finds it tries again.
        this.#told.delete(mark)
        throw error
      },
    )
    this.later(telling)
  }

  async #once(claim: Claim): Promise<boolean> {
    const verdict = await this.#parts.store.acquire([claim], { ttlMs: this.#leaseMs })
    if (verdict.lapsed !== undefined) this.#lapsed(verdict.lapsed)
    if (verdict.ok) await this.#parts.store.settle(verdict.holdId, [{ key: claim.key, amount: 1 }])
    return verdict.ok
  }

  #remember(mark: string): void {
    if (this.#told.size >= MOST_TOLD) for (const oldest of this.#told) {
      this.#told.delete(oldest)
      break
    }
    this.#told.add(mark)
  }

  #lapsed(lapsed: readonly Lapsed[]): void {
    for (const { owner } of lapsed) {
      if (owner === undefined) continue
      try {
        this.#parts.onLapsed(JSON.parse(owner))
      } catch {
        // Whoever wrote it is gone; its money is counted all the same.
      }
    }
  }

  #untrack(hold: OpenHold): void {
    if (this.#open[hold.place] !== hold) return
    const last = this.#open.pop()
    if (last !== undefined && last !== hold) {
      this.#open[hold.place] = last
      last.place = hold.place
    }
    if (this.#open.length === 0) this.#rest()
  }

  #arm(): void {
    this.#timer ??= this.#parts.clock.after(this.#leaseMs / 4, () => {
      this.#timer = undefined
      // One that hangs must not keep the others from their next renewal.
      if (this.#open.length > 0) this.#arm()
      for (const hold of [...this.#open]) void this.#renew(hold)
    })
  }

  /** Three times in a lease: one that fails twice is still there for the third. */
  async #renew(hold: OpenHold): Promise<void> {
    try {
      // What has lapsed was charged or released by that; nothing is left to renew.
      if (!(await this.#parts.store.renew(hold.grip.id, this.#leaseMs))) this.#untrack(hold)
    } catch {
      this.#failures++
    }
  }

  #rest(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}

/** As stores that wait are asked, which may be asked by others too: they have to know every period. */
function told(claim: PromptClaim): Claim {
  const { periods } = claim
  return typeof periods === 'function' ? { ...claim, periods: periods() } : (claim as Claim)
}

function gripped(verdict: ClaimVerdict): PromptVerdict {
  return verdict.ok ? { ...verdict, hold: { id: verdict.holdId } } : verdict
}

/** The store's own refusals and anything else it throws, as one error. */
export function storeFault(error: unknown): GatewayError {
  if (GatewayError.is(error)) return error
  return new GatewayError('store_unavailable', `The store failed with a ${error instanceof Error ? error.name : typeof error}. Check that it is reachable; onStoreError says what happens to calls meanwhile.`, { origin: 'gateway' })
}
