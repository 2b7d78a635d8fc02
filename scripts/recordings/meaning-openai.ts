import { isObject, tryParseJson } from '../../src/protocol/json.js'
import { objects, present, type Meaning, type Rule } from './difference.js'

type Fields = Record<string, unknown>

// Whatever has no place of its own in the meaning is kept under its own name, so that nothing is left out of the comparison.
function part(raw: Fields): Fields {
  const { type, text, image_url: image, ...rest } = present(raw)
  if (type === 'text') return { text, ...rest }
  if (type === 'input_audio') return { audio: isObject(rest['input_audio']) ? present(rest['input_audio']) : { data: rest['input_audio'] } }
  if (type === 'image_url') return { image: isObject(image) ? present(image) : { url: image }, ...rest }
  return { type: type ?? 'none', ...(text !== undefined && { text }), ...(image !== undefined && { image }), ...rest }
}

function content(value: unknown): Fields[] {
  if (typeof value === 'string') return value === '' ? [] : [{ text: value }]
  return objects(value).map(part)
}

function call(raw: Fields): Fields {
  const { id, type: _type, function: named, ...rest } = present(raw)
  if (!isObject(named)) return { id, ...rest }
  const { name, arguments: written, ...more } = present(named)
  return { id, name, arguments: typeof written === 'string' ? (tryParseJson(written) ?? written) : written, ...more, ...rest }
}

function message(raw: Fields): Fields {
  const { role, content: said, tool_calls: calls, tool_call_id: answers, reasoning, reasoning_content: thoughts, ...rest } = present(raw)
  // Some clients send the same thoughts under both names.
  const both = reasoning !== undefined && thoughts !== undefined && reasoning !== thoughts
  return {
    role,
    content: content(said),
    ...(calls !== undefined && { calls: objects(calls).map(call) }),
    ...(answers !== undefined && { answers }),
    ...((reasoning ?? thoughts) !== undefined && { reasoning: both ? { reasoning, thoughts } : (reasoning ?? thoughts) }),
    ...rest,
  }
}

function tool(raw: Fields): Fields {
  const { type, function: named, ...rest } = present(raw)
  return isObject(named) && (type === 'function' || type === undefined) ? { ...present(named), ...rest } : { type, ...present({ function: named }), ...rest }
}

function choice(raw: unknown): unknown {
  const named = isObject(raw) ? raw['function'] : undefined
  return isObject(named) ? { name: named['name'] } : raw
}

function answer(raw: unknown): unknown {
  if (!isObject(raw) || raw['type'] !== 'json_schema' || !isObject(raw['json_schema'])) return raw
  return present(raw['json_schema'])
}

/** What a chat-completions body asks for. */
export function openaiMeaning(body: Readonly<Fields>): Meaning {
  const { messages, tools, tool_choice: chosen, response_format: format, max_tokens: most, max_completion_tokens: mostCompletion, stop, stream, stream_options: streaming, ...rest } = present(body)
  const streamOptions = isObject(streaming) ? present(streaming) : {}
  return {
    ...rest,
    messages: objects(messages).map(message),
    ...(tools !== undefined && { tools: objects(tools).map(tool) }),
    ...(chosen !== undefined && { toolChoice: choice(chosen) }),
    ...(format !== undefined && { answer: answer(format) }),
    ...((most ?? mostCompletion) !== undefined && { maxTokens: most !== undefined && mostCompletion !== undefined && most !== mostCompletion ? [most, mostCompletion] : (most ?? mostCompletion) }),
    ...(stop !== undefined && { stop: Array.isArray(stop) ? stop : [stop] }),
    stream: stream === true,
    ...(Object.keys(streamOptions).length > 0 && { streamOptions }),
  }
}

/** Servers that are sent the reasoning of earlier turns. */
const REPLAY = new Set(['deepseek', 'openrouter'])
/** Servers that do not know `tool_choice`. */
const CHOICELESS = new Set(['ollama'])

