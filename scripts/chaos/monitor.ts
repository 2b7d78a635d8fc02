import type { CallRecord, Store } from '../../src/index.js'
import type { PromptClaim } from '../../src/protocol/ports.js'
import { lapsedRecord } from '../../src/pipeline/lapsed.js'
import { systemClock } from '../../src/platform/clock.js'
import { Ledger } from '../../src/state/ledger.js'
import { Accounts, type Line, type Payer } from '../../src/state/meters.js'
import { budgetsOf as policiesOf, limitsOf } from '../../src/state/policies.js'
import { budgetsOf, keyUser, LEASE_MS, limits, TEAMS, teamOf, type KnownKey, type Scene } from './world.js'

/** A counter as the store has it. */
export interface Reading {
  /** That of the counter. */
  readonly key: string
  readonly policy: string
  readonly of: string
  readonly kind: string
  readonly limit: number
  /** The most that was ever charged and held together. */
  most: number
  charged: number
  held: number
  times: number
}

/** Every counter of money and of places that the run can touch, once. */
function linesIn(scene: Scene, keys: readonly KnownKey[]): Line[] {
  const policies = [...policiesOf(budgetsOf(scene), 'budgets'), ...limitsOf(limits, 'limits')]
  const payers: Payer[] = [
    ...TEAMS.map((team): Payer => ({ team, route: 'alpha', tags: [] })),
    ...keys.map(({ id }, at): Payer => ({ key: id, user: keyUser(at), team: teamOf(at), route: 'alpha', tags: [] })),
    ...Array.from({ length: scene.users }, (_, user): Payer => ({ user: `user-${user}`, route: 'beta', tags: [] })),
  ]
  const lines = new Map<string, Line>()
  const accounts = new Accounts(policies)
  for (const payer of payers) for (const line of accounts.of(payer).lines({ provider: 'openai', id: 'alpha-0' })) {
    if (line.meter.kind === 'nanos' || line.meter.kind === 'concurrency') lines.set(line.key, line)
  }
  return [...lines.values()]
}

/** Asks the store for its counters, by a claim of nothing. It is one more process: what it clears away, it writes down. */
export class Monitor {
  readonly readings = new Map<string, Reading>()
  readonly records: CallRecord[] = []
  failures = 0
  readonly #store: Store
  readonly #ledger: Ledger
  readonly #lines: readonly Line[]
  readonly #clock = systemClock()

  constructor(store: Store & { start?(parts: object): void }, scene: Scene, keys: readonly KnownKey[]) {
    this.#store = store
    store.start?.({ clock: this.#clock })
    this.#lines = linesIn(scene, keys)
    this.#ledger = new Ledger({ store, clock: this.#clock, leaseMs: LEASE_MS, onAlert: undefined, onLapsed: owner => void this.records.push(lapsedRecord(owner, this.#clock.now())) })
  }

  /** Resolves to how many holds it cleared away; a store that cannot be asked is counted. */
  async look(): Promise<number> {
    const before = this.records.length
    try {
      const claims = this.#lines.map((line): PromptClaim => ({ ...line.claim(0, this.#clock.now()), limit: Number.MAX_SAFE_INTEGER }))
      const verdict = await this.#ledger.acquire(claims, () => ({ owner: '{}' }))
      const standings = verdict.ok ? await this.#ledger.settle(this.#ledger.track(verdict.hold), [], []) : undefined
      for (const { key, charged, held } of standings ?? []) this.#read(key, charged, held)
    } catch {
      this.failures++
    }
    return this.records.length - before
  }

  async spend(query: Parameters<Store['tallies']>[0]): ReturnType<Store['tallies']> {
    return this.#store.tallies(query)
  }

  close(): void {
    this.#ledger.close()
  }

  #read(key: string, charged: number, held: number): void {
    const line = this.#lines.find(one => one.key === key)
    if (line === undefined) return
    const before = this.readings.get(key)
    const most = Math.max(before?.most ?? 0, charged + held)
    this.readings.set(key, { key, policy: line.policy.name, of: Object.values(line.of).join(' '), kind: line.meter.kind, limit: line.meter.limit, most, charged, held, times: (before?.times ?? 0) + 1 })
  }
}
