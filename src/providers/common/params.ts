import { isObject, tryParseJson, type Json, type JsonObject } from '../../protocol/json.js'
import type { ToolCallPart, UpstreamRequest, UserMessage } from '../../protocol/request.js'
import type { Notes } from './notes.js'

/** Warns of parameters a dialect has no word for. */
export function noteUnsupported(request: UpstreamRequest, keys: readonly ('seed' | 'frequencyPenalty' | 'presencePenalty' | 'logprobs')[], notes: Notes): void {
  for (const key of keys) {
    if (request[key] !== undefined && request[key] !== false) notes.add('unsupported', `This dialect has no \`${key}\`; it was left out.`, key)
  }
}

/** Warns of a name on a message, and of `detail` on images. */
export function noteUserExtras({ content, name }: UserMessage, notes: Notes): void {
  if (name !== undefined) notes.add('unsupported', 'This dialect has no names on messages; they were left out.', 'messages')
  if (typeof content !== 'string' && content.some(part => part.type === 'image' && (part.detail ?? 'auto') !== 'auto')) notes.add('unsupported', 'This dialect has no `detail` on images; it was left out.', 'messages')
}

/** The stop sequences that are more than white space. */
export function stopsOf({ stop }: UpstreamRequest, notes: Notes): string[] {
  const given = stop === undefined ? [] : typeof stop === 'string' ? [stop] : stop
  const kept = given.filter(text => text.trim() !== '')
  if (kept.length < given.length) notes.add('dropped', 'Stop sequences of nothing but white space are refused; they were left out.', 'stop')
  return kept
}

/** The input of a call in the messages, for a dialect that takes objects only. */
export function inputObject(part: ToolCallPart, notes: Notes): JsonObject {
  if (isObject(part.input)) return part.input as JsonObject
  const text = typeof part.input === 'string' ? part.input : (part.arguments ?? '')
  const parsed = tryParseJson(text)
  if (isObject(parsed)) return parsed as JsonObject
  const value = part.input ?? parsed
  if (value === undefined || value === null || value === '') return {}
  notes.add('changed', 'The input of a tool call in the messages is no object; it was sent as { value }.', 'messages')
  return { value: value as Json }
}

/** Instructions that come late, as user text: marked, so that the model can tell them from what the user said. */
export function lateSystem(text: string): string {
  return `<system>\n${text}\n</system>`
}
