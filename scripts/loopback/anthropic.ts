import { askedOf, type Answer, type Dialect, type Piece, type Reason } from './dialect.js'

const TYPES = new Map<number, readonly [type: string, message: string]>([
  [401, ['authentication_error', 'invalid x-api-key']],
  [402, ['billing_error', 'Your credit balance is too low to access the Anthropic API.']],
  [403, ['permission_error', 'Your API key does not have permission to use the specified resource.']],
  [404, ['not_found_error', 'model not found']],
  [413, ['request_too_large', 'Request exceeds the maximum size']],
  [429, ['rate_limit_error', "This request would exceed your organization's rate limit."]],
  [503, ['api_error', 'Service unavailable']],
  [504, ['timeout_error', 'Request timed out']],
  [529, ['overloaded_error', 'Overloaded']],
])
const REASONS: Record<Reason, string> = {
  contextLength: 'prompt is too long: 214031 tokens > 200000 maximum',
  contentFilter: 'Output blocked by content filtering policy',
  prefill: 'This model does not support assistant message prefill. The conversation must end with a user message.',
  missing: 'max_tokens: Field required',
  path: 'Not Found',
}

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
}

function usageOf(inputTokens: number, outputTokens: number): object {
  return {
    input_tokens: inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: outputTokens,
    service_tier: 'standard',
  }
}

function stopOf(answer: Answer): string {
  return answer.cutByLimit ? 'max_tokens' : 'end_turn'
}

function pieces(answer: Answer): readonly Piece[] {
  const { id, model, words, inputTokens } = answer
  const message = { model, id, type: 'message', role: 'assistant', content: [], stop_reason: null, stop_sequence: null, usage: usageOf(inputTokens, 1) }
  return [
    { kind: 'head', data: event('message_start', { message }) },
    { kind: 'head', data: event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }) },
    { kind: 'head', data: event('ping', {}) },
    ...words.map((text): Piece => ({ kind: 'word', data: event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }) })),
    { kind: 'tail', data: event('content_block_stop', { index: 0 }) },
    { kind: 'tail', data: event('message_delta', { delta: { stop_reason: stopOf(answer), stop_sequence: null }, usage: { output_tokens: words.length } }) },
    { kind: 'done', data: event('message_stop', {}) },
  ]
}

/** The Anthropic messages wire. */
export const anthropicWire: Dialect = {
  path: '/messages',
  asked: body => (typeof body['max_tokens'] === 'number' ? askedOf(body, true, body['max_tokens']) : undefined),
  idOf: attempt => `msg_${attempt.toString(36).padStart(24, '0')}`,
  headers: requestId => ({
    'request-id': requestId,
    'anthropic-ratelimit-requests-limit': '4000',
    'anthropic-ratelimit-requests-remaining': '3999',
    'anthropic-ratelimit-requests-reset': new Date(Date.now() + 1000).toISOString(),
    'anthropic-ratelimit-tokens-limit': '2000000',
    'anthropic-ratelimit-tokens-remaining': '1999000',
    'anthropic-ratelimit-tokens-reset': new Date(Date.now() + 1000).toISOString(),
  }),
  pieces,
  json: answer => ({
    model: answer.model,
    id: answer.id,
    type: 'message',
    role: 'assistant',
    content: [{ type: 'text', text: answer.words.join('') }],
    stop_reason: stopOf(answer),
    stop_sequence: null,
    usage: usageOf(answer.inputTokens, answer.words.length),
  }),
  error(status, requestId, reason) {
    const [type, message] = TYPES.get(status) ?? (status < 500 ? ['invalid_request_error', 'The request is not valid.'] : ['api_error', 'Internal server error'])
    return { type: 'error', error: { type, message: reason === undefined ? message : REASONS[reason] }, request_id: requestId }
  },
  errorPiece: requestId => event('error', { error: { details: null, type: 'overloaded_error', message: 'Overloaded' }, request_id: requestId }),
}
