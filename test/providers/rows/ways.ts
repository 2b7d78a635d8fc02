import type { Code, FinishReason, Usage } from 'sallyport'
import { sse, type Body, type Reply } from './wire.js'

/** What one kind of server must be sent and what it answers, written down by hand from what its maker says. */
export interface Way {
  readonly maxTokens: 'max_tokens' | 'max_completion_tokens'
  /** The role a developer message goes in. */
  readonly developer: 'developer' | 'system'
  /** Body fields that ask for the effort `high`. */
  readonly reasoning: Body
  /** Body fields that turn it off. */
  readonly off: Body
  /** `tool_choice` for a call that must be made; `undefined`: none is sent. */
  readonly required: string | undefined
  /** It can call tools. */
  readonly tools: boolean
  /** Fields it is not sent. */
  readonly never: readonly string[]
  readonly format: 'json_schema' | 'json_object'
  readonly strict: boolean
  /** `stream_options` are sent. */
  readonly streamUsage: boolean
  /** An answer that should reason is asked for as a stream. */
  readonly streamsToReason: boolean
  /** The reasoning its answer shows. */
  readonly shows: string
  /** Two user messages become one. */
  readonly joined: boolean
  /** Fields of every body. */
  readonly extra: Body
  /** The header of the key, and what stands before the key. */
  readonly key: readonly [header: string, before: string]
  /** The field reasoning goes back in, of a turn with a call and of one without. */
  readonly replay: { readonly calls?: string; readonly plain?: string }
  /** Answers to a call with tools and reasoning, and to a stream; what must come of them. */
  readonly chat: Reply
  readonly chatUsage: Usage
  readonly stream: Reply
  readonly streamUsageIs: Usage
  readonly streamFinish: readonly [FinishReason, string | null]
  /** An error of its own and what it must count as. */
  readonly error: Reply
  readonly code: Code
}

export const REASONING = 'Let me think.'
const COUNTS = { prompt_tokens: 20, completion_tokens: 7, total_tokens: 27 }
export const COUNTED: Usage = { inputTokens: 20, outputTokens: 7 }
const CALL = { id: 'call_abc', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } }

export function completion(message: Body, finish: string | null, more: Body = {}): Body {
  return { id: 'answer-1', object: 'chat.completion', created: 1, model: 'their-model', choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }], usage: COUNTS, ...more }
}
/** The answer with a call, its reasoning in `field`. */
export function calling(field: string, finish: string | null = 'tool_calls', more: Body = {}, call: Body = CALL): Reply {
  return { body: completion({ content: null, [field]: field === 'reasoning_details' ? [{ type: 'reasoning.text', text: REASONING, index: 0 }] : REASONING, tool_calls: [call] }, finish, more) }
}
export function chunk(delta: Body, finish: string | null = null, more: Body = {}, choice: Body = {}): Body {
  return { id: 'answer-2', object: 'chat.completion.chunk', created: 1, model: 'their-model', choices: [{ index: 0, delta, finish_reason: finish, ...choice }], ...more }
}
/** The stream that answers `{"ok":true}`, its last frames as given. */
export function saying(...last: readonly (Body | string)[]): Reply {
  return { body: sse(chunk({ role: 'assistant', content: '' }), chunk({ content: '{"ok":' }), chunk({ content: 'true}' }), ...last) }
}
export function usageChunk(usage: Body = COUNTS): Body {
  return { id: 'answer-2', object: 'chat.completion.chunk', model: 'their-model', choices: [], usage }
}
export const USUAL_END = [chunk({}, 'stop'), usageChunk(), '[DONE]'] as const

export const PLAIN: Way = {
  maxTokens: 'max_tokens',
  developer: 'system',
  reasoning: { reasoning_effort: 'high' },
  off: { reasoning_effort: 'none' },
  required: 'required',
  tools: true,
  never: ['top_k', 'store', 'n'],
  format: 'json_schema',
  strict: true,
  streamUsage: true,
  streamsToReason: false,
  shows: REASONING,
  joined: false,
  extra: {},
  key: ['authorization', 'Bearer '],
  replay: {},
  chat: calling('reasoning_content'),
  chatUsage: COUNTED,
  stream: saying(...USUAL_END),
  streamUsageIs: COUNTED,
  streamFinish: ['stop', 'stop'],
  error: { status: 401, body: { error: { message: 'Incorrect API key provided', type: 'invalid_request_error', param: null, code: 'invalid_api_key' } } },
  code: 'credential_rejected',
}
/** As a server that takes `top_k`. */
export const TOP_K: Way = { ...PLAIN, never: ['store', 'n'] }
