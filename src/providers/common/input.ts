import { isObject, tryParseJson, type Json, type JsonObject } from '../../protocol/json.js'
import type { ToolCallPart } from '../../protocol/request.js'
import type { Notes } from './notes.js'

/** The input of a tool call as the object that a dialect wants; anything else is put into one, with a warning. */
export function objectInput(part: ToolCallPart, notes: Notes): JsonObject {
  if (isObject(part.input)) return part.input as JsonObject
  const text = typeof part.input === 'string' ? part.input : (part.arguments ?? '')
  const parsed = tryParseJson(text)
  if (isObject(parsed)) return parsed as JsonObject
  const value = part.input ?? parsed
  if (value === undefined || value === null || value === '') return {}
  notes.add('changed', 'The input of a tool call in the messages is no object; it was sent as { value }.', 'messages')
  return { value: value as Json }
}
