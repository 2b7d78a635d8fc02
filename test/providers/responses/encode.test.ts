import { describe, expect, it } from 'vitest'
import { messageOf } from '../../../src/protocol/collect.js'
import type { AssistantMessage, Message } from '../../../src/protocol/request.js'
import { call, collectFrames, collectJson, fault, framesFor, ORIGIN, response, text, thought, write } from './support.js'

const USER: Message = { role: 'user', content: 'Go' }
const result = (toolCallId: string, content: Extract<Message, { role: 'tool' }>['content'] = 'ok'): Message => ({ role: 'tool', toolCallId, content })
const answered = (output: readonly Record<string, unknown>[], origin = ORIGIN): AssistantMessage => messageOf(collectFrames(framesFor(response(output))), origin)
const input = (...messages: readonly Message[]) => write({ messages }).body.input
const OPEN = { type: 'object', properties: { x: { type: 'string' } } } as const
const CLOSED = { ...OPEN, required: ['x'], additionalProperties: false } as const

describe('a conversation needs no state at the server', () => {
  it('nothing is stored, and a model that reasons is asked for its reasoning in a form that can be sent back', () => {
    expect(write().body).toMatchObject({ store: false, include: ['reasoning.encrypted_content'] })
    for (const model of ['gpt-4o', 'gpt-4.1-nano', 'some-model']) expect(write({}, { model }).body).not.toHaveProperty('include')
    expect(write({}, { model: 'some-model', capabilities: { reasoning: true } }).body['include']).toEqual(['reasoning.encrypted_content'])
    expect(write({ reasoning: { effort: 'low' } }, { model: 'some-model' }).body['include']).toEqual(['reasoning.encrypted_content'])
    expect(write({ providerOptions: { responses: { store: true } } }).body).not.toHaveProperty('include')
  })

  it('reasoning goes back before the call it belongs to, with ids and seal, and then the result', () => {
    const items = [thought(['Let me see.']), call('a', { x: 1 }), call('b', {})]
    const sent = input(USER, answered(items), result('call_a'), result('call_b', 'two'))
    expect(sent).toEqual([
      { role: 'user', content: 'Go' },
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Let me see.' }], encrypted_content: 'sealed' },
      { type: 'function_call', id: 'fc_a', call_id: 'call_a', name: 'a', arguments: '{"x":1}' },
      { type: 'function_call', id: 'fc_b', call_id: 'call_b', name: 'b', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_a', output: 'ok' },
      { type: 'function_call_output', call_id: 'call_b', output: 'two' },
    ])
  })

  it('the same survives a trip through JSON, and reasoning without text', () => {
    const message = JSON.parse(JSON.stringify(answered([thought([]), text('Hi')]))) as AssistantMessage
    expect(input(USER, message, USER).slice(1, 3)).toEqual([{ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'sealed' }, { type: 'message', role: 'assistant', id: 'msg_1', content: [{ type: 'output_text', text: 'Hi' }] }])
  })

  it('several reasoning items with a search between stay where they were', () => {
    const search = { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'q' } }
    const sent = input(USER, answered([thought(['One']), search, thought(['Two'], { id: 'rs_2', encrypted_content: 'sealed too' }), text('Found it.')]), USER)
    expect(sent.slice(1, -1).map(item => [item['type'], item['id']])).toEqual([['reasoning', 'rs_1'], ['web_search_call', 'ws_1'], ['reasoning', 'rs_2'], ['message', 'msg_1']])
    expect(sent[2]).toEqual(search)
  })

  it('reasoning that nothing follows is left out, for the server refuses it (trap 60)', () => {
    const { body, codes } = write({ messages: [USER, answered([thought(['Hm.'])]), USER] })
    expect(body.input).toEqual([USER, USER])
    expect(codes).toEqual(['dropped messages'])
  })

  it('of another model go words and calls, but neither reasoning nor ids nor what its tools did', () => {
    const search = { type: 'web_search_call', id: 'ws_1', status: 'completed' }
    const { body, codes } = write({ messages: [USER, answered([thought(['Hm.']), search, text('Hi'), call('a', {})], { ...ORIGIN, model: 'gpt-4o' }), result('call_a')] })
    expect(body.input.slice(1)).toEqual([{ role: 'assistant', content: 'Hi' }, { type: 'function_call', call_id: 'call_a', name: 'a', arguments: '{}' }, { type: 'function_call_output', call_id: 'call_a', output: 'ok' }])
    expect(codes).toEqual(['dropped messages', 'dropped messages'])
  })

  it('reasoning without its seal is of no use, unless the server keeps it or its text is all there is', () => {
    const bare = thought(['Hm.'], { encrypted_content: undefined })
    const messages = [USER, answered([bare, text('Hi')]), USER]
    expect(write({ messages }).body.input[1]).toEqual({ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hi' }] })
    expect(write({ messages, providerOptions: { responses: { store: true } } }).body.input[1]).toMatchObject({ type: 'reasoning', id: 'rs_1' })
    const open = { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'Hm.' }] }
    expect(input(USER, messageOf(collectJson(response([open, text('Hi')])), ORIGIN), USER)[1]).toEqual(open)
  })

  it('the phase of a message is kept, and two messages of one answer stay two', () => {
    const sent = input(USER, answered([text('Looking.', { phase: 'commentary' }), text('Done.', { phase: 'final_answer' })]), USER)
    expect(sent.slice(1, 3).map(item => item['phase'])).toEqual(['commentary', 'final_answer'])
  })

  it.each(['background', 'previous_response_id', 'conversation'])('%s is refused in words (trap 67)', name => {
    for (const key of ['responses', 'openai']) expect(fault(() => write({ providerOptions: { [key]: { [name]: name === 'background' ? true : 'resp_1' } } }))).toMatchObject({ code: 'invalid_request', message: expect.stringContaining(name) })
    expect(write({ providerOptions: { responses: { [name]: null } } }).body[name]).toBeNull()
  })
})

