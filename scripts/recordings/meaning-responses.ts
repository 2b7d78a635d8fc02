import { isObject, tryParseJson } from '../../src/protocol/json.js'
import { objects, present, type Meaning, type Rule } from './difference.js'

type Fields = Record<string, unknown>

function content(value: unknown): unknown {
  return typeof value === 'string' ? [{ type: 'input_text', text: value }] : objects(value).map(present)
}

function item(given: Fields): Fields {
  const raw = present(given)
  if (raw['content'] !== undefined) return { ...raw, type: 'message', content: content(raw['content']) }
  if (typeof raw['arguments'] === 'string') return { ...raw, arguments: tryParseJson(raw['arguments']) ?? raw['arguments'] }
  return raw
}

/** What a responses body asks for. Whatever has no place of its own is kept under its own name. */
export function responsesMeaning(body: Readonly<Fields>): Meaning {
  const { input, tools, stream, store, include, ...rest } = present(body)
  return {
    ...rest,
    input: typeof input === 'string' ? [item({ role: 'user', content: input })] : objects(input).map(item),
    ...(tools !== undefined && { tools: objects(tools).map(present) }),
    include: Array.isArray(include) ? include : [],
    // What the API does unless told otherwise.
    store: store ?? true,
    stream: stream === true,
  }
}

/** Differences of this protocol that are right by design. */
export const RESPONSES_RULES: readonly Rule[] = [
  {
    reason: '`strict: false` is said of a tool that does not ask for it: left out, the server may make its optional properties required',
    allows: ({ path, recorded, arrived }) => /^tools\[\d+\]\.strict$/.test(path) && recorded === undefined && arrived === false,
  },
  { reason: 'the schema of an answer has no name in a request; "output" is sent', allows: ({ path, recorded, arrived }) => path === 'text.format.name' && typeof recorded === 'string' && arrived === 'output' },
  {
    reason: '`strict` is left out of an answer schema that the server would refuse with it',
    allows: ({ path, recorded, arrived }, context) => path === 'text.format.strict' && recorded === true && arrived === undefined && isOpen(context.recorded),
  },
]

function isOpen({ text }: Meaning): boolean {
  const format = isObject(text) ? text['format'] : undefined
  const schema = isObject(format) ? format['schema'] : undefined
  return isObject(schema) && schema['additionalProperties'] !== false
}
