import { platform } from '#platform'
import type { BatchInput, BatchItem, BatchOptions } from './batch-options.js'
import { Bound, type Binding } from './bound.js'
import type { Engine, EngineParts } from './engine.js'
import type { DeploymentHealth, Health } from './fleet-health.js'
import { GatewayKeys } from './gateway-keys.js'
import { Governance } from './governance.js'
import { resolveOptions, type GatewayOptions, type RouteConfig } from './options.js'
import type { CallOptions, Settings } from './pipeline/call.js'
import type { ChatStream } from './pipeline/stream.js'
import { logPlugin } from './plugins/log.js'
import { Prices } from './prices.js'
import type { EmbedRequest, EmbedResult } from './protocol/embed.js'
import { GatewayError } from './protocol/errors.js'
import type { BudgetOptions, LimitOptions, SpendQuery, SpendRow } from './protocol/policy.js'
import type { CredentialSource, Deployment, Plugin } from './protocol/ports.js'
import type { ChatRequest } from './protocol/request.js'
import type { ChatResult } from './protocol/result.js'
import { PriceOverrides } from './providers/prices/overrides.js'
import type { Breaker } from './resilience/breaker.js'
import type { Cancel } from './resilience/cancel.js'
import { Router, type DeploymentFactory } from './routing/router.js'
import { deploymentsOf } from './routing/tree.js'
import type { ToolRun, ToolRunOptions } from './tools/options.js'
import type { ToolStream } from './tools/stream.js'
import { lazyTransport } from './transport/lazy.js'
import type { Transport } from './transport/types.js'

