import type { AssistantMessage, ChatRequest, FilePart, ImagePart, Json, JsonObject, Message, ProviderTool, TextPart, Tool, ToolMessage, UserMessage } from 'sallyport'
import { isObject, tryParseJson } from '../../src/protocol/json.js'
import { objects, present } from './difference.js'
import { unreadable } from './read-openai.js'

type Fields = Record<string, unknown>
type Asked = Omit<ChatRequest, 'model'>
type Mutable = { -readonly [K in keyof Asked]: Asked[K] }
type AssistantPart = Exclude<AssistantMessage['content'], string>[number]

function only(fields: Fields, ...known: readonly string[]): boolean {
  return Object.keys(fields).every(key => known.includes(key))
}

function verbatim(block: Fields): TextPart {
  return { type: 'text', text: '', providerData: { responses: { block: block as Json } } }
}

function image({ image_url: url, detail }: Fields): ImagePart | undefined {
  if (typeof url !== 'string') return undefined
  const data = /^data:([\w/+.-]+);base64,(.*)$/s.exec(url)
  // Bytes, so that they have to be written down again on the way.
  return { type: 'image', image: data === null ? url : Buffer.from(data[2] ?? '', 'base64'), ...(data !== null && { mediaType: data[1] ?? '' }), ...(detail !== undefined && { detail: detail as 'auto' }) }
}

function file({ file_data: data, filename }: Fields): FilePart | undefined {
  const [, mediaType, base64] = /^data:([\w/+.-]+);base64,(.*)$/s.exec(String(data)) ?? []
  return mediaType === undefined || base64 === undefined ? undefined : { type: 'file', data: base64, mediaType, ...(typeof filename === 'string' && { filename }) }
}

function part(given: Fields): TextPart | ImagePart | FilePart {
  const block = present(given)
  const { type, text } = block
  if (type === 'input_text' && typeof text === 'string' && only(block, 'type', 'text')) return { type: 'text', text }
  const made = type === 'input_image' && only(block, 'type', 'image_url', 'detail') ? image(block) : type === 'input_file' && only(block, 'type', 'file_data', 'filename') ? file(block) : undefined
  return made ?? verbatim(block)
}

function content(given: unknown): string | (TextPart | ImagePart | FilePart)[] {
  return typeof given === 'string' ? given : objects(given).map(part)
}

function reasoning(item: Fields): AssistantPart {
  const { id, summary, encrypted_content: encrypted } = item
  if (!only(item, 'type', 'id', 'summary', 'encrypted_content') || objects(summary).length > 1) return verbatim(item)
  const text = String(objects(summary)[0]?.['text'] ?? '')
  return { type: 'reasoning', text, providerData: { responses: { ...(typeof id === 'string' && { id }), encrypted_content: encrypted as string } } }
}

function call(item: Fields): AssistantPart {
  const { id, call_id: callId, name, arguments: written } = item
  if (!only(item, 'type', 'id', 'call_id', 'name', 'arguments') || typeof callId !== 'string' || typeof name !== 'string' || typeof written !== 'string') return verbatim(item)
  return { type: 'tool-call', id: callId, name, input: tryParseJson(written), arguments: written, ...(typeof id === 'string' && { providerData: { responses: { id } } }) }
}

function result(item: Fields): ToolMessage {
  const { call_id: callId, output } = item
  if (!only(item, 'type', 'call_id', 'output') || typeof callId !== 'string') throw unreadable('a tool result of its own kind')
  return { role: 'tool', toolCallId: callId, content: content(output) }
}

function message({ role, content: said, ...rest }: Fields): Message {
  if (!only(rest, 'type')) throw unreadable('a message of its own kind')
  if (role === 'user') return { role, content: content(said) as UserMessage['content'] }
  if (role === 'system' || role === 'developer') return { role, content: content(said) as string | TextPart[] }
  throw unreadable(`the role ${String(role).slice(0, 40)}`)
}

/** Items of one answer, one behind the other, are one message of ours. */
function messages(input: unknown): Message[] {
  if (typeof input === 'string') return [{ role: 'user', content: input }]
  const out: Message[] = []
  let answer: AssistantPart[] = []
  const flush = (): void => {
    if (answer.length > 0) out.push({ role: 'assistant', content: answer })
    answer = []
  }
  for (const given of objects(input)) {
    const item = present(given)
    if (item['type'] === 'reasoning') answer.push(reasoning(item))
    else if (item['type'] === 'function_call') answer.push(call(item))
    else {
      flush()
      out.push(item['type'] === 'function_call_output' ? result(item) : message(item))
    }
  }
  flush()
  return out
}

function tool(given: Fields): Tool | ProviderTool {
  const block = present(given)
  const { type, name, description, parameters, strict } = block
  if (type !== 'function' || typeof name !== 'string' || !isObject(parameters) || !only(block, 'type', 'name', 'description', 'parameters', 'strict')) return { providerData: { responses: { block: block as Json } } }
  return { name, inputSchema: parameters as JsonObject, ...(typeof description === 'string' && { description }), ...(typeof strict === 'boolean' && { strict }) }
}

function choice(raw: unknown): NonNullable<ChatRequest['toolChoice']> {
  if (raw === 'auto' || raw === 'none' || raw === 'required') return raw
  if (isObject(raw) && typeof raw['name'] === 'string') return { name: raw['name'] }
  throw unreadable('a tool_choice of its own kind')
}

function format(text: unknown, asked: Mutable, own: Fields): void {
  const { format: shape, ...more } = isObject(text) ? text : {}
  if (isObject(shape) && shape['type'] === 'json_schema' && isObject(shape['schema'])) {
    asked.output = shape['schema'] as JsonObject
    if (Object.keys(more).length > 0) own['text'] = more
  } else own['text'] = text
}

const PLAIN: ReadonlyMap<string, keyof Asked> = new Map([['temperature', 'temperature'], ['top_p', 'topP'], ['max_output_tokens', 'maxOutputTokens'], ['parallel_tool_calls', 'parallelToolCalls']])
const READ = new Set(['model', 'input', 'tools', 'tool_choice', 'text', 'stream', 'store'])

/** A responses body in our words. Throws where it has something we have no word for. */
export function readResponses(given: Readonly<Fields>): Asked {
  const body = present(given)
  // What the API does unless told otherwise, and we do only when told so.
  const own: Fields = body['store'] === false ? {} : { store: true }
  const asked: Mutable = { messages: messages(body['input']) }
  if (Array.isArray(body['tools'])) asked.tools = objects(body['tools']).map(tool)
  if (body['tool_choice'] !== undefined) asked.toolChoice = choice(body['tool_choice'])
  if (body['text'] !== undefined) format(body['text'], asked, own)
  for (const [key, value] of Object.entries(body)) {
    const plain = PLAIN.get(key)
    if (plain !== undefined) Object.assign(asked, { [plain]: value })
    else if (!READ.has(key)) own[key] = value
  }
  return { ...asked, ...(Object.keys(own).length > 0 && { providerOptions: { responses: own as JsonObject } }) }
}
