import { GatewayError } from '../../protocol/errors.js'
import type { ChatEvent } from '../../protocol/events.js'
import { isObject, stringAt, type Json } from '../../protocol/json.js'

/** A JSON object of an answer. */
export type Fields = Record<string, unknown>

/** A block that has begun: a call, the answer in the shape of a call, reasoning, or one that is left out. `key` is its number in the whole answer. */
export interface Open {
  readonly kind: 'tool' | 'output' | 'reasoning' | 'opaque'
  readonly key: number
  readonly json: string[]
  readonly signature: string[]
  readonly redacted: string[]
}

export function malformed(message: string): GatewayError {
  return new GatewayError('malformed_response', message, { origin: 'upstream' })
}

/** The event of one citation; the raw one goes along, to be sent back. */
export function citationEvent(citation: unknown): ChatEvent | undefined {
  if (!isObject(citation)) return undefined
  const title = stringAt(citation, 'title')
  const sources: unknown = citation['sourceContent']
  const text = Array.isArray(sources) ? sources.map(source => stringAt(source, 'text') ?? '').join('') : ''
  const url = stringAt(isObject(citation['location']) ? citation['location']['web'] : undefined, 'url')
  return { type: 'citation', ...(url !== undefined && { url }), ...(title !== undefined && { title }), ...(text !== '' && { text }), data: citation as Json }
}
