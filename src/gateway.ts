import { platform } from '#platform'
import { logPlugin } from './plugins/log.js'
import { deploymentsOf } from './routing/flatten.js'
import { Router } from './routing/router.js'
import { createAdmit } from './pipeline/admit.js'
import type { Call, CallOptions, Settings } from './pipeline/call.js'
import { Delivery } from './pipeline/deliver.js'
import { createDispatch } from './pipeline/dispatch.js'
import { createPlan } from './pipeline/plan.js'
import { createRecall } from './pipeline/recall.js'
import { createReserve } from './pipeline/reserve.js'
import { createRun } from './pipeline/run.js'
import { createSettle } from './pipeline/settle.js'
import { ChatStream } from './pipeline/stream.js'
import type { BatchInput, BatchItem, BatchOptions } from './batch-options.js'
import { Fleet, type DeploymentHealth } from './fleet.js'
import { resolveOptions, type GatewayOptions, type RouteConfig } from './options.js'
import { GatewayError } from './protocol/errors.js'
import type { Plugin } from './protocol/ports.js'
import type { ChatRequest } from './protocol/request.js'
import type { ChatResult } from './protocol/result.js'
import { Cancel } from './resilience/cancel.js'
import type { DeploymentFactory } from './routing/router.js'
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
    this.#fleet = new Fleet({ transport, env: platform.env, clock })
    for (const [name, { target }] of routes) {
      if (typeof target !== 'function' && !('alias' in target)) for (const deployment of deploymentsOf(target, name)) this.#fleet.enlist(deployment)
    }
    this.#now = () => clock.now()
    this.#mark = Math.floor(random() * 2 ** 50).toString(36).padStart(10, '0')
    const content = this.#plugins.some(plugin => plugin.content === true)
    const settle = createSettle({ plugins: this.#plugins, clock, content })
    this.#run = createRun({
      admit: createAdmit({ router: this.#router, plugins: this.#plugins, clock }),
      recall: createRecall(),
      plan: createPlan({ bring: deployment => this.#fleet.bring(deployment), sights: { random, nowMs: this.#now, stats: () => ({ inFlight: 0, failures: 0, stuckMs: 0 }), cost: () => undefined, states: new WeakMap() } }),
      reserve: createReserve(),
      dispatch: createDispatch({ clock, random }),
      deliver: (admitted, flight) => new Delivery(admitted, flight, settle, content),
      settle,
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
      deployments: this.#fleet.health(this.#now()),
      calls: this.#open.size,
      ...(sockets !== undefined && { sockets }),
      log: { dropped: this.#plugins.reduce((sum, plugin) => sum + (plugin.dropped?.() ?? 0), 0) },
    }
  }

  /** Waits until the plugins have written what they hold back: call it before a serverless function returns. */
  async flush(): Promise<void> {
    await this.#everyPlugin(plugin => plugin.flush?.())
  }

  /** Ends every open call, empties the plugins, closes the sockets. Later calls are refused. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    for (const call of [...this.#open]) call.cancel.cancel(closed())
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
    const releases: (() => void)[] = []
    const call: Call = {
      id: this.#id(),
      kind,
      asked,
      options,
      startedMs: this.#now(),
      cancel: new Cancel(),
      onEnd: release => void releases.push(release),
      end: () => {
        this.#open.delete(call)
        for (const release of releases.splice(0)) release()
      },
    }
    this.#open.add(call)
    return call
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
