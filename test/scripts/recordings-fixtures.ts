/** An event stream with characters of several bytes. */
export const STREAM = [
  'data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Grüß "},"finish_reason":null}]}',
  'data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"Gött 🌍"},"finish_reason":null}]}',
  'data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
  'data: {"id":"c1","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}',
  'data: [DONE]',
].map(line => `${line}\n\n`).join('')

/** A body with every kind of thing a request can have. */
export const OPENAI_BODY = {
  model: 'm',
  messages: [
    { role: 'developer', content: 'Be kind.' },
    { role: 'user', content: [{ type: 'text', text: 'What is it?', cache_control: { type: 'ephemeral', ttl: '1h' } }, { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } }] },
    { role: 'assistant', content: 'Let me see.', reasoning: 'Hm.', tool_calls: [{ id: 'a1', type: 'function', function: { name: 'look', arguments: '{"far":true}' } }] },
    { role: 'tool', tool_call_id: 'a1', content: 'a cat' },
  ],
  tools: [{ type: 'function', function: { name: 'look', description: 'Looks.', parameters: { type: 'object', properties: { far: { type: 'boolean' } } }, strict: true }, cache_control: { type: 'ephemeral' } }, { type: 'web:search', deep: 2 }],
  tool_choice: { type: 'function', function: { name: 'look' } },
  temperature: 0.5,
  max_tokens: 100,
  stop: 'END',
  response_format: { type: 'json_schema', json_schema: { name: 'cat', schema: { type: 'object', required: ['name'] } } },
  reasoning_effort: 'low',
  user: 'u1',
  metadata: { a: { b: 1 } },
}
/** The same of the other protocol. */
export const ANTHROPIC_BODY = {
  model: 'claude-sonnet-4-6',
  max_tokens: 2048,
  system: [{ type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral', ttl: '5m' } }],
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'What is it?' }, { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }, { type: 'container_upload', file_id: 'f1' }] },
    { role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm.', signature: 'sig' }, { type: 'tool_use', id: 't1', name: 'look', input: { far: true } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', is_error: true, content: 'no light' }, { type: 'text', text: 'Try again.' }] },
  ],
  tools: [{ name: 'look', description: 'Looks.', input_schema: { type: 'object', properties: {} }, strict: true }, { type: 'code_execution_1', name: 'code' }],
  tool_choice: { type: 'auto', disable_parallel_tool_use: true },
  thinking: { type: 'adaptive', display: 'omitted' },
  output_config: { effort: 'medium' },
  metadata: { user_id: 'u1' },
}
