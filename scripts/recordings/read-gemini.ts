import type { AssistantMessage, ChatRequest, FilePart, Json, JsonObject, Message, ProviderTool, TextPart, Tool, ToolMessage } from 'sallyport'
import { isObject } from '../../src/protocol/json.js'
import { objects } from './difference.js'
import { unreadable } from './read-openai.js'

type Fields = Record<string, unknown>
type Asked = Omit<ChatRequest, 'model'>
type Mutable = { -readonly [K in keyof Asked]: Asked[K] }
type AssistantPart = Exclude<AssistantMessage['content'], string>[number]

function only(fields: Fields, ...known: readonly string[]): boolean {
  return Object.keys(fields).every(key => known.includes(key))
}

/** The field, in the one or the other spelling that the server takes. */
function at(fields: Fields, name: string): unknown {
  return fields[name] ?? fields[name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)]
}

function inputPart(part: Fields): TextPart | FilePart {
  const { text, inlineData } = part
  if (typeof text === 'string' && only(part, 'text')) return { type: 'text', text }
  if (isObject(inlineData) && typeof inlineData['data'] === 'string' && typeof inlineData['mimeType'] === 'string') return { type: 'file', data: inlineData['data'], mediaType: inlineData['mimeType'] }
  throw unreadable('a part of its own kind')
}

function assistantPart(part: Fields): AssistantPart {
  const { text, functionCall: call, thoughtSignature } = part
  const signed = thoughtSignature === undefined ? {} : { providerData: { gemini: { thoughtSignature: thoughtSignature as Json } } }
  if (isObject(call) && typeof call['name'] === 'string') return { type: 'tool-call', id: typeof call['id'] === 'string' ? call['id'] : call['name'], name: call['name'], input: call['args'], ...signed }
  if (typeof text === 'string') return { type: part['thought'] === true ? 'reasoning' : 'text', text, ...signed }
  throw unreadable('a part of its own kind')
}

function toolResult(raw: unknown): ToolMessage {
  if (!isObject(raw) || typeof raw['name'] !== 'string') throw unreadable('a function response of its own kind')
  return { role: 'tool', toolCallId: typeof raw['id'] === 'string' ? raw['id'] : raw['name'], content: JSON.stringify(raw['response']) }
}

function messages(content: Fields): Message[] {
  const parts = objects(content['parts'])
  if (content['role'] === 'model') return [{ role: 'assistant', content: parts.map(assistantPart) }]
  const results = parts.filter(part => part['functionResponse'] !== undefined).map(part => toolResult(part['functionResponse']))
  const rest = parts.filter(part => part['functionResponse'] === undefined)
  return [...results, ...(rest.length > 0 ? [{ role: 'user' as const, content: rest.map(inputPart) }] : [])]
}

function tools(given: Fields): (Tool | ProviderTool)[] {
  const functions = at(given, 'functionDeclarations')
  if (functions === undefined) return [{ providerData: { gemini: { block: given as Json } } }]
  return objects(functions).map(declared => {
    const schema = at(declared, 'parametersJsonSchema') ?? declared['parameters']
    return { name: String(declared['name']), ...(typeof declared['description'] === 'string' && { description: declared['description'] }), inputSchema: schema as JsonObject }
  })
}

function thinking(config: Fields, asked: Mutable, own: Fields): void {
  const { length: known } = Object.keys(config)
  const level = at(config, 'thinkingLevel')
  const budget = at(config, 'thinkingBudget')
  if (known === 2 && at(config, 'includeThoughts') === true && typeof level === 'string') asked.reasoning = { effort: level.toLowerCase() as 'low' }
  else if (known === 2 && at(config, 'includeThoughts') === true && typeof budget === 'number') asked.reasoning = { budgetTokens: budget }
  else own['generationConfig'] = { ...(own['generationConfig'] as Fields | undefined), thinkingConfig: config }
}

const PLAIN = new Set(['maxOutputTokens', 'temperature', 'topP', 'topK', 'seed', 'presencePenalty', 'frequencyPenalty'])
const READ = new Set(['contents', 'systemInstruction', 'tools', 'generationConfig'])

function generation(config: Fields, asked: Mutable, own: Fields): void {
  const more: Fields = {}
  for (const [key, value] of Object.entries(config)) {
    if (key === 'thinkingConfig' && isObject(value)) thinking(value, asked, own)
    else if (PLAIN.has(key)) Object.assign(asked, { [key]: value })
    else if (key === 'stopSequences') asked.stop = value as string[]
    else more[key] = value
  }
  if (Object.keys(more).length > 0) own['generationConfig'] = { ...(own['generationConfig'] as Fields | undefined), ...more }
}

/** A generateContent body in our words. Throws where it has something we have no word for. */
export function readGemini(body: Readonly<Fields>): Asked {
  const own: Fields = {}
  const asked: Mutable = { messages: objects(body['contents']).flatMap(messages) }
  const system = body['systemInstruction']
  if (isObject(system)) asked.messages = [{ role: 'system', content: objects(system['parts']).map(part => inputPart(part) as TextPart) }, ...(asked.messages as Message[])]
  if (Array.isArray(body['tools'])) asked.tools = objects(body['tools']).flatMap(tools)
  if (isObject(body['generationConfig'])) generation(body['generationConfig'], asked, own)
  for (const [key, value] of Object.entries(body)) if (!READ.has(key)) own[key] = value
  return { ...asked, ...(Object.keys(own).length > 0 && { providerOptions: { gemini: own as JsonObject } }) }
}
