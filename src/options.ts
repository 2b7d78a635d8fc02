import * as z from 'zod/mini'
import { GatewayError } from './protocol/errors.js'
import { isObject } from './protocol/json.js'
import type { BudgetOptions, DowngradeOptions, LimitOptions, OnStoreError, OnUnknownPrice } from './protocol/policy.js'
import type { Clock, CredentialSource, Deployment, Group, Plugin, Price, Random, Store } from './protocol/ports.js'
import { checkPrice } from './protocol/price-check.js'
import { nearest, quoted } from './protocol/suggest.js'
import type { DeadlineOptions, HedgeSettings, QueueSettings, Recover, RetryOptions, Settings } from './pipeline/call.js'
import { DEADLINES, DEFAULTS, RETRY, withSettings } from './pipeline/settings.js'
import type { LogTarget } from './plugins/sinks.js'
import { breakerSettings, checkedSnapshot, type BreakerOptions, type BreakerSnapshot } from './resilience/breaker-settings.js'
import type { ProbeOptions } from './resilience/probes.js'
import type { AuditLog } from './plugins/audit.js'
import { checkAlerts, type AlertTarget } from './plugins/alerts.js'
import { weigher } from './resilience/shares.js'
import { isTarget } from './routing/fallback.js'
import { cachePolicy, type CacheOptions, type RouteCacheOptions } from './state/cache-options.js'
import { budgetsOf, downgradeOf, limitsOf, type Policy } from './state/policies.js'
import { deploymentsOf } from './routing/tree.js'
import type { DeploymentFactory, RouteEntry } from './routing/router.js'

/** Settings a gateway, a route or (some of them) a call can hold; the nearest wins. */
export interface SettingOptions {
  /** `attempts` per candidate (3) and `maxAttempts` per call (6); waits in milliseconds: `baseMs` 500, `maxMs` 8,000, `retryAfterCapMs` 10,000. */
  readonly retry?: RetryOptions
  /** Milliseconds: `answerMs` 300,000, `firstEventMs` 30,000 (120,000 where the model reasons), `idleMs` 60,000, `totalMs` 600,000, `abandonMs` 300,000. */
  readonly deadlines?: DeadlineOptions
  /** How chats travel: `json` (cheap, silent until done) or `stream` (first-event and idle deadlines). Default `json`. */
  readonly chatWire?: 'json' | 'stream'
  /** What a stream does when its upstream fails after commit. Default `error`. */
  readonly recover?: Recover
  /** What a deployment cannot take of a request is `invalid_request`, and not left out with a warning. Default false. */
  readonly strict?: boolean
  /** Sent where the request names none. */
  readonly maxOutputTokens?: number
  /** Gives the answer to an identical request again. Off; `true`: for 300,000 ms, within the tenant of the principal. */
  readonly cache?: boolean | RouteCacheOptions
  /** Where calls go that a budget has no room for: a cheaper route, by name, or `{ to?, at? }`. A budget's own wins. */
  readonly downgrade?: string | DowngradeOptions
  /** Where every deployment of a route is unavailable, calls wait. Off; `true`: at most 1,000 calls, each at most 30,000 ms. */
  readonly queue?: boolean | QueueSettings
  /** Asks the next candidate too where the first is slow; the first to commit answers. Off; `true`: after the p95 of the first, for at most 5 % of the calls. */
  readonly hedge?: boolean | HedgeSettings
}

/** A route with settings of its own. */
export interface RouteOptions extends SettingOptions {
  readonly use: Deployment | Group | DeploymentFactory
}
/** A deployment, a group, the name of another route (an alias), a factory (in a wildcard route), or `{ use, ... }`. */
export type RouteConfig = Deployment | Group | DeploymentFactory | RouteOptions | string

/** What `new Gateway()` takes. */
export interface GatewayOptions<
  Routes extends Readonly<Record<string, RouteConfig>> = Readonly<Record<string, RouteConfig>>,
  Providers extends Readonly<Record<string, DeploymentFactory>> = Readonly<Record<string, DeploymentFactory>>,
