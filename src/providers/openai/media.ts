import { GatewayError } from '../../protocol/errors.js'
import type { AudioPart, FilePart, ImagePart } from '../../protocol/request.js'
import type { Quirks } from './quirks.js'

/** A piece of a request body. */
export type Block = Record<string, unknown>

const STEP = 0x8000

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += STEP) text += String.fromCharCode(...bytes.subarray(i, i + STEP))
  return btoa(text)
}

function bad(message: string): GatewayError {
  return new GatewayError('invalid_request', message)
}

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
  if (mediaType === undefined) throw bad('An image given as bytes needs its mediaType, such as image/png.')
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
  if (address && quirks.fileUrls !== true) throw bad('This provider takes a file as bytes or base64 text, not as an address. Load it first.')
  return { type: 'file', file: { filename: filename ?? (mediaType === 'application/pdf' ? 'file.pdf' : 'file'), file_data: url } }
}
