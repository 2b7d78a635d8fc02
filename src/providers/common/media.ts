import { base64 } from '../../protocol/canonical.js'
import { GatewayError } from '../../protocol/errors.js'

export { base64 }

/** Where media lie: at an address, or here as base64 text. `mediaType` is absent where nothing tells it. */
export type Source = { readonly url: string } | { readonly data: string; readonly mediaType: string | undefined }

/** An error for content that a dialect cannot take. */
export function refuse(message: string): GatewayError {
  return new GatewayError('invalid_request', message)
}

function dataUrl(url: string): { data: string; mediaType: string | undefined } {
  const comma = url.indexOf(',')
  const head = url.slice(5, Math.max(comma, 5)).split(';')
  if (comma < 0) throw refuse('A data: URL in the messages has no comma, so it holds no data.')
  const body = url.slice(comma + 1)
  const mediaType = head[0] === '' ? undefined : head[0]
  if (head.includes('base64')) return { data: body, mediaType }
  try {
    return { data: base64(new TextEncoder().encode(decodeURIComponent(body))), mediaType }
  } catch {
    throw refuse('A data: URL in the messages is not well formed. Use base64.')
  }
}

/** Bytes, a data: URL or an http(s): address; `undefined` for any other text. Throws `invalid_request` for a data: URL that is not well formed. */
export function sourceOf(value: string | URL | Uint8Array, mediaType: string | undefined): Source | undefined {
  if (value instanceof Uint8Array) return { data: base64(value), mediaType }
  const text = value.toString()
  if (/^data:/i.test(text)) {
    const { data, mediaType: named } = dataUrl(text)
    return { data, mediaType: named ?? mediaType }
  }
  return /^https?:\/\//i.test(text) ? { url: text } : undefined
}

/** The same of a file, whose text may be bare base64. */
export function fileSourceOf(value: string | URL | Uint8Array, mediaType: string): Source {
  return sourceOf(value, mediaType) ?? { data: value.toString(), mediaType }
}

/** The text behind base64; throws `invalid_request` where it is none. */
export function textOf(encoded: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(encoded), char => char.charCodeAt(0)))
  } catch {
    throw refuse('The data of a text file is not base64. Give the bytes, or base64 text.')
  }
}
