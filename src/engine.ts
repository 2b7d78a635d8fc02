import type { Credentials } from './credentials.js'
import type { Keyring } from './keyring.js'
import { Fleet, type Member } from './fleet.js'
import type { DeploymentHealth } from './fleet-health.js'
import type { GatewayOptions } from './options.js'
import { createAdmit, type AdmitParts } from './pipeline/admit.js'
import { Call, type CallOptions, type Settings } from './pipeline/call.js'
import { expectedCost } from './pipeline/costs.js'
import { Delivery } from './pipeline/deliver.js'
import { createDispatch, createWalks } from './pipeline/dispatch.js'
import type { EmbedParts } from './pipeline/embed.js'
import { Keepsake } from './pipeline/keepsake.js'
import { Learning } from './pipeline/learning.js'
import { lapsedAlert, lapsedRecord } from './pipeline/lapsed.js'
import { OpenCalls } from './pipeline/open-calls.js'
import { createPlan } from './pipeline/plan.js'
import { createRecall, type Recaller } from './pipeline/recall.js'
import { createCount, createReserve, type ReserveParts } from './pipeline/reserve.js'
import { createRun, type Stages } from './pipeline/run.js'
import { createSettle } from './pipeline/settle.js'
import { Shadows } from './pipeline/shadow.js'
import { ChatStream } from './pipeline/stream.js'
import { createView } from './pipeline/view.js'
import { alertsTo } from './plugins/alerts.js'
import { postOver } from './post.js'
import type { Prices } from './prices.js'
import type { EmbedRequest, EmbedResult } from './protocol/embed.js'
import { GatewayError } from './protocol/errors.js'
import type { Clock, Deployment, DeploymentStats, Plugin, Random, Store } from './protocol/ports.js'
import type { Alert, SpendQuery, SpendRow } from './protocol/policy.js'
import type { ChatRequest } from './protocol/request.js'
import type { ChatResult } from './protocol/result.js'
import { isCooling } from './resilience/keypool.js'
import { Probes } from './resilience/probes.js'
import type { Router } from './routing/router.js'
import { deploymentsOf } from './routing/tree.js'
import type { KeyChange } from './state/keys.js'
import type { Cache, CacheHealth } from './state/cache-lookup.js'
import { Ledger } from './state/ledger.js'
import { memoryStore } from './state/memory.js'
import type { Policy } from './state/policies.js'
import { spend } from './state/spend.js'
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
  readonly credentials: Credentials
  readonly defer: (fn: () => void) => void
  readonly randomBytes: (length: number) => Uint8Array
  /** Is told of each change of a virtual key. */
  readonly onChange: (change: KeyChange) => void
  /** Budgets and limits, as they are now. */
  readonly policies: () => readonly Policy[]
}

/** The working part of a gateway, loaded with its first call: builds the leaves and binds the stages. */
export class Engine {
  readonly #parts: EngineParts
  readonly #fleet: Fleet
  readonly #run: (call: Call) => Promise<Delivery>
  readonly #embedding: EmbedParts
  #embed: Promise<(call: Call) => Promise<EmbedResult>> | undefined
  readonly #open = new OpenCalls()
  readonly #learning = new Learning()
  readonly #keepsake = new Keepsake()
  readonly #ledger: Ledger
  readonly #store: Store
  readonly #alert: ((alert: Alert) => void) | undefined
  readonly #shadows: Shadows
  readonly #probes: Probes | undefined
  #keyring: Keyring | undefined
  #cache: Cache | undefined
  #recaller: Recaller | undefined
  readonly #mark: string
  #calls = 0