describe('content', () => {
  const png = { type: 'image', image: new Uint8Array([1, 2, 3]), mediaType: 'image/png' } as const
  const PNG = { type: 'input_image', image_url: 'data:image/png;base64,AQID' }

  it('images and files go as the API has them', () => {
    const parts = [{ type: 'text', text: 'See' }, png, { type: 'image', image: 'https://e.example/a.png', detail: 'low' }, { type: 'file', data: 'QQ==', mediaType: 'application/pdf' }, { type: 'file', data: 'https://e.example/a.pdf', mediaType: 'application/pdf' }, { type: 'file', data: 'AQID', mediaType: 'image/png' }] as const
    expect(input({ role: 'user', content: parts })[0]?.['content']).toEqual([
      { type: 'input_text', text: 'See' },
      PNG,
      { type: 'input_image', image_url: 'https://e.example/a.png', detail: 'low' },
      { type: 'input_file', filename: 'file.pdf', file_data: 'data:application/pdf;base64,QQ==' },
      { type: 'input_file', file_url: 'https://e.example/a.pdf' },
      PNG,
    ])
  })

  it('sound is refused before it is sent, with what to do', () => {
    expect(fault(() => input({ role: 'user', content: [{ type: 'audio', data: 'AAAA', format: 'wav' }] }))).toMatchObject({ code: 'invalid_request', message: expect.stringContaining('chat') })
  })

  it('an image in a result stays there, or goes behind the last result where the server takes text only', () => {
    const messages = [USER, { role: 'assistant' as const, content: [{ type: 'tool-call' as const, id: 'c1', name: 'a', input: {} }, { type: 'tool-call' as const, id: 'c2', name: 'a', input: {} }] }, result('c1', [{ type: 'text', text: 'Here' }, png]), result('c2')]
    expect(write({ messages }).body.input[3]).toEqual({ type: 'function_call_output', call_id: 'c1', output: [{ type: 'input_text', text: 'Here' }, PNG] })
    const { body, codes } = write({ messages }, {}, {})
    expect(body.input.slice(3).map(item => item['output'] ?? item['content'])).toEqual(['Here', 'ok', [{ type: 'input_text', text: 'Attached to the result of the tool call c1:' }, PNG]])
    expect(codes).toEqual(['changed messages'])
  })

  it('a block of the caller goes as it stands: inside a message, or as an item of its own', () => {
    const output = { type: 'shell_call_output', call_id: 'call_s', output: [] }
    const file = { type: 'input_file', file_id: 'file_1' }
    const part = (block: Record<string, string | never[]>) => ({ type: 'text' as const, text: '', providerData: { responses: { block } } })
    expect(input({ role: 'user', content: [part(output), part(file), { type: 'text', text: 'x' }] })).toEqual([output, { role: 'user', content: [file, { type: 'input_text', text: 'x' }] }])
  })

  it('an id that would be refused becomes another one on both sides', () => {
    const id = `call|fc_${'x'.repeat(80)}`
    const sent = input(USER, { role: 'assistant', content: [{ type: 'tool-call', id, name: 'a', input: {} }] }, result(id))
    expect(sent[1]?.['call_id']).toMatch(/^\w{24}$/)
    expect(sent[2]?.['call_id']).toBe(sent[1]?.['call_id'])
  })

  it('instructions go in the role the model knows, and a name is left out with a warning', () => {
    const messages: Message[] = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Hi', name: 'Ann' }]
    expect(write({ messages }).body.input[0]).toEqual({ role: 'developer', content: 'Be brief.' })
    expect(write({ messages }, { model: 'gpt-4o' })).toMatchObject({ body: { input: [{ role: 'system' }, { role: 'user', content: 'Hi' }] }, codes: ['unsupported messages'] })
  })
})

