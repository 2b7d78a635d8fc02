import * as answers from '../conversations/answers.js'
import type { Answer, Said } from '../conversations/answers.js'
import { eventBytes, joined } from '../providers/bedrock/support.js'
import { piece } from '../providers/gemini/support.js'
import { COUNTS, last, line } from '../providers/ollama/support.js'
import { call, framesFor, response, text as message, thought } from '../providers/responses/support.js'
import type { Fixtures } from './fixtures.js'

const json = (value: unknown): string => JSON.stringify(value)
const sse = (...data: readonly unknown[]): string => data.map(each => `data: ${json(each)}\n\n`).join('')
const named = (frames: readonly { readonly event?: string; readonly data: string }[]): string => frames.map(({ event, data }) => `${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`).join('')
const lines = (...objects: readonly object[]): string => objects.map(each => `${json(each)}\n`).join('')

const SAID: readonly Said[] = [
  { reasoning: 'Hm.', text: 'Grüße 🎈' },
  { reasoning: 'Two.', text: 'Both.', calls: [{ id: 'a1', name: 'f', input: { a: [1, { b: null }] } }, { id: 'a2', name: 'g', input: {} }] },
]
const bodies = (answer: Answer, ...more: readonly unknown[]): string[] => [...SAID.map(said => json(answer(said, 'sealed'))), ...more.map(json)]
const PAGE = '<html><head><title>502</title></head></html>'

export const RESPONSES: Fixtures = {
  streams: [
    named(framesFor(response([thought(['Hm.', 'Two.']), message('Grüße 🎈'), call('f', { a: [1, null] })]))),
    named(framesFor(response([{ type: 'custom_tool_call', id: 'c1', call_id: 'call_1', name: 'exec', input: 'x\n', status: 'completed' }, { type: 'web_search_call', id: 'w1', status: 'completed', action: { query: 'q' } }]))),
    named([{ event: 'error', data: json({ type: 'error', code: 'server_error', message: 'm', param: null }) }, { event: 'response.failed', data: json({ type: 'response.failed', response: response([], { status: 'failed', error: { code: 'rate_limit_exceeded', message: 'm' } }) }) }]),
    named([{ event: 'response.incomplete', data: json({ type: 'response.incomplete', response: response([message('cut')], { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }) }) }]),
  ],
  bodies: bodies(answers.responses, response([{ ...message(''), content: [{ type: 'refusal', refusal: 'No.' }] }, { type: 'image_generation_call', id: 'i', result: 'QUJD', output_format: 'png' }]), response([], { status: 'queued' })),
  errors: [json({ error: { message: 'm', type: 't', param: 'p', code: 'model_not_found' } }), json({ error: 'plain', code: 'c' }), PAGE],
}

export const GEMINI: Fixtures = {
  streams: [
    sse(piece([{ text: 'H', thought: true }]), piece([{ text: 'Grüße 🎈' }], undefined, { usageMetadata: { promptTokenCount: 3 } }), piece([{ text: '', thoughtSignature: 'S' }], 'STOP', { usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, thoughtsTokenCount: 1, totalTokenCount: 6 } })).replaceAll('\n', '\r\n'),
    sse(piece([{ functionCall: { name: 'f', args: { a: [1] } }, thoughtSignature: 'S' }, { functionCall: { name: 'g', args: {} } }]), piece([], 'STOP')),
    sse(piece([{ functionCall: { name: 'f', willContinue: true } }]), piece([{ functionCall: { partialArgs: [{ jsonPath: '$.a[0].b', stringValue: 'x', willContinue: true }] } }]), piece([{ functionCall: { partialArgs: [{ jsonPath: '$.n', numberValue: 1 }], willContinue: false } }], 'STOP')),
    json([piece([{ text: 'a' }]), piece([{ inlineData: { mimeType: 'image/png', data: 'QUJD' } }, { executableCode: { language: 'PYTHON', code: '1' } }], 1)]),
    `${sse(piece([{ text: 'a' }]))}{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}\n`,
  ],
  bodies: bodies(answers.gemini, { promptFeedback: { blockReason: 'SAFETY' } }, piece([{ text: 'a' }], 'STOP', { candidates: [{ content: {}, finishReason: 'RECITATION', groundingMetadata: { groundingChunks: [{ web: { uri: 'https://a.example/', title: 't' } }], groundingSupports: [{ segment: { text: 'a' }, groundingChunkIndices: [0] }] }, logprobsResult: { chosenCandidates: [{ token: 'a', logProbability: -1 }] } }] })),
  errors: [json({ error: { code: 429, message: 'm', status: 'RESOURCE_EXHAUSTED', details: [{ '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaId: 'PerDay' }] }, { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.4s' }] } }), json([{ error: { code: 400, details: [{ reason: 'API_KEY_INVALID' }] } }]), PAGE],
}

