import type { Code } from '../../protocol/errors.js'
import type { FinishReason } from '../../protocol/events.js'
import type { Quirks } from './quirks.js'

const REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['stop', 'stop'], ['eos', 'stop'], ['end_turn', 'stop'], ['stop_sequence', 'stop'], ['complete', 'stop'], ['completed', 'stop'],
  ['length', 'length'], ['max_tokens', 'length'], ['model_length', 'length'], ['model_context_window_exceeded', 'length'],
  ['tool_calls', 'tool-calls'], ['tool_use', 'tool-calls'], ['function_call', 'tool-calls'],
  ['content_filter', 'content-filter'], ['sensitive', 'content-filter'],
])
const FAULTS: ReadonlyMap<string, Code> = new Map([['error', 'upstream_error'], ['network_error', 'upstream_error'], ['insufficient_system_resource', 'overloaded']])

/** The code of a finish reason that is no finish but a failure. */
export function faultOfFinish(raw: string): Code | undefined {
  return FAULTS.get(raw.toLowerCase())
}

/**
 * The reason in this library's words. Calls make a plain stop (or no reason at all) `tool-calls`; `tool-calls` without a
 * call is `other`.
 */
export function finishReason(raw: string | undefined, calls: boolean, quirks: Quirks): FinishReason {
  const own = raw !== undefined && quirks.finish !== undefined && Object.hasOwn(quirks.finish, raw) ? quirks.finish[raw] : undefined
  const known = own ?? (raw === undefined ? 'stop' : (REASONS.get(raw.toLowerCase()) ?? 'other'))
  if (known === 'stop') return calls ? 'tool-calls' : 'stop'
  return known === 'tool-calls' && !calls ? 'other' : known
}
