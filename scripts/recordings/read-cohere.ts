import type { AssistantMessage, ChatRequest, Json, JsonObject, Message, Tool, ToolCallPart, UserMessage } from 'sallyport'
import { isObject, tryParseJson } from '../../src/protocol/json.js'
import { objects, present } from './difference.js'
import { nothingLeft, unreadable } from './read-openai.js'

type Fields = Record<string, unknown>
type Asked = Omit<ChatRequest, 'model'>
type Mutable = { -readonly [K in keyof Asked]: Asked[K] }
type UserPart = Exclude<UserMessage['content'], string>[number]

function part(raw: Fields): UserPart {
  const { type, text, image_url: image, ...rest } = present(raw)
  nothingLeft(rest, 'a content block')
  if (type === 'text' && typeof text === 'string') return { type, text }
  if (type === 'image_url' && isObject(image) && typeof image['url'] === 'string' && Object.keys(image).length === 1) return { type: 'image', image: image['url'] }
  throw unreadable('a content block of its own kind')
}

function parts(content: unknown): string | UserPart[] {
  return typeof content === 'string' ? content : objects(content).map(part)
}

function toolCall(raw: Fields): ToolCallPart {
  const { id, type: _type, function: named, ...rest } = present(raw)
  nothingLeft(rest, 'a tool call')
  const { name, arguments: written } = isObject(named) ? named : {}
  if (typeof id !== 'string' || typeof name !== 'string' || typeof written !== 'string') throw unreadable('a tool call without id, name or arguments')
  return { type: 'tool-call', id, name, input: tryParseJson(written), arguments: written }
}

function assistant({ content = '', tool_calls: calls, tool_plan: plan, role: _role, ...rest }: Fields): AssistantMessage {
  nothingLeft(rest, 'an assistant message')
  const said = parts(content)
  if (calls === undefined) return { role: 'assistant', content: said as string }
  const made = objects(calls).map(toolCall)
  const first = made[0]
  if (first !== undefined && typeof plan === 'string') made[0] = { ...first, providerData: { cohere: { tool_plan: plan } } }
  return { role: 'assistant', content: [...(typeof said === 'string' ? [] : (said as Extract<UserPart, { type: 'text' }>[])), ...made] }
}

function message(given: Fields): Message {
  const raw = present(given)
  const { role, content, tool_call_id: id, ...rest } = raw
  if (role === 'assistant') return assistant(raw)
  nothingLeft(rest, 'a message')
  if (role === 'tool' && typeof id === 'string') return { role, toolCallId: id, content: parts(content) as string }
  if (role === 'system') return { role, content: parts(content) as string }
  if (role === 'user') return { role, content: parts(content) }
  throw unreadable(`the role ${String(role).slice(0, 40)}`)
}

function tool(given: Fields): Tool {
  const { type, function: named, ...rest } = present(given)
  nothingLeft(rest, 'a tool')
  const { name, description, parameters, ...more } = present(isObject(named) ? named : {})
  nothingLeft(more, 'a function')
  if (type !== 'function' || typeof name !== 'string' || !isObject(parameters)) throw unreadable('a tool of its own kind')
  return { name, inputSchema: parameters as JsonObject, ...(typeof description === 'string' && { description }) }
}

const CHOICES: ReadonlyMap<unknown, 'required' | 'none'> = new Map([['REQUIRED', 'required'], ['NONE', 'none']])
const PLAIN: ReadonlyMap<string, keyof Asked> = new Map([
  ['max_tokens', 'maxOutputTokens'], ['temperature', 'temperature'], ['p', 'topP'], ['k', 'topK'], ['seed', 'seed'], ['stop_sequences', 'stop'],
  ['frequency_penalty', 'frequencyPenalty'], ['presence_penalty', 'presencePenalty'], ['logprobs', 'logprobs'],
])
const READ = new Set(['model', 'messages', 'tools', 'stream'])

/** A v2 chat body in our words. Throws where it has something we have no word for. */
export function readCohere(given: Readonly<Fields>): Asked {
  const body = present(given)
  const asked: Mutable = { messages: objects(body['messages']).map(message) }
  if (Array.isArray(body['tools'])) asked.tools = objects(body['tools']).map(tool)
  const own: Record<string, Json> = {}
  for (const [key, value] of Object.entries(body)) {
    const plain = PLAIN.get(key)
    const choice = key === 'tool_choice' ? CHOICES.get(value) : undefined
    if (plain !== undefined) Object.assign(asked, { [plain]: value })
    else if (choice !== undefined) asked.toolChoice = choice
    else if (key === 'response_format' && isObject(value) && isObject(value['json_schema'])) asked.output = value['json_schema'] as JsonObject
    else if (!READ.has(key)) own[key] = value as Json
  }
  return { ...asked, ...(Object.keys(own).length > 0 && { providerOptions: { cohere: own } }) }
}