type RouteName<Name extends string> = Name extends `${infer Before}*${infer After}` ? `${Before}${string}${After}` : Name
/** The model names a gateway serves: its routes, and `provider/model` of its providers. */
export type ModelName<Routes, Providers> = RouteName<keyof Routes & string> | `${keyof Providers & string}/${string}`

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
  readonly #parts: EngineParts & { readonly runs: Set<Cancel> }
  readonly #governance: Governance
  #engine: Engine | undefined
  #loading: Promise<Engine> | undefined
  #closing: Promise<void> | undefined

  /** Checks every option; throws `invalid_config` with what to do. Nothing is sent. */
  constructor(options: GatewayOptions<Routes, Providers>) {
    const resolved = resolveOptions(options)
    const { routes, providers, settings } = resolved
    this.#governance = new Governance(options as unknown as GatewayOptions, resolved, platform.env)
    const clock = options.clock ?? platform.clock()
    const transport = options.fetch === undefined ? platform.transport({ env: platform.env, ...(options.agent !== undefined && { agent: options.agent }) }) : fetched(options.fetch)
    const log = options.log === undefined ? [] : [logPlugin(options.log, { clock, defer: platform.defer })]
    const deployments = new Set<Deployment>()
    for (const [name, { target }] of routes) {
      if (typeof target !== 'function' && !('alias' in target)) for (const deployment of deploymentsOf(target, name)) deployments.add(deployment)
    }
    this.#options = options
    this.#parts = {
      options: options as unknown as GatewayOptions,
      router: new Router<Settings>(routes, providers, settings),
      deployments,
      plugins: [...(options.plugins ?? []), ...log, ...(options.audit === undefined ? [] : [options.audit])],
      prices: new Prices(options.prices === undefined ? undefined : new PriceOverrides(options.prices)),
      transport,
      clock,
      runs: new Set(),
      random: options.random ?? platform.random,
      credentials: this.#governance.credentials,
      defer: platform.defer,
      policies: () => this.#governance.policies,
      randomBytes: length => platform.randomBytes(length),
      onChange: change => this.#governance.onChange?.(change),
    }
    const { audit } = options
    if (audit === undefined) return
    audit.start({ clock, defer: platform.defer, mark: [...platform.randomBytes(8)].map(byte => byte.toString(16).padStart(2, '0')).join('') })
    this.#governance.onChange = ({ change, id, fields }) => audit.change({ change, ...(id !== undefined && { id }), ...(fields !== undefined && { fields }) })
  }

  /** Asks for a whole answer. Rejects with a {@link GatewayError}. */
  async chat<Output = unknown>(request: ChatRequest<ModelName<Routes, Providers>, Output>, options: CallOptions = {}): Promise<ChatResult<Output>> {
    return (this.#ready() ?? (await this.#load())).chat<Output>(request, options)
  }

  /** Asks for a stream; resolves at commit, when the first content has come. Rejects with a {@link GatewayError}. */
  async stream<Output = unknown>(request: ChatRequest<ModelName<Routes, Providers>, Output>, options: CallOptions = {}): Promise<ChatStream<Output>> {
    return (this.#ready() ?? (await this.#load())).stream<Output>(request, options)
  }

  /**
   * Asks for the embeddings of texts, in their order; more texts than a provider takes at once go in several requests. Rejects with a
   * {@link GatewayError}.
   *
   * @example
   * const { embeddings } = await gateway.embed({ model: 'vectors', input: ['one text', 'another'], inputType: 'document' })
   * console.log(embeddings[0]?.length)
   */
  async embed(request: EmbedRequest<ModelName<Routes, Providers>>, options: CallOptions = {}): Promise<EmbedResult> {
    return (this.#ready() ?? (await this.#load())).embed(request, options)
  }

  /** Asks for many answers, `concurrency` at once, and yields each as it ends; see {@link BatchOptions}. Nothing is sent before the first is asked for. */
  async *batch<Output = unknown>(requests: BatchInput<ChatRequest<ModelName<Routes, Providers>, Output>>, options: BatchOptions<ChatRequest<ModelName<Routes, Providers>, Output>> = {}): AsyncGenerator<BatchItem<ChatRequest<ModelName<Routes, Providers>, Output>, Output>, void, undefined> {
    yield* (await import('./batch.js')).batch((request, own) => this.chat<Output>(request, own), requests, options)
  }

  /** Asks, runs the tools that have an `execute`, and asks again until the model has answered; see {@link ToolRunOptions}. Rejects with a {@link GatewayError}. */
  async runTools<Output = unknown>(request: ChatRequest<ModelName<Routes, Providers>, Output>, options: ToolRunOptions<Output> = {}): Promise<ToolRun<Output>> {
    return (await import('./tools/run.js')).runTools<Output>(this, this.#parts, request, options)
  }

  /** {@link runTools} as a stream of the events of all steps; resolves when the first content of the first step has come. */
  async streamTools<Output = unknown>(request: ChatRequest<ModelName<Routes, Providers>, Output>, options: ToolRunOptions<Output> = {}): Promise<ToolStream<Output>> {
    return (await import('./tools/run.js')).streamTools<Output>(this, this.#parts, request, options)
  }

  /** The same gateway for calls that stand for somebody, or belong to a conversation: options of a call win over what is bound. */
  as(binding: Binding): Bound<Routes, Providers> {
    return new Bound(this, binding)
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
    return this.#parts.router.names()
  }

  /** What is open, what rests and why, and what the log lost. */
  health(): Health {
    const { transport, plugins } = this.#parts
    const engine = this.#engine
    const sockets = transport.sockets()
    return {
      deployments: engine === undefined ? this.#untouched() : engine.deployments(),
      calls: engine?.calls ?? 0,
      shadows: engine?.shadows ?? 0,
      ...(sockets !== undefined && { sockets }),
      ...(engine?.cache !== undefined && { cache: engine.cache }),
      ...(engine !== undefined && { ledger: engine.ledger }),
      log: { dropped: plugins.reduce((sum, plugin) => sum + (plugin.dropped?.() ?? 0), 0) },
    }
  }

  /** Tells the strategies that learn how good the answer of a call was. False where the call is not known (any more). */
  report(id: string, { score }: { readonly score: number }): boolean {
    return this.#engine?.report(id, score) ?? false
  }

  /**
   * What was spent, to the nano-dollar the sum of the call records: by team, project, user, key, tag, route, provider, deployment or model.
   * Calls count where they started, in quarters of an hour. Throws `invalid_request`.
   *
   * @example
   * const [row] = await gateway.spend({ by: 'team', from: new Date('2026-11-01T00:00:00Z') })
   * console.log(row?.of, row?.usd)
   */
  async spend(query: SpendQuery = {}): Promise<readonly SpendRow[]> {
    return (this.#ready() ?? (await this.#load())).spend(query)
  }

  /** Virtual keys: `create`, `rotate`, `revoke`, `update`, `get`, `list`. */
  get keys(): GatewayKeys {
    return new GatewayKeys(async () => (await (this.#ready() ?? (await this.#load())).keyring()).keys)
  }

  /** Changes the credentials of a provider for calls from here on; those under way keep what they have. Throws `invalid_config`. */
  setCredential(provider: string, source: CredentialSource): void {
    this.#governance.setCredential(provider, source)
    this.#engine?.rekey()
  }

  /** Puts other budgets in place of those there are; what was spent stays counted under the names that stay. Throws `invalid_config`. */
  setBudgets(budgets: readonly BudgetOptions[]): void {
    this.#governance.setBudgets(budgets)
  }

  /** Puts other limits in place of those there are. Throws `invalid_config`. */
  setLimits(limits: readonly LimitOptions[]): void {
    this.#governance.setLimits(limits)
  }

  /** Stops asking a deployment, by its id, until {@link restore}; answers under way go on. Rejects with `invalid_request` where no route has it. */
  async isolate(id: string, reason?: string): Promise<void> {
    for (const breaker of await this.#breakers(id)) breaker.isolate(reason)
  }

  /** Asks a deployment again, whatever its circuit was. */
  async restore(id: string): Promise<void> {
    for (const breaker of await this.#breakers(id)) breaker.restore()
  }

  /** Waits until the plugins have written what they hold back: call it before a serverless function returns. */
  async flush(): Promise<void> {
    // First the store: records of calls with a hold are told when it has them.
    await this.#engine?.flush()
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

  #ready(): Engine | undefined {
    if (this.#closing !== undefined) throw closed()
    return this.#engine
  }

  /** With the first call: an application that only builds a gateway does not pay for it. */
  async #load(): Promise<Engine> {
    this.#loading ??= import('./engine.js').then(({ Engine: Loaded }) => (this.#engine = new Loaded(this.#parts)))
    const engine = await this.#loading
    this.#ready()
    return engine
  }

  async #breakers(id: string): Promise<readonly Breaker[]> {
    return (await import('./circuits.js')).breakersOf(id, (this.#ready() ?? (await this.#load())).members(id), this.health().deployments)
  }

  /** What is known of deployments before the first call. */
  #untouched(): DeploymentHealth[] {
    const { breaker, circuits = {} } = this.#options
    return [...this.#parts.deployments].map(deployment => {
      const { id, provider, model } = deployment
      const credential = this.#governance.credentials.of(deployment)
      const none = { total: 0, cooling: 0, inFlight: 0 }
      if ('reason' in credential) return { id, provider, model, state: 'no_credential', reason: credential.reason, keys: none }
      const keys = { ...none, total: typeof credential.keys === 'object' ? credential.keys.length : 0 }
      const circuit = breaker !== false && Object.hasOwn(circuits, id) ? circuits[id] : undefined
      if (circuit === undefined) return { id, provider, model, state: 'ready', keys }
      return { id, provider, model, state: circuit.state === 'closed' ? 'ready' : circuit.state, ...(circuit.why !== undefined && { reason: circuit.why }), sinceAtMs: circuit.sinceMs, keys, circuit }
    })
  }

  async #close(): Promise<void> {
    // Calls that still load are refused when they have.
    this.#engine?.end(closed())
    for (const run of this.#parts.runs) run.cancel(closed())
    await this.#parts.transport.close()
    await this.#engine?.flush()
    // Calls that waited settle in the promise jobs before this, so that their records are still taken.
    await new Promise<void>(resolve => platform.defer(resolve))
    await this.#engine?.release()
    await this.#everyPlugin(plugin => plugin.close?.())
  }

  /** Does the same with every plugin, also after one failed; rejects with the first failure. */
  async #everyPlugin(work: (plugin: Plugin) => Promise<void> | undefined): Promise<void> {
    const ends = await Promise.allSettled(this.#parts.plugins.map(async plugin => work(plugin)))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }
}

function fetched(fetch: typeof globalThis.fetch): Transport {
  return lazyTransport(async () => (await import('./transport/fetch.js')).fetchTransport(fetch))
}

function closed(): GatewayError {
  return new GatewayError('closed', 'The gateway was closed. Make a new one.', { origin: 'caller' })
}
