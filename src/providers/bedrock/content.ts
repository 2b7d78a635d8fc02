import type { CacheControl, FilePart, ImagePart, ProviderData, TextPart } from '../../protocol/request.js'
import { fileSourceOf, refuse, sourceOf, type Source } from '../common/media.js'
import type { Notes } from '../common/notes.js'
import { verbatim, type Block } from '../common/own.js'
import { DIALECT } from './names.js'

type InputPart = TextPart | ImagePart | FilePart | { readonly type: 'audio'; readonly providerData?: ProviderData; readonly cacheControl?: CacheControl }

const IMAGES: ReadonlyMap<string, string> = new Map([['image/png', 'png'], ['image/jpeg', 'jpeg'], ['image/jpg', 'jpeg'], ['image/gif', 'gif'], ['image/webp', 'webp']])
const DOCUMENTS: ReadonlyMap<string, string> = new Map([
  ['application/pdf', 'pdf'],
  ['text/csv', 'csv'],
  ['application/msword', 'doc'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'docx'],
  ['application/vnd.ms-excel', 'xls'],
  ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'xlsx'],
  ['text/html', 'html'],
  ['text/plain', 'txt'],
  ['text/markdown', 'md'],
])
const MOST_NAME = 200

function bytesOf(source: Source | undefined, what: string): { data: string; mediaType: string | undefined } {
  if (source === undefined) throw refuse(`${what} must be a data: URL, or bytes with a mediaType.`)
  if ('url' in source) throw refuse(`Bedrock fetches no addresses. Load the file and give ${what.toLowerCase()} as bytes.`)
  return source
}

function imageBlock(source: Source | undefined): Block {
  const { data, mediaType } = bytesOf(source, 'An image')
  const format = IMAGES.get(mediaType?.toLowerCase() ?? '')
  if (format === undefined) throw refuse('Bedrock takes PNG, JPEG, GIF and WebP images. Convert the image, and give its mediaType, such as image/png.')
  return { image: { format, source: { bytes: data } } }
}

/** Writes the parts of one request. It counts the documents, whose names must differ. */
export class ContentWriter {
  readonly #provider: string
  readonly #cache: boolean
  readonly #notes: Notes
  readonly #names = new Set<string>()

  constructor(provider: string, cache: boolean, notes: Notes) {
    this.#provider = provider
    this.#cache = cache
    this.#notes = notes
  }

  /** The blocks of a content that may be one text. Blank text is left out, for it is refused. */
  blocks(content: string | readonly InputPart[]): Block[] {
    const parts = typeof content === 'string' ? [{ type: 'text', text: content } as const] : content
    const out: Block[] = []
    for (const part of parts) {
      const block = verbatim(part.providerData, DIALECT, this.#provider) ?? this.#block(part)
      if (block !== undefined) out.push(block)
      this.mark(out, part.cacheControl)
    }
    return out
  }

  /** Ends the prefix to be cached behind the last block, where there is one. */
  mark(blocks: Block[], control: CacheControl | undefined): void {
    if (control === undefined) return
    if (!this.#cache) return this.#notes.add('unsupported', 'The model takes no cache marks; they were left out.', 'cacheControl')
    const last = blocks.at(-1)
    if (last !== undefined && last['cachePoint'] === undefined) blocks.push({ cachePoint: { type: 'default', ...(control.ttl !== undefined && { ttl: control.ttl }) } })
  }

  #block(part: InputPart): Block | undefined {
    switch (part.type) {
      case 'text':
        return part.text.trim() === '' ? undefined : { text: part.text }
      case 'image':
        return imageBlock(sourceOf(part.image, part.mediaType))
      case 'file':
        return this.#file(part)
      default:
        throw refuse('This dialect takes no audio. Use a deployment that does, or send a transcript.')
    }
  }

  #file(part: FilePart): Block {
    const mediaType = part.mediaType.toLowerCase()
    const source = fileSourceOf(part.data, part.mediaType)
    if (mediaType.startsWith('image/')) return imageBlock(source)
    const format = DOCUMENTS.get(mediaType.split(';', 1)[0]?.trim() ?? '')
    if (format === undefined) throw refuse(`Bedrock takes images and pdf, csv, doc, docx, xls, xlsx, html, txt and md files, not ${JSON.stringify(part.mediaType.slice(0, 80))}. Convert the file, or use a deployment that takes it.`)
    return { document: { format, name: this.#name(part.filename), source: { bytes: bytesOf(source, 'A file').data } } }
  }

  // Letters, digits, single spaces, hyphens, round and square brackets are all a name may hold, and no two may be alike.
  #name(filename: string | undefined): string {
    const stem = filename?.replace(/\.[a-zA-Z0-9]{1,5}$/, '').replace(/[^a-zA-Z0-9()[\]-]+/g, ' ').slice(0, MOST_NAME - 10).trim()
    const base = stem === undefined || stem === '' ? 'Document' : stem
    let name = base
    for (let i = 2; this.#names.has(name); i++) name = `${base} (${i})`
    this.#names.add(name)
    return name
  }
}
