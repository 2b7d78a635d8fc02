import type { Fault } from '../loopback/index.js'

/** One delta of a recorded stream: a piece of the text, or of the arguments of its one tool call. */
export type Delta = string | { readonly tool: string; readonly id: string } | { readonly args: string }

const HEAD = { id: 'chatcmpl-recorded', object: 'chat.completion.chunk', created: 1_790_000_000, model: 'gpt-5.6' }
const USAGE = { prompt_tokens: 60, completion_tokens: 30, total_tokens: 90 }

function piece(delta: Delta): object {
  if (typeof delta === 'string') return { content: delta }
  const call = 'tool' in delta ? { id: delta.id, type: 'function', function: { name: delta.tool, arguments: '' } } : { function: { arguments: delta.args } }
  return { tool_calls: [{ index: 0, ...call }] }
}

/** A stream of the first provider, cut where its tokens were, which words are not. */
export function recordedStream(deltas: readonly Delta[]): Fault {
  const finish = deltas.some(delta => typeof delta !== 'string') ? 'tool_calls' : 'stop'
  const choices = [{ role: 'assistant', content: '' }, ...deltas.map(piece)].map(delta => [{ index: 0, delta, finish_reason: null as string | null }])
  const chunks = [...choices.map(choice => ({ choices: choice, usage: null as object | null })), { choices: [{ index: 0, delta: {}, finish_reason: finish }], usage: null }, { choices: [], usage: USAGE }]
  return { status: 200, headers: { 'content-type': 'text/event-stream' }, body: `${chunks.map(chunk => `data: ${JSON.stringify({ ...HEAD, ...chunk })}\n\n`).join('')}data: [DONE]\n\n` }
}

/** A whole answer of the first provider. */
export function recordedAnswer(content: string): Fault {
  const message = { role: 'assistant', content, refusal: null }
  return { status: 200, body: { ...HEAD, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }], usage: USAGE } }
}
