import { collect, type Collected } from '../../../src/protocol/collect.js'
import { GatewayError } from '../../../src/protocol/errors.js'
import type { ChatEvent } from '../../../src/protocol/events.js'
import type { Adapter, DecodeContext, Frame, Target, Wire } from '../../../src/protocol/ports.js'
import type { Message, UpstreamRequest } from '../../../src/protocol/request.js'
import { geminiAdapter } from '../../../src/providers/gemini/adapter.js'

export const target = (model = 'gemini-3-flash', more: Partial<Target> = {}): Target => ({ provider: 'google', model, baseUrl: 'https://generativelanguage.googleapis.com/v1beta', capabilities: {}, ...more })
export const ask = (more: Partial<UpstreamRequest> = {}): UpstreamRequest => ({ messages: [{ role: 'user', content: 'Hello' }], ...more })
export const user = (content: string): Message => ({ role: 'user', content })
export const result = (toolCallId: string, content = 'ok'): Message => ({ role: 'tool', toolCallId, content })
export const caller = (...ids: readonly string[]): Message => ({ role: 'assistant', content: ids.map(id => ({ type: 'tool-call', id, name: 'look', input: { x: id } })) })
export const TOOL = { name: 'look', inputSchema: { type: 'object', properties: { x: { type: 'string' } } } } as const

/** A part of a body that was sent, loosely typed. */
interface SentPart {
  readonly [key: string]: unknown
  readonly text?: string
  readonly functionCall?: { readonly id?: string; readonly name: string; readonly args: unknown }
  readonly functionResponse?: { readonly id?: string; readonly name: string; readonly response: unknown; readonly parts?: unknown }
}
interface Sent {
  readonly [key: string]: unknown
  readonly systemInstruction?: { readonly parts: readonly SentPart[] }
  readonly contents: readonly { readonly role: string; readonly parts: readonly SentPart[] }[]
  readonly tools?: readonly { readonly functionDeclarations?: readonly Record<string, unknown>[] }[]
  readonly toolConfig?: unknown
  readonly generationConfig?: Record<string, unknown>
}

export function write(more: Partial<UpstreamRequest> = {}, to: Target = target(), wire: Wire = 'json', adapter: Adapter = geminiAdapter) {
  const { call, warnings } = adapter.encode(ask(more), to, wire)
  return { call, warnings, body: JSON.parse(String(call.body)) as Sent, codes: warnings.map(warning => `${warning.code} ${warning.parameter}`) }
}
export const faultOf = (run: () => unknown): GatewayError => {
  try {
    run()
  } catch (error) {
    if (GatewayError.is(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

export function decoder(wire: Wire, more: Partial<DecodeContext> = {}) {
  return geminiAdapter.decode({ request: ask(), target: target(), wire, status: 200, headers: {}, ...more })
}
export const framesOf = (...pieces: readonly unknown[]): Frame[] => pieces.map(piece => ({ data: JSON.stringify(piece) }))
export function eventsOf(pieces: readonly unknown[], more: Partial<DecodeContext> = {}): ChatEvent[] {
  const decode = decoder('stream', more)
  return [...framesOf(...pieces).flatMap(frame => decode.frame(frame)), ...decode.end()]
}
export const streamed = (...pieces: readonly unknown[]): Collected => collect(eventsOf(pieces))
export const whole = (body: unknown, more: Partial<DecodeContext> = {}): Collected => collect(decoder('json', more).json(body))

/** A piece of an answer, or all of it. */
export const piece = (parts: readonly unknown[], finishReason?: unknown, more: Record<string, unknown> = {}) => ({
  candidates: [{ content: { role: 'model', parts }, ...(finishReason !== undefined && { finishReason }), index: 0 }],
  ...more,
})
