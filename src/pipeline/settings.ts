import { GatewayError } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'
import type { DowngradeOptions } from '../protocol/policy.js'
import type { Deadlines } from '../resilience/deadlines.js'
import type { CachePolicy } from '../state/cache-options.js'
import type { CallOptions, DeadlineOptions, HedgeSettings, QueueSettings, RetryOptions, Settings } from './call.js'

/** The defaults of a gateway. */
export const DEFAULTS: Settings = {
  retry: { attempts: 3, maxAttempts: 6, baseMs: 500, maxMs: 8_000, retryAfterCapMs: 10_000 },
  deadlines: { answerMs: 300_000, firstEventMs: 30_000, reasoningFirstEventMs: 120_000, idleMs: 60_000, totalMs: 600_000, abandonMs: 300_000 },
  chatWire: 'json',
  recover: 'error',
}
/** Names of the settings of retries. */
export const RETRY = new Set(Object.keys(DEFAULTS.retry))
/** Names of the deadlines that can be set. */
export const DEADLINES = new Set(['answerMs', 'firstEventMs', 'idleMs', 'totalMs', 'abandonMs'])
const COUNTS = new Set(['attempts', 'maxAttempts'])

function checked(over: object, known: ReadonlySet<string>, where: string): void {
  if (!isObject(over)) throw new GatewayError('invalid_request', `"${where}" must be an object.`)
  refuseUnknownKeys(over, known, `"${where}"`, 'invalid_request')
  for (const [key, value] of Object.entries(over)) {
    const count = COUNTS.has(key)
    if (typeof value === 'number' && value >= (count ? 1 : 0) && (!count || Number.isSafeInteger(value))) continue
    throw new GatewayError('invalid_request', `"${where}.${key}" must be a ${count ? 'whole number of at least 1' : 'number of milliseconds, 0 or more'}.`)
  }
}

/** A first-event deadline that somebody set holds for models that reason, too. */
function withDeadlines(base: Deadlines, over: DeadlineOptions): Deadlines {
  return { ...base, ...over, ...(over.firstEventMs !== undefined && { reasoningFirstEventMs: over.firstEventMs }) }
}

const QUEUE: QueueSettings = { maxSize: 1_000, maxWaitMs: 30_000 }
const HEDGE: HedgeSettings = { afterMs: 'p95', budget: 0.05 }

/** `true` means the defaults, `false` off. */
function chosen<T>(option: T | boolean | undefined, defaults: T, base: T | undefined): T | undefined {
  return option === undefined ? base : option === true ? defaults : option === false ? undefined : option
}

/** `base` with what a gateway, a route or a call says on top. */
export function withSettings(base: Settings, over: { readonly retry?: RetryOptions; readonly deadlines?: DeadlineOptions } & Partial<Pick<Settings, 'chatWire' | 'recover' | 'strict' | 'maxOutputTokens'>> & { readonly queue?: QueueSettings | boolean; readonly hedge?: HedgeSettings | boolean; readonly cache?: CachePolicy | false | undefined; readonly downgrade?: DowngradeOptions | undefined }): Settings {
  const { retry, deadlines, chatWire, recover, strict, maxOutputTokens, downgrade } = over
  const { queue: baseQueue, hedge: baseHedge, cache: baseCache, ...rest } = base
  const cache = over.cache === false ? undefined : (over.cache ?? baseCache)
  const queue = chosen(over.queue, QUEUE, baseQueue)
  const hedge = chosen(over.hedge, HEDGE, baseHedge)
  return {
    ...rest,
    ...(queue !== undefined && { queue }),
    ...(hedge !== undefined && { hedge }),
    ...(cache !== undefined && { cache }),
    ...(retry !== undefined && { retry: { ...base.retry, ...retry } }),
    ...(deadlines !== undefined && { deadlines: withDeadlines(base.deadlines, deadlines) }),
    ...(chatWire !== undefined && { chatWire }),
    ...(recover !== undefined && { recover }),
    ...(strict !== undefined && { strict }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(downgrade !== undefined && { downgrade }),
  }
}

/** The settings of a route with those of one call on top, whose numbers are checked here: construction never saw them. */
export function settingsOf(route: Settings, { retry, deadlines, recover, strict }: CallOptions): Settings {
  if (retry === undefined && deadlines === undefined && recover === undefined && strict === undefined) return route
  if (retry !== undefined) checked(retry, RETRY, 'retry')
  if (deadlines !== undefined) checked(deadlines, DEADLINES, 'deadlines')
  return withSettings(route, { ...(retry !== undefined && { retry }), ...(deadlines !== undefined && { deadlines }), ...(recover !== undefined && { recover }), ...(strict !== undefined && { strict }) })
}
