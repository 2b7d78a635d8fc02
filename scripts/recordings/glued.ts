import { isObject, tryParseJson } from '../../src/protocol/json.js'
import { describe, differences } from './difference.js'
import type { Expected, ExpectedCall } from './recording.js'

type Fields = Record<string, unknown>

/** A body that is played in an exchange of its own. */
export interface Part {
  readonly name: string
  readonly text: string
  readonly expect: Expected
}
/** A recorded body that holds several messages, one behind the other, taken apart. */
export interface Apart {
  readonly messages: number
  readonly parts: readonly Part[]
  /** Why the parts together are not what the line expects. */
  readonly wrong: readonly string[]
}
interface Block {
  readonly start: Fields
  text: string
  json: string
}
/** One message, read the plain way. Blocks stand at their index. */
interface Reading {
  readonly blocks: Block[]
  usage: Fields
  raw: string | null
}

const MESSAGE_END = /(?<=^event: message_stop\ndata: .*\n\n)/m
const FINISH: ReadonlyMap<string | null, readonly string[]> = new Map([['tool_use', ['tool_calls']], ['end_turn', ['stop']], ['max_tokens', ['length']]])

/** The messages of a body, each up to its `message_stop`; put together they are the body. */
export function messagesOf(text: string): string[] {
  return text.split(MESSAGE_END)
}

/** The JSON objects of an event stream. */
export function events(text: string): Fields[] {
  return text.split('\n').flatMap(line => {
    const data = line.startsWith('data:') ? tryParseJson(line.slice(5)) : undefined
    return isObject(data) ? [data] : []
  })
}

/** The object at `key`, or an empty one. */
export function fieldsAt(fields: Fields, key: string): Fields {
  const value = fields[key]
  return isObject(value) ? value : {}
}

function isWhole(text: string): boolean {
  const types = events(text).map(event => event['type'])
  const once = (type: string): boolean => types.indexOf(type) === types.lastIndexOf(type)
  return types[0] === 'message_start' && types.at(-1) === 'message_stop' && once('message_start') && once('message_stop')
}

function blockOf(start: unknown): Block {
  const fields = isObject(start) ? start : {}
  return { start: fields, text: String(fields['text'] ?? ''), json: '' }
}

function note(reading: Reading, event: Fields): void {
  const message = fieldsAt(event, 'message')
  const delta = fieldsAt(event, 'delta')
  const index = Number(event['index'])
  const { blocks } = reading
  // A message may begin with blocks, and with a stop reason, that no event brings.
  if (Array.isArray(message['content'])) blocks.push(...message['content'].map(blockOf))
  if (event['type'] === 'content_block_start') blocks[index] = blockOf(event['content_block'])
  const block = blocks[index]
  if (block !== undefined && delta['type'] === 'text_delta') block.text += String(delta['text'])
  if (block !== undefined && delta['type'] === 'input_json_delta') block.json += String(delta['partial_json'])
  const stop = delta['stop_reason'] ?? message['stop_reason']
  if (typeof stop === 'string') reading.raw = stop
  reading.usage = { ...reading.usage, ...fieldsAt(message, 'usage'), ...fieldsAt(event, 'usage') }
}

function read(text: string): Reading {
  const reading: Reading = { blocks: [], usage: {}, raw: null }
  for (const event of events(text)) note(reading, event)
  return reading
}

function callOf({ start, json }: Block): ExpectedCall {
  return { id: String(start['id']), name: String(start['name']), arguments: json === '' ? start['input'] : tryParseJson(json) }
}

/** A reading in the words of `expect`: server tools are not the client's. A stop reason that is not known is never accepted. */
function expected({ blocks, usage, raw }: Reading): Expected {
  const ofType = (type: string): Block[] => blocks.filter(({ start }) => start['type'] === type)
  const tokens = (key: string): number => Number(usage[key] ?? 0)
  const [cached, cacheWrite] = [tokens('cache_read_input_tokens'), tokens('cache_creation_input_tokens')]
  const toolCalls = ofType('tool_use').map(callOf)
  const accept = FINISH.get(raw) ?? []
  return {
    outcome: 'completion',
    choices: [{ text: ofType('text').map(({ text }) => text).join(''), toolCalls, finish: { raw, accept: raw === 'end_turn' && toolCalls.length > 0 ? ['tool_calls', ...accept] : accept } }],
    usage: { input: tokens('input_tokens') + cached + cacheWrite, output: tokens('output_tokens'), ...(cached > 0 && { cached }), ...(cacheWrite > 0 && { cacheWrite }) },
  }
}

/** What one message of the Anthropic wire says, read without the adapter. */
export function readMessage(text: string): Expected {
  return expected(read(text))
}

/** What several messages say when each lays its blocks over those of the ones before, and the last has the last word. */
export function readOver(messages: readonly string[]): Expected {
  const blocks: Block[] = []
  let last: Reading = { blocks, usage: {}, raw: null }
  for (const message of messages) {
    last = read(message)
    Object.assign(blocks, last.blocks)
  }
  return expected({ ...last, blocks })
}

/** How the messages of one wire are told apart and read, without the adapter. */
export interface GluedWire {
  messagesOf(text: string): string[]
  /** It begins and ends as a message does, once. */
  isWhole(text: string): boolean
  read(text: string): Expected
  readOver(messages: readonly string[]): Expected
}

const ANTHROPIC_GLUED: GluedWire = { messagesOf, isWhole, read: readMessage, readOver }

/** Takes a body apart: each message by itself, and the body as it stands, which ends where its first message does. */
export function takeApart(text: string, whole: Expected, { messagesOf, isWhole, read, readOver }: GluedWire = ANTHROPIC_GLUED): Apart {
  const messages = messagesOf(text)
  const parts = messages.map((message, at) => ({ name: `message ${at + 1} of ${messages.length}`, text: message, expect: read(message) }))
  const cut = parts.filter(part => !isWhole(part.text)).map(({ name }) => `${name}: it is not a whole message`)
  const over = differences(whole, readOver(messages)).map(difference => `all messages laid over each other: ${describe(difference)}`)
  return { messages: messages.length, parts: [...parts, ...parts.slice(0, 1).map(({ expect }) => ({ name: 'all messages in one response', text, expect }))], wrong: [...cut, ...over] }
}
