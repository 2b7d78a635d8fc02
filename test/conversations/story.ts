import { collect, messageOf } from '../../src/protocol/collect.js'
import type { JsonObject } from '../../src/protocol/json.js'
import type { Adapter, Target } from '../../src/protocol/ports.js'
import type { AssistantMessage, Message, ToolMessage, UpstreamRequest } from '../../src/protocol/request.js'
import type { Answer, Said } from './answers.js'

/** Who answers in a conversation. */
export interface Author {
  readonly adapter: Adapter
  readonly target: Target
  readonly answer: Answer
  readonly signature: string
}

const object = (properties: JsonObject): JsonObject => ({ type: 'object', properties, required: Object.keys(properties) })

/** One with a name that many wires refuse, one without parameters, one with keywords that some refuse. */
const TOOLS: NonNullable<UpstreamRequest['tools']> = [
  { name: 'lookup', description: 'Looks a word up.', inputSchema: object({ word: { type: 'string', minLength: 1 }, depth: { type: ['integer', 'null'], exclusiveMinimum: 0 } }) },
  { name: 'photo', description: 'Takes a picture.', inputSchema: object({ of: { const: 'door' } }) },
  { name: 'notes.read', description: 'Reads the notes.', inputSchema: { type: 'object', properties: {} } },
]
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const call = (id: string, name: string, input: Readonly<Record<string, unknown>> = {}) => ({ id, name, input })

/** What the model says, turn by turn: two calls at once, a call without arguments, text between, an id that looks like nobody's. */
const SAID: readonly Said[] = [
  { reasoning: 'I should look.', text: 'Let me see.', calls: [call('call_1', 'lookup', { word: 'sally', depth: null }), call('call_2', 'photo', { of: 'door' })] },
  { reasoning: 'Now the notes.', calls: [call('functions.notes:0|x', 'notes.read')] },
  { text: 'A sally port is a door.' },
  { reasoning: 'Once more.', calls: [call('toolu_01ABCDEFGHIJKLMNOPQRSTUVWX', 'lookup', { word: 'port', depth: 2 })] },
  { text: 'And a port is a gate. ' },
]

function spoken(author: Author, request: UpstreamRequest, said: Said): AssistantMessage {
  const { adapter, target, answer, signature } = author
  const decoder = adapter.decode({ request, target, wire: 'json', status: 200, headers: { 'content-type': 'application/json' } })
  return messageOf(collect(decoder.json(answer(said, signature))), { provider: target.provider, model: target.model, deployment: 'd' })
}

function results(message: AssistantMessage, ...contents: readonly Pick<ToolMessage, 'content' | 'isError'>[]): Message[] {
  const calls = typeof message.content === 'string' ? [] : message.content.filter(part => part.type === 'tool-call')
  return calls.map(({ id }, at) => ({ role: 'tool', toolCallId: id, ...(contents[at] ?? { content: '' }) }))
}

/** Twelve turns and more of a tool loop with pictures and reasoning, as this author answered them. */
export function storyOf(author: Author): UpstreamRequest {
  const messages: Message[] = [
    { role: 'system', content: 'You explain words.' },
    { role: 'user', content: [{ type: 'text', text: 'What is this?' }, { type: 'image', image: `data:image/png;base64,${PIXEL}` }] },
  ]
  const request = (): UpstreamRequest => ({ messages: [...messages], tools: TOOLS, maxOutputTokens: 4_000 })
  const say = (at: number): AssistantMessage => {
    const message = spoken(author, request(), SAID[at] ?? {})
    messages.push(message)
    return message
  }
  messages.push(...results(say(0), { content: '{"meaning":"a door"}' }, { content: [{ type: 'text', text: 'Here.' }, { type: 'image', image: `data:image/png;base64,${PIXEL}` }] }))
  messages.push(...results(say(1), { content: '' }))
  say(2)
  messages.push({ role: 'user', content: 'And a port?' })
  messages.push(...results(say(3), { content: 'not found', isError: true }))
  say(4)
  messages.push({ role: 'user', content: [{ type: 'text', text: '' }, { type: 'text', text: 'Thanks.' }] })
  return request()
}
