import { fitToolId, isOwn, type ToolIdRule } from '../../protocol/conversation.js'
import type { Warning } from '../../protocol/events.js'
import type { Target } from '../../protocol/ports.js'
import type { AssistantMessage, CacheControl, Message, Part, ProviderData, SystemMessage, ToolCallPart, ToolMessage, UpstreamRequest, UserMessage } from '../../protocol/request.js'
import type { ToolNames } from '../common/names.js'
import { own, verbatim as verbatimOf } from '../common/own.js'
import { fileBlock, imageBlock, spokenBlock, type Block } from './media.js'
import type { Family } from './models.js'
import { DIALECT } from './names.js'
import type { Quirks } from './quirks.js'

/** What one encoding works with. */
export interface Encoding {
  readonly quirks: Quirks
  readonly target: Target
  readonly family: Family
  readonly names: ToolNames
  readonly warnings: Warning[]
}

type AssistantPart = Exclude<AssistantMessage['content'], string>[number]

const ALNUM = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const ID_RULES: Readonly<Record<NonNullable<Quirks['toolId']>, ToolIdRule>> = {
  openai: { pattern: /^[\w-]{1,40}$/, alphabet: ALNUM, length: 24 },
  mistral: { pattern: /^[a-zA-Z0-9]{9}$/, alphabet: ALNUM, length: 9 },
  // Some chat templates read the index out of ids such as functions.name:0.
  any: { pattern: /^[\w.:-]{1,64}$/, alphabet: ALNUM, length: 24 },
}

/** The part as the caller wrote it for this dialect, to be sent verbatim. */
export function verbatim(data: ProviderData | undefined, { provider }: Target): Block | undefined {
  return verbatimOf(data, DIALECT, provider)
}

/** `cache_control` where the server knows it; others cache by themselves. */
export function cached(control: CacheControl | undefined, { quirks }: Encoding): Block {
  if (control === undefined || quirks.cacheControl !== true) return {}
  return { cache_control: { type: 'ephemeral', ...(control.ttl !== undefined && { ttl: control.ttl }) } }
}

function warn(encoding: Encoding, code: Warning['code'], message: string, parameter: string): void {
  if (!encoding.warnings.some(known => known.message === message)) encoding.warnings.push({ code, message, parameter })
}

function contentBlocks(part: Part, encoding: Encoding): Block[] {
  const block = verbatim(part.providerData, encoding.target)
  if (block !== undefined) return [block]
  const made = mediaBlock(part, encoding)
  if (made === undefined) return []
  return [part.cacheControl === undefined ? made : { ...made, ...cached(part.cacheControl, encoding) }]
}

function mediaBlock(part: Part, { quirks }: Encoding): Block | undefined {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image':
      return imageBlock(part)
    case 'file':
      return fileBlock(part, quirks)
    case 'audio':
      return spokenBlock(part, quirks)
    default:
      return undefined
  }
}

/** Text where that says it all, else parts. */
function content(parts: readonly Part[], encoding: Encoding, at: number): unknown {
  const only = parts.length === 1 ? parts[0] : undefined
  if (only?.type === 'text' && only.providerData === undefined && only.cacheControl === undefined) return only.text
  if (encoding.quirks.stringContent === true) {
    if (parts.some(part => part.type !== 'text')) warn(encoding, 'dropped', 'This provider takes text only; images, files and sounds were left out.', `messages[${at}].content`)
    return parts.flatMap(part => (part.type === 'text' ? [part.text] : [])).join('\n')
  }
  // Some servers refuse a text without words, and none needs it beside others.
  return parts.flatMap(part => (part.type === 'text' && part.text === '' && parts.length > 1 ? [] : contentBlocks(part, encoding)))
}

function instructions(message: SystemMessage, encoding: Encoding, at: number): Block {
  const { family, quirks } = encoding
  const body = typeof message.content === 'string' ? message.content : content(message.content, encoding, at)
  if (family.instructions === 'user') {
    warn(encoding, 'changed', 'This model takes no instructions of their own; they were sent as a user message.', `messages[${at}].role`)
    return { role: 'user', content: body }
  }
  const developer = quirks.developer === true && (family.instructions === 'developer' || message.role === 'developer')
  return { role: developer ? 'developer' : 'system', content: body }
}