> extends Omit<SettingOptions, 'cache'> {
  /** Gives the answer to an identical request again. Off; `true`: for 300,000 ms, in 64 MiB of memory, within the tenant of the principal. */
  readonly cache?: boolean | CacheOptions
  /** Public model names. `*` stands for the model: `'openai/*': openai`. */
  readonly routes?: Routes
  /** Providers whose models can be named as `provider/model`. */
  readonly providers?: Providers
  /** Hooks, first to last. */
  readonly plugins?: readonly Plugin[]
  /** Where records of calls go. */
  readonly log?: LogTarget | readonly LogTarget[]
  /** Used for all requests in place of Node's own HTTP. */
  readonly fetch?: typeof globalThis.fetch
  /** An `http.Agent` or `https.Agent` of your own (Node). */
  readonly agent?: object
  /** When a deployment that fails is no longer called; `false`: always call it. */
  readonly breaker?: false | BreakerOptions
  /** What circuits were in another gateway, by deployment id: `circuit` of `health().deployments`, as it was written down. */
  readonly circuits?: Readonly<Record<string, BreakerSnapshot>>
  /** Asks deployments whose circuit is open for a sign of life that is not billed, so that they are back without traffic. Off; `true`: every 15,000 ms. */
  readonly probes?: boolean | ProbeOptions
  /** Prices of your own, by `provider/model`, with `*` for any run of characters: US dollars per million tokens. They win over the built-in table. */
  readonly prices?: Readonly<Record<string, Price>>
  /** Limits of money: by team, project, user, key, tag, route or provider. */
  readonly budgets?: readonly BudgetOptions[]
  /** Limits of requests, tokens and calls at once: by team, project, user, key, tag, route, provider or deployment. */
  readonly limits?: readonly LimitOptions[]
  /** Told once per window when a share of a budget is charged, when a call is refused or downgraded for one. Functions, or `{ url }` to post to. */
  readonly onAlert?: AlertTarget | readonly AlertTarget[]
  /** What holds under a hard budget where no price is known. Default `refuse`: such a deployment is no candidate. */
  readonly onUnknownPrice?: OnUnknownPrice
  /** What happens to calls with a budget or a limit while the store cannot be asked. Default `refuse`. */
  readonly onStoreError?: OnStoreError
  /** Keys of providers, by the name of the provider: a key, a pool, a function asked at each try, or `{ env }`. A deployment's own `apiKey` wins. */
  readonly credentials?: Readonly<Record<string, CredentialSource>>
  /** Weights of tenants (team, project, user or key) in the line of a full route, such as `{ search: 3, '*': 1 }`. Default: 1 each. */
  readonly shares?: Readonly<Record<string, number>>
  /** Who asked, which key, what policy decided, what it cost, and each change of keys, budgets, limits and credentials: `auditLog(path)`. */
  readonly audit?: AuditLog
  /** Where spend, limits and keys are kept. Default: the memory of this process. */
  readonly store?: Store
  /** How long what a call holds of its budgets and limits outlives its process, in milliseconds, 1,000 at least. Default 60,000. */
  readonly leaseMs?: number
  readonly clock?: Clock
  readonly random?: Random
}

/** Options with everything checked and every default in place. */
export interface Resolved {
  readonly routes: ReadonlyMap<string, RouteEntry<Settings>>
  readonly providers: ReadonlyMap<string, DeploymentFactory>
  readonly settings: Settings
  readonly policies: readonly Policy[]
}

