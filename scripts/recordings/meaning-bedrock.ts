import { isObject } from '../../src/protocol/json.js'
import { objects, present, type Meaning, type Rule } from './difference.js'

type Fields = Record<string, unknown>

// Blank text is refused by the server, and says nothing.
function blocks(value: unknown): Fields[] {
  return objects(value).flatMap(raw => {
    const block = present(raw)
    return typeof block['text'] === 'string' && block['text'].trim() === '' ? [] : [block]
  })
}

// Neighbours of one role are one turn; the server wants them joined.
function turns(messages: unknown): Fields[] {
  const out: { role: unknown; content: Fields[]; [key: string]: unknown }[] = []
  for (const raw of objects(messages)) {
    const { role, content, ...rest } = present(raw)
    const last = out.at(-1)
    if (last !== undefined && last.role === role && Object.keys(rest).length === 0) last.content.push(...blocks(content))
    else out.push({ role, content: blocks(content), ...rest })
  }
  return out
}

function filled(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !(Array.isArray(value) && value.length === 0) && !(isObject(value) && Object.keys(value).length === 0)))
}

/** What a Converse body asks for: lists and objects with nothing in them ask for nothing. */
export function bedrockMeaning(body: Readonly<Fields>): Meaning {
  const { messages, system, inferenceConfig, ...rest } = present(body)
  return filled({ ...rest, messages: turns(messages), system: blocks(system), inferenceConfig: isObject(inferenceConfig) ? filled(present(inferenceConfig)) : {} })
}

/** Differences of this protocol that are right by design: none. */
export const BEDROCK_RULES: readonly Rule[] = []