function user(message: UserMessage, encoding: Encoding, at: number): Block {
  const body = typeof message.content === 'string' ? message.content : content(message.content, encoding, at)
  if (message.name === undefined) return { role: 'user', content: body }
  if (encoding.quirks.names !== false) return { role: 'user', content: body, name: message.name }
  warn(encoding, 'unsupported', 'This provider takes no name of a user; it was left out.', `messages[${at}].name`)
  return { role: 'user', content: body }
}

function idRule({ quirks }: Encoding): ToolIdRule {
  return ID_RULES[quirks.toolId ?? 'any']
}

function toolCall(part: ToolCallPart, mine: boolean, encoding: Encoding): Block {
  const id = fitToolId(part.id, idRule(encoding))
  const name = encoding.names.wire(part.name)
  const data = own(part.providerData, DIALECT)
  if (data?.['type'] === 'custom') return { id, type: 'custom', custom: { name, input: typeof part.input === 'string' ? part.input : (part.arguments ?? '') } }
  const written = part.arguments ?? JSON.stringify(part.input) ?? ''
  const call: Block = { id, type: 'function', function: { name, arguments: written.trim() === '' ? '{}' : written } }
  return mine && data?.['extra_content'] !== undefined ? { ...call, extra_content: data['extra_content'] } : call
}

function replayed(content: readonly AssistantPart[], calls: boolean, { quirks }: Encoding): Block {
  const when = quirks.replay ?? 'never'
  if (when === 'never' || (when === 'tool-turns' && !calls) || quirks.replayField === 'thinking') return {}
  const parts = content.flatMap(part => (part.type === 'reasoning' ? [part] : []))
  const text = parts.map(part => part.text).join('')
  if (quirks.replayField !== 'reasoning_details') return text === '' ? {} : { [quirks.replayField ?? 'reasoning_content']: text }
  const details = parts.flatMap(part => {
    const found = own(part.providerData, DIALECT)?.['reasoning_details']
    return Array.isArray(found) ? (found as readonly unknown[]) : []
  })
  if (details.length > 0) return { reasoning_details: details }
  return text === '' ? {} : { reasoning: text }
}

/** What the parts of an assistant message come to. */
interface Spoken {
  readonly blocks: Block[]
  readonly calls: Block[]
  text: string
  refusal: string
  /** Something in it is more than text, so it must go as parts. */
  special: boolean
}

function speak(part: AssistantPart, spoken: Spoken, mine: boolean, encoding: Encoding, at: number): void {
  const block = verbatim(part.providerData, encoding.target)
  if (part.type === 'tool-call') {
    spoken.calls.push(block ?? toolCall(part, mine, encoding))
  } else if (block !== undefined) {
    spoken.blocks.push(block)
    spoken.special = true
  } else if (part.type === 'file') {
    warn(encoding, 'dropped', 'This provider takes no files in an assistant message; the file was left out.', `messages[${at}].content`)
  } else if (part.type === 'refusal' && encoding.quirks.refusal === true) {
    spoken.refusal += part.text
  } else if (part.type === 'reasoning') {
    // Where it is a part of the content, its place among the others matters.
    if (!mine || part.text === '' || encoding.quirks.replayField !== 'thinking') return
    spoken.blocks.push({ type: 'thinking', thinking: [{ type: 'text', text: part.text }] })
    spoken.special = true
  } else if (part.text !== '') {
    const cache = cached(part.cacheControl, encoding)
    spoken.text += part.text
    spoken.blocks.push({ type: 'text', text: part.text, ...cache })
    spoken.special ||= 'cache_control' in cache
  }
}

/** It holds what only the model that wrote it can read. */
function isForeign(part: AssistantPart, { target }: Encoding): boolean {
  return part.type === 'reasoning' || (part.providerData !== undefined && verbatim(part.providerData, target) === undefined)
}

