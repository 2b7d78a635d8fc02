import { GatewayError } from './errors.js'
import { MAX_JSON_DEPTH } from './json.js'

/**
 * JSON text in which equal values are equal texts: keys sorted, what `JSON.stringify` leaves out left out, -0 as 0. What
 * JSON has no word for gets a word of its own, so that no two unlike values share a text: bytes are `b"..."` (base64), a
 * `URL` is `u"..."`. Throws `invalid_request` on a cycle, on nesting deeper than {@link MAX_JSON_DEPTH}, and on a bigint.
 *
 * @example
 * canonical({ b: 1, a: [undefined, -0] }) // '{"a":[null,0],"b":1}'
 */
export function canonical(value: unknown): string {
  return textOf(value, 0) ?? 'null'
}

function textOf(value: unknown, depth: number): string | undefined {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null'
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      return value === null ? 'null' : objectText(value, depth + 1)
    case 'bigint':
      throw new GatewayError('invalid_request', 'The request holds a bigint, which JSON cannot say. Give a number or a text.')
    default:
      return undefined
  }
}

function objectText(value: object, depth: number): string | undefined {
  // A cycle has no end, so it is too deep before anything else.
  if (depth > MAX_JSON_DEPTH) throw new GatewayError('invalid_request', `The request is nested deeper than ${MAX_JSON_DEPTH} levels, or holds itself.`)
  if (Array.isArray(value)) return listText(value, depth)
  const made: unknown = Object.getPrototypeOf(value)
  if (made === Object.prototype && !('toJSON' in value)) return recordText(value as Record<string, unknown>, depth)
  if (value instanceof Uint8Array) return `b"${base64(value)}"`
  if (value instanceof URL) return `u${JSON.stringify(value.href)}`
  if (value instanceof Number || value instanceof String || value instanceof Boolean) return textOf(value.valueOf(), depth)
  const plain: unknown = 'toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON('') : value
  // Asked once, as JSON.stringify does: what it gives may be the object itself.
  if (typeof plain !== 'object' || plain === null) return textOf(plain, depth)
  return Array.isArray(plain) ? listText(plain, depth) : recordText(plain as Record<string, unknown>, depth)
}

function listText(list: readonly unknown[], depth: number): string {
  let text = '['
  for (let at = 0; at < list.length; at++) text += (at === 0 ? '' : ',') + (textOf(list[at], depth) ?? 'null')
  return text + ']'
}

function recordText(record: Readonly<Record<string, unknown>>, depth: number): string {
  const keys = Object.keys(record)
  if (!inOrder(keys)) keys.sort()
  let text = '{'
  for (const key of keys) {
    const inner = textOf(record[key], depth)
    if (inner !== undefined) text += (text.length === 1 ? '' : ',') + JSON.stringify(key) + ':' + inner
  }
  return text + '}'
}

function inOrder(keys: readonly string[]): boolean {
  for (let at = 1; at < keys.length; at++) if ((keys[at - 1] as string) > (keys[at] as string)) return false
  return true
}

// More at once would not fit the arguments of a call.
const SLICE = 8_192

/** Bytes as base64 text. */
export function base64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += SLICE) text += String.fromCharCode(...bytes.subarray(at, at + SLICE))
  return btoa(text)
}
