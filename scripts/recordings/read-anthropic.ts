import type { AssistantMessage, ChatRequest, FilePart, ImagePart, Json, JsonObject, Message, ProviderTool, ReasoningPart, TextPart, Tool, ToolMessage } from 'sallyport'
import { isObject } from '../../src/protocol/json.js'
import { objects, present } from './difference.js'
import { cacheMark, unreadable } from './read-openai.js'

type Fields = Record<string, unknown>
type Asked = Omit<ChatRequest, 'model'>
type Mutable = { -readonly [K in keyof Asked]: Asked[K] }
type InputPart = TextPart | ImagePart | FilePart
type AssistantPart = Exclude<AssistantMessage['content'], string>[number]

/** A block of the dialect's own kind, sent as it stands. */
function verbatim(block: Fields): TextPart {
  return { type: 'text', text: '', providerData: { anthropic: { block: block as Json } } }
}

function only(fields: Fields, ...known: readonly string[]): boolean {
  return Object.keys(fields).every(key => known.includes(key))
}

/** The block without its cache mark, and the mark in our words; `undefined` where the mark has more to it. */
function unmarked(block: Fields): { rest: Fields; mark: Pick<TextPart, 'cacheControl'> } | undefined {
  const { cache_control: control, ...rest } = block
  if (control === undefined) return { rest, mark: {} }
  const mark = cacheMark(control)
  return mark === undefined ? undefined : { rest, mark: { cacheControl: mark } }
}

function media({ type, source, title }: Fields): ImagePart | FilePart | undefined {
  if (!isObject(source)) return undefined
  const { type: kind, url, data, media_type: mediaType } = source
  if (type === 'image' && kind === 'url' && typeof url === 'string') return { type: 'image', image: url }
  if (kind !== 'base64' || typeof data !== 'string' || typeof mediaType !== 'string') return undefined
  // Bytes, so that they have to be written down again on the way.
  if (type === 'image') return { type: 'image', image: Buffer.from(data, 'base64'), mediaType }
  return type === 'document' ? { type: 'file', data, mediaType, ...(typeof title === 'string' && { filename: title }) } : undefined
}

function inputPart(given: Fields): InputPart {
  const block = present(given)
  const split = unmarked(block)
  if (split === undefined) return verbatim(block)
  const { rest, mark } = split
  if (rest['type'] === 'text' && typeof rest['text'] === 'string' && only(rest, 'type', 'text')) return { type: 'text', text: rest['text'], ...mark }
  const part = only(rest, 'type', 'source', 'title') ? media(rest) : undefined
  return part === undefined ? verbatim(block) : { ...part, ...mark }
}

function inputParts(content: unknown): string | InputPart[] {
  return typeof content === 'string' ? content : objects(content).map(inputPart)
}

function toolResult(given: Fields): ToolMessage {
  const split = unmarked(present(given))
  if (split === undefined) throw unreadable('a cache mark of its own kind')
  const { tool_use_id: id, content = '', is_error: isError } = split.rest
  if (typeof id !== 'string' || !only(split.rest, 'type', 'tool_use_id', 'content', 'is_error')) throw unreadable('a tool result of its own kind')
  return { role: 'tool', toolCallId: id, content: inputParts(content), ...(isError === true && { isError }), ...split.mark }
}

function thought(block: Fields): ReasoningPart | undefined {
  const { type, thinking, signature, data } = block
  if (type === 'redacted_thinking' && typeof data === 'string') return { type: 'reasoning', text: '', providerData: { anthropic: { redacted: data } } }
  if (type === 'thinking' && typeof thinking === 'string' && typeof signature === 'string') return { type: 'reasoning', text: thinking, providerData: { anthropic: { signature } } }
  return undefined
}

function assistantPart(given: Fields): AssistantPart {
  const block = present(given)
  const { type, id, name, input } = block
  if (type === 'text') return inputPart(block) as TextPart
  if (type === 'tool_use' && typeof id === 'string' && typeof name === 'string' && only(block, 'type', 'id', 'name', 'input', 'cache_control')) {
    const split = unmarked(block)
    if (split !== undefined) return { type: 'tool-call', id, name, input, ...split.mark }
  }
  return thought(block) ?? verbatim(block)
}

