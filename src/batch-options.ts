import type { CallOptions } from './pipeline/call.js'
import { validateCallOptions } from './pipeline/validate.js'
import { CODES, GatewayError, type Code } from './protocol/errors.js'
import { isObject } from './protocol/json.js'
import type { ChatResult } from './protocol/result.js'
import { nearest, quoted, refuseUnknownKeys } from './protocol/suggest.js'

const OWN = new Set(['concurrency', 'onProgress', 'stopOn', 'each'])
/** Every option of a call. */
export const CALL = { signal: true, deadlines: true, retry: true, recover: true, strict: true, headers: true, key: true, principal: true, conversation: true, prefer: true, priority: true, cache: true, metadata: true } as const satisfies Record<keyof CallOptions, true>
const KNOWN = new Set([...OWN, ...Object.keys(CALL)])

/** How far a batch is. */
export interface BatchProgress {
  /** Items that have ended, the failed ones included. */
  readonly done: number
  readonly failed: number
  readonly running: number
  /** US dollars so far, billed tries of failed items included; `null` once an answer had no known price. */
  readonly costUsd: number | null
  /** Answers that came from the cache. */
  readonly cached: number
}

/** How one item ended. `index` is its place in the input; `request` is the very object that was taken from it. */
export type BatchItem<Request = unknown, Output = unknown> =
  | { readonly index: number; readonly request: Request; readonly ok: true; readonly result: ChatResult<Output> }
  | { readonly index: number; readonly request: Request; readonly ok: false; readonly error: GatewayError }

/** What `gateway.batch()` takes beside the requests; options of a call hold for every item. */
export interface BatchOptions<Request = unknown> extends CallOptions {
  /** Calls open at once. Default 10. */
  readonly concurrency?: number
  /** Told after each item. What it throws is ignored. */
  readonly onProgress?: (progress: BatchProgress) => void
  /**
   * Errors after which nothing new is started: codes, or a judgement. What runs then is finished and reported, and the
   * iteration ends. Default: none; after `closed` a batch always ends.
   */
  readonly stopOn?: readonly Code[] | ((error: GatewayError) => boolean)
  /** Call options of one item, on top of those of the batch. */
  readonly each?: (request: Request, index: number) => Omit<CallOptions, 'signal'> | undefined
  /**
   * Ends the batch: running calls are aborted, every item that was started is still reported, then the iteration rejects
   * with `aborted`.
   */
  readonly signal?: AbortSignal
}

/** Where a batch takes its requests from, one by one, as there is room. */
export type BatchInput<Request> = Iterable<Request> | AsyncIterable<Request>
/** The options that hold for a single call. */
export function callPart(options: BatchOptions<never>): CallOptions {
  return Object.fromEntries(Object.entries(options).filter(([key]) => !OWN.has(key)))
}

function bad(message: string): GatewayError {
  return new GatewayError('invalid_request', message)
}

/** Refuses what a batch cannot do, before anything is taken from its input. */
export function validateBatch(options: BatchOptions<never>): void {
  if (!isObject(options as unknown)) throw bad('The options of a batch must be an object such as { concurrency: 50 }.')
  refuseUnknownKeys(options, KNOWN, 'The options of a batch', 'invalid_request')
  const { concurrency, stopOn, onProgress, each } = options
  if (concurrency !== undefined && !(Number.isSafeInteger(concurrency) && concurrency >= 1)) throw bad('"concurrency" must be a whole number, 1 or more.')
  for (const [name, work] of [['onProgress', onProgress], ['each', each]] as const) if (work !== undefined && typeof work !== 'function') throw bad(`"${name}" must be a function.`)
  validateStops(stopOn)
  validateCallOptions(callPart(options))
}

function validateStops(stopOn: BatchOptions['stopOn']): void {
  if (stopOn === undefined || typeof stopOn === 'function') return
  if (!Array.isArray(stopOn)) throw bad('"stopOn" must be a list of error codes, or a function that judges an error.')
  for (const code of stopOn as readonly unknown[]) {
    if ((CODES as readonly unknown[]).includes(code)) continue
    const meant = nearest(String(code), CODES)
    throw bad(`"stopOn" knows no code ${quoted(String(code))}. ${meant === undefined ? `Known: ${CODES.join(', ')}.` : `Did you mean "${meant}"?`}`)
  }
}
