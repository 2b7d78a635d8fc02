import { base64 } from '../../protocol/canonical.js'
import { GatewayError } from '../../protocol/errors.js'
import { isObject, stringAt } from '../../protocol/json.js'
import type { Fields } from './model.js'

export function malformed(message: string): GatewayError {
  return new GatewayError('malformed_response', message, { origin: 'upstream' })
}

/** Which block or call a part of a stream belongs to. */
export function idOf({ id }: Fields): string {
  return typeof id === 'string' || typeof id === 'number' ? String(id) : ''
}

function isSource(part: unknown): part is Fields {
  return isObject(part) && part['type'] === 'source'
}

/** A whole answer has the sources of a text behind it, a stream inside it. */
export function sourcesAfter(parts: readonly unknown[], at: number): Fields[] {
  const sources: Fields[] = []
  for (let next = at + 1; next < parts.length; next++) {
    const part = parts[next]
    if (!isSource(part)) break
    sources.push(part)
  }
  return sources
}

/** The data of a file of the answer: bytes, base64 text or an address. Tagged since v4. */
export function fileData(data: unknown): string | Uint8Array {
  const inner = isObject(data) && !(data instanceof Uint8Array) && !(data instanceof URL) ? (data['data'] ?? data['url']) : data
  const held = inner instanceof URL ? inner.href : inner
  if (typeof held === 'string' || held instanceof Uint8Array) return held
  throw malformed('A file of the answer has no data.')
}

/** A part that only its provider understands, as it goes back into the prompt; nothing for what is none. */
export function opaqueBlock(type: string | undefined, part: Fields): Fields | undefined {
  switch (type) {
    case 'tool-result':
      return { type, toolCallId: part['toolCallId'], toolName: part['toolName'], output: { type: part['isError'] === true ? 'error-json' : 'json', value: part['result'] ?? null } }
    case 'reasoning-file':
      return { type, mediaType: part['mediaType'], data: plain(part['data']) }
    case 'custom':
      return { type, kind: stringAt(part, 'kind') }
    default:
      return undefined
  }
}

function plain(data: unknown): unknown {
  if (data instanceof Uint8Array) return base64(data)
  return isObject(data) && data['data'] instanceof Uint8Array ? { ...data, data: base64(data['data']) } : data
}
