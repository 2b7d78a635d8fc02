import { GatewayError } from '../../protocol/errors.js'
import type { Warning } from '../../protocol/events.js'
import { isObject, type Json } from '../../protocol/json.js'
import type { CacheControl, FilePart, ImagePart, ProviderData, TextPart } from '../../protocol/request.js'

/** A JSON object of the wire while it is being written. */
export type Block = { [key: string]: Json | undefined }

/** Warnings of one request, each sentence once. */
export class Notes {
  readonly list: Warning[] = []
  add(code: Warning['code'], message: string, parameter?: string): void {
    if (this.list.some(known => known.message === message)) return
    this.list.push({ code, message, ...(parameter !== undefined && { parameter }) })
  }
}

/** What a part holds for this dialect. */
export function own(data: ProviderData | undefined): Record<string, unknown> | undefined {
  const found = data?.['anthropic']
  return isObject(found) ? found : undefined
}

/** The block a part asks to have sent as it stands. */
export function verbatim(data: ProviderData | undefined): Block | undefined {
  const block = own(data)?.['block']
  return isObject(block) ? (block as Block) : undefined
}

export function cached(block: Block, control: CacheControl | undefined): Block {
  if (control !== undefined) block['cache_control'] = { type: 'ephemeral', ...(control.ttl !== undefined && { ttl: control.ttl }) }
  return block
}

function refuse(message: string): GatewayError {
  return new GatewayError('invalid_request', message)
}

function base64(bytes: Uint8Array): string {
  let text = ''
  // In slices, because the arguments of one call are limited.
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(text)
}

function textOf(encoded: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(encoded), c => c.charCodeAt(0)))
  } catch {
    throw refuse('The data of a text file is not base64. Give the bytes, or base64 text.')
  }
}

type Source = { readonly url: string } | { readonly data: string; readonly mediaType: string | undefined }

function dataUrl(url: string): Source {
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

function sourceOf(value: string | URL | Uint8Array, mediaType: string | undefined): Source | undefined {
  if (value instanceof Uint8Array) return { data: base64(value), mediaType }
  const text = value.toString()
  if (/^data:/i.test(text)) {
    const source = dataUrl(text)
    return 'url' in source ? source : { data: source.data, mediaType: source.mediaType ?? mediaType }
  }
  return /^https?:\/\//i.test(text) ? { url: text } : undefined
}

function imageBlock(value: string | URL | Uint8Array, mediaType: string | undefined, bare: boolean): Block {
  const source = sourceOf(value, mediaType) ?? (bare ? { data: value.toString(), mediaType } : undefined)
  if (source === undefined) throw refuse('An image must be an https: or data: URL, or bytes with a mediaType.')
  if ('url' in source) return { type: 'image', source: { type: 'url', url: source.url } }
  if (source.mediaType === undefined) throw refuse('An image given as bytes needs its mediaType, such as image/png.')
  return { type: 'image', source: { type: 'base64', media_type: source.mediaType, data: source.data } }
}

function fileBlock(part: FilePart): Block {
  const mediaType = part.mediaType.toLowerCase()
  if (mediaType.startsWith('image/')) return imageBlock(part.data, part.mediaType, true)
  const title = part.filename === undefined ? {} : { title: part.filename }
  const text = mediaType.startsWith('text/') || mediaType === 'application/json'
  if (!text && mediaType !== 'application/pdf') throw refuse(`This dialect takes images, PDF and text files, not ${JSON.stringify(part.mediaType.slice(0, 80))}. Convert the file, or use a deployment that takes it.`)
  const source = sourceOf(part.data, part.mediaType) ?? { data: part.data.toString(), mediaType: part.mediaType }
  if ('url' in source) return { type: 'document', source: { type: 'url', url: source.url }, ...title }
  if (text) return { type: 'document', source: { type: 'text', media_type: 'text/plain', data: textOf(source.data) }, ...title }
  return { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: source.data }, ...title }
}

/** A part of a user, system or tool message; `undefined` where it is blank and must not be sent. */
export function inputBlock(part: TextPart | ImagePart | FilePart | { readonly type: 'audio'; readonly providerData?: ProviderData; readonly cacheControl?: CacheControl }): Block | undefined {
  const given = verbatim(part.providerData)
  if (given !== undefined) return given
  switch (part.type) {
    case 'text':
      return part.text.trim() === '' ? undefined : cached({ type: 'text', text: part.text }, part.cacheControl)
    case 'image':
      return cached(imageBlock(part.image, part.mediaType, false), part.cacheControl)
    case 'file':
      return cached(fileBlock(part), part.cacheControl)
    default:
      throw refuse('This dialect takes no audio. Use a deployment that does, or send a transcript.')
  }
}

/** Blocks of a content that may be one text. */
export function inputBlocks(content: string | readonly Parameters<typeof inputBlock>[0][]): Block[] {
  const parts = typeof content === 'string' ? [{ type: 'text', text: content } as const] : content
  return parts.map(inputBlock).filter(block => block !== undefined)
}
