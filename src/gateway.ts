import { platform } from '#platform'
import { logPlugin } from './plugins/log.js'
import { deploymentsOf } from './routing/flatten.js'
import { Router } from './routing/router.js'
import { createAdmit } from './pipeline/admit.js'
import { Call, type CallOptions, type Settings } from './pipeline/call.js'
import { Delivery } from './pipeline/deliver.js'
import { createDispatch } from './pipeline/dispatch.js'
import { Learning } from './pipeline/learning.js'
import { createPlan } from './pipeline/plan.js'
import { createRecall, type Recaller } from './pipeline/recall.js'
import { createReserve } from './pipeline/reserve.js'
import { createRun, type Stages } from './pipeline/run.js'
import { expectedCost } from './pipeline/costs.js'
import { Shadows } from './pipeline/shadow.js'
import type { Sights } from './pipeline/view.js'
import { createSettle } from './pipeline/settle.js'
import { ChatStream } from './pipeline/stream.js'
import { Fleet } from './fleet.js'
import type { DeploymentHealth } from './fleet-health.js'
import { Prices } from './prices.js'
import { PriceOverrides } from './providers/prices/overrides.js'
import type { BatchInput, BatchItem, BatchOptions } from './batch-options.js'
import { resolveOptions, type GatewayOptions, type RouteConfig } from './options.js'
import { GatewayError } from './protocol/errors.js'
import type { Clock, Deployment, DeploymentStats, Plugin } from './protocol/ports.js'
import type { ChatRequest } from './protocol/request.js'
import type { ChatResult } from './protocol/result.js'
import type { DeploymentFactory } from './routing/router.js'
import type { Cache, CacheHealth } from './state/cache-lookup.js'
import { lazyTransport } from './transport/lazy.js'
import type { Transport } from './transport/types.js'

type RouteName<Name extends string> = Name extends `${infer Before}*${infer After}` ? `${Before}${string}${After}` : Name
/** The model names a gateway serves: its routes, and `provider/model` of its providers. */
export type ModelName<Routes, Providers> = RouteName<keyof Routes & string> | `${keyof Providers & string}/${string}`

/** What `gateway.health()` tells. */
export interface Health {
  readonly deployments: readonly DeploymentHealth[]
  /** Calls that have not ended. */
  readonly calls: number
  /** Open sockets to upstreams; absent where the platform does not tell. */
  readonly sockets?: number
  /** Records that no sink could keep. */
  readonly log: { readonly dropped: number }
  /** How the cache does; absent before it was first used. */
  readonly cache?: CacheHealth
}

/**
 * The gateway: one API over many providers, in process.
 *
 * @example
 * import { Gateway, fallback, openai, anthropic } from 'sallyport'
 *
 * const gateway = new Gateway({
 *   routes: { smart: fallback(openai('gpt-5.6'), anthropic('claude-opus-5')) },
 * })
 * const answer = await gateway.chat({ model: 'smart', messages: 'Why is the sky blue?' })
 * console.log(answer.text, answer.cost.usd, answer.deployment)
 */
export class Gateway<
  const Routes extends Readonly<Record<string, RouteConfig>> = Readonly<Record<string, RouteConfig>>,
  const Providers extends Readonly<Record<string, DeploymentFactory>> = Readonly<Record<never, DeploymentFactory>>,
