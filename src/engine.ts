import { Fleet, type Member } from './fleet.js'
import type { DeploymentHealth } from './fleet-health.js'
import type { GatewayOptions } from './options.js'
import { createAdmit } from './pipeline/admit.js'
import { Call, type CallOptions, type Settings } from './pipeline/call.js'
import { expectedCost } from './pipeline/costs.js'
import { Delivery } from './pipeline/deliver.js'
import { createDispatch } from './pipeline/dispatch.js'
import { Keepsake } from './pipeline/keepsake.js'
import { Learning } from './pipeline/learning.js'
import { OpenCalls } from './pipeline/open-calls.js'
import { createPlan } from './pipeline/plan.js'
import { createRecall, type Recaller } from './pipeline/recall.js'
import { createReserve } from './pipeline/reserve.js'
import { createRun, type Stages } from './pipeline/run.js'
import { createSettle } from './pipeline/settle.js'
import { Shadows } from './pipeline/shadow.js'
import { ChatStream } from './pipeline/stream.js'
import { createView } from './pipeline/view.js'
import type { Prices } from './prices.js'
import { GatewayError } from './protocol/errors.js'
import type { Clock, Deployment, DeploymentStats, Plugin, Random } from './protocol/ports.js'
import type { ChatRequest } from './protocol/request.js'
import type { ChatResult } from './protocol/result.js'
import { isCooling } from './resilience/keypool.js'
import { Probes } from './resilience/probes.js'
import type { Router } from './routing/router.js'
import type { Cache, CacheHealth } from './state/cache-lookup.js'
import type { Transport } from './transport/types.js'

/** What a gateway hands to its engine. */
export interface EngineParts {
  readonly options: GatewayOptions
  readonly router: Router<Settings>
  readonly deployments: Iterable<Deployment>
  readonly plugins: readonly Plugin[]
  readonly prices: Prices
  readonly transport: Transport
  readonly clock: Clock
  readonly random: Random
  readonly env: (name: string) => string | undefined
  readonly defer: (fn: () => void) => void
}

/** The working part of a gateway, loaded with its first call: builds the leaves and binds the stages. */
export class Engine {
  readonly #parts: EngineParts
  readonly #fleet: Fleet
  readonly #run: (call: Call) => Promise<Delivery>
  readonly #open = new OpenCalls()
  readonly #learning = new Learning()
  readonly #keepsake = new Keepsake()
  readonly #shadows: Shadows
  readonly #probes: Probes | undefined
  #cache: Cache | undefined
  #recaller: Recaller | undefined
  readonly #mark: string
  #calls = 0

  constructor(parts: EngineParts) {
    const { options, router, plugins, prices, transport, clock, random, env, defer } = parts
    this.#parts = parts
    const { probes } = options
    this.#probes = probes === undefined || probes === false ? undefined : new Probes(probes === true ? {} : probes, { clock, random })
    const onMember = this.#probes === undefined ? undefined : (member: Member): void => this.#lookAfter(member)
    this.#fleet = new Fleet({ transport, env, clock, breaker: options.breaker ?? {}, circuits: options.circuits, onMember, priceOf: deployment => prices.of(deployment) })
    for (const deployment of parts.deployments) this.#fleet.enlist(deployment)
    this.#mark = Math.floor(random() * 2 ** 50).toString(36).padStart(10, '0')
    const content = plugins.some(plugin => plugin.content === true)
    const settle = createSettle({ plugins, clock, content, learning: this.#learning })
    const stats = (deployment: Deployment): DeploymentStats => this.#fleet.stats(deployment)
    const view = createView({ random, nowMs: () => clock.now(), stats, cost: (deployment, request) => expectedCost(request, prices.of(deployment), stats(deployment)) })
    const plan = createPlan({ bring: deployment => this.#fleet.bring(deployment), view, priced: deployments => prices.for(deployments) })
    const dispatch = createDispatch({ clock, random })
    const deliver: Stages['deliver'] = (admitted, source) => new Delivery(admitted, source, settle, this.#keepsake, content)
    this.#shadows = new Shadows({ plan, dispatch, deliver, settle, defer, nowMs: () => clock.now() })
    this.#run = createRun({
      admit: createAdmit({ router, plugins, clock }),
      recall: createRecall(() => this.#caching()),
      plan,
      reserve: createReserve(),
      dispatch,
      deliver,
      settle,
      mirror: (shadows, admitted) => this.#shadows.send(shadows, admitted),
    })
  }

  async chat<Output>(request: ChatRequest, options: CallOptions): Promise<ChatResult<Output>> {
    const delivery = await this.#run(this.#call('chat', request, options))
    return (await delivery.result()) as ChatResult<Output>
  }

  async stream<Output>(request: ChatRequest, options: CallOptions): Promise<ChatStream<Output>> {
    return new ChatStream<Output>(await this.#run(this.#call('stream', request, options)))
  }

  report(id: string, score: unknown): boolean {
    return this.#learning.report(id, score)
  }

  /** The deployments with this id, with what was made for them. */
  members(id: string): readonly Member[] {
    return this.#fleet.named(id)
  }

  deployments(): readonly DeploymentHealth[] {
    return this.#fleet.health()
  }
  get calls(): number {
    return this.#open.size
  }
  get shadows(): number {
    return this.#shadows.open
  }
  get cache(): CacheHealth | undefined {
    return this.#cache?.health
  }

  async flush(): Promise<void> {
    await this.#cache?.flush()
  }

  /** Ends every open call, the copies and the probes. */
  end(reason: GatewayError): void {
    for (const call of this.#open) call.cancel.cancel(reason)
    this.#shadows.close(reason)
    this.#keepsake.clear()
    this.#probes?.close()
  }

  #lookAfter({ breaker, upstream, keys }: Member): void {
    const { probe } = upstream
    if (breaker === undefined || probe === undefined) return
    this.#probes?.add({
      breaker,
      probe: async ctx => {
        const lent = await keys?.lend(this.#parts.clock.now())
        if (lent !== undefined && isCooling(lent)) throw lent.fault
        try {
          const asked = await probe.call(upstream, { ...ctx, wire: 'json', onActivity: () => undefined, ...(lent?.secret !== undefined && { secret: lent.secret }) })
          if (!asked) throw new GatewayError('upstream_error', 'This dialect has no question that is not billed; the circuit waits for a call.')
        } finally {
          lent?.release(undefined, this.#parts.clock.now())
        }
      },
    })
  }

  /** Loaded with the first call that may use it. */
  async #caching(): Promise<Recaller> {
    const [{ Caching }, { Cache }] = await Promise.all([import('./pipeline/caching.js'), import('./state/cache-lookup.js')])
    const { options, clock } = this.#parts
    this.#cache ??= new Cache(typeof options.cache === 'object' ? options.cache : {}, clock)
    this.#recaller ??= new Caching(this.#cache, clock)
    return this.#recaller
  }

  #call(kind: Call['kind'], asked: ChatRequest, options: CallOptions): Call {
    return new Call(this.#id(), kind, asked, options, this.#parts.clock.now(), this.#open)
  }

  /** Unique by its counter within this gateway, and by the gateway's own chance beyond it. */
  #id(): string {
    return `call_${this.#mark}${(this.#calls++).toString(36).padStart(6, '0')}`
  }
}
