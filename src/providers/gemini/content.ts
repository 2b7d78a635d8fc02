import type { AudioPart, FilePart, ImagePart, TextPart } from '../../protocol/request.js'
import { fileSourceOf, refuse, sourceOf, type Source } from '../common/media.js'
import { verbatim, type Block } from '../common/own.js'

/** The key of `providerData` that is for this dialect. */
export const DIALECT = 'gemini'

const BY_ENDING: ReadonlyMap<string, string> = new Map([
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['webp', 'image/webp'],
  ['gif', 'image/gif'],
  ['heic', 'image/heic'],
])

function guessed(url: string): string | undefined {
  return BY_ENDING.get(/\.(\w{3,4})(?:[?#]|$)/.exec(url)?.[1]?.toLowerCase() ?? '')
}

function mediaBlock(source: Source, mediaType: string | undefined): Block {
  if ('url' in source) {
    const mimeType = mediaType ?? guessed(source.url)
    return { fileData: { ...(mimeType !== undefined && { mimeType }), fileUri: source.url } }
  }
  const mimeType = source.mediaType ?? mediaType
  if (mimeType === undefined) throw refuse('An image given as bytes needs its mediaType, such as image/png.')
  return { inlineData: { mimeType, data: source.data } }
}

/** An address in the store of the provider's own cloud is an address too. */
function stored(value: string | URL | Uint8Array): Source | undefined {
  return !(value instanceof Uint8Array) && /^gs:\/\//i.test(value.toString()) ? { url: value.toString() } : undefined
}

function imageBlock({ image, mediaType }: ImagePart): Block {
  const source = stored(image) ?? sourceOf(image, mediaType)
  if (source === undefined) throw refuse('An image must be an https:, gs: or data: URL, or bytes with a mediaType.')
  return mediaBlock(source, mediaType)
}

export function fileBlock({ data, mediaType }: Pick<FilePart, 'data' | 'mediaType'>): Block {
  return mediaBlock(stored(data) ?? fileSourceOf(data, mediaType), mediaType)
}

/** A part of a user, system or tool message; `undefined` where there is nothing in it. */
export function inputBlock(part: TextPart | ImagePart | FilePart | AudioPart, provider: string): Block | undefined {
  const given = verbatim(part.providerData, DIALECT, provider)
  if (given !== undefined) return given
  switch (part.type) {
    case 'text':
      return part.text === '' ? undefined : { text: part.text }
    case 'image':
      return imageBlock(part)
    case 'file':
      return fileBlock(part)
    case 'audio':
      return fileBlock({ data: part.data, mediaType: part.format === 'mp3' ? 'audio/mp3' : 'audio/wav' })
  }
}

/** Parts of a content that may be one text. */
export function inputBlocks(content: string | readonly Parameters<typeof inputBlock>[0][], provider: string): Block[] {
  const parts = typeof content === 'string' ? [{ type: 'text', text: content } as const] : content
  return parts.map(part => inputBlock(part, provider)).filter(block => block !== undefined)
}
