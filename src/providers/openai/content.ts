import type { ChatEvent, TokenLogprob } from '../../protocol/events.js'
import { isObject, numberAt, stringAt, type Json } from '../../protocol/json.js'
import { tokensOf } from '../common/logprobs.js'

function joined(value: unknown): string {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return ''
  return value.map(part => (typeof part === 'string' ? part : (stringAt(part, 'text') ?? ''))).join('')
}

/** An image of an answer, from its `image_url` form. */
export function imageEvent(part: unknown): ChatEvent | undefined {
  const holder = isObject(part) ? part['image_url'] : undefined
  const url = typeof holder === 'string' ? holder : stringAt(holder, 'url')
  if (url === undefined) return undefined
  const data = /^data:([\w.+-]+\/[\w.+-]+)[^,]{0,200},/i.exec(url.slice(0, 400))
  return data === null ? { type: 'file', mediaType: 'image/*', data: url } : { type: 'file', mediaType: data[1] ?? 'image/*', data: url.slice(data[0].length) }
}

/** One element of a `content` list; `undefined` where it is of a kind not known here. */
export function partEvent(part: unknown): ChatEvent | 'empty' | undefined {
  if (typeof part === 'string') return part === '' ? 'empty' : { type: 'text-delta', text: part }
  if (!isObject(part)) return undefined
  switch (part['type']) {
    case 'text':
    case 'output_text':
      return spoken('text-delta', joined(part['text']))
    case 'thinking':
      return spoken('reasoning-delta', joined(part['thinking']))
    case 'reasoning':
      return spoken('reasoning-delta', joined(part['text'] ?? part['summary'] ?? part['reasoning']))
    case 'refusal':
      return spoken('refusal-delta', joined(part['refusal']))
    case 'image_url':
      return imageEvent(part)
    case 'reference':
      return { type: 'citation', data: (part['reference_ids'] ?? null) as Json }
    default:
      return undefined
  }
}

function spoken(type: 'text-delta' | 'reasoning-delta' | 'refusal-delta', text: string): ChatEvent | 'empty' {
  return text === '' ? 'empty' : { type, text }
}

/** A citation out of `annotations`. */
export function citationEvent(annotation: unknown): ChatEvent | undefined {
  const cited = isObject(annotation) && annotation['type'] === 'url_citation' ? (annotation['url_citation'] ?? annotation) : undefined
  const url = stringAt(cited, 'url')
  if (url === undefined) return undefined
  const title = stringAt(cited, 'title')
  const text = stringAt(cited, 'content')
  const start = numberAt(cited, 'start_index')
  const end = numberAt(cited, 'end_index')
  return {
    type: 'citation',
    url,
    ...(title !== undefined && { title }),
    ...(text !== undefined && { text }),
    ...(start !== undefined && end !== undefined && { data: { start_index: start, end_index: end } }),
  }
}

/** Citations that stand beside the choices: search results with titles, else bare addresses. */
export function sourceEvents({ search_results: results, citations }: Record<string, unknown>): ChatEvent[] {
  const list: readonly unknown[] = Array.isArray(results) && results.length > 0 ? results : Array.isArray(citations) ? citations : []
  return list.flatMap(source => {
    const url = typeof source === 'string' && source !== '' ? source : stringAt(source, 'url')
    const title = stringAt(source, 'title')
    return url === undefined ? [] : [{ type: 'citation' as const, url, ...(title !== undefined && { title }) }]
  })
}

export function logprobsOf(logprobs: unknown): TokenLogprob[] {
  return tokensOf(isObject(logprobs) ? logprobs['content'] : undefined)
}

/** True where some filter of a `content_filter_results` object acted. */
export function filtered(results: unknown, depth = 0): boolean {
  if (depth > 4) return false
  if (Array.isArray(results)) return results.some(result => filtered(result, depth + 1))
  if (!isObject(results)) return false
  return results['filtered'] === true || results['detected'] === true || Object.values(results).some(result => filtered(result, depth + 1))
}

/** Puts base64 pieces together, also where each was padded on its own. */
export function joinBase64(pieces: readonly string[]): string {
  const clean = pieces.slice(0, -1).every(piece => piece.length % 4 === 0 && !piece.endsWith('='))
  if (clean) return pieces.join('')
  try {
    return btoa(pieces.map(piece => atob(piece)).join(''))
  } catch {
    return pieces.join('')
  }
}
