import type { Code, Deadline } from './errors.js'
import type { FinishReason, TokenLogprob, Usage, Warning } from './events.js'
import type { Json } from './json.js'
import type { Downgraded, PolicyDecision } from './policy.js'
import type { Note, Principal } from './strategy.js'
import type { AssistantMessage, CallKind, ToolCall } from './request.js'

/** One upstream try, or a deployment that was passed over. */
export interface AttemptReport {
  readonly deployment: string
  readonly provider: string
  readonly model: string
  readonly outcome: 'success' | 'failure' | 'aborted' | 'skipped'
  /** The fault, or why it was skipped. */
  readonly code?: Code
  readonly reason?: string
  readonly status?: number
  readonly deadline?: Deadline
  /** From the start of the call, in milliseconds. */
  readonly startedMs: number
  readonly durationMs: number
  /** From the start of the try to its first content, in milliseconds. */
  readonly firstEventMs?: number
  /** How long the walk waited before the next try, in milliseconds. */
  readonly waitedMs?: number
  readonly usage?: Usage
  /** Nano-dollars; absent where the price or the usage is unknown. */
  readonly costNanos?: number
  /** The id the provider gave its answer. */
  readonly responseId?: string
  /** What the strategies said of choosing this deployment. */
  readonly note?: Note
}

/** A deployment that was never a candidate. */
export interface Excluded {
  readonly deployment: string
  readonly reason: string
}

/** What had arrived of an answer. */
export interface Partial {
  readonly text: string
  readonly reasoning: string
  readonly toolCalls: readonly ToolCall[]
}

/** What a call cost: all attempts together. */
export interface Cost {
  /** US dollars; `null` where an attempt that billed has no price. */
  readonly usd: number | null
  /** The same in integer nano-dollars. */
  readonly nanos: number | null
  /** Nano-dollars by kind of use. */
  readonly parts: { readonly [kind: string]: number }
  /** True where the usage was counted by us, not reported by the provider. */
  readonly estimated: boolean
  /** US dollars that the cache, or joining the flight of another call, saved. */
  readonly saved: number
  readonly source: 'reported' | 'priced' | 'unknown'
}

/** Milliseconds from the start of the call. */
export interface Timings {
  readonly startedAt: number
  readonly firstEventMs?: number
  readonly totalMs: number
}

/** A finished answer. */
export interface ChatResult<Output = unknown> {
  readonly id: string
  readonly text: string
  readonly reasoning: string
  readonly refusal?: string
  readonly toolCalls: readonly ToolCall[]
  /** Goes straight back into `messages`. */
  readonly message: AssistantMessage
  /** The parsed answer, where `output` was asked for. */
  readonly output: Output
  readonly finishReason: FinishReason
  readonly rawFinishReason?: string | null
  /** Tokens of the answering attempt. */
  readonly usage: Usage
  readonly cost: Cost
  readonly provider: string
  /** The model that answered, as the provider names it. */
  readonly model: string
  readonly deployment: string
  /** `hit`: from the cache; `joined`: from the flight of an identical call; both cost nothing. */
  readonly cached: false | 'hit' | 'joined'
  /** The branch of an experiment that answered. */
  readonly variant?: string
  /** A budget sent the call to a cheaper route or deployment. */
  readonly downgraded?: Downgraded
  readonly attempts: readonly AttemptReport[]
  readonly warnings: readonly Warning[]
  readonly timings: Timings
  readonly files: readonly { readonly mediaType: string; readonly data: Uint8Array | string }[]
  readonly logprobs?: readonly TokenLogprob[]
  readonly response: { readonly id?: string; readonly headers: Readonly<Record<string, string>> }
  readonly providerMetadata: { readonly [dialect: string]: Json }
}

/**
 * What is written down about a call, version 1. `content` is present only where a sink asked for it, and then as the
 * upstream saw it.
 */
export interface CallRecord {
  readonly version: 1
  readonly id: string
  readonly kind: CallKind
  /** ISO 8601, UTC. */
  readonly startedAt: string
  /** What the caller asked for. */
  readonly model: string
  readonly route: string
  readonly outcome: 'success' | 'failure' | 'aborted'
  readonly code?: Code
  readonly deployment?: string
  readonly provider?: string
  readonly answeredModel?: string
  readonly finishReason?: FinishReason
  readonly usage?: Usage
  readonly costNanos?: number | null
  /** Nano-dollars that `cached` saved. */
  readonly savedNanos?: number
  readonly cached?: 'hit' | 'joined'
  readonly attempts: readonly AttemptReport[]
  readonly excluded: readonly Excluded[]
  readonly warnings: readonly Warning[]
  readonly restarts: number
  readonly firstEventMs?: number
  readonly totalMs: number
  readonly metadata?: { readonly [key: string]: Json }
  readonly principal?: Principal
  readonly conversation?: string
  /** Not a caller's call: shadow traffic, a copy of the call named here, or what was charged for a call whose process died. Its cost is nobody's budget unless `principal` says whose. */
  readonly system?: { readonly shadowOf: string } | { readonly lapsed: string }
  /** What budgets and limits made of it; absent where none is about it. */
  readonly policy?: PolicyDecision
  readonly downgraded?: Downgraded
  /** What the strategies said of choosing the deployment that answered. */
  readonly note?: Note
  readonly content?: { readonly messages: Json; readonly text: string; readonly toolCalls: Json }
}
