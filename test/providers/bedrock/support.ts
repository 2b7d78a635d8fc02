import { crc32 } from 'node:zlib'
import { collect, type Collected } from '../../../src/protocol/collect.js'
import { GatewayError } from '../../../src/protocol/errors.js'
import type { ChatEvent } from '../../../src/protocol/events.js'
import type { DecodeContext, Frame, Target, Wire } from '../../../src/protocol/ports.js'
import type { UpstreamRequest } from '../../../src/protocol/request.js'
import { bedrockAdapter } from '../../../src/providers/bedrock/adapter.js'
import { eventStreamFraming } from '../../../src/providers/bedrock/frames.js'

export const adapter = bedrockAdapter('us-east-1')
export const target = (model = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', more: Partial<Target> = {}): Target => ({ provider: 'amazon-bedrock', model, baseUrl: 'https://bedrock-runtime.us-east-1.amazonaws.com', capabilities: {}, ...more })
export const ask = (more: Partial<UpstreamRequest> = {}): UpstreamRequest => ({ messages: [{ role: 'user', content: 'Hello' }], ...more })

export function decoder(wire: Wire, more: Partial<DecodeContext> = {}) {
  return adapter.decode({ request: ask(), target: target(), wire, status: 200, headers: {}, ...more })
}
export const frame = (event: string, data: unknown): Frame => ({ event, data: JSON.stringify(data) })

export function eventsOf(frames: readonly Frame[], more: Partial<DecodeContext> = {}): ChatEvent[] {
  const decode = decoder('stream', more)
  const events = frames.flatMap(one => decode.frame(one))
  return decode.done ? events : [...events, ...decode.end()]
}
export const collectFrames = (frames: readonly Frame[], more: Partial<DecodeContext> = {}): Collected => collect(eventsOf(frames, more))
export const collectJson = (body: unknown, more: Partial<DecodeContext> = {}): Collected => collect(decoder('json', more).json(body))

/** What the framing makes of the bytes, given in these pieces. */
export function framesOf(pieces: readonly Uint8Array[]): Frame[] {
  const frames: Frame[] = []
  const reader = eventStreamFraming(one => frames.push(one))
  for (const piece of pieces) reader.push(piece)
  reader.end()
  return frames
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}
const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff)
const u32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)

export function header(name: string, value: string): Uint8Array {
  return joined([Uint8Array.of(bytesOf(name).length), bytesOf(name), Uint8Array.of(7), u16(bytesOf(value).length), bytesOf(value)])
}

/** A frame as the server writes it; the checksums are those of zlib. */
export function written(headers: Uint8Array, payload: string | Uint8Array): Uint8Array {
  const body = typeof payload === 'string' ? bytesOf(payload) : payload
  const prelude = joined([u32(16 + headers.length + body.length), u32(headers.length)])
  const most = joined([prelude, u32(crc32(prelude)), headers, body])
  return joined([most, u32(crc32(most))])
}
export function eventBytes(event: string, data: unknown): Uint8Array {
  return written(joined([header(':event-type', event), header(':content-type', 'application/json'), header(':message-type', 'event')]), JSON.stringify(data))
}

export function faultOf(run: () => unknown): GatewayError {
  try {
    run()
  } catch (error) {
    if (GatewayError.is(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** A body that was sent, loosely typed. */
interface Sent {
  readonly [key: string]: unknown
  readonly messages: readonly { readonly role: string; readonly content: readonly Record<string, unknown>[] }[]
  readonly toolConfig?: { readonly tools: readonly Record<string, { readonly [key: string]: unknown }>[]; readonly toolChoice?: unknown }
  readonly inferenceConfig?: Record<string, unknown>
  readonly additionalModelRequestFields?: Record<string, unknown>
}
export function write(more: Partial<UpstreamRequest> = {}, to: Target = target(), wire: Wire = 'json') {
  const { call, warnings } = adapter.encode(ask(more), to, wire)
  return { call, body: JSON.parse(String(call.body)) as Sent, codes: warnings.map(warning => `${warning.code} ${warning.parameter}`) }
}
