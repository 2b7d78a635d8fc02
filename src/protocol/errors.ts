import type { AttemptReport, Excluded, Partial } from './result.js'

/** Who has to act on an error. */
export type Origin = 'caller' | 'gateway' | 'upstream' | 'network'
/** Which clock ran out. */
export type Deadline = 'answer' | 'first-event' | 'idle' | 'total' | 'abandon'

/**
 * Every way a call can end, and the one place where an upstream's answer is judged. `retry`: ask the same deployment again.
 * `next`: ask the next candidate (`larger`: only one with a larger context window). `blame`: what the fault counts against:
 * the `breaker`, the `key` that was used, or nobody.
 */
const TABLE = {
  network: { retry: true, next: 'any', blame: 'breaker' },
  upstream_error: { retry: true, next: 'any', blame: 'breaker' },
  overloaded: { retry: true, next: 'any', blame: 'breaker' },
  malformed_response: { retry: true, next: 'any', blame: 'breaker' },
  timeout: { retry: false, next: 'any', blame: 'breaker' },
  rate_limited: { retry: true, next: 'any', blame: 'key' },
  quota_exhausted: { retry: false, next: 'any', blame: 'key' },
  credential_rejected: { retry: false, next: 'any', blame: 'key' },
  model_not_found: { retry: false, next: 'any', blame: 'nobody' },
  output_invalid: { retry: true, next: 'any', blame: 'nobody' },
  context_length: { retry: false, next: 'larger', blame: 'nobody' },
  content_filter: { retry: false, next: 'none', blame: 'nobody' },
  invalid_request: { retry: false, next: 'none', blame: 'nobody' },
  unauthenticated: { retry: false, next: 'none', blame: 'nobody' },
  permission_denied: { retry: false, next: 'none', blame: 'nobody' },
  budget_exceeded: { retry: false, next: 'none', blame: 'nobody' },
  limit_exceeded: { retry: false, next: 'none', blame: 'nobody' },
  store_unavailable: { retry: false, next: 'none', blame: 'nobody' },
  refused: { retry: false, next: 'none', blame: 'nobody' },
  no_candidates: { retry: false, next: 'none', blame: 'nobody' },
  queue_full: { retry: false, next: 'none', blame: 'nobody' },
  queue_timeout: { retry: false, next: 'none', blame: 'nobody' },
  attempts_failed: { retry: false, next: 'none', blame: 'nobody' },
  invalid_config: { retry: false, next: 'none', blame: 'nobody' },
  aborted: { retry: false, next: 'none', blame: 'nobody' },
  closed: { retry: false, next: 'none', blame: 'nobody' },
} as const satisfies Record<string, Verdict>

/** One row of the error table. */
export interface Verdict {
  readonly retry: boolean
  readonly next: 'any' | 'larger' | 'none'
  readonly blame: 'breaker' | 'key' | 'nobody'
}

/** The closed set of error codes. */
export type Code = keyof typeof TABLE

/** All codes, for validation. */
export const CODES = Object.keys(TABLE) as readonly Code[]

/** What the walk does after a fault with this code. */
export function verdict(code: Code): Verdict {
  return TABLE[code]
}

/** A credential that was not known, and not one that lacks a right: a fresh one from the same source may be taken. */
export function mayHaveExpired({ code, status, upstream }: GatewayError): boolean {
  return code === 'credential_rejected' && (status === 401 || upstream?.type?.startsWith('ExpiredToken') === true)
}

/** What the provider itself said, in short identifiers; `message` is its own sentence and may repeat parts of the prompt; `generated` is what the model wrote that the provider would not take, such as a broken tool call. */
export interface UpstreamWords {
  readonly type?: string
  readonly code?: string
  readonly param?: string
  readonly message?: string
  readonly generated?: string
  readonly requestId?: string
}

/** What a {@link GatewayError} may carry beside its code. */
export interface ErrorDetails {
  readonly origin?: Origin
  readonly status?: number
  readonly retryAfterMs?: number
  readonly deadline?: Deadline
  readonly attempts?: readonly AttemptReport[]
  readonly excluded?: readonly Excluded[]
  readonly partial?: Partial
  readonly upstream?: UpstreamWords
  readonly policy?: string
  readonly cause?: unknown
}

const MARK = Symbol.for('sallyport.GatewayError')
/** Words of the provider that may repeat the prompt. */
const HIDDEN = ['message', 'generated'] as const
const SHORT = /^[\w.:/[\]-]{1,80}$/

