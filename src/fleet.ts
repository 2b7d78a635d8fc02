import type { Adapter, Clock, Deployment, Target, Upstream } from './protocol/ports.js'
import { Secret } from './protocol/secret.js'
import { KeyPool } from './resilience/keypool.js'
import type { Live } from './resilience/live.js'
import { Slots } from './resilience/slots.js'
import type { Transport } from './transport/types.js'

/** One deployment as `health()` shows it. */
export interface DeploymentHealth {
  readonly id: string
  readonly provider: string
  readonly model: string
  readonly state: 'ready' | 'no_credential' | 'cooling'
  /** What to do, or what it waits for. */
  readonly reason?: string
  readonly keys: { readonly total: number; readonly cooling: number; readonly inFlight: number }
  readonly openAnswers?: number
}

/** The deployments of a gateway with the parts each was given: adapter + transport = upstream, keys, gates. */
export class Fleet {
  readonly #deps: { readonly transport: Transport; readonly env: (name: string) => string | undefined; readonly clock: Clock }
  readonly #live = new WeakMap<Deployment, Live & { readonly slots?: Slots }>()
  readonly #enlisted = new Set<Deployment>()

  constructor(deps: { transport: Transport; env: (name: string) => string | undefined; clock: Clock }) {
    this.#deps = deps
  }

  /** Makes a deployment known to `health()`. */
  enlist(deployment: Deployment): void {
    this.#enlisted.add(deployment)
  }

  /** The parts of a deployment, made at its first use; a reason where it has no credential yet. */
  bring(deployment: Deployment): (Live & { readonly slots?: Slots }) | { readonly reason: string } {
    const known = this.#live.get(deployment)
    if (known !== undefined) return known
    const made = this.#make(deployment)
    // A missing key may still come into the environment: nothing is remembered.
    if (!('reason' in made)) this.#live.set(deployment, made)
    return made
  }

  health(nowMs: number): readonly DeploymentHealth[] {
    return [...this.#enlisted].map(deployment => this.#healthOf(deployment, nowMs))
  }

  sockets(): number | undefined {
    return this.#deps.transport.sockets()
  }

  close(): Promise<void> {
    return this.#deps.transport.close()
  }

  #healthOf(deployment: Deployment, nowMs: number): DeploymentHealth {
    const { id, provider, model } = deployment
    const live = this.bring(deployment)
    if ('reason' in live) return { id, provider, model, state: 'no_credential', reason: live.reason, keys: { total: 0, cooling: 0, inFlight: 0 } }
    const { keys: total, cooling, inFlight } = live.keys?.state(nowMs) ?? { keys: 0, cooling: 0, inFlight: 0 }
    const rests = total > 0 && cooling === total
    return {
      id,
      provider,
      model,
      state: rests ? 'cooling' : 'ready',
      ...(rests && { reason: 'every key rests after the provider refused it' }),
      keys: { total, cooling, inFlight },
      ...(live.slots !== undefined && { openAnswers: live.slots.open }),
    }
  }

  #make(deployment: Deployment): (Live & { readonly slots?: Slots }) | { readonly reason: string } {
    const { reach, limits } = deployment
    const slots = limits?.concurrency === undefined ? undefined : new Slots(limits.concurrency)
    const gates = slots === undefined ? { gates: [] } : { gates: [slots], slots }
    if ('upstream' in reach) return { deployment, price: deployment.price, upstream: reach.upstream, keys: undefined, ...gates }
    const keys = reach.keys ?? this.#fromEnvironment(reach.env)
    if (keys === undefined && !reach.keyless) {
      const give = reach.env === undefined ? 'give apiKey: a key from the environment is not sent to another host' : `set ${reach.env.join(' or ')}, or give apiKey`
      return { reason: `no_credential: ${give}` }
    }
    const { adapter, baseUrl } = reach
    const target = { provider: deployment.provider, model: deployment.model, baseUrl, capabilities: deployment.capabilities, ...(deployment.headers !== undefined && { headers: deployment.headers }) }
    return { deployment, price: deployment.price, upstream: this.#upstream(adapter, target), keys: keys === undefined ? undefined : new KeyPool(keys), ...gates }
  }

  /** The codec, and an adapter that is loaded on demand, are loaded once, with the first call. */
  #upstream(adapter: Adapter | (() => Promise<Adapter>), target: Target): Upstream {
    const { transport } = this.#deps
    let ready: Upstream | undefined
    return {
      open(op, request, ctx) {
        if (ready !== undefined) return ready.open(op, request, ctx)
        return Promise.all([typeof adapter === 'function' ? adapter() : adapter, import('./transport/codec.js')]).then(([loaded, { codecUpstream }]) => {
          ready ??= codecUpstream({ adapter: loaded, transport, target })
          return ready.open(op, request, ctx)
        })
      },
    }
  }

  #fromEnvironment(names: readonly string[] | undefined): readonly Secret[] | undefined {
    for (const name of names ?? []) {
      const value = this.#deps.env(name)?.trim()
      if (value !== undefined && value !== '') return [new Secret(value)]
    }
    return undefined
  }
}