function assistant(message: AssistantMessage, encoding: Encoding, at: number): Block {
  if (typeof message.content === 'string') return { role: 'assistant', content: message.content }
  const mine = isOwn(message, encoding.target)
  if (!mine && message.content.some(part => isForeign(part, encoding))) warn(encoding, 'dropped', 'Reasoning and signatures of another model cannot be sent back and were left out.', `messages[${at}].content`)
  const spoken: Spoken = { blocks: [], calls: [], text: '', refusal: '', special: false }
  for (const part of message.content) speak(part, spoken, mine, encoding, at)
  const { blocks, calls, text, refusal, special } = spoken
  const stringOnly = encoding.quirks.stringContent === true
  const body = special && !stringOnly ? blocks : text
  const bare = body === '' && !stringOnly && (calls.length > 0 || refusal !== '')
  return {
    role: 'assistant',
    content: bare ? null : body,
    ...(refusal !== '' && { refusal }),
    ...(mine && replayed(message.content, calls.length > 0, encoding)),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}

function toolResult(message: ToolMessage, encoding: Encoding, at: number, media: Block[]): Block {
  const id = fitToolId(message.toolCallId, idRule(encoding))
  const result = (body: unknown): Block => ({ role: 'tool', tool_call_id: id, content: body })
  if (typeof message.content === 'string') {
    const cache = cached(message.cacheControl, encoding)
    return result('cache_control' in cache ? [{ type: 'text', text: message.content, ...cache }] : message.content)
  }
  const texts = message.content.flatMap(part => (part.type === 'text' ? [part.text] : []))
  const seen = message.content.filter(part => part.type !== 'text')
  if (seen.length === 0) return result(texts.join('\n'))
  if (encoding.quirks.stringContent === true) return result(content(message.content, encoding, at))
  warn(encoding, 'changed', 'This provider takes text only as a tool result; images and files went into a user message after it.', `messages[${at}].content`)
  media.push({ type: 'text', text: `Attached to the result of the tool call ${id}:` }, ...seen.flatMap(part => contentBlocks(part, encoding)))
  return result(texts.length > 0 ? texts.join('\n') : 'The result is attached in the next user message.')
}

function markPrefill(out: Block[], request: UpstreamRequest, encoding: Encoding): void {
  if (request.prefill !== true) return
  const last = out.at(-1)
  const { prefill } = encoding.quirks
  if (prefill === undefined || last?.['role'] !== 'assistant') warn(encoding, 'unsupported', 'This provider does not go on from an assistant message; it may answer the message instead.', 'prefill')
  else if (prefill !== 'plain') last[prefill] = true
}

/** The conversation in the words of the dialect. */
export function encodeMessages(request: UpstreamRequest, encoding: Encoding): Block[] {
  const out: Block[] = []
  let media: Block[] = []
  // All results of a turn stand together, so what is attached to them comes after the last.
  const attach = () => {
    if (media.length > 0) out.push({ role: 'user', content: media })
    media = []
  }
  for (const [at, message] of request.messages.entries()) {
    if (message.role !== 'tool') attach()
    out.push(encodeMessage(message, encoding, at, media))
  }
  attach()
  const turns = encoding.quirks.alternate === true ? joined(out) : out
  markPrefill(turns, request, encoding)
  return encoding.quirks.bridge === true ? bridged(turns, encoding) : turns
}

function bridged(messages: readonly Block[], encoding: Encoding): Block[] {
  return messages.flatMap((message, at) => {
    if (message['role'] !== 'user' || messages[at - 1]?.['role'] !== 'tool') return [message]
    warn(encoding, 'changed', 'This model takes no user message right after tool results; an assistant message "OK" was put between.', 'messages')
    return [{ role: 'assistant', content: 'OK' }, message]
  })
}

function parts(content: unknown): readonly unknown[] {
  return Array.isArray(content) ? content : [{ type: 'text', text: content }]
}

/** Neighbours of one role in one message, for servers that want user and assistant to take turns. */
function joined(messages: readonly Block[]): Block[] {
  const out: Block[] = []
  for (const message of messages) {
    const last = out.at(-1)
    const same = last?.['role'] === message['role'] && (message['role'] === 'user' || message['role'] === 'assistant')
    if (last === undefined || !same || 'tool_calls' in last || 'tool_calls' in message) out.push({ ...message })
    else if (typeof last['content'] === 'string' && typeof message['content'] === 'string') last['content'] = `${last['content']}\n\n${message['content']}`
    else last['content'] = [...parts(last['content']), ...parts(message['content'])]
  }
  return out
}

function encodeMessage(message: Message, encoding: Encoding, at: number, media: Block[]): Block {
  switch (message.role) {
    case 'user':
      return user(message, encoding, at)
    case 'assistant':
      return assistant(message, encoding, at)
    case 'tool':
      return toolResult(message, encoding, at, media)
    default:
      return instructions(message, encoding, at)
  }
}
