import type { ChatEvent } from '../../protocol/events.js'
import { isObject, stringAt, type Json } from '../../protocol/json.js'

/** A JSON object of an answer. */
export type Fields = Record<string, unknown>
/** What a block is to us; `opaque` ones are kept to be sent back, `output` is the answer in the shape of a tool call. */
export type Kind = 'text' | 'thinking' | 'redacted' | 'tool' | 'output' | 'opaque'

/** A content block that has begun. `key` is its number in the whole answer, for a spliced message counts from 0 again. */
export interface Open {
  readonly kind: Kind
  readonly key: number
  readonly block: Fields
  readonly json: string[]
  readonly signature: string[]
}

const KINDS: ReadonlyMap<string, Kind> = new Map([['text', 'text'], ['thinking', 'thinking'], ['redacted_thinking', 'redacted'], ['tool_use', 'tool']])

export function kindOf(block: Fields, outputTool: string | undefined): Kind {
  const kind = KINDS.get(stringAt(block, 'type') ?? '') ?? 'opaque'
  return kind === 'tool' && outputTool !== undefined && block['name'] === outputTool ? 'output' : kind
}

/** Adds a delta of a kind we do not know to a block we only keep: texts grow, the rest is replaced. */
export function grow(block: Fields, delta: Fields): void {
  for (const [key, value] of Object.entries(delta)) {
    if (key === 'type' || key === '__proto__') continue
    const before = block[key]
    block[key] = typeof before === 'string' && typeof value === 'string' ? before + value : value
  }
}

/** The event of one citation; the raw one goes along, to be sent back. */
export function citationEvent(citation: unknown): ChatEvent | undefined {
  if (!isObject(citation)) return undefined
  const url = stringAt(citation, 'url')
  const title = stringAt(citation, 'title') ?? stringAt(citation, 'document_title')
  const text = stringAt(citation, 'cited_text')
  return { type: 'citation', ...(url !== undefined && { url }), ...(title !== undefined && { title }), ...(text !== undefined && { text }), data: citation as Json }
}
