import type { EmbedCodec, EmbedLimits } from './embed.js'
import type { Code, GatewayError } from './errors.js'
import type { ChatEvent, Usage, Warning } from './events.js'
import type { Json } from './json.js'
import type { CallKind, UpstreamRequest } from './request.js'
import type { Price } from './rates.js'
import type { CallRecord } from './result.js'
import type { Secret } from './secret.js'
import type { Principal } from './strategy.js'

export type * from './store.js'
export type * from './strategy.js'
export type { Price, PriceTier, Rates, ServicePrice } from './rates.js'

/** Time. `now()` is epoch milliseconds that never jump back. */
export interface Clock {
  now(): number
  /** Calls `fn` once, `ms` from now. */
  after(ms: number, fn: () => void): Timer
}
export interface Timer {
  cancel(): void
}
/** A number in [0, 1). */
export type Random = () => number

/** How an answer travels: one JSON body, or a stream of events. */
export type Wire = 'json' | 'stream'
/** Lower-case header names. */
export type Headers = Readonly<Record<string, string>>

/** One HTTP request, complete but for the credential. */
export interface HttpCall {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Headers
  readonly body?: string | Uint8Array
}
/** The deployment as its adapter sees it. */
export interface Target {
  readonly provider: string
  readonly model: string
  readonly baseUrl: string
  readonly headers?: Headers
  readonly capabilities: Capabilities
}
/** One unit of a framed body. */
export interface Frame {
  readonly event?: string
  readonly data: string
}
/** Cuts a byte stream into frames; `onFrame` is called synchronously. Bounded: throws `malformed_response` past its limits. */
export type Framing = (onFrame: (frame: Frame) => void) => { push(chunk: Uint8Array): void; end(): void; /** Nothing more is pushed: what it held may serve another body. */ release?(): void }

/** Turns one answer into events. Stateful, single use; throws a {@link GatewayError}. */
export interface Decoder {
  /** A whole JSON body: all events at once. */
  json(body: unknown): ChatEvent[]
  /** One frame of a stream. */
  frame(frame: Frame): ChatEvent[]
  /** The body ended; a stream that is not finished is `malformed_response`. */
  end(): ChatEvent[]
  /** A finish reason was seen: `end()` may be called when nothing more comes. */
  readonly finishing: boolean
  /** The `finish` event was emitted: nothing more is read. */
  readonly done: boolean
}
export interface DecodeContext {
  readonly request: UpstreamRequest
  readonly target: Target
  readonly wire: Wire
  readonly status: number
  readonly headers: Headers
}
/** Rate-limit state from response headers. Times in milliseconds from now. */
export interface RateLimits {
  readonly limitRequests?: number
  readonly remainingRequests?: number
  readonly resetRequestsMs?: number
  readonly limitTokens?: number
  readonly remainingTokens?: number
  readonly resetTokensMs?: number
}

/** One provider dialect: pure, no I/O, no state, never waits. */
export interface Adapter {
  readonly dialect: string
  encode(request: UpstreamRequest, target: Target, wire: Wire): { readonly call: HttpCall; readonly warnings: Warning[] }
  authorize(call: HttpCall, secret: Secret): HttpCall | Promise<HttpCall>
  decode(ctx: DecodeContext): Decoder
  /** Classifies an error answer: the only place that reads one. `nowMs` is for dates in headers. */
  fault(status: number, headers: Headers, body: unknown, nowMs: number): GatewayError
  limits?(headers: Headers, nowMs: number): RateLimits
  readonly frames?: Framing
  /** A request that costs nothing and tells whether the server answers, such as the list of models; without the credential. */
  probe?(target: Target): HttpCall
  /** Absent where the dialect has no embeddings. */
  readonly embed?: EmbedCodec
}

