import type { AssistantMessage, ChatRequest, FilePart, ImagePart, Json, JsonObject, Message, ProviderTool, TextPart, Tool, ToolMessage } from 'sallyport'
import { isObject } from '../../src/protocol/json.js'
import { objects, present } from './difference.js'
import { unreadable } from './read-openai.js'

type Fields = Record<string, unknown>
type Asked = Omit<ChatRequest, 'model'>
type Mutable = { -readonly [K in keyof Asked]: Asked[K] }
type InputPart = TextPart | ImagePart | FilePart
type AssistantPart = Exclude<AssistantMessage['content'], string>[number]

const TYPES: Readonly<Record<string, string>> = { pdf: 'application/pdf', txt: 'text/plain', md: 'text/markdown', csv: 'text/csv', html: 'text/html' }

/** A block of the dialect's own kind, sent as it stands. */
function verbatim(block: Fields): TextPart {
  return { type: 'text', text: '', providerData: { bedrock: { block: block as Json } } }
}

function only(fields: Fields, ...known: readonly string[]): boolean {
  return Object.keys(fields).every(key => known.includes(key))
}

/** Elements in our words; a cache point is a mark on the one before it. */
function marked<T extends object>(list: unknown, read: (block: Fields) => T): T[] {
  const out: T[] = []
  for (const block of objects(list)) {
    const point = block['cachePoint']
    const last = out.at(-1)
    if (point === undefined) out.push(read(present(block)))
    else if (last === undefined || !isObject(point) || !only(point, 'type')) throw unreadable('a cache point of its own kind')
    else out[out.length - 1] = { ...last, cacheControl: {} }
  }
  return out
}

function inputPart(block: Fields): InputPart {
  const { text, image, document } = block
  if (typeof text === 'string') return { type: 'text', text }
  const media = image ?? document
  if (!isObject(media) || !isObject(media['source'])) return verbatim(block)
  const { format, source, name } = media
  const { bytes } = source as Fields
  if (typeof bytes !== 'string' || typeof format !== 'string' || !only(media, 'format', 'source', 'name')) return verbatim(block)
  // Bytes, so that they have to be written down again on the way.
  if (image !== undefined) return { type: 'image', image: Buffer.from(bytes, 'base64'), mediaType: `image/${format}` }
  return { type: 'file', data: bytes, mediaType: TYPES[format] ?? format, ...(typeof name === 'string' && { filename: name }) }
}

function toolResult(result: unknown): ToolMessage {
  if (!isObject(result) || !only(result, 'toolUseId', 'content', 'status')) throw unreadable('a tool result of its own kind')
  return { role: 'tool', toolCallId: String(result['toolUseId']), content: marked(result['content'], inputPart), ...(result['status'] === 'error' && { isError: true }) }
}

function thought(reasoning: Fields): AssistantPart {
  const { redactedContent: redacted, reasoningText } = reasoning
  if (typeof redacted === 'string') return { type: 'reasoning', text: '', providerData: { bedrock: { redacted } } }
  const { text, signature } = isObject(reasoningText) ? reasoningText : {}
  return { type: 'reasoning', text: String(text), providerData: { bedrock: { signature: String(signature) } } }
}

function assistantPart(block: Fields): AssistantPart {
  const { text, toolUse, reasoningContent, citationsContent } = block
  if (typeof text === 'string') return { type: 'text', text }
  if (isObject(reasoningContent)) return thought(reasoningContent)
  if (isObject(toolUse)) return { type: 'tool-call', id: String(toolUse['toolUseId']), name: String(toolUse['name']), input: toolUse['input'] }
  if (isObject(citationsContent)) return { type: 'text', text: objects(citationsContent['content']).map(part => String(part['text'])).join(''), citations: objects(citationsContent['citations']).map(data => ({ data: data as Json })) }
  return verbatim(block)
}

function messages(given: Fields): Message[] {
  const { role, content } = given
  if (!only(given, 'role', 'content')) throw unreadable('a message of its own kind')
  if (role === 'assistant') return [{ role, content: marked(content, assistantPart) }]
  const results = objects(content).filter(block => block['toolResult'] !== undefined)
  const rest = objects(content).filter(block => block['toolResult'] === undefined)
  return [...results.map(block => toolResult(block['toolResult'])), ...(rest.length > 0 ? [{ role: 'user' as const, content: marked(rest, inputPart) }] : [])]
}

function tool(block: Fields): Tool | ProviderTool {
  const { toolSpec: spec } = block
  if (!isObject(spec) || !isObject(spec['inputSchema']) || !only(spec, 'name', 'description', 'inputSchema', 'strict')) return { providerData: { bedrock: { block: block as Json } } }
  const { name, description, inputSchema, strict } = spec
  return { name: String(name), inputSchema: (inputSchema as Fields)['json'] as JsonObject, ...(typeof description === 'string' && { description }), ...(typeof strict === 'boolean' && { strict }) }
}

function toolConfig(config: unknown, asked: Mutable): void {
  if (!isObject(config)) return
  asked.tools = marked(config['tools'], tool)
  const choice = config['toolChoice']
  if (!isObject(choice)) return
  if (choice['auto'] !== undefined) asked.toolChoice = 'auto'
  else if (choice['any'] !== undefined) asked.toolChoice = 'required'
  else if (isObject(choice['tool'])) asked.toolChoice = { name: String(choice['tool']['name']) }
}

/** What our words cover of the model's own fields; `false` where they do not. */
function modelFields(fields: unknown, asked: Mutable): boolean {
  if (!isObject(fields)) return true
  const { thinking, inferenceConfig } = fields
  if (isObject(thinking) && only(fields, 'thinking') && thinking['type'] === 'enabled' && typeof thinking['budget_tokens'] === 'number') asked.reasoning = { budgetTokens: thinking['budget_tokens'] }
  else if (isObject(inferenceConfig) && only(fields, 'inferenceConfig') && only(inferenceConfig, 'topK')) asked.topK = Number(inferenceConfig['topK'])
  else return false
  return true
}

const PLAIN = [['maxTokens', 'maxOutputTokens'], ['temperature', 'temperature'], ['topP', 'topP'], ['stopSequences', 'stop']] as const

/** A Converse body in our words. Throws where it has something we have no word for. */
export function readBedrock(given: Readonly<Fields>): Asked {
  const { messages: turns, system, inferenceConfig, toolConfig: tools, additionalModelRequestFields: fields, ...own } = present(given)
  const instructions = marked(system, inputPart) as TextPart[]
  const asked: Mutable = { messages: [...(instructions.length > 0 ? [{ role: 'system' as const, content: instructions }] : []), ...objects(turns).flatMap(messages)] }
  toolConfig(tools, asked)
  const config = isObject(inferenceConfig) ? inferenceConfig : {}
  for (const [theirs, ours] of PLAIN) if (config[theirs] !== undefined) Object.assign(asked, { [ours]: config[theirs] })
  if (!modelFields(fields, asked)) own['additionalModelRequestFields'] = fields
  return { ...asked, ...(Object.keys(own).length > 0 && { providerOptions: { bedrock: own as JsonObject } }) }
}
