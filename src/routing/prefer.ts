import { GatewayError } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { Candidate, Capabilities, Deployment, Prefer, RouteView } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import type { Excluded } from '../protocol/result.js'
import { nearest, quoted, refuseUnknownKeys } from '../protocol/suggest.js'
import { ranked } from './rank.js'

/** A line after the caller's wishes, and who was left out. */
export interface Preferred {
  readonly candidates: readonly Candidate[]
  readonly excluded: readonly Excluded[]
}

const NANOS_PER_DOLLAR = 1e9
const NOBODY: readonly Excluded[] = Object.freeze([])

/**
 * Applies what the caller prefers to a line of candidates: first who is left out, then the order of those who stay. A
 * candidate that is taken only after certain faults stays behind the one it follows.
 * @param isHealthy those for whom it is false come last.
 */
export function applyPrefer(candidates: readonly Candidate[], view: RouteView, isHealthy?: (deployment: Deployment) => boolean): Preferred {
  const { prefer } = view
  if (prefer === undefined) return { candidates, excluded: NOBODY }
  const wishes = new Wishes(prefer, view)
  const excluded: Excluded[] = []
  const kept = candidates.filter(({ deployment }) => {
    const reason = wishes.against(deployment)
    if (reason !== undefined) excluded.push({ deployment: deployment.id, reason })
    return reason === undefined
  })
  return { candidates: wishes.reorders || isHealthy !== undefined ? reordered(kept, wishes, isHealthy) : kept, excluded }
}

function reordered(candidates: readonly Candidate[], wishes: Wishes, isHealthy: ((deployment: Deployment) => boolean) | undefined): readonly Candidate[] {
  const head: Candidate[] = []
  const units: (readonly [Candidate, ...Candidate[]])[] = []
  for (const candidate of candidates) {
    const last = units.at(-1)
    if (candidate.onlyAfter === undefined) units.push([candidate])
    else if (last === undefined) head.push(candidate)
    else units[units.length - 1] = [...last, candidate]
  }
  // Least important first: each sort keeps the order of the one before among equals.
  const sorted = ranked(units, ([{ deployment }]) => wishes.sortKey(deployment))
  const named = ranked(sorted, ([{ deployment }]) => wishes.place(deployment))
  const quick = ranked(named, ([{ deployment }]) => (isHealthy?.(deployment) === false ? 2 : wishes.isSlow(deployment) ? 1 : 0))
  return [...head, ...quick.flat()]
}

class Wishes {
  readonly #prefer: Prefer
  readonly #view: RouteView
  readonly #only: ReadonlySet<string> | undefined
  readonly #ignore: ReadonlySet<string> | undefined
  readonly #policy: readonly string[]
  readonly #needs: readonly (readonly [keyof Capabilities, string])[]
  readonly reorders: boolean

  constructor(prefer: Prefer, view: RouteView) {
    const { only, ignore, dataPolicy = [], order, sort, minThroughput, maxLatencyMs } = prefer
    this.#prefer = prefer
    this.#view = view
    this.#only = only && new Set(only)
    this.#ignore = ignore && new Set(ignore)
    this.#policy = typeof dataPolicy === 'string' ? [dataPolicy] : dataPolicy
    this.#needs = prefer.requireParameters === true ? needsOf(view.request) : []
    this.reorders = (order ?? sort ?? minThroughput ?? maxLatencyMs) !== undefined
  }

