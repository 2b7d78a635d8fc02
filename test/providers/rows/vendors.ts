import { calling, chunk, completion, COUNTED, PLAIN, REASONING, saying, TOP_K, usageChunk, USUAL_END, type Way } from './ways.js'
import { sse, type Body } from './wire.js'

const effort = (high: string, none: string | null): Pick<Way, 'reasoning' | 'off'> => ({ reasoning: { reasoning_effort: high }, off: { reasoning_effort: none } })
const nested = (none: Body = { effort: 'none' }): Pick<Way, 'reasoning' | 'off'> => ({ reasoning: { reasoning: { effort: 'high' } }, off: { reasoning: none } })
const thinking: Pick<Way, 'reasoning' | 'off'> = { reasoning: { thinking: { type: 'enabled' } }, off: { thinking: { type: 'disabled' } } }
const template = (field: string): Pick<Way, 'reasoning' | 'off'> => ({ reasoning: { [field]: { enable_thinking: true } }, off: { [field]: { enable_thinking: false } } })
const flag: Pick<Way, 'reasoning' | 'off'> = { reasoning: { enable_thinking: true }, off: { enable_thinking: false } }
const silent: Pick<Way, 'reasoning' | 'off'> = { reasoning: {}, off: {} }

const NO_INDEX = { id: '', type: 'function', function: { name: 'weather', arguments: { city: 'Rome' } } }

const PERPLEXITY_CHUNK = (delta: string, all: string, finish: string | null, usage: Body): string =>
  `data: ${JSON.stringify({ ...chunk({ role: 'assistant', content: delta }, finish, { citations: ['https://a.example/'], usage }, { message: { role: 'assistant', content: all } }) })}\r\n\r\n`

const GROQ_USAGE = { prompt_tokens: 20, completion_tokens: 7, total_tokens: 27, queue_time: 0.1 }

