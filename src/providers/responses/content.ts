import type { FilePart, ImagePart, Part } from '../../protocol/request.js'
import { fileSourceOf, refuse, sourceOf, type Source } from '../common/media.js'
import { verbatim, type Block } from '../common/own.js'
import { DIALECT } from './writer.js'

const ANSWER_PARTS: ReadonlySet<unknown> = new Set(['output_text', 'refusal'])

/** True of a block that is an input item of its own, such as the output of a tool of the provider's, and no part of a message. */
export function isItem({ type }: Block): boolean {
  return typeof type === 'string' && !type.startsWith('input_') && !ANSWER_PARTS.has(type)
}

function addressOf(source: Source, what: string): string {
  if ('url' in source) return source.url
  if (source.mediaType === undefined) throw refuse(`${what} given as bytes needs its mediaType, such as image/png.`)
  return `data:${source.mediaType};base64,${source.data}`
}

function imageBlock(source: Source | undefined, detail?: ImagePart['detail']): Block {
  if (source === undefined) throw refuse('An image must be an https: or data: URL, or bytes with a mediaType.')
  return { type: 'input_image', image_url: addressOf(source, 'An image'), ...(detail !== undefined && { detail }) }
}

function fileBlock({ data, mediaType, filename }: FilePart): Block {
  const source = fileSourceOf(data, mediaType)
  if (mediaType.toLowerCase().startsWith('image/')) return imageBlock(source)
  if ('url' in source) return { type: 'input_file', file_url: source.url }
  return { type: 'input_file', filename: filename ?? (mediaType === 'application/pdf' ? 'file.pdf' : 'file'), file_data: addressOf(source, 'A file') }
}

/** A part of a user, system or tool message. Throws `invalid_request` for content the dialect has no form for. */
export function inputBlock(part: Part, provider: string): Block {
  const given = verbatim(part.providerData, DIALECT, provider)
  if (given !== undefined) return given
  switch (part.type) {
    case 'text':
      return { type: 'input_text', text: part.text }
    case 'image':
      return imageBlock(sourceOf(part.image, part.mediaType), part.detail)
    case 'file':
      return fileBlock(part)
    default:
      throw refuse('The responses API takes no audio. Use api: "chat", or send a transcript.')
  }
}
