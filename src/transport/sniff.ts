/** How a body is read, whatever was asked for. */
export type BodyKind = 'json' | 'frames' | 'html'

const BLANK = new Set([0x09, 0x0a, 0x0d, 0x20, 0xef, 0xbb, 0xbf])
const BRACE = 0x7b
const BRACKET = 0x5b
const LESS = 0x3c
// First letters of the fields of an event stream, and of its comments.
const FIELD = new Set([...':deir'].map(letter => letter.charCodeAt(0)))

/** The first byte that says something; a byte-order mark and blanks do not. */
export function firstByte(chunk: Uint8Array): number | undefined {
  for (const byte of chunk) if (!BLANK.has(byte)) return byte
  return undefined
}

/** True where a chunk without {@link firstByte} still matters to the text after it: part of a byte-order mark. */
export function hasMark(chunk: Uint8Array): boolean {
  return chunk.some(byte => byte > 0x7f)
}

function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function isJson(type: string): boolean {
  return type === 'application/json' || type === 'text/json' || type === 'application/problem+json'
}

/**
 * Decides by the first byte, for servers mislabel both wires; the content type counts where the byte leaves it open.
 * @param framed the dialect brings its own framing, whose frames may begin with any byte: then the content type counts, and
 * the byte only where that is missing, no type at all, or plain text.
 */
export function bodyKind(first: number, contentType: string | undefined, framed: boolean): BodyKind {
  if (framed) return framedKind(first, mediaType(contentType))
  if (first === BRACE || first === BRACKET) return 'json'
  if (first === LESS) return 'html'
  return FIELD.has(first) || !isJson(mediaType(contentType)) ? 'frames' : 'json'
}

function framedKind(first: number, type: string): BodyKind {
  if (isJson(type)) return 'json'
  if (type === 'text/html') return 'html'
  // A frame may begin with a brace; what is labelled as text, or not at all, is more likely JSON that a proxy sent.
  if (type.includes('/') && !type.startsWith('text/')) return 'frames'
  if (first === BRACE || first === BRACKET) return 'json'
  return first === LESS ? 'html' : 'frames'
}
