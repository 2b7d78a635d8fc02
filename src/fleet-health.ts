import type { Member } from './fleet.js'
import type { Deployment } from './protocol/ports.js'
import type { DeploymentStats } from './protocol/strategy.js'
import type { BreakerSnapshot } from './resilience/breaker-settings.js'
import type { CacheHealth } from './state/cache-lookup.js'

/**
 * How a deployment stands. `ready`: it is asked. `no_credential`: set its key. `cooling`: its keys, or the provider, asked for a pause.
 * `open`, `half_open`, `ramp`, `isolated`: its circuit, see docs/resilience.md.
 */
export type DeploymentState = 'ready' | 'no_credential' | 'cooling' | 'open' | 'half_open' | 'ramp' | 'isolated'

/** One deployment as `health()` shows it. Times ending in `AtMs` are epoch milliseconds on the clock of the gateway. */
export interface DeploymentHealth {
  readonly id: string
  readonly provider: string
  readonly model: string
  readonly state: DeploymentState
  /** What to do, or what it waits for. */
  readonly reason?: string
  /** Since when its circuit is as it is. */
  readonly sinceAtMs?: number
  readonly nextProbeAtMs?: number
  readonly keys: { readonly total: number; readonly cooling: number; readonly inFlight: number }
  /** Attempts open now, failures, and typical times; see `DeploymentStats`. */
  readonly stats?: DeploymentStats
  /** Answers open under `limits.concurrency`. */
  readonly openAnswers?: number
  /** What the circuit is, to be given to a later gateway as `circuits: { [id]: circuit }`. */
  readonly circuit?: BreakerSnapshot
  /** What holds calls back: the limit it learned from 429s, what the provider says is left, what the windows count. */
  readonly limits?: { readonly concurrency?: number; readonly learned?: unknown; readonly provider?: unknown; readonly windows?: unknown }
}

/** What `gateway.health()` tells. */
export interface Health {
  readonly deployments: readonly DeploymentHealth[]
  /** Calls that have not ended. */
  readonly calls: number
  /** Copies of calls, sent by `mirror`, that have not ended. */
  readonly shadows: number
  /** Open sockets to upstreams; absent where the platform does not tell. */
  readonly sockets?: number
  /** Records that no sink could keep. */
  readonly log: { readonly dropped: number }
  /** How the cache does; absent before it was first used. */
  readonly cache?: CacheHealth
  /** Holds on budgets and limits that are open, writes to the store under way, and how many of these failed; absent before the first call. */
  readonly ledger?: { readonly holds: number; readonly pending: number; readonly failures: number }
}

const NO_KEYS = { total: 0, cooling: 0, inFlight: 0 }

/** What `health()` says of one deployment. */
export function healthOf(deployment: Deployment, member: Member | { readonly reason: string }, nowMs: number): DeploymentHealth {
  const { id, provider, model } = deployment
  if ('reason' in member) return { id, provider, model, state: 'no_credential', reason: member.reason, keys: NO_KEYS }
  const { keys: total, cooling, inFlight } = member.keys?.state(nowMs) ?? { keys: 0, cooling: 0, inFlight: 0 }
  return {
    id,
    provider,
    model,
    ...stateOf(member, total > 0 && cooling === total, nowMs),
    keys: { total, cooling, inFlight },
    stats: member.latencies.toJSON(),
    ...(member.slots !== undefined && { openAnswers: member.slots.open }),
    ...(member.breaker !== undefined && { circuit: member.breaker.toJSON() }),
    limits: limitsOf(member),
  }
}

function stateOf({ breaker, pace }: Member, keysRest: boolean, nowMs: number): Pick<DeploymentHealth, 'state' | 'reason' | 'sinceAtMs' | 'nextProbeAtMs'> {
  const circuit = breaker?.state(nowMs)
  if (circuit !== undefined && circuit.state !== 'closed') {
    const { state, why, sinceMs, nextProbeMs } = circuit
    return { state, sinceAtMs: sinceMs, ...(why !== undefined && { reason: why }), ...(nextProbeMs !== undefined && { nextProbeAtMs: nextProbeMs }) }
  }
  const since = circuit === undefined ? {} : { sinceAtMs: circuit.sinceMs }
  if (keysRest) return { state: 'cooling', reason: 'every key rests after the provider refused it', ...since }
  const until = pace?.state().coolUntilMs
  return until !== undefined && until > nowMs ? { state: 'cooling', reason: `the provider asked for a pause of ${Math.ceil(until - nowMs)} ms more`, ...since } : { state: 'ready', ...since }
}

function limitsOf({ deployment, aimd, pace, windows }: Member): NonNullable<DeploymentHealth['limits']> {
  const concurrency = deployment.limits?.concurrency
  const { limit, ...learned } = aimd.state()
  return {
    ...(concurrency !== undefined && { concurrency }),
    ...(limit !== undefined && { learned: { limit, ...learned } }),
    ...(pace !== undefined && { provider: pace.state() }),
    ...(windows !== undefined && { windows: windows.state() }),
  }
}