const delta = (contentBlockIndex: number, fields: object): [string, object] => ['contentBlockDelta', { contentBlockIndex, delta: fields, p: 'abc' }]
const CONVERSE: readonly (readonly [event: string, data: object])[][] = [
  [['messageStart', { role: 'assistant' }], delta(0, { reasoningContent: { text: 'Hm.' } }), delta(0, { reasoningContent: { signature: 'sig' } }), ['contentBlockStop', { contentBlockIndex: 0 }], delta(1, { text: 'Grüße 🎈' }), ['contentBlockStop', { contentBlockIndex: 1 }], ['messageStop', { stopReason: 'end_turn' }], ['metadata', { usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5, cacheReadInputTokens: 1 } }]],
  [['messageStart', { role: 'assistant' }], ['contentBlockStart', { contentBlockIndex: 0, start: { toolUse: { toolUseId: 't1', name: 'f' } } }], delta(0, { toolUse: { input: '{"a":' } }), delta(0, { toolUse: { input: '[1]}' } }), ['contentBlockStop', { contentBlockIndex: 0 }], ['messageStop', { stopReason: 'tool_use' }], ['metadata', { usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 } }]],
]
const CONVERSE_BODIES = bodies(answers.bedrock, { output: { message: { role: 'assistant', content: [{ citationsContent: { content: [{ text: 'a' }], citations: [{ title: 't' }] } }] } }, stopReason: 'guardrail_intervened', usage: {}, trace: { guardrail: {} } })
const CONVERSE_ERRORS = [json({ message: 'The provided model identifier is invalid.' }), json({ __type: 'com.amazon#ThrottlingException', Message: 'm' }), PAGE]

/** Frames with their checksums: most changes are found by these. */
export const BEDROCK: Fixtures = { streams: CONVERSE.map(stream => joined(stream.map(([event, data]) => eventBytes(event, data)))), bodies: CONVERSE_BODIES, errors: CONVERSE_ERRORS }
/** The same events as text, so that changes get as far as the decoder. */
export const BEDROCK_EVENTS: Fixtures = { streams: CONVERSE.map(stream => named(stream.map(([event, data]) => ({ event, data: json(data) })))), bodies: CONVERSE_BODIES, errors: CONVERSE_ERRORS }

const cohereDelta = (type: string, inner: object, index = 0): object => ({ type, index, delta: { message: inner } })
const COHERE_USAGE = { billed_units: { input_tokens: 1 }, tokens: { input_tokens: 20, output_tokens: 7 }, cached_tokens: 1 }
export const COHERE: Fixtures = {
  streams: [
    sse({ type: 'message-start', id: 'm1' }, cohereDelta('content-start', { content: { type: 'thinking', thinking: '' } }), cohereDelta('content-delta', { content: { thinking: 'Hm.' } }), { type: 'content-end', index: 0 }, cohereDelta('content-start', { content: { type: 'text', text: '' } }, 1), cohereDelta('content-delta', { content: { text: 'Grüße 🎈' } }, 1), cohereDelta('citation-start', { citations: { start: 0, end: 2, text: 'Gr', sources: [{ type: 'document', id: 'd', document: { url: 'https://a.example' } }] } }), { type: 'message-end', delta: { finish_reason: 'COMPLETE', usage: COHERE_USAGE } }),
    sse(cohereDelta('tool-plan-delta', { tool_plan: 'Plan.' }), cohereDelta('tool-call-start', { tool_calls: { id: 'a1', type: 'function', function: { name: 'f', arguments: '' } } }), cohereDelta('tool-call-delta', { tool_calls: { function: { arguments: '{"a":1}' } } }), { type: 'tool-call-end', index: 0 }, { type: 'message-end', delta: { finish_reason: 'TOOL_CALL', usage: COHERE_USAGE } }),
    sse({ type: 'message-end', delta: { finish_reason: 'ERROR', error: 'm' } }),
  ],
  bodies: bodies(answers.cohere, { id: 'm', message: { role: 'assistant', tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: null } }] }, finish_reason: 'TOOL_CALL', usage: COHERE_USAGE }),
  errors: [json({ id: 'x', message: 'too many tokens: size limit exceeded', error_type: 'TOO_MANY_TOKENS' }), json({ message: 'invalid api token' }), PAGE],
}

export const OLLAMA: Fixtures = {
  streams: [
    lines(line({ thinking: 'Hm.' }), line({ content: 'Grüße ' }), line({ content: '🎈' }), last('stop')),
    lines(line({ tool_calls: [{ function: { name: 'f', arguments: { a: [1] } } }, { id: 'x', function: { index: 1, name: 'g', arguments: {} } }] }), last('stop', COUNTS)),
    lines(line({ content: 'a' }), { error: 'the model stopped' }),
  ],
  bodies: bodies(answers.ollama, { ...last('length'), message: { role: 'assistant', content: 'cut', images: ['QUJD'] } }),
  errors: [json({ error: 'model "x" not found' }), json({ StatusCode: 401, Status: '401', error: 'unauthorized' }), PAGE],
}
