import { anthropic, compatible, openai, type Code, type Deployment, type DeploymentOptions } from 'sallyport'
import { sse, type Reply } from '../rows/wire.js'

type Make = (origin: string, model: string, options: DeploymentOptions) => Deployment
/** What the walk does with the fault: asks the same deployment again, the next one, or nobody. */
type Then = 'again' | 'next' | 'stop'

export interface ErrorRow {
  readonly name: string
  readonly make: Make
  readonly reply: Reply
  readonly code: Code
  readonly then: Then
  /** What else the error must hold. */
  readonly error?: object
  /** A good answer of the dialect, where it is not one of the two that most speak. */
  readonly fine?: Reply
  /** Asked for as a stream; otherwise as one body. */
  readonly stream?: boolean
}

const OPENAI: Make = (origin, model, options) => openai(model, { ...options, apiKey: 'k', baseUrl: `${origin}/v1` })
const ANTHROPIC: Make = (origin, model, options) => anthropic(model, { ...options, apiKey: 'k', baseUrl: `${origin}/v1` })
const AZURE: Make = (origin, model, options) => compatible({ name: 'azure', baseUrl: `${origin}/openai/v1`, quirks: { authHeader: 'api-key' } }, model, { ...options, apiKey: 'k' })
const at = (id: string): Make => (origin, model, options) => compatible(id as 'groq', model, { ...options, apiKey: 'k', baseUrl: `${origin}/v1` })

const openaiError = (status: number, error: object, headers = {}): Reply => ({ status, headers, body: { error: { param: null, ...error } } })
const anthropicError = (status: number, type: string, message: string, headers = {}, details?: object): Reply => ({ status, headers: { 'request-id': 'req_1', ...headers }, body: { type: 'error', error: { type, message, ...(details !== undefined && { details }) }, request_id: 'req_1' } })
const HTML = { 'content-type': 'text/html; charset=utf-8' }
const PAGE = '<!DOCTYPE html>\n<html><head><title>Error</title></head><body>the prompt stands here</body></html>'

const START = { type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, usage: { input_tokens: 3, output_tokens: 1 } } }
const event = (name: string, data: object): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
const OVERLOADED = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }

