import { GatewayError } from './errors.js'

/** A value that survives `JSON.stringify` and `JSON.parse` unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }
/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json | undefined }

/** Deepest nesting of anything that comes from outside. */
export const MAX_JSON_DEPTH = 200

/** True for a plain object (not null, not an array): the only shape whose keys may be read. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The string at `key`, when there is one that is not empty. */
export function stringAt(value: unknown, key: string): string | undefined {
  const found = isObject(value) ? value[key] : undefined
  return typeof found === 'string' && found !== '' ? found : undefined
}

/** The finite number at `key`. */
export function numberAt(value: unknown, key: string): number | undefined {
  const found = isObject(value) ? value[key] : undefined
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined
}

/** More opening brackets than this: the engine's own search tells without looking at each character. */
function hasMore(text: string, limit: number): boolean {
  let left = limit
  for (const open of ['{', '[']) for (let at = text.indexOf(open); at >= 0; at = text.indexOf(open, at + 1)) if (--left < 0) return true
  return false
}

function deeperThan(text: string, limit: number): boolean {
  let depth = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (quoted) {
      if (c === 92) i++
      else if (c === 34) quoted = false
    } else if (c === 34) quoted = true
    else if (c === 123 || c === 91) {
      if (++depth > limit) return true
    } else if (c === 125 || c === 93) depth--
  }
  return false
}

/**
 * Parses JSON from outside; throws `malformed_response` where it is nested deeper than {@link MAX_JSON_DEPTH}, and the
 * engine's `SyntaxError` where it is not JSON. A text too short to be that deep is not scanned.
 */
export function parseJson(text: string): unknown {
  if (text.length > 2 * MAX_JSON_DEPTH && hasMore(text, MAX_JSON_DEPTH) && deeperThan(text, MAX_JSON_DEPTH)) {
    throw new GatewayError('malformed_response', `The answer is nested deeper than ${MAX_JSON_DEPTH} levels.`, { origin: 'upstream' })
  }
  return JSON.parse(text)
}

/** `parseJson`, with `undefined` where the text is not JSON. */
export function tryParseJson(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}