// One kind of check, with words of ours: each further kind of zod's weighs more than it says.
const ms = z.custom(value => typeof value === 'number' && value >= 0, 'must be a number of milliseconds, 0 or more')
const count = z.custom(value => Number.isSafeInteger(value) && Number(value) > 0, 'must be a whole number above 0')
const aFunction = z.custom(value => typeof value === 'function', 'must be a function')
const oneOf = (...words: readonly string[]) => z.custom(value => words.includes(value as string), `must be one of ${words.map(word => `"${word}"`).join(', ')}`)
const numbers = (names: ReadonlySet<string>) => z.optional(z.strictObject(Object.fromEntries([...names].map(name => [name, z.optional(name.endsWith('Ms') ? ms : count)]))))
const only = (value: Record<string, unknown>, keys: readonly string[]): boolean => Object.keys(value).every(key => keys.includes(key))
const finite = (value: unknown, above: number, most = Number.MAX_SAFE_INTEGER): boolean => typeof value === 'number' && value > above && value <= most
function isQueue(value: unknown): boolean {
  return typeof value === 'boolean' || (isObject(value) && only(value, ['maxSize', 'maxWaitMs']) && Number.isSafeInteger(value['maxSize']) && finite(value['maxSize'], 0) && finite(value['maxWaitMs'], 0))
}
function isHedge(value: unknown): boolean {
  return typeof value === 'boolean' || (isObject(value) && only(value, ['afterMs', 'budget']) && (value['afterMs'] === 'p95' || finite(value['afterMs'], -1)) && finite(value['budget'], 0, 1))
}
const settingShape = {
  retry: numbers(RETRY),
  deadlines: numbers(DEADLINES),
  chatWire: z.optional(oneOf('json', 'stream')),
  recover: z.optional(oneOf('error', 'restart', 'continue')),
  strict: z.optional(z.custom(value => typeof value === 'boolean', 'must be true or false')),
  maxOutputTokens: z.optional(count),
  cache: z.optional(z.custom(() => true)),
  downgrade: z.optional(z.custom(() => true)),
  queue: z.optional(z.custom(isQueue, 'must be true, false, or both bounds: { maxSize: 1_000, maxWaitMs: 30_000 }, each above 0')),
  hedge: z.optional(z.custom(isHedge, "must be true, false, or { afterMs, budget }: a number of milliseconds or 'p95', and the share of calls that may be hedged, such as 0.05")),
}
const STORE_VERBS = ['get', 'set', 'delete', 'add', 'scan', 'acquire', 'settle', 'renew', 'tally', 'tallies']
const isPlugin = (value: unknown): boolean => isObject(value) && typeof value['name'] === 'string'
const gatewayShape = z.strictObject({
  routes: z.optional(z.custom(isObject, 'must be an object of routes')),
  providers: z.optional(z.custom(isObject, 'must be an object of factories')),
  plugins: z.optional(z.custom(value => Array.isArray(value) && value.every(isPlugin), 'must be a list, each a plugin: { name, open?, observe? }')),
  log: z.optional(z.custom(() => true)),
  breaker: z.optional(z.custom(value => value === false || isObject(value), 'must be false or { failures, failureRate, minSamples, windowMs, probeIntervalMs }')),
  circuits: z.optional(z.custom(isObject, 'must be { [deployment id]: circuit }, as health() gave it')),
  probes: z.optional(z.custom(value => typeof value === 'boolean' || (isObject(value) && only(value, ['intervalMs', 'timeoutMs']) && Object.values(value).every(ms => ms === undefined || finite(ms, 0))), 'must be true, false or { intervalMs, timeoutMs }, each above 0')),
  prices: z.optional(z.custom(isObject, "must be { 'provider/model': { input, output } }")),
  budgets: z.optional(z.custom(() => true)),
  limits: z.optional(z.custom(() => true)),
  onAlert: z.optional(z.custom(() => true)),
  onUnknownPrice: z.optional(z.custom(value => value === 'refuse' || value === 'allow' || (isObject(value) && only(value, ['assume']) && isObject(value['assume'])), 'must be "refuse", "allow", or { assume: { input, output } }')),
  credentials: z.optional(z.custom(() => true)),
  audit: z.optional(z.custom(value => isPlugin(value) && typeof (value as Record<string, unknown>)['change'] === 'function', 'must be auditLog(path)')),
  shares: z.optional(z.custom(value => isObject(value) && Object.values(value).every(share => finite(share, 0)), "must be { [tenant]: weight }, each above 0, such as { search: 3, '*': 1 }")),
  onStoreError: z.optional(oneOf('refuse', 'allow')),
  store: z.optional(z.custom(value => isObject(value) && STORE_VERBS.every(verb => typeof value[verb] === 'function'), 'must be a store, such as sqliteStore(path) or redisStore(client)')),
  leaseMs: z.optional(z.custom(value => finite(value, 999.999), 'must be a number of milliseconds, 1,000 or more')),
  fetch: z.optional(aFunction),
  agent: z.optional(z.custom(value => typeof value === 'object' && value !== null, 'must be an http.Agent')),
  clock: z.optional(z.custom(value => isObject(value) && typeof value['now'] === 'function' && typeof value['after'] === 'function', 'must be { now(), after(ms, fn) }')),
  random: z.optional(aFunction),
  ...settingShape,
})
const routeShape = z.strictObject({ use: z.custom(() => true), ...settingShape })

const NESTED: ReadonlyMap<string | undefined, ReadonlySet<string>> = new Map([
  ['retry', RETRY],
  ['deadlines', DEADLINES],
])

function bad(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}

/** The first issue in words, with the option that was likely meant. */
function check(shape: typeof gatewayShape | typeof routeShape, value: unknown, where: string): void {
  const result = z.safeParse(shape, value)
  const issue = result.success ? undefined : result.error.issues[0]
  if (issue === undefined) return
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const key = String(issue.keys[0])
    const known = path.length === 0 ? Object.keys(shape.shape) : [...(NESTED.get(path[0]) ?? [])]
    const near = nearest(key, known)
    throw bad(`${[where, ...path].join('.')} has no option ${quoted(key)}. ${near === undefined ? `Known: ${[...known].sort().join(', ')}.` : `Did you mean "${near}"?`}`)
  }
  throw bad(`${[where, ...path].join('.')}: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}.`.replace('..', '.'))
}