/** The part of an `AbortSignal` that a transport needs; an `AbortSignal` is one. */
export interface AbortLike {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: { handleEvent(): void }): void
  removeEventListener(type: 'abort', listener: { handleEvent(): void }): void
}
/** What a try hands to an upstream. */
export interface OpenContext {
  readonly wire: Wire
  /** Aborts when the try is ended from outside; `reason` is a `GatewayError`. Made when it is first asked for. */
  readonly signal: AbortSignal
  /** The same without the cost of an `AbortSignal`, where the caller has it. */
  readonly abort?: AbortLike
  readonly clock: Clock
  readonly secret?: Secret
  /** Extra request headers of the caller. */
  readonly headers?: Headers
  /** Bytes arrived, comments included: resets the idle clock. Bound: may be passed on as it is. */
  readonly onActivity: () => void
}
/** An answer on its way. */
export interface Opened {
  readonly status: number
  readonly headers: Headers
  readonly warnings: readonly Warning[]
  readonly limits?: RateLimits | undefined
  /** Bytes that came of an answer in one piece which is not whole yet: it is billed by them where no more comes. */
  readonly arrived?: number
  /** The next events, in one or several per call; `undefined` after `finish`. Rejects with a fault. */
  read(): Promise<readonly ChatEvent[] | undefined>
  /**
   * Like `read`, told instead of promised, which costs no promise for each chunk: `done` is called once, with the events, with
   * nothing after `finish`, or with a fault. It may be called before `readInto` returns, and from inside the socket's callback
   * or `close()`. One at a time.
   */
  readInto?(done: (batch: readonly ChatEvent[] | undefined, fault?: GatewayError) => void): void
  /** Ends the upstream work; idempotent. */
  close(): void
}
/** What dispatch opens: an adapter over the transport, or anything else that can answer. */
export interface Upstream {
  /** `embed`: the texts are the messages of the request, and `request.embed` says how; answers with `embedding` events. */
  open(op: 'chat' | 'embed', request: UpstreamRequest, ctx: OpenContext): Promise<Opened>
  /** How much one request for embeddings may hold; absent, or nothing, where this upstream has none. */
  embeds?(): EmbedLimits | undefined | Promise<EmbedLimits | undefined>
  /** Asks for a sign of life that is not billed. False where this upstream has no such question; rejects with the fault. */
  probe?(ctx: OpenContext): Promise<boolean>
}

/** What a deployment can do; an absent field is unknown and excludes nobody. */
export interface Capabilities {
  /** Tokens of prompt and answer together. */
  readonly contextWindow?: number
  readonly maxOutputTokens?: number
  readonly tools?: boolean
  readonly images?: boolean
  readonly files?: boolean
  readonly audio?: boolean
  readonly jsonSchema?: boolean
  readonly reasoning?: boolean
  /** Accepts a last assistant message to go on from. */
  readonly prefill?: boolean
}
/** Where credentials come from: a key, a pool, or a function asked at each try. */
export type KeySource = string | readonly string[] | (() => string | Promise<string>)

/** Credentials of a provider, given in one place: as a {@link KeySource}, or the name of an environment variable that is read when it is needed. */
export type CredentialSource = KeySource | { readonly env: string }

/** A credential that several environment variables make together. */
export interface EnvReader {
  /** The variables, for the sentence that says what to set. */
  readonly hint: string
  /** The credential, or nothing where a variable is missing. */
  read(env: (name: string) => string | undefined): string | undefined
}

/** Credentials as a deployment keeps them. */
export type Keys = readonly Secret[] | (() => string | Promise<string>)

/** What a deployment lets through; windows slide over 60 seconds. */
export interface DeploymentLimits {
  /** Answers open at once. */
  readonly concurrency?: number
  readonly requestsPerMinute?: number
  readonly inputTokensPerMinute?: number
  readonly outputTokensPerMinute?: number
  /** Input and output together. */
  readonly tokensPerMinute?: number
}

