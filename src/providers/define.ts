import { GatewayError } from '../protocol/errors.js'
import { safeHeaders } from '../protocol/headers.js'
import { isObject } from '../protocol/json.js'
import type { Adapter, Capabilities, Deployment, DeploymentLimits, Headers, Keys, KeySource, Price } from '../protocol/ports.js'
import { checkPrice } from '../protocol/price-check.js'
import { Secret } from '../protocol/secret.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'

/** What every deployment factory takes beside the model. */
export interface DeploymentOptions {
  /** A key, a pool of keys, or a function asked at each try. Default: the provider's environment variable. */
  readonly apiKey?: KeySource
  /** Another server of the same dialect. A key from the environment is never sent there. */
  readonly baseUrl?: string
  /** Sent with every request of this deployment. */
  readonly headers?: Headers
  /** US dollars per million tokens. */
  readonly price?: Price
  /** What it lets through: answers open at once, requests and tokens a minute. */
  readonly limits?: DeploymentLimits
  readonly capabilities?: Capabilities
  readonly tags?: readonly string[]
  /** Name in results and logs. Default: `provider/model`. */
  readonly id?: string
  /** Its share under `weighted`, 0 or more. */
  readonly weight?: number
  /** Its latency does not depend on our load: a provider's own fleet, not a server of ours. Default false. */
  readonly managed?: boolean
  /** Where it computes, such as `eu`. */
  readonly region?: string
  /** What its operator promises about data, such as `no-training`. */
  readonly dataPolicy?: readonly string[]
}

const OPTIONS = new Set(['apiKey', 'baseUrl', 'headers', 'price', 'limits', 'capabilities', 'tags', 'id', 'weight', 'managed', 'region', 'dataPolicy'])
const LIMITS = new Set<string>(['concurrency', 'requestsPerMinute', 'inputTokensPerMinute', 'outputTokensPerMinute', 'tokensPerMinute'] satisfies readonly (keyof DeploymentLimits)[])
const CAPABILITIES = new Map<string, 'number' | 'boolean'>([
  ['contextWindow', 'number'],
  ['maxOutputTokens', 'number'],
  ['tools', 'boolean'],
  ['images', 'boolean'],
  ['files', 'boolean'],
  ['audio', 'boolean'],
  ['jsonSchema', 'boolean'],
  ['reasoning', 'boolean'],
  ['prefill', 'boolean'],
])
const UNSAFE = /[\r\n\0]/

function bad(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}

