import { tryParseJson } from '../../src/protocol/json.js'
import { events, fieldsAt, type GluedWire } from './glued.js'
import type { Expected, ExpectedCall } from './recording.js'

type Fields = Record<string, unknown>

const RESPONSE_END = /(?<=^event: response\.completed\ndata: .*\n\n)/m

/** Responses laid over each other by the place of their items; texts and reasoning of a place stay until others take it. */
interface Reading {
  readonly items: Map<number, Fields>
  readonly texts: Map<number, string>
  readonly thoughts: Map<number, string>
  last: Fields
}

function note(reading: Reading, event: Fields): void {
  const at = Number(event['output_index'])
  if (event['type'] === 'response.output_item.done') reading.items.set(at, fieldsAt(event, 'item'))
  if (event['type'] === 'response.output_text.done') reading.texts.set(at, String(event['text']))
  if (event['type'] === 'response.reasoning_summary_text.done') reading.thoughts.set(at, String(event['text']))
  if (event['type'] === 'response.completed') reading.last = fieldsAt(event, 'response')
}

function callOf(item: Fields): ExpectedCall {
  return { id: String(item['call_id']), name: String(item['name']), arguments: tryParseJson(String(item['arguments'])) }
}

function expected({ items, texts, thoughts, last }: Reading): Expected {
  const all = [...items.values()]
  const toolCalls = all.filter(({ type }) => type === 'function_call').map(callOf)
  const usage = fieldsAt(last, 'usage')
  // A shell call waits for the caller, and is no call of a tool of his.
  const accept = toolCalls.length > 0 ? ['tool_calls', 'stop'] : all.some(({ type }) => type === 'shell_call') ? [null] : ['stop']
  const reasoning = [...thoughts.values()].join('')
  return {
    outcome: 'completion',
    choices: [{ text: [...texts.values()].join(''), ...(reasoning !== '' && { reasoning }), toolCalls, finish: { raw: String(last['status']), accept } }],
    usage: {
      input: Number(usage['input_tokens']),
      output: Number(usage['output_tokens']),
      cached: Number(fieldsAt(usage, 'input_tokens_details')['cached_tokens']),
      reasoning: Number(fieldsAt(usage, 'output_tokens_details')['reasoning_tokens']),
    },
  }
}

function readOver(responses: readonly string[]): Expected {
  const reading: Reading = { items: new Map(), texts: new Map(), thoughts: new Map(), last: {} }
  for (const event of responses.flatMap(events)) note(reading, event)
  return expected(reading)
}

function isWhole(text: string): boolean {
  const types = events(text).map(event => event['type'])
  const once = (type: string): boolean => types.indexOf(type) === types.lastIndexOf(type)
  return types[0] === 'response.created' && types.at(-1) === 'response.completed' && once('response.created') && once('response.completed')
}

/** Responses of the Responses wire, read the plain way. */
export const RESPONSES_GLUED: GluedWire = { messagesOf: text => text.split(RESPONSE_END), isWhole, read: text => readOver([text]), readOver }