/** What each kind of server is held against, by the name of its row; a row that is not here is as {@link PLAIN}. */
export const WAYS: Readonly<Record<string, Partial<Way>>> = {
  openai: { maxTokens: 'max_completion_tokens', developer: 'developer', error: { status: 429, body: { error: { message: 'You exceeded your current quota', type: 'insufficient_quota', param: null, code: 'insufficient_quota' } } }, code: 'quota_exhausted' },
  groq: {
    reasoning: { reasoning_effort: 'high', reasoning_format: 'parsed' }, off: { reasoning_effort: 'none', reasoning_format: 'parsed' }, never: ['top_k', 'logprobs', 'n'], chat: calling('reasoning'),
    stream: saying(chunk({}, 'stop', { x_groq: { id: 'req_1', usage: GROQ_USAGE } }), '[DONE]'),
    error: { status: 400, body: { error: { message: 'Failed to call a function.', type: 'invalid_request_error', code: 'tool_use_failed', failed_generation: '<weather>' } } }, code: 'invalid_request',
  },
  cerebras: { maxTokens: 'max_completion_tokens', never: ['top_k', 'frequency_penalty', 'presence_penalty', 'service_tier', 'logit_bias'], chat: calling('reasoning'), error: { status: 400, body: '' }, code: 'context_length' },
  deepseek: {
    reasoning: { thinking: { type: 'enabled' }, reasoning_effort: 'high' }, off: { thinking: { type: 'disabled' } }, format: 'json_object', replay: { calls: 'reasoning_content' },
    chat: calling('reasoning_content', 'tool_calls', { usage: { prompt_tokens: 20, completion_tokens: 7, total_tokens: 27, prompt_cache_hit_tokens: 16, prompt_cache_miss_tokens: 4 } }), chatUsage: { ...COUNTED, cachedInputTokens: 16 },
    error: { status: 402, headers: { 'content-type': 'application/octet-stream' }, body: { error: { message: 'Insufficient Balance', type: 'unknown_error', param: null, code: 'invalid_request_error' } } }, code: 'quota_exhausted',
  },
  xai: {
    maxTokens: 'max_completion_tokens',
    chat: calling('reasoning_content', 'tool_calls', { usage: { prompt_tokens: 20, completion_tokens: 7, total_tokens: 127, completion_tokens_details: { reasoning_tokens: 100 } } }), chatUsage: { inputTokens: 20, outputTokens: 107, reasoningTokens: 100 },
    error: { status: 400, body: { code: 'invalid-argument', error: 'Incorrect API key provided: x. You can obtain one at the console.' } },
  },
  perplexity: {
    ...TOP_K, ...effort('high', 'minimal'), tools: false, joined: true, streamUsage: false,
    chat: { body: completion({ content: 'Yes.', reasoning_content: REASONING }, 'stop', { citations: ['https://a.example/'], usage: { prompt_tokens: 20, completion_tokens: 7, total_tokens: 27, cost: { total_cost: 0.25 } } }) }, chatUsage: { ...COUNTED, reportedCostUsd: 0.25 },
    stream: { body: PERPLEXITY_CHUNK('{"ok":', '{"ok":', null, { prompt_tokens: 20, completion_tokens: 1 }) + PERPLEXITY_CHUNK('true}', '{"ok":true}', 'stop', { prompt_tokens: 20, completion_tokens: 7 }) },
    error: { status: 400, body: { error: { message: 'The total length of all messages is too long.', type: 'too_many_prompt_tokens', code: 400 } } }, code: 'context_length',
  },
  openrouter: {
    ...TOP_K, ...nested(), replay: { calls: 'reasoning_details', plain: 'reasoning_details' }, chat: calling('reasoning_details', 'tool_calls', { usage: { prompt_tokens: 20, completion_tokens: 7, total_tokens: 27, cost: 0.5, is_byok: false } }), chatUsage: { ...COUNTED, reportedCostUsd: 0.5 },
    stream: { body: `: OPENROUTER PROCESSING\n\n${String(saying(chunk({ content: '' }, 'stop', { provider: 'x' }), { ...chunk({ role: 'assistant', content: '' }), usage: { prompt_tokens: 20, completion_tokens: 7, cost: 0.5 } }, '[DONE]').body)}` }, streamUsageIs: { ...COUNTED, reportedCostUsd: 0.5 },
    error: { status: 429, body: { error: { message: 'Provider returned error', code: 429, metadata: { provider_name: 'x', raw: 'slow down' } } } }, code: 'rate_limited',
  },
  vercel: { ...nested(), replay: { calls: 'reasoning_details', plain: 'reasoning_details' }, chat: calling('reasoning_details') },
  router: nested(),
  kilo: nested(),
  helicone: effort('high', 'minimal'),
  auriko: effort('high', 'off'),
  together: { ...TOP_K, reasoning: { reasoning: { enabled: true } }, off: { reasoning: { enabled: false } }, stream: saying(chunk({ role: 'assistant', content: '' }, 'eos', { usage: { prompt_tokens: 20, completion_tokens: 7, cached_tokens: 5 } }), '[DONE]'), streamUsageIs: { ...COUNTED, cachedInputTokens: 5 }, streamFinish: ['stop', 'eos'] },
  fireworks: TOP_K,
  moonshot: { ...thinking, required: undefined, replay: { calls: 'reasoning_content' }, stream: saying(chunk({}, 'stop', {}, { usage: { prompt_tokens: 20, completion_tokens: 7, cached_tokens: 3 } }), '[DONE]'), streamUsageIs: { ...COUNTED, cachedInputTokens: 3 }, error: { status: 400, body: { error: { message: 'Invalid request: Your request exceeded model token limit: 8192', type: 'invalid_request_error' } } }, code: 'context_length' },
  minimax: { ...silent, extra: { reasoning_split: true }, replay: { calls: 'reasoning_details', plain: 'reasoning_details' }, chat: calling('reasoning_details', 'tool_calls', { base_resp: { status_code: 0, status_msg: '' } }), error: { body: { choices: null, base_resp: { status_code: 1008, status_msg: 'insufficient balance' } } }, code: 'quota_exhausted' },
  zai: { ...thinking, format: 'json_object', replay: { calls: 'reasoning_content' }, error: { status: 400, body: { error: { code: '1261', message: 'prompt is too long' } } }, code: 'context_length' },
  thinking: { ...thinking, replay: { calls: 'reasoning_content' } },
  tokenhub: { reasoning: { thinking: { type: 'enabled' }, reasoning_effort: 'high' }, off: { thinking: { type: 'disabled' } } },
  toggle: { reasoning: { thinking: true }, off: { thinking: false } },
  alibaba: {
    ...TOP_K, ...flag, streamsToReason: true,
    chat: { body: sse(chunk({ role: 'assistant', content: null, reasoning_content: REASONING }), chunk({ content: null, tool_calls: [{ index: 0, id: 'call_abc', type: 'function', function: { name: 'weather', arguments: '' } }] }), chunk({ tool_calls: [{ index: 0, id: '', function: { arguments: '{"city":"Rome"}' } }] }), chunk({}, 'tool_calls'), usageChunk(), '[DONE]') },
    error: { status: 400, body: { error: { message: 'Input data may contain inappropriate content.', type: 'data_inspection_failed', code: 'data_inspection_failed' } } }, code: 'content_filter',
  },
  siliconflow: { ...TOP_K, ...flag },
  novita: { ...TOP_K, reasoning: { enable_thinking: true, separate_reasoning: true }, off: { enable_thinking: false, separate_reasoning: true } },
  template: { ...TOP_K, ...template('chat_template_kwargs'), chat: calling('reasoning', 'stop'), error: { status: 400, body: { object: 'error', message: "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.", type: 'BadRequestError', code: 400 } }, code: 'context_length' },
  baseten: { ...TOP_K, ...template('chat_template_args'), chat: calling('reasoning') },
  local: { ...TOP_K, chat: calling('reasoning_content', 'tool_calls', { timings: { prompt_ms: 1 } }, { ...NO_INDEX, id: 'x' }), error: { status: 400, body: { error: { code: 400, message: 'the request exceeds the available context size, try increasing it', type: 'exceed_context_size_error' } } }, code: 'context_length' },
  ollama: { required: undefined, chat: calling('reasoning', 'stop'), stream: saying(chunk({ role: 'assistant', content: '' }, null), usageChunk(), '[DONE]'), streamFinish: ['stop', null] },
  silent,
  sarvam: { ...effort('high', null), key: ['api-subscription-key', ''], error: { status: 403, body: { error: { message: 'Invalid subscription key', code: 'invalid_api_key_error' } } } },
  google: {
    ...effort('high', 'none'), shows: '', chat: calling('none', 'stop', { usage: { prompt_tokens: 20, completion_tokens: 7, total_tokens: 57 } }, NO_INDEX), chatUsage: { inputTokens: 20, outputTokens: 37, reasoningTokens: 30 },
    error: { status: 400, body: [{ error: { code: 400, message: 'API key not valid. Please pass a valid API key.', status: 'INVALID_ARGUMENT', details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }] } }] },
  },
  claude: { ...silent, format: 'json_object', strict: false, never: ['top_k', 'seed', 'frequency_penalty', 'presence_penalty', 'logprobs'] },
  snowflake: {
    chat: { body: { ...completion({ content: '', reasoning: REASONING, tool_calls: [{ id: 'tool_abc', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } }] }, ''), id: '' } },
    stream: { body: sse({ ...chunk({ role: 'assistant', content: '{"ok":', refusal: '' }, ''), id: '' }, { ...chunk({ role: 'assistant', content: 'true}', refusal: '' }, ''), id: '', usage: { prompt_tokens: 20, completion_tokens: 7, total_tokens: 27 } }, '[DONE]') }, streamFinish: ['stop', null],
  },
  upstage: effort('high', 'minimal'),
  stepfun: { reasoning: { reasoning_effort: 'high', reasoning_format: 'deepseek-style' }, off: { reasoning_effort: 'low', reasoning_format: 'deepseek-style' } },
  venice: { ...TOP_K, off: { reasoning: { enabled: false }, venice_parameters: { disable_thinking: true } } },
  six: { chat: { ...calling('reasoning_content'), headers: { 'retry-after': '3600' } } },
  three: effort('high', 'low'),
  plain: { stream: saying(...USUAL_END) },
}

/** How a kind of server is spoken to and answers. */
export function wayOf(row: string): Way {
  return { ...PLAIN, ...WAYS[row] }
}
