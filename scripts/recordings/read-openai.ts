import type { AssistantMessage, AudioPart, CacheControl, ChatRequest, FilePart, Json, JsonObject, Message, ProviderTool, TextPart, Tool, ToolCallPart, ToolMessage, UserMessage } from 'sallyport'
import { isObject, tryParseJson } from '../../src/protocol/json.js'
import { objects, present } from './difference.js'

type Fields = Record<string, unknown>
type Asked = Omit<ChatRequest, 'model'>
type Mutable = { -readonly [K in keyof Asked]: Asked[K] }
type UserPart = Exclude<UserMessage['content'], string>[number]
type AssistantPart = Exclude<AssistantMessage['content'], string>[number]

/** What our request has no word for. A line that needs it is wrong, not skipped. */
export function unreadable(what: string): Error {
  return new Error(`The recorded request has ${what}, which the script cannot read.`)
}

/** Throws where a part of the recorded request was not read. */
export function nothingLeft(rest: Fields, where: string): void {
  const [key] = Object.keys(rest)
  if (key !== undefined) throw unreadable(`"${key}" in ${where}`)
}

/** A cache mark in our words, or `undefined` where it has more to it. */
export function cacheMark(raw: unknown): CacheControl | undefined {
  if (!isObject(raw) || raw['type'] !== 'ephemeral' || Object.keys(raw).some(key => key !== 'type' && key !== 'ttl')) return undefined
  const { ttl } = raw
  if (ttl === undefined) return {}
  return ttl === '5m' || ttl === '1h' ? { ttl } : undefined
}

function marked(control: unknown): { cacheControl?: CacheControl } {
  if (control === undefined) return {}
  const mark = cacheMark(control)
  if (mark === undefined) throw unreadable('a cache mark of its own kind')
  return { cacheControl: mark }
}

function textPart(raw: Fields): TextPart {
  const { type, text, cache_control: control, ...rest } = present(raw)
  if (type !== 'text' || typeof text !== 'string' || Object.keys(rest).length > 0) return { type: 'text', text: '', providerData: { openai: { block: raw as Json } } }
  return { type: 'text', text, ...marked(control) }
}

/** A document at an address, or a sound, as one vendor writes them. */
function media(raw: Fields): FilePart | AudioPart | undefined {
  const { type, document_url: document, input_audio: audio, ...rest } = present(raw)
  if (Object.keys(rest).length > 0) return undefined
  if (type === 'document_url' && typeof document === 'string') return { type: 'file', data: document, mediaType: 'application/pdf' }
  if (type === 'input_audio' && isObject(audio) && typeof audio['data'] === 'string') return { type: 'audio', data: audio['data'], format: audio['format'] === 'wav' ? 'wav' : 'mp3' }
  return undefined
}

function userPart(raw: Fields): UserPart {
  const { type, image_url: image, cache_control: control, ...rest } = present(raw)
  if (type !== 'image_url') return media(raw) ?? textPart(raw)
  nothingLeft(rest, 'an image')
  const { url, detail, ...more } = isObject(image) ? present(image) : { url: image, detail: undefined }
  nothingLeft(more, 'an image')
  if (typeof url !== 'string') throw unreadable('an image without an address')
  return { type: 'image', image: url, ...(detail !== undefined && { detail: detail as 'auto' | 'low' | 'high' }), ...marked(control) }
}

function toolCall(raw: Fields): ToolCallPart {
  const { id, type: _type, index: _index, function: named, ...rest } = present(raw)
  nothingLeft(rest, 'a tool call')
  const { name, arguments: written } = isObject(named) ? named : {}
  if (typeof id !== 'string' || typeof name !== 'string' || typeof written !== 'string') throw unreadable('a tool call without id, name or arguments')
  return { type: 'tool-call', id, name, input: tryParseJson(written), arguments: written }
}

function assistant(raw: Fields): AssistantMessage {
  const { role: _role, content = '', tool_calls: calls, reasoning, reasoning_content: thoughts, refusal, prefix = false, ...rest } = raw
  nothingLeft(prefix === false ? rest : { prefix, ...rest }, 'an assistant message')
  const said: AssistantPart[] = typeof content === 'string' ? (content === '' ? [] : [{ type: 'text', text: content }]) : objects(content).map(textPart)
  const thought = reasoning ?? thoughts
  if (typeof content === 'string' && calls === undefined && thought === undefined && refusal === undefined) return { role: 'assistant', content }
  return {
    role: 'assistant',
    content: [
      ...(typeof thought === 'string' ? [{ type: 'reasoning' as const, text: thought }] : []),
      ...said,
      ...(typeof refusal === 'string' ? [{ type: 'refusal' as const, text: refusal }] : []),
      ...objects(calls).map(toolCall),
    ],
  }
}

