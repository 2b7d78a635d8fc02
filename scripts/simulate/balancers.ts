import { fastest } from '../../src/routing/fastest.js'
import { Latencies } from '../../src/routing/stats.js'
import { GatewayError } from '../../src/protocol/errors.js'
import type { Clock, Deployment, Random } from '../../src/protocol/ports.js'
import { routeView } from '../../src/testing/view.js'
import type { Events } from './events.js'
import type { Trial } from './world.js'

/** Chooses among hosts, which are numbers here. */
export interface Balancer {
  order(): readonly number[]
  start(host: number): Trial
}
/** What a balancer is made for. */
export interface Setting {
  readonly count: number
  readonly managed: boolean
  readonly events: Events
  readonly random: Random
}

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at)

/** `fastest` and `Latencies` as the gateway has them. */
export function ours({ count, managed, events, random }: Setting): Balancer {
  const clock: Clock = { now: () => events.nowMs, after: () => ({ cancel: () => undefined }) }
  const deployments = numbers(count).map((at): Deployment => ({ kind: 'deployment', id: String(at), provider: 'p', model: 'm', capabilities: {}, tags: [], managed, reach: { upstream: { open: () => Promise.reject(new Error('not to be opened')) } } }))
  const places = new Map(deployments.map((deployment, at) => [deployment, at]))
  const gates = deployments.map(() => new Latencies(clock))
  const group = fastest(...deployments, { outputTokens: 0 })
  const view = { ...routeView({ random, stats: deployment => gates[places.get(deployment) ?? 0]?.stats() ?? { inFlight: 0, failures: 0, stuckMs: 0 } }) }
  const timeout = new GatewayError('timeout', 'no first event')
  return {
    order: () => group.order(group.targets, { ...view, nowMs: events.nowMs }).map(target => places.get(target as Deployment) ?? 0),
    start: host => {
      const permit = gates[host]?.tryEnter()
      return {
        committed: ms => permit?.committed?.(ms),
        release: (ok, durationMs) => permit?.release(ok ? { outcome: 'success', durationMs } : { outcome: 'failure', fault: timeout, durationMs }),
      }
    },
  }
}

class PeakAverage {
  pending = 0
  #cost = 0
  #atMs = 0

  observe(ms: number, nowMs: number): void {
    const kept = Math.exp((this.#atMs - nowMs) / 10_000)
    this.#cost = ms > this.#cost ? ms : this.#cost * kept + ms * (1 - kept)
    this.#atMs = nowMs
  }

  load(nowMs: number): number {
    this.observe(0, nowMs)
    // Nothing known and somebody asking already: wait for what that one finds.
    return this.#cost === 0 && this.pending > 0 ? 1e9 + this.pending : this.#cost * (this.pending + 1)
  }
}

/** Two by lot; the one with the lower peak-sensitive average times open attempts goes first. */
export function peak({ count, events, random }: Setting): Balancer {
  const hosts = numbers(count).map(() => new PeakAverage())
  const load = (host: number) => hosts[host]?.load(events.nowMs) ?? 0
  return {
    order: () => {
      const a = Math.floor(random() * count)
      const b = (a + 1 + Math.floor(random() * (count - 1))) % count
      const pair = load(a) <= load(b) ? [a, b] : [b, a]
      return [...pair, ...numbers(count).filter(host => host !== a && host !== b)]
    },
    start: host => {
      const average = hosts[host]
      if (average === undefined) throw new Error('no such host')
      average.pending++
      let known = false
      return {
        committed: ms => {
          known = true
          average.observe(ms, events.nowMs)
        },
        release: (_ok, durationMs) => {
          average.pending--
          if (!known) average.observe(durationMs, events.nowMs)
        },
      }
    },
  }
}

const deaf: Trial = { committed: () => undefined, release: () => undefined }

export function byLot({ count, random }: Setting): Balancer {
  return { order: () => numbers(count).map(host => ({ host, key: random() })).sort((a, b) => a.key - b.key).map(({ host }) => host), start: () => deaf }
}

export function inTurn({ count }: Setting): Balancer {
  let turn = 0
  return { order: () => numbers(count).map(at => (at + turn) % count).map((host, at) => (at === count - 1 ? (turn++, host) : host)), start: () => deaf }
}

/** The lowest plain moving average, whatever is open there. */
export function average({ count }: Setting): Balancer {
  const averages = numbers(count).map(() => 0)
  const observe = (host: number, ms: number) => {
    const was = averages[host] ?? 0
    averages[host] = was === 0 ? ms : was + 0.1 * (ms - was)
  }
  return {
    order: () => numbers(count).sort((a, b) => (averages[a] ?? 0) - (averages[b] ?? 0)),
    start: host => {
      let known = false
      return {
        committed: ms => {
          known = true
          observe(host, ms)
        },
        release: (_ok, durationMs) => {
          if (!known) observe(host, durationMs)
        },
      }
    },
  }
}
