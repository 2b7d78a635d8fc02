/** What a model says in one turn, before any wire. */
export interface Said {
  readonly reasoning?: string
  readonly text?: string
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly input: Readonly<Record<string, unknown>> }[]
}
/** A turn as the JSON body of a wire. `signature` is what only this server can read. */
export type Answer = (said: Said, signature: string) => unknown

const usage = { prompt_tokens: 9, completion_tokens: 9, total_tokens: 18 }

function chatCalls(calls: Said['calls'] = []): object {
  return calls.length === 0 ? {} : { tool_calls: calls.map(({ id, name, input }) => ({ id, type: 'function', function: { name, arguments: JSON.stringify(input) } })) }
}

function completion(message: object, calls: Said['calls'] = []): unknown {
  return { id: 'c', model: 'm', choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: calls.length > 0 ? 'tool_calls' : 'stop' }], usage }
}

export const openaiChat: Answer = ({ text = null, calls }) => completion({ content: text, ...chatCalls(calls) }, calls)

export const openrouter: Answer = ({ reasoning, text = null, calls }, signature) =>
  completion({ content: text, ...(reasoning !== undefined && { reasoning, reasoning_details: [{ type: 'reasoning.text', text: reasoning, signature, index: 0 }] }), ...chatCalls(calls) }, calls)

export const mistral: Answer = ({ reasoning, text, calls }) => {
  const thinking = reasoning === undefined ? [] : [{ type: 'thinking', thinking: [{ type: 'text', text: reasoning }] }]
  return completion({ content: [...thinking, ...(text === undefined ? [] : [{ type: 'text', text }])], ...chatCalls(calls) }, calls)
}

export const responses: Answer = ({ reasoning, text, calls = [] }, signature) => ({
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  model: 'm',
  output: [
    ...(reasoning === undefined ? [] : [{ type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: reasoning }], encrypted_content: signature }]),
    ...(text === undefined ? [] : [{ type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text, annotations: [] }] }]),
    ...calls.map(({ id, name, input }, at) => ({ type: 'function_call', id: `fc_${at}`, call_id: id, name, arguments: JSON.stringify(input), status: 'completed' })),
  ],
  usage: { input_tokens: 9, output_tokens: 9, total_tokens: 18 },
})

export const anthropic: Answer = ({ reasoning, text, calls = [] }, signature) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [
    ...(reasoning === undefined ? [] : [{ type: 'thinking', thinking: reasoning, signature }]),
    ...(text === undefined ? [] : [{ type: 'text', text }]),
    ...calls.map(({ id, name, input }) => ({ type: 'tool_use', id, name, input })),
  ],
  stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn',
  usage: { input_tokens: 9, output_tokens: 9 },
})

export const gemini: Answer = ({ reasoning, text, calls = [] }, signature) => ({
  candidates: [
    {
      content: {
        role: 'model',
        parts: [
          ...(reasoning === undefined ? [] : [{ text: reasoning, thought: true }]),
          ...(text === undefined ? [] : [{ text, ...(calls.length === 0 && { thoughtSignature: signature }) }]),
          ...calls.map(({ name, input }, at) => ({ functionCall: { name, args: input }, ...(at === 0 && { thoughtSignature: signature }) })),
        ],
      },
      finishReason: 'STOP',
    },
  ],
  usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 9, totalTokenCount: 18 },
})

export const bedrock: Answer = ({ reasoning, text, calls = [] }, signature) => ({
  output: {
    message: {
      role: 'assistant',
      content: [
        ...(reasoning === undefined ? [] : [{ reasoningContent: { reasoningText: { text: reasoning, signature } } }]),
        ...(text === undefined ? [] : [{ text }]),
        ...calls.map(({ id, name, input }) => ({ toolUse: { toolUseId: id, name, input } })),
      ],
    },
  },
  stopReason: calls.length > 0 ? 'tool_use' : 'end_turn',
  usage: { inputTokens: 9, outputTokens: 9, totalTokens: 18 },
})

export const cohere: Answer = ({ reasoning, text, calls = [] }) => ({
  id: 'c',
  message: {
    role: 'assistant',
    ...(calls.length > 0 ? { tool_plan: text ?? reasoning ?? '', ...chatCalls(calls) } : { content: [...(reasoning === undefined ? [] : [{ type: 'thinking', thinking: reasoning }]), { type: 'text', text: text ?? '' }] }),
  },
  finish_reason: calls.length > 0 ? 'TOOL_CALL' : 'COMPLETE',
  usage: { tokens: { input_tokens: 9, output_tokens: 9 } },
})

export const ollama: Answer = ({ reasoning, text = '', calls = [] }) => ({
  model: 'm',
  created_at: '2026-11-26T00:00:00Z',
  message: { role: 'assistant', content: text, ...(reasoning !== undefined && { thinking: reasoning }), ...(calls.length > 0 && { tool_calls: calls.map(({ name, input }) => ({ function: { name, arguments: input } })) }) },
  done: true,
  done_reason: 'stop',
  prompt_eval_count: 9,
  eval_count: 9,
})
