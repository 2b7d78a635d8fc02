import { isObject, tryParseJson } from '../../src/protocol/json.js'
import { objects, present, type Meaning, type Rule } from './difference.js'

type Fields = Record<string, unknown>

// A text and a list with one text say the same, and so do an empty text and none.
function content(value: unknown): Fields[] {
  const blocks = typeof value === 'string' ? [{ type: 'text', text: value }] : objects(value).map(present)
  return blocks.filter(block => !(block['type'] === 'text' && block['text'] === ''))
}

function call(raw: Fields): Fields {
  const { function: named, ...rest } = present(raw)
  if (!isObject(named)) return rest
  const { arguments: written, ...more } = present(named)
  return { ...rest, ...more, arguments: typeof written === 'string' ? (tryParseJson(written) ?? written) : written }
}

function message(raw: Fields): Fields {
  const { content: said, tool_calls: calls, ...rest } = present(raw)
  return { ...rest, content: content(said), ...(calls !== undefined && { calls: objects(calls).map(call) }) }
}

/** What a v2 chat body asks for. Whatever has no place of its own is kept under its own name. */
export function cohereMeaning(body: Readonly<Fields>): Meaning {
  const { messages, stream, ...rest } = present(body)
  return { ...rest, messages: objects(messages).map(message), stream: stream === true }
}

/** Differences of this protocol that are right by design: none. */
export const COHERE_RULES: readonly Rule[] = []
