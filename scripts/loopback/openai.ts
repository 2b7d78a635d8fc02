import { askedOf, isRecord, type Answer, type Dialect, type Piece, type Reason } from './dialect.js'

const TYPES = new Map<number, readonly [type: string, code: string | null, message: string]>([
  [401, ['invalid_request_error', 'invalid_api_key', 'Incorrect API key provided.']],
  [402, ['insufficient_quota', 'insufficient_quota', 'You exceeded your current quota, please check your plan and billing details.']],
  [404, ['invalid_request_error', 'model_not_found', 'The model does not exist or you do not have access to it.']],
  [429, ['requests', 'rate_limit_exceeded', 'Rate limit reached for requests. Please try again later.']],
  [503, ['server_error', null, 'The engine is currently overloaded, please try again later.']],
])
const REASONS: Record<Reason, object> = {
  contextLength: { message: 'Your input exceeds the context window of this model. Please adjust your input and try again.', type: 'invalid_request_error', param: 'messages', code: 'context_length_exceeded' },
  contentFilter: {
    message: 'The prompt was filtered due to the content management policy of the service. Please modify your prompt and retry.',
    type: null,
    param: 'prompt',
    code: 'content_filter',
    status: 400,
    innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: { violence: { filtered: true, severity: 'medium' } } },
  },
  prefill: { message: 'The last message must not be an assistant message.', type: 'invalid_request_error', param: 'messages', code: 'invalid_value' },
  missing: { message: 'Missing required parameter.', type: 'invalid_request_error', param: 'messages', code: 'missing_required_parameter' },
  path: { message: 'Unknown request URL.', type: 'invalid_request_error', param: null, code: 'unknown_url' },
}

function usageOf({ inputTokens, words }: Answer): object {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: words.length,
    total_tokens: inputTokens + words.length,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
  }
}

function finishOf(answer: Answer): string {
  return answer.cutByLimit ? 'length' : 'stop'
}

function common({ id, createdMs, model }: Answer, object: string): object {
  return { id, object, created: Math.floor(createdMs / 1000), model, service_tier: 'default', system_fingerprint: 'fp_loopback' }
}

function pieces(answer: Answer): readonly Piece[] {
  const line = (choices: readonly object[], usage?: object) => `data: ${JSON.stringify({ ...common(answer, 'chat.completion.chunk'), choices, ...(answer.usage && { usage: usage ?? null }) })}\n\n`
  const chunk = (delta: object, finish: string | null) => line([{ index: 0, delta, logprobs: null, finish_reason: finish }])
  return [
    { kind: 'head', data: chunk({ role: 'assistant', content: '', refusal: null }, null) },
    ...answer.words.map((content): Piece => ({ kind: 'word', data: chunk({ content }, null) })),
    { kind: 'tail', data: chunk({}, finishOf(answer)) },
    ...(answer.usage ? [{ kind: 'tail', data: line([], usageOf(answer)) } as const] : []),
    { kind: 'done', data: 'data: [DONE]\n\n' },
  ]
}

/** The OpenAI chat-completions wire. */
export const openaiWire: Dialect = {
  path: '/chat/completions',
  asked: body => askedOf(body, isRecord(body['stream_options']) && body['stream_options']['include_usage'] === true, body['max_completion_tokens'] ?? body['max_tokens']),
  idOf: attempt => `chatcmpl-${attempt.toString(36).padStart(29, '0')}`,
  headers: requestId => ({
    'x-request-id': requestId,
    'openai-processing-ms': '12',
    'openai-version': '2020-10-01',
    'x-ratelimit-limit-requests': '10000',
    'x-ratelimit-remaining-requests': '9999',
    'x-ratelimit-reset-requests': '6ms',
    'x-ratelimit-limit-tokens': '2000000',
    'x-ratelimit-remaining-tokens': '1999000',
    'x-ratelimit-reset-tokens': '30ms',
  }),
  pieces,
  json: answer => ({
    ...common(answer, 'chat.completion'),
    choices: [{ index: 0, message: { role: 'assistant', content: answer.words.join(''), refusal: null, annotations: [] }, logprobs: null, finish_reason: finishOf(answer) }],
    usage: usageOf(answer),
  }),
  error(status, _requestId, reason) {
    if (reason !== undefined) return { error: REASONS[reason] }
    const [type, code, message] = TYPES.get(status) ?? (status < 500 ? ['invalid_request_error', null, 'The request is not valid.'] : ['server_error', null, 'The server had an error while processing your request. Sorry about that!'])
    return { error: { message, type, param: null, code } }
  },
  errorPiece: () => `data: ${JSON.stringify({ error: { message: 'The server had an error while processing your request. Sorry about that!', type: 'server_error', param: null, code: null } })}\n\n`,
}
