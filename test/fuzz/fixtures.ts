/** What a mutation starts from: whole answers, one a text. */
export interface Fixtures {
  /** Bodies of event streams, or of the dialect's own frames where it has them. */
  readonly streams: readonly (string | Uint8Array)[]
  readonly bodies: readonly string[]
  readonly errors: readonly string[]
}

const sse = (...chunks: readonly unknown[]): string => chunks.map(chunk => `data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`).join('')
const events = (...list: readonly { readonly type: string }[]): string => list.map(event => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
const text = (value: unknown): string => JSON.stringify(value)

const chunk = (delta: object, more: object = {}, choice: object = {}): object => ({ id: 'c1', model: 'm1', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: null, ...choice }], ...more })
const end = (reason: string): object => chunk({}, {}, { finish_reason: reason })
const completion = (message: object, reason: string, more: object = {}): string => text({ id: 'c1', model: 'm1', object: 'chat.completion', choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: reason }], usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 }, ...more })
const USAGE = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12, prompt_tokens_details: { cached_tokens: 2 }, completion_tokens_details: { reasoning_tokens: 3 }, cost: 0.1 }

export const OPENAI: Fixtures = {
  streams: [
    sse(chunk({ role: 'assistant', content: '' }), chunk({ content: 'Grüße ' }), chunk({ content: '🎈' }), end('stop'), { id: 'c1', choices: [], usage: USAGE }, '[DONE]'),
    sse(chunk({ role: 'assistant', content: null, tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] }), chunk({ tool_calls: [{ index: 0, function: { arguments: '{"a":' } }, { index: 1, id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } }] }), chunk({ tool_calls: [{ index: 0, function: { arguments: '[1]}' } }] }), end('tool_calls'), '[DONE]'),
    `: keep-alive\n\n${sse(chunk({ reasoning: 'hm', reasoning_details: [{ type: 'reasoning.text', text: 'hm', index: 0, signature: 's' }] }), chunk({ content: [{ type: 'text', text: 'a' }, { type: 'thinking', thinking: [{ type: 'text', text: 'b' }] }] }), chunk({ refusal: 'No.', images: [{ image_url: { url: 'data:image/png;base64,QUJD' } }], audio: { id: 'x', data: 'QQ==', transcript: 't' } }), end('length'))}`,
    sse(chunk({ content: 'x' }, { citations: ['https://a.example/'], search_results: [{ title: 't', url: 'https://b.example/' }], prompt_filter_results: [{ content_filter_results: { hate: { filtered: true } } }] }, { message: { content: 'x' }, logprobs: { content: [{ token: 'x', logprob: -1, top_logprobs: [{ token: 'y', logprob: -2 }] }] } }), chunk({ annotations: [{ type: 'url_citation', url_citation: { url: 'https://c.example/', start_index: 0, end_index: 1 } }] }, { x_groq: { usage: USAGE } }), end('eos')),
    `event: error\n${sse({ error: { message: 'm', type: 't', status_code: 400, failed_generation: 'g' } })}`,
    sse(chunk({ tool_calls: [{ id: 'a', type: 'custom', custom: { name: 'sql', input: 'SELECT' } }] }), chunk({ function_call: { name: 'f', arguments: '{}' } }), end('function_call'), '[DONE]').replaceAll('\n', '\r\n'),
  ],
  bodies: [
    completion({ content: 'Hi', reasoning_content: 'hm' }, 'stop'),
    completion({ content: null, tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{"a":{"b":[1,2,{"c":null}]}}' } }, { function: { name: 'g', arguments: { x: 1 } } }] }, 'tool_calls', { usage: USAGE, service_tier: 'flex' }),
    completion({ content: [{ type: 'text', text: 'a' }, { type: 'image_url', image_url: 'https://a.example/' }], refusal: '', reasoning_details: [{ type: 'reasoning.encrypted', data: 'e' }] }, 'content_filter', { base_resp: { status_code: 0 } }),
  ],
  errors: [
    text({ error: { message: 'm', type: 'invalid_request_error', param: 'p', code: 'context_length_exceeded', innererror: { code: 'x' }, metadata: { raw: 'r' } } }),
    text([{ error: { code: 429, message: 'm', status: 'RESOURCE_EXHAUSTED', details: [{ reason: 'r', retryDelay: '1.5s' }] } }]),
    text({ code: 'c', error: 'Incorrect API key', detail: [{ loc: ['body', 1], msg: 'm', type: 't' }], base_resp: { status_code: 1004, status_msg: 's' }, x_groq: { error: 'e' } }),
    '<html><head><title>502</title></head></html>',
  ],
}

const start = (usage: object = { input_tokens: 9, output_tokens: 1, cache_read_input_tokens: 4, cache_creation: { ephemeral_1h_input_tokens: 2 } }): { type: string } => ({ type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm1', content: [], stop_reason: null, usage } }) as { type: string }
const open = (index: number, content_block: object): { type: string } => ({ type: 'content_block_start', index, content_block }) as { type: string }
const delta = (index: number, piece: object): { type: string } => ({ type: 'content_block_delta', index, delta: piece }) as { type: string }
const shut = (index: number): { type: string } => ({ type: 'content_block_stop', index }) as { type: string }
const last = (reason: string): { type: string } => ({ type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage: { output_tokens: 12, output_tokens_details: { thinking_tokens: 5 } } }) as { type: string }
const STOP = { type: 'message_stop' }

export const ANTHROPIC: Fixtures = {
  streams: [
    events(start(), open(0, { type: 'text', text: '' }), { type: 'ping' }, delta(0, { type: 'text_delta', text: 'Grüße 🎈' }), delta(0, { type: 'citations_delta', citation: { type: 'char_location', cited_text: 'c', document_title: 'd' } }), shut(0), last('end_turn'), STOP),
    events(start(), open(0, { type: 'thinking', thinking: '', signature: '' }), delta(0, { type: 'thinking_delta', thinking: 'hm' }), delta(0, { type: 'signature_delta', signature: 'sig' }), shut(0), open(1, { type: 'redacted_thinking', data: 'x' }), shut(1), open(2, { type: 'tool_use', id: 't1', name: 'f', input: {}, caller: { type: 'code' } }), delta(2, { type: 'input_json_delta', partial_json: '{"a":' }), delta(2, { type: 'input_json_delta', partial_json: '1}' }), shut(2), last('tool_use'), STOP),
    events(start(), open(0, { type: 'server_tool_use', id: 's1', name: 'web_search', input: {} }), delta(0, { type: 'input_json_delta', partial_json: '{"q":"x"}' }), shut(0), open(1, { type: 'web_search_tool_result', tool_use_id: 's1', content: [{ type: 'web_search_result', url: 'https://a.example/' }] }), delta(1, { type: 'novel_delta', text: 'n' }), shut(1), last('pause_turn'), STOP),
    events(start(), open(0, { type: 'text', text: 'a' }), { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } } as { type: string }),
  ],
  bodies: [
    text({ id: 'msg_1', type: 'message', role: 'assistant', model: 'm1', content: [{ type: 'thinking', thinking: 'hm', signature: 's' }, { type: 'text', text: 'Hi', citations: [{ url: 'https://a.example/' }] }, { type: 'tool_use', id: 't1', name: 'f', input: { a: [1, { b: null }] } }], stop_reason: 'tool_use', stop_details: { category: 'cyber' }, usage: { input_tokens: 3, output_tokens: 4, service_tier: 'priority', server_tool_use: { web_search_requests: 1 } } }),
    text({ id: 'msg_2', type: 'message', role: 'assistant', model: 'm1', content: [], stop_reason: 'refusal', container: { id: 'c' }, usage: { input_tokens: 3, output_tokens: 0 } }),
  ],
  errors: [
    text({ type: 'error', error: { type: 'rate_limit_error', message: 'm', details: { error_code: 'ramp_limit_exceeded' } }, request_id: 'req_1' }),
    text({ error: 'plain', detail: 'd', message: 'm' }),
    '<html><body>Bad gateway</body></html>',
  ],
}
