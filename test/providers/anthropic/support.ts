import { anthropicAdapter } from '../../../src/providers/anthropic/adapter.js'
import { collect, type Collected } from '../../../src/protocol/collect.js'
import { GatewayError } from '../../../src/protocol/errors.js'
import type { ChatEvent } from '../../../src/protocol/events.js'
import type { DecodeContext, Frame, Target, Wire } from '../../../src/protocol/ports.js'
import type { Message, UpstreamRequest } from '../../../src/protocol/request.js'

export const target = (model = 'claude-sonnet-4-5', more: Partial<Target> = {}): Target => ({ provider: 'anthropic', model, baseUrl: 'https://api.anthropic.com/v1', capabilities: {}, ...more })
export const ask = (more: Partial<UpstreamRequest> = {}): UpstreamRequest => ({ messages: [{ role: 'user', content: 'Hello' }], ...more })

export function decoder(wire: Wire, more: Partial<DecodeContext> = {}) {
  return anthropicAdapter.decode({ request: ask(), target: target(), wire, status: 200, headers: {}, ...more })
}

/** Frames of a stream given as the objects in it. */
export const framesOf = (...data: readonly unknown[]): Frame[] => data.map(value => ({ event: String((value as { type?: unknown }).type), data: JSON.stringify(value) }))

export function eventsOfFrames(frames: readonly Frame[], more: Partial<DecodeContext> = {}): ChatEvent[] {
  const decode = decoder('stream', more)
  const events = frames.flatMap(frame => decode.frame(frame))
  return decode.done ? events : [...events, ...decode.end()]
}
export const eventsOfJson = (body: unknown, more: Partial<DecodeContext> = {}): ChatEvent[] => decoder('json', more).json(body)
export const collectFrames = (frames: readonly Frame[], more: Partial<DecodeContext> = {}): Collected => collect(eventsOfFrames(frames, more))
export const collectJson = (body: unknown, more: Partial<DecodeContext> = {}): Collected => collect(eventsOfJson(body, more))

/** A tiny event-stream splitter, enough for recorded bodies. */
export function split(text: string): Frame[] {
  return text
    .split(/\r?\n\r?\n/)
    .map(chunk => {
      const lines = chunk.split(/\r?\n/)
      const field = (name: string) => lines.filter(line => line.startsWith(`${name}:`)).map(line => line.slice(name.length + 1).replace(/^ /, ''))
      const event = field('event')[0]
      return { data: field('data').join('\n'), ...(event !== undefined && { event }) }
    })
    .filter(frame => frame.data !== '')
}

type Answer = { content: readonly Record<string, unknown>[]; usage?: unknown; stop_reason?: unknown; stop_sequence?: unknown; stop_details?: unknown; container?: unknown; [key: string]: unknown }

function pieces(text: string, size: number): string[] {
  return text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? []
}

function blockFrames(block: Record<string, unknown>, index: number, size: number): unknown[] {
  const delta = (fields: Record<string, unknown>) => ({ type: 'content_block_delta', index, delta: fields })
  const start = (content_block: unknown) => ({ type: 'content_block_start', index, content_block })
  const stop = { type: 'content_block_stop', index }
  switch (block['type']) {
    case 'text': {
      const cites = Array.isArray(block['citations']) ? block['citations'] : []
      return [start({ ...block, text: '', citations: [] }), ...cites.map(citation => delta({ type: 'citations_delta', citation })), ...pieces(String(block['text']), size).map(text => delta({ type: 'text_delta', text })), stop]
    }
    case 'thinking':
      return [start({ type: 'thinking', thinking: '', signature: '' }), ...pieces(String(block['thinking']), size).map(thinking => delta({ type: 'thinking_delta', thinking })), delta({ type: 'signature_delta', signature: block['signature'] }), stop]
    case 'tool_use':
    case 'server_tool_use': {
      const text = JSON.stringify(block['input'])
      return [start({ ...block, input: {} }), delta({ type: 'input_json_delta', partial_json: '' }), ...(text === '{}' ? [] : pieces(text, size)).map(partial_json => delta({ type: 'input_json_delta', partial_json })), stop]
    }
    default:
      return [start(block), stop]
  }
}

/** The stream the server would have sent for this message. */
export function framesFor(message: Answer, size = 5): Frame[] {
  const { content, usage, stop_reason, stop_sequence, stop_details, container, ...head } = message
  const ending = { stop_reason, stop_sequence, ...(stop_details !== undefined && { stop_details }), ...(container !== undefined && { container }) }
  return framesOf(
    { type: 'message_start', message: { ...head, content: [], stop_reason: null, stop_sequence: null, usage: { ...(usage as object), output_tokens: 1 } } },
    ...content.flatMap((block, index) => [...blockFrames(block, index, size), { type: 'ping' }]),
    { type: 'message_delta', delta: ending, usage },
    { type: 'message_stop' },
  )
}

/** A block of a body that was sent, loosely typed. */
export interface SentBlock {
  readonly [key: string]: unknown
  readonly type: string
  readonly text: string
  readonly id: string
  readonly name: string
  readonly tool_use_id: string
  readonly content: readonly SentBlock[]
  readonly source: { readonly data: string }
}
/** A body that was sent. */
interface Sent {
  readonly [key: string]: unknown
  readonly max_tokens: number
  readonly tools: readonly SentBlock[]
  readonly tool_choice: SentBlock
  readonly system: readonly SentBlock[]
  readonly thinking?: { readonly budget_tokens?: number }
  readonly output_config: { readonly format: unknown }
  readonly messages: readonly { readonly role: string; readonly content: readonly SentBlock[] }[]
}

export function write(more: Partial<UpstreamRequest> = {}, to: Target = target(), wire: Wire = 'json') {
  const { call, warnings } = anthropicAdapter.encode(ask(more), to, wire)
  return { call, warnings, body: JSON.parse(String(call.body)) as Sent, codes: warnings.map(warning => `${warning.code} ${warning.parameter}`) }
}
export const messagesOf = (...messages: readonly Message[]) => write({ messages })
export const refusal = (more: Partial<UpstreamRequest>): GatewayError => {
  try {
    write(more)
  } catch (error) {
    if (GatewayError.is(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
export const user = (content: string): Message => ({ role: 'user', content })
export const caller = (...ids: readonly string[]): Message => ({ role: 'assistant', content: ids.map(id => ({ type: 'tool-call', id, name: 'a', input: { x: 1 } })) })
export const result = (toolCallId: string, content = 'ok'): Message => ({ role: 'tool', toolCallId, content })
export const TOOL = { name: 'a', inputSchema: { type: 'object', properties: {} } } as const