function toolResult(raw: Fields): ToolMessage {
  const { role: _role, content, tool_call_id: id, ...rest } = raw
  nothingLeft(rest, 'a tool message')
  if (typeof id !== 'string') throw unreadable('a tool message without tool_call_id')
  return { role: 'tool', toolCallId: id, content: typeof content === 'string' ? content : objects(content).map(textPart) }
}

function message(given: Fields): Message {
  const raw = present(given)
  const { role, content, name, ...rest } = raw
  switch (role) {
    case 'assistant':
      return assistant(raw)
    case 'tool':
      return toolResult(raw)
    case 'system':
    case 'developer':
      nothingLeft(rest, `a ${role} message`)
      return { role, content: typeof content === 'string' ? content : objects(content).map(textPart) }
    case 'user':
      nothingLeft(rest, 'a user message')
      return { role, content: typeof content === 'string' ? content : objects(content).map(userPart), ...(typeof name === 'string' && { name }) }
    default:
      throw unreadable(`the role ${String(role).slice(0, 40)}`)
  }
}

function tool(vendor: string, given: Fields): Tool | ProviderTool {
  const { type, function: named, cache_control: control, ...rest } = present(given)
  if ((type !== undefined && type !== 'function') || !isObject(named)) return { providerData: { [vendor]: { block: given as Json } } }
  nothingLeft(rest, 'a tool')
  const { name, description, parameters, strict, ...more } = present(named)
  nothingLeft(more, 'a function')
  if (typeof name !== 'string' || !isObject(parameters)) throw unreadable('a function without name or parameters')
  return { name, inputSchema: parameters as JsonObject, ...(typeof description === 'string' && { description }), ...(typeof strict === 'boolean' && { strict }), ...marked(control) }
}

function choice(raw: unknown): NonNullable<ChatRequest['toolChoice']> {
  if (raw === 'auto' || raw === 'none' || raw === 'required') return raw
  if (raw === 'any') return 'required'
  const named = isObject(raw) ? raw['function'] : undefined
  if (isObject(named) && typeof named['name'] === 'string') return { name: named['name'] }
  throw unreadable('a tool_choice of its own kind')
}

const PLAIN: ReadonlyMap<string, keyof Asked> = new Map([
  ['temperature', 'temperature'], ['top_p', 'topP'], ['top_k', 'topK'], ['max_tokens', 'maxOutputTokens'], ['max_completion_tokens', 'maxOutputTokens'], ['stop', 'stop'], ['seed', 'seed'], ['random_seed', 'seed'],
  ['frequency_penalty', 'frequencyPenalty'], ['presence_penalty', 'presencePenalty'], ['parallel_tool_calls', 'parallelToolCalls'],
])
// The wire of the call decides about the stream; one answer is all there is.
const NOT_OURS = new Set(['model', 'messages', 'tools', 'stream', 'stream_options', 'n'])

/** The wishes that have words of ours; what is left is the provider's own. */
function wish(key: string, value: unknown, asked: Mutable, body: Fields): boolean {
  const plain = PLAIN.get(key)
  if (plain !== undefined) {
    Object.assign(asked, { [plain]: value })
    return true
  }
  if (key === 'tool_choice') asked.toolChoice = choice(value)
  else if (key === 'response_format' && isObject(value) && isObject(value['json_schema'])) asked.output = value['json_schema']['schema'] as JsonObject
  // An effort beside a switch with more to it than on is the provider's own affair.
  else if (key === 'reasoning_effort' && (body['thinking'] === undefined || plainSwitch(body['thinking']))) asked.reasoning = { effort: value as NonNullable<NonNullable<Asked['reasoning']>['effort']> }
  else return key === 'thinking' && plainSwitch(value) && body['reasoning_effort'] !== undefined
  return true
}

function plainSwitch(thinking: unknown): boolean {
  return isObject(thinking) && thinking['type'] === 'enabled' && Object.keys(thinking).length === 1
}

/** A chat-completions body in our words. Throws where it has something we have no word for. */
export function readOpenAI(given: Readonly<Fields>, vendor: string): Asked {
  const body = present(given)
  const asked: Mutable = { messages: objects(body['messages']).map(message) }
  if (Array.isArray(body['tools'])) asked.tools = objects(body['tools']).map(raw => tool(vendor, raw))
  const own: Fields = {}
  for (const [key, value] of Object.entries(body)) if (!NOT_OURS.has(key) && !wish(key, value, asked, body)) own[key] = value
  return { ...asked, ...(Object.keys(own).length > 0 && { providerOptions: { openai: own as JsonObject } }) }
}