/** An upstream, a model, a base URL, credentials, a price and capabilities: what a candidate is made of. */
export interface Deployment {
  readonly kind: 'deployment'
  readonly id: string
  readonly provider: string
  readonly model: string
  readonly capabilities: Capabilities
  readonly tags: readonly string[]
  readonly price?: Price
  readonly limits?: DeploymentLimits
  /** Its share under `weighted`. */
  readonly weight?: number
  /** Its latency does not depend on our load: a provider's own fleet, not a server of ours. */
  readonly managed?: boolean
  /** Where it computes, such as `eu`. */
  readonly region?: string
  /** What its operator promises about data, such as `no-training` or `zero-retention`. */
  readonly dataPolicy?: readonly string[]
  readonly headers?: Headers
  /** How it is reached: over the transport, or by an upstream of its own. */
  readonly reach:
    | { readonly adapter: Adapter | (() => Promise<Adapter>); readonly baseUrl: string; readonly keys?: Keys; readonly env?: readonly (string | EnvReader)[]; /** It is the host of its provider: keys that are given for the provider may go there. */ readonly home?: boolean; readonly keyless: boolean }
    | { readonly upstream: Upstream }
}
/** How a try ended, for gates and breakers. */
export interface AttemptEnd {
  readonly outcome: 'success' | 'failure' | 'neutral'
  readonly fault?: GatewayError
  readonly usage?: Usage
  readonly limits?: RateLimits
  readonly durationMs: number
  /** From the start of the try to its first content. */
  readonly firstEventMs?: number
}
/** Leave to proceed; released once, at the end of the answer. */
export interface Permit {
  /** The first content came, `firstEventMs` after the start: a provisional success. */
  committed?(firstEventMs: number): void
  release(end: AttemptEnd): void
}
/** No leave now. `queue_full` means a place will be free when an answer ends; any other code, that time has to pass. */
export interface Refusal {
  readonly refused: Code
  /** Epoch milliseconds on the clock of the gateway; absent where only an end of another answer helps. */
  readonly retryAtMs?: number
  /** In words, for `attempts` and `health()`. */
  readonly reason?: string
}
/** What a gate may know of the call that wants in. */
export interface GateCall {
  /** Estimated tokens of the prompt; counted at most once per call. */
  inputTokens(): number
  /** Everybody else has failed this call: an open circuit lets it try once more, and learns nothing from it. */
  readonly lastResort?: boolean | undefined
  /** The most the answer may have, where the request says it. */
  readonly maxOutputTokens?: number | undefined
}
/** Admission control for a deployment: synchronous. */
export interface Gate {
  tryEnter(deployment: Deployment, call: GateCall): Permit | Refusal
  /** Calls `listener` when a permit may have become free; returns its removal. */
  onFree(listener: () => void): () => void
}

/** What a plugin may know of a call. */
export interface CallView {
  readonly id: string
  readonly kind: CallKind
  readonly model: string
  readonly metadata?: { readonly [key: string]: Json }
  /** What the caller says belongs together: masks are the same over all of it. */
  readonly conversation?: string
  /** The time of the gateway, for hooks that wait. */
  readonly clock: Clock
  /** Runs `done` once the call was settled. */
  onEnd(done: () => void): void
  /** Who asks: a conversation is theirs alone. */
  readonly principal?: Principal
}
/** Why event hooks are flushed: `restart` means all that was emitted is void. */
export type FlushReason = 'finish' | 'error' | 'aborted' | 'restart'
/** The hooks of one call. */
export interface Hooks {
  /** May change the request, wait, or throw a `GatewayError` with code `refused`. */
  request?(request: UpstreamRequest): UpstreamRequest | Promise<UpstreamRequest>
  /** One event in, none to several out; synchronous. */
  event?(event: ChatEvent): ChatEvent | readonly ChatEvent[] | undefined
  /** What is still held back. On `restart` the hook drops it and starts over. */
  flush?(reason: FlushReason): readonly ChatEvent[] | undefined
}
/** An installable unit. */
export interface Plugin {
  readonly name: string
  open?(call: CallView): Hooks
  /** Sees each finished call, frozen, after it was settled; can neither throw nor delay. */
  observe?(record: CallRecord): void
  /** Empties what it holds back. */
  flush?(): Promise<void>
  close?(): Promise<void>
  /** Records it could not keep, shown in `health()`. */
  dropped?(): number
  /** It wants `record.content`. */
  readonly content?: boolean
}