function short(value: string | undefined): string | undefined {
  return value !== undefined && SHORT.test(value) ? value : undefined
}

/**
 * The only error class of the library.
 *
 * `message` says what happened and what to do next; it never holds a key, a header or a prompt. `upstream.message`, the
 * provider's own sentence, can be read in code but is left out of printing, `JSON.stringify` and logs, because providers
 * echo prompts.
 *
 * @example
 * try {
 *   await gateway.chat({ model: 'smart', messages: 'Hello' })
 * } catch (error) {
 *   if (GatewayError.is(error) && error.code === 'rate_limited') console.log('again in', error.retryAfterMs, 'ms')
 *   else throw error
 * }
 */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  readonly code: Code
  /** Who has to act. */
  readonly origin: Origin
  /** HTTP status of the upstream's answer, when there was one. */
  readonly status?: number
  /** How long the upstream asked to wait, in milliseconds. */
  readonly retryAfterMs?: number
  /** Which deadline passed, on `timeout`. */
  readonly deadline?: Deadline
  /** Each upstream try of the call, in order. */
  readonly attempts?: readonly AttemptReport[]
  /** Each deployment that was not asked, with the reason. */
  readonly excluded?: readonly Excluded[]
  /** What had arrived when a stream failed after commit. Not printed. */
  declare readonly partial?: Partial
  /** The provider's own words. `message` and `generated` inside it are not printed. */
  readonly upstream?: UpstreamWords
  /** The budget or limit that refused. */
  readonly policy?: string

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.origin = details.origin ?? (code.startsWith('invalid') ? 'caller' : 'gateway')
    if (details.status !== undefined) this.status = details.status
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs
    if (details.deadline !== undefined) this.deadline = details.deadline
    if (details.attempts !== undefined) this.attempts = details.attempts
    if (details.excluded !== undefined) this.excluded = details.excluded
    if (details.partial !== undefined) hidden(this, 'partial', details.partial)
    if (details.upstream !== undefined) this.upstream = words(details.upstream)
    if (details.policy !== undefined) this.policy = details.policy
    Object.defineProperty(this, MARK, { value: true })
  }

  /** True for a `GatewayError` of any copy of this library. */
  static is(value: unknown): value is GatewayError {
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[MARK] === true
  }

  /** The same error with more known about it; the stack is kept. */
  with(details: ErrorDetails & { message?: string }): GatewayError {
    const { upstream } = this
    const merged = new GatewayError(this.code, details.message ?? this.message, {
      origin: this.origin,
      ...(this.status !== undefined && { status: this.status }),
      ...(this.retryAfterMs !== undefined && { retryAfterMs: this.retryAfterMs }),
      ...(this.deadline !== undefined && { deadline: this.deadline }),
      ...(this.attempts !== undefined && { attempts: this.attempts }),
      ...(this.excluded !== undefined && { excluded: this.excluded }),
      ...(this.partial !== undefined && { partial: this.partial }),
      ...(upstream !== undefined && { upstream: { ...upstream, ...Object.fromEntries(HIDDEN.flatMap(key => (upstream[key] === undefined ? [] : [[key, upstream[key]]]))) } }),
      ...(this.policy !== undefined && { policy: this.policy }),
      ...(this.cause !== undefined && { cause: this.cause }),
      ...details,
    })
    if (this.stack !== undefined) merged.stack = this.stack
    return merged
  }

  /** Without `partial`, `cause` and the provider's sentence: safe to log. */
  toJSON(): Record<string, unknown> {
    return {
      name: this.name,
      code: this.code,
      origin: this.origin,
      message: this.message,
      status: this.status,
      retryAfterMs: this.retryAfterMs,
      deadline: this.deadline,
      upstream: this.upstream,
      policy: this.policy,
      attempts: this.attempts,
      excluded: this.excluded,
    }
  }
}

function hidden(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: false })
}

function words(said: UpstreamWords): UpstreamWords {
  const kept: UpstreamWords = {}
  for (const key of ['type', 'code', 'param', 'requestId'] as const) {
    const value = short(said[key])
    if (value !== undefined) Object.assign(kept, { [key]: value })
  }
  for (const key of HIDDEN) if (said[key] !== undefined) hidden(kept, key, said[key].slice(0, 2000))
  return kept
}
