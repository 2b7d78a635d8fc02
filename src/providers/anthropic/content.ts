import type { CacheControl, FilePart, ImagePart, ProviderData, TextPart } from '../../protocol/request.js'
import { fileSourceOf, refuse, sourceOf, textOf } from '../common/media.js'
import { verbatim, type Block } from '../common/own.js'

/** The key of `providerData` that is for this dialect. */
export const DIALECT = 'anthropic'

export function cached(block: Block, control: CacheControl | undefined): Block {
  if (control !== undefined) block['cache_control'] = { type: 'ephemeral', ...(control.ttl !== undefined && { ttl: control.ttl }) }
  return block
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
  const source = fileSourceOf(part.data, part.mediaType)
  if ('url' in source) return { type: 'document', source: { type: 'url', url: source.url }, ...title }
  if (text) return { type: 'document', source: { type: 'text', media_type: 'text/plain', data: textOf(source.data) }, ...title }
  return { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: source.data }, ...title }
}

/** A part of a user, system or tool message; `undefined` where it is blank and must not be sent. */
export function inputBlock(part: TextPart | ImagePart | FilePart | { readonly type: 'audio'; readonly providerData?: ProviderData; readonly cacheControl?: CacheControl }): Block | undefined {
  const given = verbatim(part.providerData, DIALECT)
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
