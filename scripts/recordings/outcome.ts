import type { ChatResult, Code, FinishReason, GatewayError, ToolCall, Usage } from 'sallyport'
import { verdict } from '../../src/protocol/errors.js'
import { parseJson } from '../../src/protocol/json.js'
import { differences, describe, type Difference } from './difference.js'
import type { Expected, ExpectedCall } from './recording.js'

/** How a call ended. */
export type Ended = { readonly result: ChatResult } | { readonly fault: GatewayError }

const FINISH: Readonly<Record<FinishReason, readonly (string | null)[]>> = {
  stop: ['stop'],
  length: ['length'],
  'tool-calls': ['tool_calls'],
  'content-filter': ['content_filter'],
  other: ['unknown', 'error', null],
}
const CODES: ReadonlyMap<string, Code> = new Map([
  ['authentication', 'credential_rejected'], ['permission', 'credential_rejected'], ['not_found', 'model_not_found'], ['invalid_request', 'invalid_request'],
  ['too_large', 'invalid_request'], ['rate_limit', 'rate_limited'], ['quota', 'quota_exhausted'], ['overloaded', 'overloaded'],
  ['server', 'upstream_error'], ['timeout', 'upstream_error'], ['conflict', 'upstream_error'], ['context_length', 'context_length'], ['content_filter', 'content_filter'],
])
/** Words longer than this, or with blanks, are not taken for identifiers. */
const IDENTIFIER = /^[\w.:/[\]-]{1,80}$/

function calls(expected: readonly ExpectedCall[], got: readonly ToolCall[]): Difference[] {
  const wanted = expected.map(({ name, arguments: input }) => ({ name, input, written: input }))
  const found = got.map(({ name, input, arguments: written }) => ({ name, input, written: parseJson(written) }))
  // Where the server gave none, one is made up: a text, and no two alike.
  const ids = expected.flatMap(({ id = '' }, at) => (id === '' ? differences(at, got.findIndex(call => call.id !== '' && call.id === got[at]?.id), `toolCalls[${at}].id is of its own`) : differences(id, got[at]?.id, `toolCalls[${at}].id`)))
  return [...differences(wanted, found, 'toolCalls'), ...ids]
}

// Where a server says nothing of cached or reasoning tokens, 0 and nothing are the same.
function usage(expected: Expected['usage'], got: Usage): Difference[] {
  if (expected === undefined) return differences(undefined, got.inputTokens, 'usage.input')
  const pairs = [
    ['input', expected.input, got.inputTokens],
    ['output', expected.output, got.outputTokens],
    ['cached', expected.cached, got.cachedInputTokens],
    ['cacheWrite', expected.cacheWrite, got.cacheWriteTokens],
    ['reasoning', expected.reasoning, got.reasoningTokens],
  ] as const
  return pairs.flatMap(([name, wanted, found]) => (wanted === undefined && found === 0 ? [] : differences(wanted, found, `usage.${name}`)))
}

function completion(expected: Expected, result: ChatResult): Difference[] {
  const [choice] = expected.choices
  if (choice === undefined) return [{ path: 'expect.choices', recorded: 'a choice', arrived: undefined }]
  const { raw, accept } = choice.finish
  const accepted = FINISH[result.finishReason].some(word => accept.includes(word))
  return [
    ...differences(choice.text, result.text, 'text'),
    ...differences(choice.reasoning ?? '', result.reasoning, 'reasoning'),
    ...differences(choice.refusal, result.refusal, 'refusal'),
    ...calls(choice.toolCalls, result.toolCalls),
    ...(accepted ? [] : [{ path: 'finish', recorded: accept, arrived: result.finishReason }]),
    // An empty word is no word.
    ...differences(raw ?? '', result.rawFinishReason ?? '', 'finish.raw'),
    ...usage(expected.usage, result.usage),
  ]
}

/** What only some servers say: a number as the code, which is the status once more, a reason as the word, and a wait. */
function details(expected: Expected['error'], fault: GatewayError): Difference[] {
  const { code, reason, retry_after_ms: waitMs } = expected ?? {}
  return [
    ...(typeof code === 'number' ? differences(code, fault.status, 'status') : []),
    ...(reason === undefined ? [] : differences(reason, fault.upstream?.code, 'upstream.code')),
    ...(waitMs === undefined ? [] : differences(waitMs, fault.retryAfterMs, 'retryAfterMs')),
  ]
}

function failure(expected: Expected['error'], fault: GatewayError): Difference[] {
  const words = (['type', 'code', 'param'] as const).flatMap(key => {
    const wanted = expected?.[key]
    return typeof wanted !== 'string' || !IDENTIFIER.test(wanted) ? [] : differences(wanted, fault.upstream?.[key], `upstream.${key}`)
  })
  const sentence = expected?.message
  return [
    ...differences(CODES.get(expected?.class ?? ''), fault.code, 'code'),
    ...differences(expected?.retryable, verdict(fault.code).retry, 'retryable'),
    ...words,
    ...details(expected, fault),
    ...(sentence === undefined ? [] : differences(sentence, fault.upstream?.message, 'upstream.message')),
    // The provider's sentence may hold parts of a prompt, so it has no place in ours.
    ...(sentence !== undefined && fault.message.includes(sentence) ? [{ path: 'message', recorded: 'a sentence of our own', arrived: "the provider's" }] : []),
  ]
}

// The prompt was refused before anything was written: an answer without content that says why.
function blocked({ finishReason, content, usage: { outputTokens } }: Pick<ChatResult, 'finishReason' | 'usage'> & { readonly content: string }): Difference[] {
  return [...differences('content-filter', finishReason, 'finish'), ...differences('', content, 'content'), ...differences(undefined, outputTokens, 'usage.output')]
}

/** What is not as `expect` says, a line each. */
export function wrongIn(expected: Expected, ended: Ended): string[] {
  const wanted = expected.outcome === 'stream_error' ? 'error' : expected.outcome
  const outcome = 'result' in ended ? 'completion' : ended.fault.code === 'malformed_response' ? 'malformed' : 'error'
  if (expected.outcome === 'prompt_blocked' && 'result' in ended) return blocked({ ...ended.result, content: `${ended.result.text}${ended.result.reasoning}` }).map(describe)
  if (outcome !== wanted) return [`outcome: ${wanted} expected, ${outcome}${'fault' in ended ? ` (${ended.fault.code}: ${ended.fault.message})` : ''} found`]
  if ('result' in ended) return completion(expected, ended.result).map(describe)
  return outcome === 'error' ? failure(expected.error, ended.fault).map(describe) : []
}
