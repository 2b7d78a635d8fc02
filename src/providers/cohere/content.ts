import type { AudioPart, FilePart, ImagePart, TextPart } from '../../protocol/request.js'
import { fileSourceOf, refuse, sourceOf, textOf, type Source } from '../common/media.js'
import { verbatim, type Block } from '../common/own.js'

/** The key of `providerData` that is for this dialect. */
export const DIALECT = 'cohere'

function imageBlock(source: Source | undefined, detail?: ImagePart['detail']): Block {
  if (source === undefined) throw refuse('An image must be an https: or data: URL, or bytes with a mediaType.')
  if ('data' in source && source.mediaType === undefined) throw refuse('An image given as bytes needs its mediaType, such as image/png.')
  const url = 'url' in source ? source.url : `data:${source.mediaType};base64,${source.data}`
  return { type: 'image_url', image_url: { url, ...(detail !== undefined && { detail }) } }
}

function fileBlock({ data, mediaType, filename }: FilePart): Block {
  const type = mediaType.toLowerCase()
  const source = fileSourceOf(data, mediaType)
  if (type.startsWith('image/')) return imageBlock(source)
  const readable = type.startsWith('text/') || type === 'application/json'
  if (!readable || 'url' in source) throw refuse('Cohere takes images, and text files as bytes or base64. Give the text of the file as a text part, or use a deployment that takes files.')
  const text = textOf(source.data)
  return { type: 'text', text: filename === undefined ? text : `${filename}:\n${text}` }
}

/** A part of a user, system or tool message. */
export function inputBlock(part: TextPart | ImagePart | FilePart | AudioPart, provider: string): Block {
  const given = verbatim(part.providerData, DIALECT, provider)
  if (given !== undefined) return given
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image':
      return imageBlock(sourceOf(part.image, part.mediaType), part.detail)
    case 'file':
      return fileBlock(part)
    default:
      throw refuse('Cohere takes no audio. Use a deployment that does, or send a transcript.')
  }
}

/** One text where that says it all, else blocks. */
export function contentOf(content: string | readonly Parameters<typeof inputBlock>[0][], provider: string): string | Block[] {
  if (typeof content === 'string') return content
  const blocks = content.map(part => inputBlock(part, provider))
  const [only] = blocks
  const text = blocks.length === 1 && only?.['type'] === 'text' && Object.keys(only).length === 2 ? only['text'] : undefined
  return typeof text === 'string' ? text : blocks
}