function messages(given: unknown): Message[] {
  if (!isObject(given)) throw unreadable('a message that is no object')
  const { role, content } = given
  if (!only(given, 'role', 'content')) throw unreadable('a message of its own kind')
  if (role === 'assistant') return [{ role, content: typeof content === 'string' ? content : objects(content).map(assistantPart) }]
  if (role === 'system') return [{ role, content: inputParts(content) as string | TextPart[] }]
  if (role !== 'user') throw unreadable(`the role ${String(role).slice(0, 40)}`)
  if (typeof content === 'string') return [{ role, content }]
  const results = objects(content).filter(block => block['type'] === 'tool_result')
  const rest = objects(content).filter(block => block['type'] !== 'tool_result')
  return [...results.map(toolResult), ...(rest.length > 0 ? [{ role: 'user' as const, content: rest.map(inputPart) }] : [])]
}

function tool(given: Fields): Tool | ProviderTool {
  const block = present(given)
  const split = unmarked(block)
  const { name, description, input_schema: schema, strict } = split?.rest ?? {}
  if (split === undefined || typeof name !== 'string' || !isObject(schema) || !only(split.rest, 'name', 'description', 'input_schema', 'strict')) return { providerData: { anthropic: { block: block as Json } } }
  return { name, inputSchema: schema as JsonObject, ...(typeof description === 'string' && { description }), ...(typeof strict === 'boolean' && { strict }), ...split.mark }
}

function choice(raw: unknown, asked: Mutable): void {
  if (!isObject(raw) || !only(raw, 'type', 'name', 'disable_parallel_tool_use')) throw unreadable('a tool_choice of its own kind')
  const { type, name, disable_parallel_tool_use: single } = raw
  if (type === 'auto' || type === 'none') asked.toolChoice = type
  else if (type === 'any') asked.toolChoice = 'required'
  else if (type === 'tool' && typeof name === 'string') asked.toolChoice = { name }
  else throw unreadable('a tool_choice of its own kind')
  if (typeof single === 'boolean') asked.parallelToolCalls = !single
}

/** `thinking` and `effort` as our wish for reasoning; `undefined` where only the dialect's own fields say it. */
function reasoningOf(how: unknown, effort: unknown): { wish: NonNullable<Asked['reasoning']>; covers: boolean } | undefined {
  if (!isObject(how)) return undefined
  const level = effort === undefined ? {} : { effort: effort as 'low' }
  const budget = how['budget_tokens']
  if (how['type'] === 'enabled' && only(how, 'type', 'budget_tokens') && typeof budget === 'number') return { wish: { budgetTokens: budget, ...level }, covers: true }
  return how['type'] === 'adaptive' && effort !== undefined ? { wish: level, covers: only(how, 'type') } : undefined
}

/** Thinking, effort and the shape of the answer; what our words do not cover goes into `own`. */
function thinking({ thinking: how, output_config: config }: Fields, asked: Mutable, own: Fields): void {
  const { effort, format, ...more } = isObject(config) ? config : {}
  if (isObject(format) && isObject(format['schema'])) asked.output = format['schema'] as JsonObject
  const reasoning = reasoningOf(how, effort)
  if (reasoning !== undefined) asked.reasoning = reasoning.wish
  if (how !== undefined && reasoning?.covers !== true) own['thinking'] = how
  if (Object.keys(more).length > 0 || (effort !== undefined && reasoning === undefined)) own['output_config'] = config
}

const PLAIN: ReadonlyMap<string, keyof Asked> = new Map([['max_tokens', 'maxOutputTokens'], ['temperature', 'temperature'], ['top_p', 'topP'], ['top_k', 'topK'], ['stop_sequences', 'stop']])
const READ = new Set(['model', 'messages', 'system', 'tools', 'tool_choice', 'thinking', 'output_config', 'stream'])

/** A messages body in our words. Throws where it has something we have no word for. */
export function readAnthropic(given: Readonly<Fields>): Asked {
  const body = present(given)
  const own: Fields = {}
  const asked: Mutable = { messages: Array.isArray(body['messages']) ? (body['messages'] as readonly unknown[]).flatMap(messages) : [] }
  if (typeof body['system'] === 'string') asked.system = body['system']
  else if (body['system'] !== undefined) asked.messages = [{ role: 'system', content: inputParts(body['system']) as TextPart[] }, ...(asked.messages as Message[])]
  if (Array.isArray(body['tools'])) asked.tools = objects(body['tools']).map(tool)
  if (body['tool_choice'] !== undefined) choice(body['tool_choice'], asked)
  thinking(body, asked, own)
  for (const [key, value] of Object.entries(body)) {
    const plain = PLAIN.get(key)
    if (plain !== undefined) Object.assign(asked, { [plain]: value })
    else if (!READ.has(key)) own[key] = value
  }
  return { ...asked, ...(Object.keys(own).length > 0 && { providerOptions: { anthropic: own as JsonObject } }) }
}