function closed(schema: unknown): boolean {
  if (!isObject(schema) || schema['additionalProperties'] !== false || !isObject(schema['properties'])) return false
  const required: unknown = schema['required']
  return Array.isArray(required) && Object.keys(schema['properties']).every(key => required.includes(key))
}

/** Differences of this protocol that are right by design. */
export const OPENAI_RULES: readonly Rule[] = [
  { reason: '`n: 1` is left out: one answer is the default', allows: ({ path, recorded, arrived }) => path === 'n' && recorded === 1 && arrived === undefined },
  { reason: 'an empty list of tools is left out', allows: ({ path, recorded, arrived }) => path === 'tools' && Array.isArray(recorded) && recorded.length === 0 && arrived === undefined },
  {
    reason: 'usage is asked for on every stream',
    allows: ({ path, recorded, arrived }, context) => path === 'streamOptions' && context.recorded['stream'] === true && recorded === undefined && isObject(arrived) && Object.keys(arrived).length === 1 && arrived['include_usage'] === true,
  },
  {
    reason: 'the schema of an answer has no name in a request; "output" is sent',
    allows: ({ path, recorded, arrived }) => path === 'answer.name' && (recorded === undefined || typeof recorded === 'string') && arrived === 'output',
  },
  {
    reason: '`strict` is sent with every answer schema that is closed and requires all it names',
    allows: ({ path, recorded, arrived }, context) => path === 'answer.strict' && recorded === undefined && arrived === true && isObject(context.recorded['answer']) && closed(context.recorded['answer']['schema']),
  },
  {
    reason: 'instructions go in the role `system` to every server but the one that made the role `developer`',
    allows: ({ path, recorded, arrived }, { vendor }) => /^messages\[\d+\]\.role$/.test(path) && recorded === 'developer' && arrived === 'system' && vendor !== 'openai',
  },
  {
    reason: 'the reasoning of earlier turns is not sent to a server that does not ask for it',
    allows: ({ path, recorded, arrived }, { vendor }) => /^messages\[\d+\]\.reasoning$/.test(path) && typeof recorded === 'string' && arrived === undefined && !REPLAY.has(vendor),
  },
  {
    reason: '`tool_choice: "auto"` is left out for a server that does not know the field: it is what the server does',
    allows: ({ path, recorded, arrived }, { vendor }) => path === 'toolChoice' && recorded === 'auto' && arrived === undefined && CHOICELESS.has(vendor),
  },
  {
    reason: 'an effort the server has no word for becomes the nearest, with a warning',
    allows: ({ path, recorded, arrived }, { warnings }) => path === 'reasoning_effort' && typeof recorded === 'string' && typeof arrived === 'string' && warnings.some(({ code, parameter }) => code === 'changed' && parameter === 'reasoning.effort'),
  },
  {
    reason: 'a server with a switch for thinking has it turned on along with the effort',
    allows: ({ path, recorded, arrived }, context) => path === 'thinking' && recorded === undefined && isObject(arrived) && arrived['type'] === 'enabled' && context.recorded['reasoning_effort'] !== undefined,
  },
]

/** Differences of the same dialect as Mistral speaks it, beside those of {@link OPENAI_RULES}. */
export const MISTRAL_RULES: readonly Rule[] = [
  ...OPENAI_RULES,
  { reason: '`prefix: false` is left out: it is the default', allows: ({ path, recorded, arrived }) => /^messages\[\d+\]\.prefix$/.test(path) && recorded === false && arrived === undefined },
  { reason: 'the index of a call is left out: its place in the list says it', allows: ({ path, recorded, arrived }) => Number(/\.calls\[(\d+)\]\.index$/.exec(path)?.[1]) === recorded && arrived === undefined },
  { reason: 'a sound goes as bare base64 text, which says its format itself', allows: ({ path, recorded, arrived }) => path.endsWith('.audio.format') && typeof recorded === 'string' && arrived === undefined },
]