/** Checks everything at construction: what is wrong is said here and not at the first call. */
export function resolveOptions(options: GatewayOptions): Resolved {
  check(gatewayShape, options, 'options')
  if (options.breaker !== undefined && options.breaker !== false) breakerSettings(options.breaker)
  for (const snapshot of Object.values(options.circuits ?? {})) checkedSnapshot(snapshot)
  checkAlerts(options.onAlert)
  weigher(options.shares, 'options.shares')
  const settings = withSettings(DEFAULTS, { ...options, downgrade: downgradeIn(options.downgrade, 'options.downgrade'), cache: cachePolicy(options.cache, 'options.cache') })
  const routes = new Map<string, RouteEntry<Settings>>()
  for (const [name, config] of Object.entries(options.routes ?? {})) {
    if (name === '' || name.split('*').length > 2) throw bad(`The route name ${quoted(name)} must hold some text and at most one "*".`)
    routes.set(name, entryOf(name, config, settings))
  }
  const providers = new Map<string, DeploymentFactory>()
  for (const [name, factory] of Object.entries(options.providers ?? {})) {
    if (typeof factory !== 'function') throw bad(`providers.${name} must be a factory: a function of the model that returns a deployment.`)
    providers.set(name, factory)
  }
  if (routes.size === 0 && providers.size === 0) throw bad('A gateway needs at least one route or provider: { routes: { name: deployment } }.')
  const policies = policiesOf(options)
  if (typeof options.onUnknownPrice === 'object') checkPrice(options.onUnknownPrice.assume, 'options.onUnknownPrice.assume')
  checkDowngrades(routes, policies, settings.downgrade)
  return { routes, providers, settings, policies }
}

/** The budgets and limits of a gateway. Throws `invalid_config`. */
export function policiesOf({ budgets, limits }: Pick<GatewayOptions, 'budgets' | 'limits'>): readonly Policy[] {
  return [...(budgets === undefined ? [] : budgetsOf(budgets, 'budgets')), ...(limits === undefined ? [] : limitsOf(limits, 'limits'))]
}

/** Each way down leads to a route that is there, and not back to where it comes from. */
export function checkDowngrades(routes: ReadonlyMap<string, RouteEntry<Settings>>, policies: readonly Policy[], common?: DowngradeOptions): void {
  const check = (to: string | undefined, where: string, from: string | undefined): void => {
    if (to === undefined) return
    if (!routes.has(to)) {
      const near = nearest(to, [...routes.keys()])
      throw bad(`${where}: there is no route ${quoted(to)}.${near === undefined ? '' : ` Did you mean "${near}"?`}`)
    }
    if (from !== undefined && aliased(routes, to) === aliased(routes, from)) throw bad(`${where} points to itself. Name a cheaper route.`)
  }
  // That of all routes ends at the one it leads to.
  check(common?.to, 'options.downgrade', undefined)
  for (const [name, { settings }] of routes) if (settings.downgrade !== common) check(settings.downgrade?.to, `routes[${quoted(name)}].downgrade`, name)
  for (const { name, downgrade, scope } of policies) check(downgrade?.to, `The downgrade of the budget ${quoted(name)}`, scope.find(([dimension]) => dimension === 'route')?.[1])
}

/** The route that an alias leads to; circles are found by who follows them. */
function aliased(routes: ReadonlyMap<string, RouteEntry<Settings>>, name: string): string {
  for (let [at, steps] = [name, 0]; ; steps++) {
    const target = routes.get(at)?.target
    if (target === undefined || typeof target === 'function' || !('alias' in target) || steps > routes.size) return at
    at = target.alias
  }
}

function entryOf(name: string, config: unknown, settings: Settings): RouteEntry<Settings> {
  const where = `routes[${quoted(name)}]`
  if (typeof config === 'string') {
    if (name.includes('*')) throw bad(`${where}: a wildcard route cannot be an alias. Give it a factory or a deployment.`)
    return { target: { alias: config }, settings }
  }
  if (typeof config === 'function') {
    if (!name.includes('*')) throw bad(`${where} is a factory. Call it with a model, or put a "*" in the name of the route.`)
    return { target: config as DeploymentFactory, settings }
  }
  if (isTarget(config)) {
    deploymentsOf(config, where)
    return { target: config, settings }
  }
  if (!isObject(config) || !('use' in config)) throw bad(`${where} must be a deployment, a group, the name of another route, or { use, ... }.`)
  check(routeShape, config, where)
  const inner = entryOf(name, config['use'], settings)
  if ('alias' in inner.target) throw bad(`${where}.use must be a deployment or a group. For an alias, write the name alone.`)
  const given = config as SettingOptions
  return { target: inner.target, settings: withSettings(settings, { ...given, downgrade: downgradeIn(given.downgrade, `${where}.downgrade`), cache: cachePolicy(given.cache, `${where}.cache`, { outer: settings.cache }) ?? false }) }
}

function downgradeIn(given: string | DowngradeOptions | undefined, where: string): DowngradeOptions | undefined {
  return given === undefined ? undefined : downgradeOf(given, where)
}
