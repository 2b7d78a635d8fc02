import { isObject } from '../protocol/json.js'
import type { ToolMessage } from '../protocol/request.js'

type Content = ToolMessage['content']

/** Longest message of an error that the model is given, in characters. */
const MAX_ERROR = 2_000
const NOTHING = '(no result)'

/** What a tool gave, as the model is given it. Throws where it cannot be written as JSON. */
export function contentOf(value: unknown, maxChars: number): Content {
  if (typeof value === 'string') return cut(value, maxChars)
  if (isParts(value)) return value.map(part => (part.type === 'text' ? { ...part, text: cut(part.text, maxChars) } : part))
  return cut(jsonOf(value) ?? NOTHING, maxChars)
}

/** What a tool threw, in bounded words: its message, never its stack. */
export function failureOf(error: unknown): string {
  let text: unknown
  try {
    text = error instanceof Error ? error.message || error.name : typeof error === 'object' && error !== null ? jsonOf(error) : String(error)
  } catch {
    // An error that cannot be read is one all the same.
  }
  return typeof text === 'string' && text !== '' ? cut(text, MAX_ERROR) : 'The tool failed.'
}

/** Says that it was cut, and between which halves of a character it never cuts. */
function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text
  const last = text.charCodeAt(maxChars - 1)
  const end = last >= 0xd800 && last <= 0xdbff ? maxChars - 1 : maxChars
  return `${text.slice(0, end)}\n[cut: these are the first ${end} of ${text.length} characters]`
}

function isParts(value: unknown): value is Exclude<Content, string> {
  return Array.isArray(value) && value.length > 0 && value.every(isPart)
}

function isPart(part: unknown): boolean {
  if (!isObject(part)) return false
  const { type, text, image, data, mediaType } = part
  if (type === 'text') return typeof text === 'string'
  if (type === 'image') return isData(image, mediaType)
  return type === 'file' && typeof mediaType === 'string' && isData(data, mediaType)
}

function isData(data: unknown, mediaType: unknown): boolean {
  return data instanceof URL || (typeof data === 'string' && data !== '') || (data instanceof Uint8Array && typeof mediaType === 'string')
}

/** JSON with words for what it has none for, so that nothing is left out in silence; `undefined` where there is nothing at all. */
function jsonOf(value: unknown): string | undefined {
  // What is being written, from the outside in: what JSON sees, and what was given.
  const path: { readonly seen: unknown; readonly given: unknown }[] = []
  return JSON.stringify(value, function (this: unknown, _key: string, given: unknown): unknown {
    while (path.length > 0 && path.at(-1)?.seen !== this) path.pop()
    if (typeof given === 'bigint') return String(given)
    if (typeof given !== 'object' || given === null) return given
    if (path.some(outer => outer.given === given)) return '[circular]'
    const seen = plain(given)
    path.push({ seen, given })
    return seen
  }) as string | undefined
}

function plain(given: object): unknown {
  if (ArrayBuffer.isView(given)) return `[${given.byteLength} bytes]`
  if (given instanceof Map || given instanceof Set) return [...(given as Iterable<unknown>)]
  return given instanceof Error ? failureOf(given) : given
}