  constructor(parts: EngineParts) {
    const { options, router, plugins, prices, transport, clock, random, credentials, defer } = parts
    this.#parts = parts
    const { probes } = options
    this.#probes = probes === undefined || probes === false ? undefined : new Probes(probes === true ? {} : probes, { clock, random })
    const onMember = this.#probes === undefined ? undefined : (member: Member): void => this.#lookAfter(member)
    this.#fleet = new Fleet({ transport, credentials, clock, breaker: options.breaker ?? {}, circuits: options.circuits, onMember, priceOf: deployment => prices.of(deployment) })
    for (const deployment of parts.deployments) this.#fleet.enlist(deployment)
    this.#mark = Math.floor(random() * 2 ** 50).toString(36).padStart(10, '0')
    const content = plugins.some(plugin => plugin.content === true)
    this.#store = options.store ?? memoryStore({ clock })
    started(this.#store, clock)
    this.#alert = alertsTo(options.onAlert, postOver(transport, clock), clock, work => this.#ledger.later(work))
    const ledger = (this.#ledger = new Ledger({ store: this.#store, clock, onAlert: this.#alert, onLapsed: owner => this.#lapsed(owner), ...(options.leaseMs !== undefined && { leaseMs: options.leaseMs }) }))
    const settle = createSettle({ plugins, clock, content, learning: this.#learning, later: work => ledger.later(work) })
    const stats = (deployment: Deployment): DeploymentStats => this.#fleet.stats(deployment)
    const view = createView({ random, nowMs: () => clock.now(), stats, cost: (deployment, request) => expectedCost(request, prices.of(deployment), stats(deployment)) })
    const plan = createPlan({ bring: deployment => this.#fleet.bring(deployment), view, priced: deployments => prices.for(deployments) })
    const walks = createWalks({ clock, random, shares: options.shares })
    const dispatch = createDispatch(walks)
    const deliver: Stages['deliver'] = (admitted, source, counted) => new Delivery(admitted, source, settle, this.#keepsake, content, counted)
    const { onStoreError } = options
    const onUnknownPrice = ownPrice(options.onUnknownPrice)
    const reserving: ReserveParts = { ledger, clock, defer, policies: parts.policies, onUnknownPrice, onStoreError, plan, resolve: model => router.resolve(model) }
    const reserve = createReserve(reserving)
    this.#shadows = new Shadows({ plan, reserve, dispatch, deliver, settle, defer, nowMs: () => clock.now() })
    const admission: AdmitParts = { router, plugins, clock, authenticate: key => this.#keyring?.authenticate(key) ?? this.keyring().then(ring => ring.authenticate(key)) }
    const recall = createRecall(() => this.#caching())
    const count = createCount(reserving)
    this.#embedding = {
      admitOf: reading => createAdmit(admission, reading),
      reserveOf: other => createReserve({ ...reserving, plan: other }),
      runOf: createRun,
      recall, plan, walks, deliver, settle, count,
      bring: deployment => this.#fleet.bring(deployment),
      deploymentsOf: ({ target, name }) => deploymentsOf(target, name),
    }
    this.#run = createRun({
      admit: createAdmit(admission),
      recall,
      plan,
      reserve,
      dispatch,
      deliver,
      settle,
      count,
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

  /** Its part of the pipeline is loaded with the first such call. */
  async embed(request: EmbedRequest, options: CallOptions): Promise<EmbedResult> {
    const call = this.#call('embed', request, options)
    this.#embed ??= import('./pipeline/embed.js').then(({ createEmbed }) => createEmbed(this.#embedding))
    return (await this.#embed)(call)
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

  /** Loaded with the first key. */
  async keyring(): Promise<Keyring> {
    const { Keyring: Loaded } = await import('./keyring.js')
    const { clock, randomBytes, onChange, router } = this.#parts
    return (this.#keyring ??= new Loaded({ store: this.#store, clock, randomBytes, onChange, resolve: model => router.resolve(model) }))
  }

  rekey(): void {
    this.#fleet.rekey()
  }

  get ledger(): Ledger['state'] {
    return this.#ledger.state
  }

  async spend(query: SpendQuery): Promise<readonly SpendRow[]> {
    await this.#ledger.settled()
    return spend(this.#store, query)
  }

  async flush(): Promise<void> {
    await this.#ledger.flush()
    await this.#cache?.flush()
  }

  /** Ends every open call, the copies and the probes. */
  end(reason: GatewayError): void {
    for (const call of this.#open) call.cancel.cancel(reason)
    this.#shadows.close(reason)
    this.#keepsake.clear()
    this.#probes?.close()
  }

  /** Lets go of the store, when everything is written. */
  async release(): Promise<void> {
    await this.#ledger.flush()
    this.#ledger.close()
    await this.#store.close?.()
  }

  /** Writes a record for money that a process left behind. */
  #lapsed(owner: unknown): void {
    const nowMs = this.#parts.clock.now()
    const record = lapsedRecord(owner, nowMs)
    for (const plugin of this.#parts.plugins) {
      try {
        plugin.observe?.(record)
      } catch {
        // An observer's failure is its own.
      }
    }
    this.#alert?.(lapsedAlert(record, nowMs))
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

  #call(kind: Call['kind'], asked: ChatRequest | EmbedRequest, options: CallOptions): Call {
    return new Call(this.#id(), kind, asked, options, this.#parts.clock.now(), this.#open)
  }

  /** Unique by its counter within this gateway, and by the gateway's own chance beyond it. */
  #id(): string {
    return `call_${this.#mark}${(this.#calls++).toString(36).padStart(6, '0')}`
  }
}

/** The price as it was checked: what bounds are made with does not change. */
function ownPrice(given: GatewayOptions['onUnknownPrice']): GatewayOptions['onUnknownPrice'] {
  return typeof given === 'object' ? { assume: Object.freeze({ ...given.assume }) } : given
}

/** A store that waits needs the clock of the gateway, which keeps time in tests. */
function started(store: Store & { start?(parts: { readonly clock: Clock }): void }, clock: Clock): void {
  store.start?.({ clock })
}