const OF_OPENAI: readonly Omit<ErrorRow, 'make'>[] = [
  { name: 'a bad key', reply: openaiError(401, { message: 'Incorrect API key provided: k', type: 'invalid_request_error', code: 'invalid_api_key' }), code: 'credential_rejected', then: 'next', error: { status: 401, upstream: { code: 'invalid_api_key' } } },
  { name: 'no such model', reply: openaiError(404, { message: 'The model does not exist', type: 'invalid_request_error', code: 'model_not_found' }), code: 'model_not_found', then: 'next' },
  { name: 'no such model, said with 400', reply: openaiError(400, { message: 'The requested model does not exist', type: 'invalid_request_error', code: 'model_not_found' }), code: 'model_not_found', then: 'next' },
  { name: 'a prompt that is too long', reply: openaiError(400, { message: 'Your input exceeds the context window of this model.', type: 'invalid_request_error', code: 'context_length_exceeded' }), code: 'context_length', then: 'next' },
  ...['unsupported_parameter', 'unsupported_value', 'invalid_value', 'invalid_json_schema', 'decimal_below_min_value'].map(code => ({ name: `a parameter (${code})`, reply: openaiError(400, { message: 'm', type: 'invalid_request_error', code, param: 'top_p' }), code: 'invalid_request' as const, then: 'stop' as const, error: { upstream: { code, param: 'top_p' } } })),
  { name: 'no quota', reply: openaiError(429, { message: 'You exceeded your current quota', type: 'insufficient_quota', code: 'insufficient_quota' }), code: 'quota_exhausted', then: 'next' },
  { name: 'a rate', reply: openaiError(429, { message: 'Rate limit reached for requests', type: 'requests', code: 'rate_limit_exceeded' }, { 'retry-after': '0' }), code: 'rate_limited', then: 'again', error: { retryAfterMs: 0 } },
  { name: 'a rate with a wait that is too long', reply: openaiError(429, { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' }, { 'retry-after': '3600' }), code: 'rate_limited', then: 'next', error: { retryAfterMs: 3_600_000 } },
  { name: 'a request larger than a minute holds', reply: openaiError(429, { message: 'Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 50000.', type: 'tokens', code: 'rate_limit_exceeded' }, { 'retry-after': '0' }), code: 'rate_limited', then: 'again', error: { retryAfterMs: undefined } },
  { name: 'a failure', reply: openaiError(500, { message: 'The server had an error', type: 'server_error', code: null }), code: 'upstream_error', then: 'again' },
  { name: 'an overload', reply: openaiError(503, { message: 'The engine is currently overloaded', type: 'server_error' }), code: 'upstream_error', then: 'again' },
  { name: 'a timeout', reply: openaiError(408, { message: 'Timeout', type: 'timeout_error' }), code: 'upstream_error', then: 'again' },
  { name: 'a conflict', reply: openaiError(409, { message: 'Conflict', type: 'conflict' }), code: 'upstream_error', then: 'again' },
  { name: 'a conflict not to be tried again', reply: openaiError(409, { message: 'Conflict', type: 'conflict' }, { 'x-should-retry': 'false' }), code: 'invalid_request', then: 'stop' },
  { name: 'a body that is too large', reply: openaiError(413, { message: 'Too large', type: 'invalid_request_error' }), code: 'invalid_request', then: 'stop' },
  { name: 'an error where a stream began', stream: true, reply: { body: sse({ error: { message: 'The server had an error', type: 'server_error', code: null } }) }, code: 'upstream_error', then: 'again' },
  { name: 'no quota where a stream began', stream: true, reply: { body: sse({ error: { message: 'q', type: 'insufficient_quota', code: 'insufficient_quota' } }) }, code: 'quota_exhausted', then: 'next' },
  { name: 'a page of a proxy', reply: { status: 502, headers: HTML, body: PAGE }, code: 'upstream_error', then: 'again', error: { upstream: {} } },
  { name: 'a page where there is nothing', reply: { status: 404, headers: HTML, body: PAGE }, code: 'model_not_found', then: 'next' },
  { name: 'a page with 200', reply: { status: 200, headers: HTML, body: PAGE }, code: 'malformed_response', then: 'again' },
  { name: 'a redirect', reply: { status: 307, headers: { location: 'https://elsewhere.example/' }, body: '' }, code: 'upstream_error', then: 'again' },
]

const OF_ANTHROPIC: readonly Omit<ErrorRow, 'make'>[] = [
  { name: 'a bad request', reply: anthropicError(400, 'invalid_request_error', 'max_tokens: Field required', { 'x-should-retry': 'false' }), code: 'invalid_request', then: 'stop' },
  { name: 'a bad key', reply: anthropicError(401, 'authentication_error', 'invalid x-api-key', { 'x-should-retry': 'false' }), code: 'credential_rejected', then: 'next', error: { upstream: { requestId: 'req_1' } } },
  { name: 'no money', reply: anthropicError(402, 'billing_error', 'no credit'), code: 'quota_exhausted', then: 'next' },
  { name: 'no money, said with 400', reply: anthropicError(400, 'invalid_request_error', 'Your credit balance is too low to access the API.'), code: 'quota_exhausted', then: 'next' },
  { name: 'a spend limit, said with 429', reply: anthropicError(429, 'rate_limit_error', 'limit', { 'retry-after': '0' }, { error_code: 'enforced_spend_limit_reached' }), code: 'quota_exhausted', then: 'next' },
  { name: 'no right', reply: anthropicError(403, 'permission_error', 'not allowed'), code: 'credential_rejected', then: 'next' },
  { name: 'no such model', reply: anthropicError(404, 'not_found_error', 'model: claude-x'), code: 'model_not_found', then: 'next' },
  { name: 'a body that is too large', reply: anthropicError(413, 'request_too_large', 'Request exceeds the maximum size'), code: 'invalid_request', then: 'stop' },
  { name: 'a prompt that is too long', reply: anthropicError(400, 'invalid_request_error', 'prompt is too long: 3333404 tokens > 200000 maximum'), code: 'context_length', then: 'next' },
  { name: 'a rate', reply: anthropicError(429, 'rate_limit_error', 'rate', { 'retry-after': '0' }), code: 'rate_limited', then: 'again', error: { retryAfterMs: 0 } },
  { name: 'a failure', reply: anthropicError(500, 'api_error', 'Internal server error'), code: 'upstream_error', then: 'again' },
  { name: 'a timeout', reply: anthropicError(504, 'timeout_error', 'Timed out'), code: 'upstream_error', then: 'again' },
  { name: 'an overload', reply: anthropicError(529, 'overloaded_error', 'Overloaded', { 'x-should-retry': 'true' }), code: 'overloaded', then: 'again', error: { status: 529 } },
  { name: 'an overload as the first event of a stream, whose retry-after is not waited for', stream: true, reply: { headers: { 'retry-after': '3600' }, body: event('error', OVERLOADED) }, code: 'overloaded', then: 'again', error: { retryAfterMs: undefined } },
  { name: 'an overload after the start of a stream', stream: true, reply: { body: event('message_start', START) + event('error', OVERLOADED) }, code: 'overloaded', then: 'again' },
  { name: 'a page of a proxy', reply: { status: 502, headers: HTML, body: PAGE }, code: 'upstream_error', then: 'again' },
]

/** Error answers as their vendors send them; another dialect adds its rows here. */
export const ERRORS: readonly ErrorRow[] = [
  ...OF_OPENAI.map(row => ({ ...row, name: `openai: ${row.name}`, make: OPENAI })),
  ...OF_ANTHROPIC.map(row => ({ ...row, name: `anthropic: ${row.name}`, make: ANTHROPIC })),
  { name: 'azure: a bad key without a type', make: AZURE, reply: { status: 401, body: { error: { code: '401', message: 'Access denied due to invalid subscription key.' } } }, code: 'credential_rejected', then: 'next' },
  { name: 'azure: no such deployment', make: AZURE, reply: { status: 404, body: { error: { code: 'DeploymentNotFound', message: 'The API deployment does not exist.' } } }, code: 'model_not_found', then: 'next' },
  { name: 'azure: a rate whose milliseconds say 0 before the seconds', make: AZURE, reply: { status: 429, headers: { 'retry-after': '1', 'retry-after-ms': '0' }, body: { error: { code: 'RateLimitReached', message: 'm' } } }, code: 'rate_limited', then: 'again', error: { retryAfterMs: 0 } },
  { name: 'azure: a filtered prompt', make: AZURE, reply: { status: 400, body: { error: { code: 'content_filter', param: 'prompt', message: 'm', innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: { hate: { filtered: true } } } } } }, code: 'content_filter', then: 'stop' },
  { name: 'azure: a filtered prompt with 200', make: AZURE, reply: { status: 200, body: { error: { code: 'content_filter', param: 'prompt', status: 400, message: 'm', innererror: { code: 'ResponsibleAIPolicyViolation' } } } }, code: 'content_filter', then: 'stop' },
  { name: 'google: a bad key said with 400, in a list', make: at('google-openai'), reply: { status: 400, body: [{ error: { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT', details: [{ reason: 'API_KEY_INVALID' }] } }] }, code: 'credential_rejected', then: 'next' },
  { name: 'google: a rate whose wait is in the body', make: at('google-openai'), reply: { status: 429, body: [{ error: { code: 429, message: 'You exceeded your current quota', status: 'RESOURCE_EXHAUSTED', details: [{ retryDelay: '34.4s' }] } }] }, code: 'rate_limited', then: 'next', error: { retryAfterMs: 34_400 } },
  { name: 'google: an overflow', make: at('google-openai'), reply: { status: 400, body: [{ error: { code: 400, message: 'The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).', status: 'INVALID_ARGUMENT' } }] }, code: 'context_length', then: 'next' },
  { name: 'groq: a call that came out wrong', make: at('groq'), reply: { status: 400, body: { error: { message: 'Failed to call a function.', type: 'invalid_request_error', code: 'tool_use_failed', failed_generation: 'maybe' } } }, code: 'invalid_request', then: 'stop', error: { upstream: { code: 'tool_use_failed', generated: 'maybe' } } },
  { name: 'groq: the same inside a stream', make: at('groq'), stream: true, reply: { body: `event: error\n${sse({ error: { message: 'Failed to call a function.', type: 'invalid_request_error', code: 'tool_use_failed', failed_generation: 'maybe', status_code: 400 } })}` }, code: 'invalid_request', then: 'stop', error: { upstream: { generated: 'maybe' } } },
  { name: 'groq: an overflow', make: at('groq'), reply: { status: 400, body: { error: { message: 'Please reduce the length of the messages or completion.', type: 'invalid_request_error' } } }, code: 'context_length', then: 'next' },
  { name: 'openrouter: a rate of its upstream, with a number for a code', make: at('openrouter'), reply: { status: 429, body: { error: { code: 429, message: 'Provider returned error', metadata: { provider_name: 'x', raw: 'slow down' } } } }, code: 'rate_limited', then: 'again' },
  { name: 'openrouter: a chunk with an error and a choice', make: at('openrouter'), stream: true, reply: { body: sse({ id: 'g', model: 'm', choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: 'error' }], error: { code: 502, message: 'Provider disconnected' } }) }, code: 'upstream_error', then: 'again', error: { status: 502 } },
  { name: 'openrouter: an error with 200', make: at('openrouter'), reply: { body: { error: { code: 402, message: 'Insufficient credits' }, user_id: 'u' } }, code: 'quota_exhausted', then: 'next' },
  ...([[400, 'invalid_request', 'stop'], [401, 'credential_rejected', 'next'], [402, 'quota_exhausted', 'next'], [429, 'rate_limited', 'again']] as const).map(([status, code, then]) => ({ name: `deepseek: ${status} that says it is bytes`, make: at('deepseek'), reply: { status, headers: { 'content-type': 'application/octet-stream' }, body: { error: { message: 'm', type: 'unknown_error', param: null, code: 'invalid_request_error' } } }, code, then })),
  { name: 'xai: a bad key said with 400, in a text', make: at('xai'), reply: { status: 400, body: { code: 'invalid-argument', error: 'Incorrect API key provided: k. You can obtain an API key.' } }, code: 'credential_rejected', then: 'next' },
  { name: 'xai: an overflow', make: at('xai'), reply: { status: 400, body: { code: 'invalid-argument', error: "This model's maximum prompt length is 131072 but the request contains 200000 tokens." } }, code: 'context_length', then: 'next' },
  { name: 'perplexity: an overflow', make: at('perplexity'), reply: { status: 400, body: { error: { type: 'too_many_prompt_tokens', code: 400, message: 'The total length of all messages is too long.' } } }, code: 'context_length', then: 'next' },
  { name: 'perplexity: a page where the key is bad', make: at('perplexity'), reply: { status: 401, headers: HTML, body: '<html><head><title>401 Authorization Required</title></head></html>' }, code: 'credential_rejected', then: 'next' },
  { name: 'ollama cloud: an overflow', make: at('ollama-cloud'), reply: { status: 400, body: { error: { message: 'prompt too long; exceeded max context length by 6 tokens', type: 'api_error', param: null, code: null } } }, code: 'context_length', then: 'next' },
  { name: 'voyage: a detail', make: at('voyage'), reply: { status: 400, body: { detail: 'The request body is not valid.' } }, code: 'invalid_request', then: 'stop' },
  { name: 'a detail about the key', make: at('ai21'), reply: { status: 401, body: { detail: 'Invalid API Key' } }, code: 'credential_rejected', then: 'next' },
  { name: 'a list of details', make: at('ai21'), reply: { status: 422, body: { detail: [{ loc: ['body', 'n'], msg: 'bad', type: 'value_error' }] } }, code: 'invalid_request', then: 'stop' },
  { name: 'a code of four digits in a text', make: at('ai21'), reply: { status: 400, body: { object: 'error', message: 'Tool call id was x', type: 'invalid_request_message_order', code: '3280' } }, code: 'invalid_request', then: 'stop' },
  { name: 'cerebras: an overflow without a word', make: at('cerebras'), reply: { status: 400, body: '' }, code: 'context_length', then: 'next' },
  { name: 'minimax: no money with 200', make: at('minimax'), reply: { body: { base_resp: { status_code: 1008, status_msg: 'insufficient balance' } } }, code: 'quota_exhausted', then: 'next' },
  { name: 'alibaba: a refused content', make: at('alibaba'), reply: { status: 400, body: { error: { code: 'DataInspectionFailed', message: 'Input data may contain inappropriate content.', type: 'DataInspectionFailed' } } }, code: 'content_filter', then: 'stop' },
  { name: 'deepseek: an answer cut for want of machines', make: at('deepseek'), stream: true, reply: { body: sse({ id: 'a', model: 'm', choices: [{ index: 0, delta: { content: '' }, finish_reason: 'insufficient_system_resource' }] }) }, code: 'overloaded', then: 'again' },
  { name: 'zai: a network error for a finish', make: at('zai'), reply: { body: { id: 'a', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: '' }, finish_reason: 'network_error' }] } }, code: 'upstream_error', then: 'again' },
]
