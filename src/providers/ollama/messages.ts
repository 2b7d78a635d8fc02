import { isOwn } from '../../protocol/conversation.js'
import { isObject, tryParseJson, type Json } from '../../protocol/json.js'
import type { Target } from '../../protocol/ports.js'
import type { AssistantMessage, FilePart, Message, Part, ToolCallPart, UpstreamRequest } from '../../protocol/request.js'
import { fileSourceOf, refuse, sourceOf, textOf, type Source } from '../common/media.js'
import type { Notes } from '../common/notes.js'
import { verbatim, type Block } from '../common/own.js'
import { textResults } from '../common/results.js'

/** The key of `providerData` and `providerOptions` that is for this dialect. */
export const DIALECT = 'ollama'

/** What one encoding works with. */
interface Writing {
  readonly target: Target
  readonly notes: Notes
  /** The name of each tool that was called, by the id of the call. */
  readonly called: ReadonlyMap<string, string>
}

function picture(source: Source | undefined): string {
  if (source === undefined) throw refuse('An image must be a data: URL, or bytes.')
  if ('url' in source) throw refuse('Ollama takes images as bytes or data: URLs, not as addresses. Load the image first.')
  return source.data
}

function textFile({ data, mediaType, filename }: FilePart): string {
  const type = mediaType.toLowerCase()
  const source = fileSourceOf(data, mediaType)
  if (!(type.startsWith('text/') || type === 'application/json') || 'url' in source) throw refuse('Ollama takes images, and text files as bytes or base64. Give the text of the file as a text part, or use a deployment that takes files.')
  const text = textOf(source.data)
  return filename === undefined ? text : `${filename}:\n${text}`
}

/** The base64 of a picture; `undefined` where the part is none. */
function pictureOf(part: Part): string | undefined {
  if (part.type === 'image') return picture(sourceOf(part.image, part.mediaType))
  return part.type === 'file' && part.mediaType.toLowerCase().startsWith('image/') ? picture(fileSourceOf(part.data, part.mediaType)) : undefined
}

/** The fields of a message with this content: texts in one, pictures beside them. */
function spoken(content: string | readonly Part[], { target }: Writing): Block {
  if (typeof content === 'string') return { content }
  const texts: string[] = []
  const images: string[] = []
  let more: Block = {}
  for (const part of content) {
    const block = verbatim(part.providerData, DIALECT, target.provider)
    const image = block === undefined ? pictureOf(part) : undefined
    // There are no blocks in this dialect: what is given are fields of the message.
    if (block !== undefined) more = { ...more, ...block }
    else if (image !== undefined) images.push(image)
    else if (part.type === 'text') texts.push(part.text)
    else if (part.type === 'file') texts.push(textFile(part))
    else throw refuse('Ollama takes no audio. Use a deployment that does, or send a transcript.')
  }
  return { content: texts.join('\n'), ...(images.length > 0 && { images }), ...more }
}

function inputOf(part: ToolCallPart, notes: Notes): Json {
  if (isObject(part.input)) return part.input as Json
  const parsed = tryParseJson(typeof part.input === 'string' ? part.input : (part.arguments ?? ''))
  if (isObject(parsed)) return parsed as Json
  const value = part.input ?? parsed
  if (value === undefined || value === null || value === '') return {}
  notes.add('changed', 'The input of a tool call in the messages is no object; it was sent as { value }.', 'messages')
  return { value: value as Json }
}

function assistant({ content, ...message }: AssistantMessage, { target, notes }: Writing): Block {
  if (typeof content === 'string') return { role: 'assistant', content }
  const mine = isOwn({ content, ...message }, target)
  const said = { text: '', thinking: '' }
  const calls: Block[] = []
  let more: Block = {}
  for (const part of content) {
    const block = verbatim(part.providerData, DIALECT, target.provider)
    if (part.type === 'tool-call') calls.push(block ?? { id: part.id, function: { name: part.name, arguments: inputOf(part, notes) } })
    else if (block !== undefined) more = { ...more, ...block }
    else if (part.type === 'text' || part.type === 'refusal') said.text += part.text
    else if (part.type === 'file') notes.add('dropped', 'Files in assistant messages cannot be sent to this dialect and were left out.', 'messages')
    else if (mine) said.thinking += part.text
    else notes.add('dropped', 'Reasoning of another model is not sent; it was left out.', 'messages')
  }
  return { role: 'assistant', content: said.text, ...(said.thinking !== '' && { thinking: said.thinking }), ...(calls.length > 0 && { tool_calls: calls }), ...more }
}

function written(message: Message, writing: Writing): Block {
  switch (message.role) {
    case 'assistant':
      return assistant(message, writing)
    case 'tool': {
      const name = writing.called.get(message.toolCallId)
      return { role: 'tool', ...spoken(message.content, writing), tool_call_id: message.toolCallId, ...(name !== undefined && { tool_name: name }) }
    }
    case 'user':
      if (message.name !== undefined) writing.notes.add('unsupported', 'Ollama takes no name of a user; it was left out.', 'messages')
      return { role: 'user', ...spoken(message.content, writing) }
    default:
      return { role: 'system', ...spoken(message.content, writing) }
  }
}

function callsIn(messages: readonly Message[]): Map<string, string> {
  const called = new Map<string, string>()
  for (const message of messages) if (message.role === 'assistant' && typeof message.content !== 'string') for (const part of message.content) if (part.type === 'tool-call') called.set(part.id, part.name)
  return called
}

/** The conversation in the words of the dialect. */
export function messagesOf(request: UpstreamRequest, target: Target, notes: Notes): Block[] {
  const writing: Writing = { target, notes, called: callsIn(request.messages) }
  if (request.prefill === true && target.capabilities.prefill !== true) notes.add('unsupported', 'Whether the model goes on from an assistant message depends on its template; it may answer the message instead.', 'prefill')
  return textResults(request.messages, DIALECT, notes).map(message => written(message, writing))
}
