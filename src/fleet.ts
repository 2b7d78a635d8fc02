import type { Credentials } from './credentials.js'
import { healthOf, type DeploymentHealth } from './fleet-health.js'
import type { Adapter, Clock, Deployment, Price, Target, Upstream } from './protocol/ports.js'
import type { DeploymentStats } from './protocol/strategy.js'
import { Aimd } from './resilience/aimd.js'
import { Breaker } from './resilience/breaker.js'
import type { BreakerOptions } from './resilience/breaker-settings.js'
import { KeyPool } from './resilience/keypool.js'
import type { Live } from './resilience/live.js'
import { Pace } from './resilience/pace.js'
import { Slots } from './resilience/slots.js'
import { Windows } from './resilience/windows.js'
import { Latencies } from './routing/stats.js'
import type { Transport } from './transport/types.js'

/** A deployment with all the parts a gateway gave it. */
export interface Member extends Live {
  readonly latencies: Latencies
  readonly breaker: Breaker | undefined
  readonly aimd: Aimd
  readonly pace: Pace | undefined
  readonly windows: Windows | undefined
  readonly slots: Slots | undefined
}

/** What a fleet is made with. */
export interface FleetParts {
  readonly transport: Transport
  readonly credentials: Credentials
  readonly clock: Clock
  readonly breaker: BreakerOptions | false
  /** What circuits were when they were written down, by deployment id. */
  readonly circuits: Readonly<Record<string, unknown>> | undefined
  /** Told of each member when it is made. */
  readonly onMember: ((member: Member) => void) | undefined
  /** What a deployment costs that says nothing itself. */
  readonly priceOf: (deployment: Deployment) => Price | undefined
}

/** Deployments that were made for model names from outside are forgotten by `health()` beyond so many. */
const MOST_ENLISTED = 2_000

const IDLE: DeploymentStats = { inFlight: 0, failures: 0, stuckMs: 0 }

/** The deployments of a gateway with the parts each was given: adapter + transport = upstream, keys, gates, price. */
export class Fleet {
  readonly #parts: FleetParts
  readonly #members = new WeakMap<Deployment, Member>()
  readonly #enlisted = new Set<Deployment>()

  constructor(parts: FleetParts) {
    this.#parts = parts
  }

  /** Makes a deployment known to `health()`. */
  enlist(deployment: Deployment): void {
    this.#enlisted.add(deployment)
    if (this.#enlisted.size > MOST_ENLISTED) for (const oldest of this.#enlisted) {
      this.#enlisted.delete(oldest)
      break
    }
  }

  /** The parts of a deployment, made at its first use; a reason where it has no credential yet. */
  bring(deployment: Deployment): Member | { readonly reason: string } {
    const known = this.#members.get(deployment)
    if (known !== undefined) return known
    const made = this.#make(deployment)
    // A missing key may still come into the environment: nothing is remembered.
    if ('reason' in made) return made
    this.#members.set(deployment, made)
    this.#parts.onMember?.(made)
    this.enlist(deployment)
    return made
  }

  stats(deployment: Deployment): DeploymentStats {
    return this.#members.get(deployment)?.latencies.stats() ?? IDLE
  }

  /** Credentials were changed: deployments that share them lend the new ones from here on. */
  rekey(): void {
    for (const deployment of this.#enlisted) {
      const member = this.#members.get(deployment)
      if (member === undefined) continue
      const credential = this.#parts.credentials.of(deployment)
      // The new ones cannot be had: the old ones hold no longer.
      if ('reason' in credential) this.#members.delete(deployment)
      if ('reason' in credential || credential.shared !== true || credential.keys === undefined) continue
      // One that had no key, or one key of several, is made anew with its next call: what it learned belongs to the old one.
      if (member.keys === undefined) this.#members.delete(deployment)
      else member.keys.replace(credential.keys)
    }
  }

  /** The members of this name; several deployments may share one. */
  named(id: string): Member[] {
    return [...this.#enlisted].flatMap(deployment => {
      const member = deployment.id === id ? this.bring(deployment) : undefined
      return member === undefined || 'reason' in member ? [] : [member]
    })
  }

  health(): readonly DeploymentHealth[] {
    const nowMs = this.#parts.clock.now()
    return [...this.#enlisted].map(deployment => healthOf(deployment, this.bring(deployment), nowMs))
  }

  sockets(): number | undefined {
    return this.#parts.transport.sockets()
  }

  close(): Promise<void> {
    return this.#parts.transport.close()
  }

  #make(deployment: Deployment): Member | { readonly reason: string } {
    const { reach } = deployment
    const credential = this.#parts.credentials.of(deployment)
    if ('reason' in credential) return credential
    const { keys } = credential
    if ('upstream' in reach) return this.#member(deployment, reach.upstream, undefined, true)
    const { adapter, baseUrl } = reach
    const target = { provider: deployment.provider, model: deployment.model, baseUrl, capabilities: deployment.capabilities, ...(deployment.headers !== undefined && { headers: deployment.headers }) }
    // Several keys have several limits: what one answer says of its key holds for no other.
    const several = typeof keys === 'object' && keys.length > 1
    return this.#member(deployment, this.#upstream(adapter, target), keys === undefined ? undefined : new KeyPool(keys), !several)
  }

  #member(deployment: Deployment, upstream: Upstream, keys: KeyPool | undefined, paced: boolean): Member {
    const { clock, breaker: options, circuits, priceOf } = this.#parts
    const state = circuits !== undefined && Object.hasOwn(circuits, deployment.id) ? circuits[deployment.id] : undefined
    const { concurrency, ...rates } = deployment.limits ?? {}
    const latencies = new Latencies(clock)
    const breaker = options === false ? undefined : new Breaker(options, { clock, ...(state !== undefined && { state }) })
    const aimd = new Aimd({ clock })
    const pace = paced ? new Pace({ clock, cooldown: keys === undefined }) : undefined
    const windows = Object.keys(rates).length === 0 ? undefined : new Windows(rates, { clock })
    const slots = concurrency === undefined ? undefined : new Slots(concurrency)
    const gates = [breaker, windows, pace, aimd, slots, latencies].filter(gate => gate !== undefined)
    let price: Price | undefined
    return {
      deployment, upstream, keys, gates, stats: () => latencies.stats(), latencies, breaker, aimd, pace, windows, slots,
      // A member may be made, for health() or isolate(), before the table of prices was read.
      get price() {
        return (price ??= priceOf(deployment))
      },
    }
  }

  /** The codec, and an adapter that is loaded on demand, are loaded once, with the first call. */
  #upstream(adapter: Adapter | (() => Promise<Adapter>), target: Target): Upstream {
    const { transport } = this.#parts
    let ready: Upstream | undefined
    const load = async (): Promise<Upstream> => {
      const [loaded, { codecUpstream }] = await Promise.all([typeof adapter === 'function' ? adapter() : adapter, import('./transport/codec.js')])
      return (ready ??= codecUpstream({ adapter: loaded, transport, target }))
    }
    return {
      open: (op, request, ctx) => (ready !== undefined ? ready.open(op, request, ctx) : load().then(upstream => upstream.open(op, request, ctx))),
      embeds: async () => (ready ?? (await load())).embeds?.(),
      probe: async ctx => {
        const { probe } = ready ?? (await load())
        if (probe === undefined) return false
        return probe(ctx)
      },
    }
  }
}