/** Checks a base URL from configuration and takes off the last slash. */
function safeBaseUrl(baseUrl: unknown, where: string): string {
  let url: URL
  try {
    url = new URL(String(baseUrl))
  } catch {
    throw bad(`${where}: baseUrl is not a URL. Write it whole, such as https://api.example.com/v1.`)
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw bad(`${where}: baseUrl must start with https:// or http://, not ${url.protocol}//.`)
  if (url.username !== '' || url.password !== '') throw bad(`${where}: baseUrl must not hold a user name or password. Give the key as apiKey.`)
  if (url.hash !== '') throw bad(`${where}: baseUrl must not hold a fragment (#...).`)
  return url.href.replace(/\/+$/, '')
}

function checkCapabilities(capabilities: unknown, where: string): void {
  if (!isObject(capabilities)) throw bad(`${where}: capabilities must be an object.`)
  refuseUnknownKeys(capabilities, new Set(CAPABILITIES.keys()), `${where}: capabilities`)
  for (const [key, value] of Object.entries(capabilities)) {
    const type = CAPABILITIES.get(key)
    if (typeof value !== type || (type === 'number' && !(Number.isSafeInteger(value) && Number(value) > 0))) throw bad(`${where}: capabilities.${key} must be a ${type === 'number' ? 'whole number above 0' : 'boolean'}.`)
  }
}

function checkKey(apiKey: unknown, where: string): void {
  const keys = Array.isArray(apiKey) ? apiKey : [apiKey]
  if (typeof apiKey === 'function') return
  if (keys.length === 0) throw bad(`${where}: apiKey is an empty list. Leave it out or give a key.`)
  for (const key of keys) {
    if (typeof key !== 'string' || key.trim() === '') throw bad(`${where}: apiKey must be a text, a list of texts, or a function. An empty one is likely a missing environment variable.`)
    if (UNSAFE.test(key)) throw bad(`${where}: apiKey holds a line break. Trim it where it is read.`)
  }
}

function keysOf(apiKey: KeySource): Keys {
  if (typeof apiKey === 'function') return apiKey
  return (typeof apiKey === 'string' ? [apiKey] : apiKey).map(key => new Secret(key.trim()))
}

/** What a provider says of itself when it makes a deployment. */
export interface Provider {
  readonly name: string
  /** The adapter, or how to load it: then it is loaded with the first call. */
  readonly adapter: Adapter | (() => Promise<Adapter>)
  readonly baseUrl: string
  /** Environment variables of its key, first found wins. */
  readonly env: readonly string[]
  /** It only has the name of a provider that is known: keys given for that one are not for it. */
  readonly borrowed?: boolean
  /** Works without a key (a local server). */
  readonly keyless?: boolean
  readonly headers?: Headers
  /** What is known of all its models; those of the options come before. */
  readonly capabilities?: Capabilities
}

const CHECKS: readonly (readonly [keyof DeploymentOptions, (value: unknown, where: string) => void])[] = [
  ['apiKey', checkKey],
  ['price', (price, where) => checkPrice(price, `${where}: price`)],
  ['capabilities', checkCapabilities],
  ['limits', checkLimits],
  ['id', (id, where) => checkText(id, where, 'id')],
  ['tags', (tags, where) => checkTexts(tags, where, 'tags')],
  ['weight', checkWeight],
  ['managed', checkManaged],
  ['region', (region, where) => checkText(region, where, 'region')],
  ['dataPolicy', (policy, where) => checkTexts(policy, where, 'dataPolicy')],
]

/** Validates and freezes one deployment. Every factory ends here. */
export function defineDeployment(provider: Provider, model: string, options: DeploymentOptions = {}): Deployment {
  const where = `${provider.name}(${JSON.stringify(String(model).slice(0, 80))})`
  if (typeof model !== 'string' || model.trim() === '' || UNSAFE.test(model)) throw bad(`${provider.name}() takes the model first, as a text: ${provider.name}('model-name').`)
  if (!isObject(options as unknown)) throw bad(`${where}: the options must be an object.`)
  refuseUnknownKeys(options, OPTIONS, where)
  for (const [key, check] of CHECKS) if (options[key] !== undefined) check(options[key], where)
  const { id = `${provider.name}/${model}`, capabilities, tags = [], price, limits } = options
  const headers = { ...provider.headers, ...(options.headers === undefined ? {} : safeHeaders(options.headers, `${where}: headers`)) }
  return Object.freeze<Deployment>({
    kind: 'deployment',
    id,
    provider: provider.name,
    model,
    capabilities: Object.freeze({ ...provider.capabilities, ...capabilities }),
    tags: Object.freeze([...tags]),
    ...(price !== undefined && { price: Object.freeze({ ...price }) }),
    ...(limits !== undefined && { limits: Object.freeze({ ...limits }) }),
    ...choiceOf(options),
    ...(Object.keys(headers).length > 0 && { headers }),
    reach: reachOf(provider, options, where),
  })
}

/** What strategies and preferences choose by. */
function choiceOf({ weight, managed, region, dataPolicy }: DeploymentOptions): Pick<Deployment, 'weight' | 'managed' | 'region' | 'dataPolicy'> {
  return {
    ...(weight !== undefined && { weight }),
    ...(managed !== undefined && { managed }),
    ...(region !== undefined && { region }),
    ...(dataPolicy !== undefined && { dataPolicy: Object.freeze([...dataPolicy]) }),
  }
}

function reachOf(provider: Provider, options: DeploymentOptions, where: string): Deployment['reach'] {
  const home = safeBaseUrl(provider.baseUrl, where)
  const baseUrl = options.baseUrl === undefined ? home : safeBaseUrl(options.baseUrl, where)
  // A key from the environment belongs to the provider's own host and goes to no other.
  const own = new URL(baseUrl).origin === new URL(home).origin
  return {
    adapter: provider.adapter,
    baseUrl,
    keyless: provider.keyless ?? false,
    ...(options.apiKey !== undefined && { keys: keysOf(options.apiKey) }),
    ...(own && provider.borrowed !== true && { home: true }),
    ...(own && provider.env.length > 0 && { env: provider.env }),
  }
}

function checkText(text: unknown, where: string, name: string): void {
  if (typeof text !== 'string' || text.trim() === '') throw bad(`${where}: ${name} must be a text.`)
}

function checkTexts(texts: unknown, where: string, name: string): void {
  if (!(Array.isArray(texts) && texts.every(text => typeof text === 'string'))) throw bad(`${where}: ${name} must be a list of texts.`)
}

function checkWeight(weight: unknown, where: string): void {
  if (typeof weight !== 'number' || !Number.isFinite(weight) || weight < 0) throw bad(`${where}: weight must be a number, 0 or more.`)
}

function checkManaged(managed: unknown, where: string): void {
  if (typeof managed !== 'boolean') throw bad(`${where}: managed must be true or false.`)
}

function checkLimits(limits: unknown, where: string): void {
  if (!isObject(limits)) throw bad(`${where}: limits must be an object.`)
  refuseUnknownKeys(limits, LIMITS, `${where}: limits`)
  for (const [name, most] of Object.entries(limits)) if (most !== undefined && !(Number.isSafeInteger(most) && Number(most) > 0)) throw bad(`${where}: limits.${name} must be a whole number above 0.`)
}
