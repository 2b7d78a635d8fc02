import { isObject, type Json } from '../../protocol/json.js'
import type { Deployment } from '../../protocol/ports.js'
import { refuseUnknownKeys } from '../../protocol/suggest.js'
import { must } from '../common/must.js'
import { defineDeployment, type DeploymentOptions } from '../define.js'
import { loadOpenaiAdapter } from '../openai/load.js'

/** By what OpenRouter orders the providers of a model. */
export type OpenRouterSort = 'price' | 'throughput' | 'latency'

/** Which providers of a model may serve, in the words of OpenRouter's own API. */
export interface OpenRouterRouting {
  /** Tried in this order. */
  readonly order?: readonly string[]
  readonly only?: readonly string[]
  readonly ignore?: readonly string[]
  /** Others than those of `order` may serve. */
  readonly allow_fallbacks?: boolean
  /** Only providers that know every parameter of the request. */
  readonly require_parameters?: boolean
  /** `deny`: only providers that keep nothing to train on. */
  readonly data_collection?: 'allow' | 'deny'
  /** Only providers with zero data retention. */
  readonly zdr?: boolean
  readonly sort?: OpenRouterSort
  readonly quantizations?: readonly string[]
  /** US dollars: per million tokens for `prompt` and `completion`, else per request, image or clip. */
  readonly max_price?: { readonly prompt?: number; readonly completion?: number; readonly request?: number; readonly image?: number; readonly audio?: number }
  /** Tokens per second; slower providers are tried last. */
  readonly preferred_min_throughput?: number
  /** Seconds; slower providers are tried last. */
  readonly preferred_max_latency?: number
}

/** What {@link openrouter} takes beside what every deployment takes. */
export interface OpenRouterOptions extends DeploymentOptions {
  /** Models OpenRouter falls back to on its own side, in this order. */
  readonly models?: readonly string[]
  readonly provider?: OpenRouterRouting
  /** Address of your application, sent as `HTTP-Referer`. */
  readonly referer?: string
  /** Name of your application, sent as `X-Title`. */
  readonly title?: string
}

type Test = readonly [(value: unknown) => boolean, string]
const isAmount = (value: unknown) => typeof value === 'number' && value >= 0 && value < Infinity
const TEXTS: Test = [value => Array.isArray(value) && value.length > 0 && value.every(each => typeof each === 'string' && each !== ''), 'a list of names']
const FLAG: Test = [value => typeof value === 'boolean', 'true or false']
const AMOUNT: Test = [isAmount, 'a number, 0 or more']
const LINE: Test = [value => typeof value === 'string' && /^[ -~]+$/.test(value), 'one line of plain ASCII text']
const PRICES = new Set(['prompt', 'completion', 'request', 'image', 'audio'])

function among(...words: readonly string[]): Test {
  return [value => words.includes(value as string), words.map(word => `'${word}'`).join(' or ')]
}

const ROUTING: { readonly [K in keyof Required<OpenRouterRouting>]: Test } = {
  order: TEXTS,
  only: TEXTS,
  ignore: TEXTS,
  quantizations: TEXTS,
  allow_fallbacks: FLAG,
  require_parameters: FLAG,
  zdr: FLAG,
  data_collection: among('allow', 'deny'),
  sort: among('price', 'throughput', 'latency'),
  max_price: [value => isObject(value) && Object.entries(value).every(([key, price]) => PRICES.has(key) && isAmount(price)), `an object of prices: ${[...PRICES].join(', ')}`],
  preferred_min_throughput: AMOUNT,
  preferred_max_latency: AMOUNT,
}

function check(name: string, value: unknown, [right, words]: Test): void {
  must(value === undefined || right(value), `openrouter(): ${name} must be ${words}.`)
}

/** A copy, so that nobody changes it later. */
function routed(routing: OpenRouterRouting | undefined): Json | undefined {
  if (routing === undefined) return undefined
  must(isObject(routing as unknown), 'openrouter(): provider must be an object, such as { order: [...] }.')
  refuseUnknownKeys(routing, new Set(Object.keys(ROUTING)), 'openrouter(): provider')
  for (const key of Object.keys(ROUTING) as (keyof OpenRouterRouting)[]) check(`provider.${key}`, routing[key], ROUTING[key])
  return structuredClone(routing) as Json
}

/**
 * A model by way of OpenRouter, with its routing as typed options. The key comes from `apiKey`, else from OPENROUTER_API_KEY.
 * What OpenRouter says a call cost is in `usage.reportedCostUsd`; who served it, in `providerMetadata.openai`. Throws
 * `invalid_config`.
 *
 * @example
 * openrouter('anthropic/claude-sonnet-5', { models: ['openai/gpt-5.6'], provider: { sort: 'price', data_collection: 'deny' }, title: 'My app' })
 */
export function openrouter(model: string, options: OpenRouterOptions = {}): Deployment {
  must(isObject(options as unknown), 'openrouter(): the options must be an object.')
  const { models, provider, referer, title, ...rest } = options
  check('models', models, TEXTS)
  check('referer', referer, LINE)
  check('title', title, LINE)
  const routing = routed(provider)
  const extra = { ...(models !== undefined && { models: [...models] }), ...(routing !== undefined && { provider: routing }) }
  const headers = { ...(referer !== undefined && { 'http-referer': referer }), ...(title !== undefined && { 'x-title': title }) }
  return defineDeployment({ name: 'openrouter', adapter: loadOpenaiAdapter('openrouter', 'chat', { extra }), baseUrl: 'https://openrouter.ai/api/v1', env: ['OPENROUTER_API_KEY'], headers }, model, rest)
}