describe('tools and the shape of the answer', () => {
  const tool = { name: 'a', description: 'd', inputSchema: OPEN }

  it('a tool that asks for nothing is not made strict behind its back', () => {
    expect(write({ tools: [tool, { name: 'b', inputSchema: CLOSED, strict: true }] }).body.tools).toEqual([{ type: 'function', name: 'a', description: 'd', parameters: OPEN, strict: false }, { type: 'function', name: 'b', parameters: CLOSED, strict: true }])
    expect(write({ tools: [{ ...tool, strict: true }] })).toMatchObject({ body: { tools: [{ strict: false }] }, codes: ['changed tools[0].strict'] })
  })

  it('a tool of the provider goes as it stands, and can be chosen; one of another is left out with a warning', () => {
    const tools = [{ providerData: { responses: { block: { type: 'web_search' } } } }, { providerData: { openai: { block: { type: 'custom', name: 'exec' } } } }, { providerData: { anthropic: { block: { type: 'x' } } } }]
    const { body, codes } = write({ tools, toolChoice: { name: 'exec' } })
    expect(body).toMatchObject({ tools: [{ type: 'web_search' }, { type: 'custom', name: 'exec' }], tool_choice: { type: 'custom', name: 'exec' } })
    expect(codes).toEqual(['dropped tools[2]'])
    expect(write({ tools, toolChoice: { name: 'web_search' } }).body['tool_choice']).toEqual({ type: 'web_search' })
    expect(write({ tools: [tool], toolChoice: { name: 'a' } }).body['tool_choice']).toEqual({ type: 'function', name: 'a' })
    expect(write({ toolChoice: 'required' }).codes).toEqual(['unsupported toolChoice'])
  })

  it('a schema is strict where the server takes it so, and options are merged beside it, not over it', () => {
    const output = { name: 'out', jsonSchema: CLOSED }
    const options = { responses: { text: { verbosity: 'low' }, reasoning: { summary: 'auto' }, include: ['file_search_call.results'] } }
    expect(write({ output, reasoning: { effort: 'high' }, providerOptions: options }).body).toMatchObject({
      text: { format: { type: 'json_schema', name: 'out', schema: CLOSED, strict: true }, verbosity: 'low' },
      reasoning: { effort: 'high', summary: 'auto' },
      include: ['reasoning.encrypted_content', 'file_search_call.results'],
    })
    expect(write({ output: { name: 'out', jsonSchema: OPEN } }).body['text']).toEqual({ format: { type: 'json_schema', name: 'out', schema: OPEN } })
  })
})

describe('parameters', () => {
  it('what the API does not have is left out with a warning, each by name', () => {
    const { body, codes } = write({ topK: 1, stop: 'x', seed: 1, frequencyPenalty: 1, presencePenalty: 1, maxOutputTokens: 20 }, { model: 'gpt-4o' })
    expect(codes).toEqual(['topK', 'stop', 'seed', 'frequencyPenalty', 'presencePenalty'].map(name => `unsupported ${name}`))
    expect(Object.keys(body).sort()).toEqual(['input', 'max_output_tokens', 'model', 'store'])
  })

  it('sampling is left out while the model reasons, and sent where it does not', () => {
    expect(write({ temperature: 0, topP: 0.5, logprobs: 2 }).codes).toEqual(['unsupported temperature', 'unsupported topP', 'unsupported logprobs'])
    expect(write({ temperature: 0, topP: 0.5, logprobs: 2 }, { model: 'gpt-4o' }).body).toMatchObject({ temperature: 0, top_p: 0.5, top_logprobs: 2, include: ['message.output_text.logprobs'] })
    expect(write({ temperature: 0, reasoning: { effort: 'none' } }).body).toMatchObject({ temperature: 0, reasoning: { effort: 'none' } })
  })

  it('a budget becomes an effort, and a start of an answer is no promise', () => {
    expect(write({ reasoning: { budgetTokens: 4000 }, prefill: true })).toMatchObject({ body: { reasoning: { effort: 'medium' } }, codes: expect.arrayContaining(['changed reasoning.budgetTokens', 'unsupported prefill']) })
  })

  it('the wire alone decides about the stream', () => {
    expect(write({ providerOptions: { responses: { stream: true } } }).body).not.toHaveProperty('stream')
    expect(write({}, {}, {}, 'stream')).toMatchObject({ body: { stream: true }, call: { url: 'https://lab.example/v1/responses', headers: { accept: 'text/event-stream' } } })
  })
})