> {
  readonly #options: GatewayOptions<Routes, Providers>
  readonly #router: Router<Settings>
  readonly #fleet: Fleet
  readonly #plugins: readonly Plugin[]
  readonly #run: (call: Call) => Promise<Delivery>
  readonly #open = new Set<Call>()
  readonly #learning = new Learning()
  readonly #shadows: Shadows
  #cache: Cache | undefined
  #recaller: Recaller | undefined
  readonly #now: () => number
  #closing: Promise<void> | undefined
  readonly #mark: string
  #calls = 0

  /** Checks every option; throws `invalid_config` with what to do. Nothing is sent. */
  constructor(options: GatewayOptions<Routes, Providers>) {
    const { routes, providers, settings } = resolveOptions(options)
    const clock = options.clock ?? platform.clock()
    const random = options.random ?? platform.random
    const transport = options.fetch === undefined ? platform.transport({ env: platform.env, ...(options.agent !== undefined && { agent: options.agent }) }) : fetched(options.fetch)
    const log = options.log === undefined ? [] : [logPlugin(options.log, { clock, defer: platform.defer })]
    this.#options = options
    this.#plugins = [...(options.plugins ?? []), ...log]
    this.#router = new Router(routes, providers, settings)
    const prices = new Prices(options.prices === undefined ? undefined : new PriceOverrides(options.prices))
    this.#fleet = new Fleet({ transport, env: platform.env, clock, breaker: options.breaker ?? {}, priceOf: deployment => prices.of(deployment) })
    for (const [name, { target }] of routes) {
      if (typeof target !== 'function' && !('alias' in target)) for (const deployment of deploymentsOf(target, name)) this.#fleet.enlist(deployment)
    }
    this.#now = () => clock.now()
    this.#mark = Math.floor(random() * 2 ** 50).toString(36).padStart(10, '0')
    const content = this.#plugins.some(plugin => plugin.content === true)
    const settle = createSettle({ plugins: this.#plugins, clock, content, learning: this.#learning })
    const stats = (deployment: Deployment): DeploymentStats => this.#fleet.stats(deployment)
    const sights: Sights = { random, nowMs: this.#now, stats, cost: (deployment, request) => expectedCost(request, prices.of(deployment), stats(deployment)), states: new WeakMap() }
    const plan = createPlan({ bring: deployment => this.#fleet.bring(deployment), sights, priced: deployments => prices.for(deployments) })
    const dispatch = createDispatch({ clock, random })
    const deliver: Stages['deliver'] = (admitted, source) => new Delivery(admitted, source, settle, content)
    this.#shadows = new Shadows({ plan, dispatch, deliver, settle, defer: platform.defer, nowMs: this.#now })
    this.#run = createRun({
      admit: createAdmit({ router: this.#router, plugins: this.#plugins, clock }),
      recall: createRecall(() => this.#caching(clock)),
      plan,
      reserve: createReserve(),
      dispatch,
      deliver,
      settle,
      mirror: (shadows, admitted) => this.#shadows.send(shadows, admitted),
    })
  }

  /** Asks for a whole answer. Rejects with a {@link GatewayError}. */
  async chat<Output = unknown>(request: ChatRequest<ModelName<Routes, Providers>, Output>, options: CallOptions = {}): Promise<ChatResult<Output>> {
    const delivery = await this.#run(this.#call('chat', request, options))
    return (await delivery.result()) as ChatResult<Output>
  }

  /** Asks for a stream; resolves at commit, when the first content has come. Rejects with a {@link GatewayError}. */
  async stream<Output = unknown>(request: ChatRequest<ModelName<Routes, Providers>, Output>, options: CallOptions = {}): Promise<ChatStream<Output>> {
    return new ChatStream<Output>(await this.#run(this.#call('stream', request, options)))
  }

  /** Asks for many answers, `concurrency` at once, and yields each as it ends; see {@link BatchOptions}. Nothing is sent before the first is asked for. */
  async *batch<Output = unknown>(requests: BatchInput<ChatRequest<ModelName<Routes, Providers>, Output>>, options: BatchOptions<ChatRequest<ModelName<Routes, Providers>, Output>> = {}): AsyncGenerator<BatchItem<ChatRequest<ModelName<Routes, Providers>, Output>, Output>, void, undefined> {
    const { batch } = await import('./batch.js')
    yield* batch((request, own) => this.chat<Output>(request, own), requests, options)
  }

  /** A new gateway with some options replaced: routes and providers by name, the rest whole. For tests. */
  with(overrides: Partial<GatewayOptions>): Gateway<Routes, Providers> {
    const { routes, providers } = this.#options
    return new Gateway({
      ...this.#options,
      ...overrides,
      ...((routes !== undefined || overrides.routes !== undefined) && { routes: { ...routes, ...overrides.routes } }),
      ...((providers !== undefined || overrides.providers !== undefined) && { providers: { ...providers, ...overrides.providers } }),
    } as GatewayOptions<Routes, Providers>)
  }

  /** The model names that can be asked for; wildcards as written. */
  models(): readonly string[] {
    return this.#router.names()
  }

  /** What is open, what rests and why, and what the log lost. */
  health(): Health {
    const sockets = this.#fleet.sockets()
    return {
      deployments: this.#fleet.health(),
      calls: this.#open.size,
      ...(sockets !== undefined && { sockets }),
      ...(this.#cache !== undefined && { cache: this.#cache.health }),
      log: { dropped: this.#plugins.reduce((sum, plugin) => sum + (plugin.dropped?.() ?? 0), 0) },
    }
  }

  /** Tells the strategies that learn how good the answer of a call was. False where the call is not known (any more). */
  report(id: string, { score }: { readonly score: number }): boolean {
    return this.#learning.report(id, score)
  }

  /** Waits until the plugins have written what they hold back: call it before a serverless function returns. */
  async flush(): Promise<void> {
    await Promise.all([this.#everyPlugin(plugin => plugin.flush?.()), this.#cache?.flush()])
  }

  /** Ends every open call, empties the plugins, closes the sockets. Later calls are refused. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Loaded with the first call that may use it. */
  async #caching(clock: Clock): Promise<Recaller> {
    const [{ Caching }, { Cache }] = await Promise.all([import('./pipeline/caching.js'), import('./state/cache-lookup.js')])
    const { cache } = this.#options
    this.#cache ??= new Cache(typeof cache === 'object' ? cache : {}, clock)
    this.#recaller ??= new Caching(this.#cache, clock)
    return this.#recaller
  }

  async #close(): Promise<void> {
    for (const call of [...this.#open]) call.cancel.cancel(closed())
    this.#shadows.close(closed())
    await this.#fleet.close()
    // Calls that waited settle in the promise jobs before this, so that their records are still taken.
    await new Promise<void>(resolve => platform.defer(resolve))
    await this.#everyPlugin(plugin => plugin.close?.())
  }

  /** Does the same with every plugin, also after one failed; rejects with the first failure. */
  async #everyPlugin(work: (plugin: Plugin) => Promise<void> | undefined): Promise<void> {
    const ends = await Promise.allSettled(this.#plugins.map(async plugin => work(plugin)))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  #call(kind: Call['kind'], asked: ChatRequest, options: CallOptions): Call {
    if (this.#closing !== undefined) throw closed()
    return new Call(this.#id(), kind, asked, options, this.#now(), this.#open)
  }

  /** Unique by its counter within this gateway, and by the gateway's own chance beyond it. */
  #id(): string {
    return `call_${this.#mark}${(this.#calls++).toString(36).padStart(6, '0')}`
  }
}

function fetched(fetch: typeof globalThis.fetch): Transport {
  return lazyTransport(async () => (await import('./transport/fetch.js')).fetchTransport(fetch))
}

function closed(): GatewayError {
  return new GatewayError('closed', 'The gateway was closed. Make a new one.', { origin: 'caller' })
}
