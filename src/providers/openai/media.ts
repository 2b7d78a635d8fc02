import type { AudioPart, FilePart, ImagePart } from '../../protocol/request.js'
import { base64, refuse } from '../common/media.js'
import type { Quirks } from './quirks.js'

/** A piece of a request body. */
export type Block = Record<string, unknown>

function isAddress(text: string): boolean {
  return /^https?:/i.test(text)
}

function dataUrl(data: string | Uint8Array, mediaType: string): string {
  if (typeof data !== 'string') return `data:${mediaType};base64,${base64(data)}`
  return /^data:/i.test(data) ? data : `data:${mediaType};base64,${data}`
}

function imageUrl(url: string, detail?: string): Block {
  return { type: 'image_url', image_url: { url, ...(detail !== undefined && { detail }) } }
}

export function imageBlock({ image, mediaType, detail }: ImagePart): Block {
  if (!(image instanceof Uint8Array)) return imageUrl(String(image), detail)
  if (mediaType === undefined) throw refuse('An image given as bytes needs its mediaType, such as image/png.')
  return imageUrl(dataUrl(image, mediaType), detail)
}

function audioBlock(data: string, format: string, quirks: Quirks): Block {
  return { type: 'input_audio', input_audio: quirks.documents === true ? data : { data, format } }
}

export function spokenBlock({ data, format }: AudioPart, quirks: Quirks): Block {
  return audioBlock(typeof data === 'string' ? data.replace(/^data:[^,]*,/i, '') : base64(data), format, quirks)
}

const SOUNDS: ReadonlyMap<string, string> = new Map([['audio/wav', 'wav'], ['audio/x-wav', 'wav'], ['audio/wave', 'wav'], ['audio/mpeg', 'mp3'], ['audio/mp3', 'mp3']])

export function fileBlock({ data, mediaType, filename }: FilePart, quirks: Quirks): Block {
  const plain = data instanceof URL ? data.href : data
  const address = typeof plain === 'string' && isAddress(plain)
  const url = address ? plain : dataUrl(plain, mediaType)
  if (mediaType.startsWith('image/')) return imageUrl(url)
  const sound = SOUNDS.get(mediaType)
  if (sound !== undefined && !address) return audioBlock(url.slice(url.indexOf(',') + 1), sound, quirks)
  if (quirks.documents === true) return { type: 'document_url', document_url: url, ...(filename !== undefined && { document_name: filename }) }
  if (address && quirks.fileUrls !== true) throw refuse('This provider takes a file as bytes or base64 text, not as an address. Load it first.')
  return { type: 'file', file: { filename: filename ?? (mediaType === 'application/pdf' ? 'file.pdf' : 'file'), file_data: url } }
}
