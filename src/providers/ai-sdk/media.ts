import { isObject } from '../../protocol/json.js'
import type { AudioPart, FilePart, ImagePart, TextPart } from '../../protocol/request.js'
import { base64, fileSourceOf, refuse, sourceOf, type Source } from '../common/media.js'
import type { Notes } from '../common/notes.js'
import { vendorOf } from './vendor.js'
import type { Fields, Spoken, Version } from './model.js'

/** What the model reads at an address by itself: media types to patterns of addresses. */
export type Urls = readonly (readonly [mediaType: string, patterns: readonly RegExp[]])[] | undefined

const AUDIO = { wav: 'audio/wav', mp3: 'audio/mpeg' } as const

/** Reads `supportedUrls`, plain or promised. A model that does not say is taken to read any. */
export async function urlsOf(given: unknown): Promise<Urls> {
  const supported: unknown = await given
  if (!isObject(supported)) return undefined
  return Object.entries(supported).map(([type, patterns]) => [type.toLowerCase(), Array.isArray(patterns) ? patterns.filter(pattern => pattern instanceof RegExp) : []] as const)
}

function reads(urls: Urls, url: string, mediaType: string): boolean {
  if (urls === undefined) return true
  const address = url.toLowerCase()
  return urls.some(([type, patterns]) => {
    const known = type === '*' || type === '*/*' || mediaType.toLowerCase().startsWith(type.replace(/\*/g, ''))
    return known && patterns.some(pattern => address.search(pattern) >= 0)
  })
}

/** Media as one kind of content: bytes stay bytes. */
type Found = { readonly mediaType: string; readonly data: string | Uint8Array } | { readonly mediaType: string; readonly url: URL }

function found(source: Source, mediaType: string, urls: Urls): Found {
  if ('data' in source) return { data: source.data, mediaType: source.mediaType ?? mediaType }
  if (!reads(urls, source.url, mediaType)) throw refuse('The AI SDK model does not read media at this address. Give the bytes or a data: URL.')
  return { url: new URL(source.url), mediaType }
}

function mediaOf(part: ImagePart | FilePart | AudioPart, urls: Urls): Found {
  if (part.type === 'audio') return { data: part.data, mediaType: AUDIO[part.format] }
  if (part.type === 'image') {
    if (part.image instanceof Uint8Array) {
      if (part.mediaType === undefined) throw refuse('An image given as bytes needs its mediaType, such as image/png.')
      return { data: part.image, mediaType: part.mediaType }
    }
    const source = sourceOf(part.image, part.mediaType)
    if (source === undefined) throw refuse('An image must be an https: or data: URL, or bytes with a mediaType.')
    return found(source, part.mediaType ?? 'image/*', urls)
  }
  return part.data instanceof Uint8Array ? { data: part.data, mediaType: part.mediaType } : found(fileSourceOf(part.data, part.mediaType), part.mediaType, urls)
}

function tagged(media: Found, version: Version): unknown {
  if (version < 4) return 'url' in media ? media.url : media.data
  return 'url' in media ? { type: 'url', url: media.url } : { type: 'data', data: media.data }
}

/** An image, a file or a sound of a message. */
export function filePart(part: ImagePart | FilePart | AudioPart, { version, provider }: Spoken, urls: Urls, notes: Notes): Fields {
  const media = mediaOf(part, urls)
  const detail = part.type === 'image' && (part.detail ?? 'auto') !== 'auto' ? part.detail : undefined
  const openai = vendorOf(provider) === 'openai'
  if (detail !== undefined && !openai) notes.add('unsupported', 'This AI SDK model has no `detail` on images; it was left out.', 'messages')
  return {
    type: 'file',
    mediaType: media.mediaType,
    data: tagged(media, version),
    ...(part.type === 'file' && part.filename !== undefined && { filename: part.filename }),
    ...(detail !== undefined && openai && { providerOptions: { openai: { imageDetail: detail } } }),
  }
}

/** A part of a tool's result that is more than text, in the words of each version. */
export function resultPart(part: TextPart | ImagePart | FilePart, { version }: Spoken, urls: Urls): Fields {
  if (part.type === 'text') return { type: 'text', text: part.text }
  const media = mediaOf(part, version === 2 ? [] : urls)
  const { mediaType } = media
  const filename = part.type === 'file' && part.filename !== undefined ? { filename: part.filename } : {}
  if (version === 4) return { type: 'file', mediaType, data: tagged(media, version), ...filename }
  if ('url' in media) return part.type === 'image' ? { type: 'image-url', url: media.url.href } : { type: 'file-url', url: media.url.href, mediaType }
  const data = typeof media.data === 'string' ? media.data : base64(media.data)
  if (version === 2) return { type: 'media', mediaType, data }
  return part.type === 'image' ? { type: 'image-data', mediaType, data } : { type: 'file-data', mediaType, data, ...filename }
}
