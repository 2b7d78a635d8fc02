import type { Code } from './errors.js'
import type { Json } from './json.js'
import type { Citation, ToolCall } from './request.js'

/** Why the model stopped. */
export type FinishReason = 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'other'

/**
 * Tokens of one attempt. `inputTokens` includes cached reads and cache writes, `outputTokens` includes reasoning. A field
 * the provider did not report is absent, never 0.
 */
export interface Usage {
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly cachedInputTokens?: number
  readonly cacheWriteTokens?: number
  /** The part of `cacheWriteTokens` that is kept for an hour. */
  readonly cacheWrite1hTokens?: number
  readonly reasoningTokens?: number
  /** Parts of `inputTokens` and `outputTokens`; absent where there were none. */
  readonly inputAudioTokens?: number
  /** The part of `inputAudioTokens` that was read from a cache. */
  readonly cachedInputAudioTokens?: number
  readonly outputAudioTokens?: number
  readonly inputImageTokens?: number
  readonly outputImageTokens?: number
  /** The provider's word for how it was served (`flex`, `priority`, `batch`, ...); absent where it was the ordinary way. */
  readonly serviceTier?: string
  /** What the provider says the attempt cost, in US dollars. */
  readonly reportedCostUsd?: number
}

/** Something that was changed, dropped or skipped on the way; the answer is still whole. */
export interface Warning {
  readonly code: 'unsupported' | 'changed' | 'dropped' | 'frame_skipped' | 'missing_terminal' | 'other'
  readonly message: string
  /** The request field or position it is about. */
  readonly parameter?: string
}

/** Log probability of one output token. */
export interface TokenLogprob {
  readonly token: string
  readonly logprob: number
  readonly top?: readonly { readonly token: string; readonly logprob: number }[]
}

/** Exactly one per answer, and last. */
export interface FinishEvent {
  readonly type: 'finish'
  readonly finishReason: FinishReason
  /** The provider's own word, or `null` where it sent none. */
  readonly rawFinishReason?: string | null
  readonly usage: Usage
}

/** What an answer is made of, the same for every provider and for both wires. */
export type ChatEvent =
  | { readonly type: 'start'; readonly id?: string; readonly model?: string }
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'reasoning-delta'; readonly text: string }
  | { readonly type: 'refusal-delta'; readonly text: string }
  | { readonly type: 'tool-call-start'; readonly index: number; readonly id: string; readonly name: string }
  | { readonly type: 'tool-call-delta'; readonly index: number; readonly arguments: string }
  | ({ readonly type: 'tool-call'; readonly index: number } & ToolCall)
  | { readonly type: 'file'; readonly mediaType: string; readonly data: Uint8Array | string }
  | ({ readonly type: 'citation' } & Citation)
  | { readonly type: 'logprobs'; readonly tokens: readonly TokenLogprob[] }
  /** Of calls for embeddings only; `index` is the place of its text among the inputs. */
  | { readonly type: 'embedding'; readonly index: number; readonly vector: Float32Array }
  | ProviderDataEvent
  | { readonly type: 'warning'; readonly warning: Warning }
  | { readonly type: 'restart'; readonly attempt: number; readonly reason: Code }
  | FinishEvent

/**
 * Data of the dialect's own that belongs to the part being written. `on` says to which: `reasoning` and `text` close that
 * part (so two signed reasoning blocks stay two parts) and open an empty one where none is open; `tool-call` is the call
 * announced last; `message` goes to the result's `providerMetadata` only.
 */
export interface ProviderDataEvent {
  readonly type: 'provider-data'
  readonly dialect: string
  readonly data: Json
  readonly on: 'reasoning' | 'text' | 'tool-call' | 'message'
}

const CONTENT = new Set<ChatEvent['type']>(['text-delta', 'reasoning-delta', 'refusal-delta', 'tool-call-start', 'tool-call', 'file', 'embedding'])

/** True for the events after which a stream no longer switches upstream: the first content. */
export function isContent(event: ChatEvent): boolean {
  return CONTENT.has(event.type)
}
