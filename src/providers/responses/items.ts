import type { ChatEvent } from '../../protocol/events.js'
import { isObject, stringAt, type Json } from '../../protocol/json.js'

/** A JSON object of an answer. */
export type Fields = Record<string, unknown>
/** Items are told apart by their place in the output: some servers change their ids from event to event. */
export type Key = number | string
/** Kinds of text an item is made of. */
export type Kind = 'text' | 'refusal' | 'reasoning' | 'summary'

/** A content part as far as it was told. */
export interface Piece {
  said: string
  citations: number
  logprobs: number
}
/** An output item that is being written. */
export interface Item {
  readonly key: Key
  type: string | undefined
  raw: Fields | undefined
  readonly pieces: Map<string, Piece>
  /** What was said last in it. */
  last: Kind | undefined
  /** Which of reasoning and its summary is told: the first that has text. */
  told: Kind | undefined
  /** The arguments of a call, or the text of a free one, so far. */
  written: string
  /** The first half of a character at the end of it. */
  half: string
  started: boolean
  closed: boolean
}

export function newItem(key: Key): Item {
  return { key, type: undefined, raw: undefined, pieces: new Map(), last: undefined, told: undefined, written: '', half: '', started: false, closed: false }
}

export function pieceOf(item: Item, kind: Kind, index: number): Piece {
  const name = `${kind} ${index}`
  let piece = item.pieces.get(name)
  if (piece === undefined) item.pieces.set(name, (piece = { said: '', citations: 0, logprobs: 0 }))
  return piece
}

export function isCall(type: string | undefined): boolean {
  return type === 'function_call' || type === 'custom_tool_call'
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The event of one annotation; the raw one goes along, to be sent back. */
export function citationEvent(annotation: unknown): ChatEvent | undefined {
  if (!isObject(annotation)) return undefined
  const url = stringAt(annotation, 'url')
  const title = stringAt(annotation, 'title') ?? stringAt(annotation, 'filename')
  return { type: 'citation', ...(url !== undefined && { url }), ...(title !== undefined && { title }), data: annotation as Json }
}

/** The image an item of image generation holds, and the item without it. */
export function imageIn(raw: Fields): { readonly file: ChatEvent; readonly rest: Fields } | undefined {
  const data = raw['type'] === 'image_generation_call' ? stringAt(raw, 'result') : undefined
  if (data === undefined) return undefined
  const { result: _, ...rest } = raw
  const format = stringAt(raw, 'output_format')
  return { file: { type: 'file', mediaType: format !== undefined && /^[\w.+-]{1,40}$/.test(format) ? `image/${format}` : 'image/png', data }, rest }
}