  /** Why a deployment is left out. */
  against(deployment: Deployment): string | undefined {
    if (this.#only !== undefined && !isNamed(deployment, this.#only)) return 'it is not among prefer.only'
    if (this.#ignore !== undefined && isNamed(deployment, this.#ignore)) return 'prefer.ignore names it'
    const missing = this.#policy.find(policy => deployment.dataPolicy?.includes(policy) !== true)
    if (missing !== undefined) return `it does not promise ${quoted(missing)} (prefer.dataPolicy)`
    const need = this.#needs.find(([name]) => deployment.capabilities[name] !== true)
    if (need !== undefined) return `it is not known to take ${need[1]} (prefer.requireParameters)`
    return this.#tooDear(deployment)
  }

  #tooDear(deployment: Deployment): string | undefined {
    const { maxPrice } = this.#prefer
    if (maxPrice === undefined) return undefined
    const nanos = this.#view.cost(deployment)
    if (nanos === undefined) return 'its price is not known (prefer.maxPrice)'
    const usd = nanos / NANOS_PER_DOLLAR
    return usd > maxPrice ? `it is expected to cost $${usd.toPrecision(3)}, more than prefer.maxPrice` : undefined
  }

  /** Unknown comes last. */
  sortKey(deployment: Deployment): number {
    const { sort } = this.#prefer
    if (sort === undefined) return 0
    if (sort === 'price') return this.#view.cost(deployment) ?? Infinity
    const { firstEventMs = Infinity, perTokenMs = Infinity } = this.#view.stats(deployment)
    return sort === 'latency' ? firstEventMs : perTokenMs
  }

  /** Place in `prefer.order`. */
  place(deployment: Deployment): number {
    const { order = [] } = this.#prefer
    const at = order.findIndex(name => isNamed(deployment, { has: known => known === name }))
    return at < 0 ? order.length : at
  }

  /** Known to be slower than the caller likes. */
  isSlow(deployment: Deployment): boolean {
    const { minThroughput = 0, maxLatencyMs = Infinity } = this.#prefer
    if (minThroughput === 0 && maxLatencyMs === Infinity) return false
    const { firstEventMs = 0, perTokenMs = 0 } = this.#view.stats(deployment)
    return firstEventMs > maxLatencyMs || perTokenMs * minThroughput > 1_000
  }
}

function isNamed({ id, provider, model }: Deployment, names: { has(name: string): boolean }): boolean {
  return names.has(id) || names.has(provider) || names.has(`${provider}/${model}`)
}

const PARTS = [
  ['images', 'image', 'images'],
  ['files', 'file', 'files'],
  ['audio', 'audio', 'audio'],
] as const

/** What a deployment has to be able to do for this request. */
function needsOf({ tools, output, reasoning, messages }: UpstreamRequest): readonly (readonly [keyof Capabilities, string])[] {
  const needs: (readonly [keyof Capabilities, string])[] = []
  if (tools !== undefined) needs.push(['tools', 'tools'])
  if (output !== undefined) needs.push(['jsonSchema', 'an output schema'])
  if (reasoning !== undefined && reasoning.effort !== 'none') needs.push(['reasoning', 'a reasoning effort'])
  for (const [name, type, what] of PARTS) if (messages.some(({ content }) => typeof content !== 'string' && content.some(part => part.type === type))) needs.push([name, what])
  return needs
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
const isAmount = (value: unknown): boolean => typeof value === 'number' && value >= 0
const SORTS = ['price', 'latency', 'throughput']

const WISHES: ReadonlyMap<string, readonly [is: (value: unknown) => boolean, what: string]> = new Map([
  ['order', [isTexts, 'a list of deployments or providers']],
  ['only', [isTexts, 'a list of deployments or providers']],
  ['ignore', [isTexts, 'a list of deployments or providers']],
  ['sort', [value => SORTS.includes(value as string), 'price, latency or throughput']],
  ['maxPrice', [isAmount, 'US dollars, 0 or more']],
  ['minThroughput', [isAmount, 'tokens per second, 0 or more']],
  ['maxLatencyMs', [isAmount, 'milliseconds, 0 or more']],
  ['requireParameters', [value => typeof value === 'boolean', 'true or false']],
  ['dataPolicy', [value => isText(value) || isTexts(value), 'a text or a list of texts']],
])
const KEYS = new Set(WISHES.keys())

/** Checks what a caller gave as `prefer`. Throws `invalid_request` for a preference nobody knows, naming the nearest one, and for a wrong type. */
export function validatePrefer(value: unknown): asserts value is Prefer {
  if (!isObject(value)) throw bad('prefer must be an object such as { sort: "price" }.')
  refuseUnknownKeys(value, KEYS, 'prefer', 'invalid_request')
  for (const [key, wish] of Object.entries(value)) {
    const [is, what] = WISHES.get(key) ?? []
    if (wish === undefined || is?.(wish) !== false) continue
    const near = key === 'sort' ? nearest(String(wish), SORTS) : undefined
    throw bad(`prefer.${key} must be ${what}.${near === undefined ? '' : ` Did you mean "${near}"?`}`)
  }
}

function bad(message: string): GatewayError {
  return new GatewayError('invalid_request', message, { origin: 'caller' })
}
