import { collect, type Collected } from '../../../src/protocol/collect.js'
import type { ChatEvent } from '../../../src/protocol/events.js'
import type { Adapter, DecodeContext, Decoder, Frame, Target, Wire } from '../../../src/protocol/ports.js'
import type { UpstreamRequest } from '../../../src/protocol/request.js'
import { openaiAdapter } from '../../../src/providers/openai/adapter.js'
import type { Quirks } from '../../../src/providers/openai/quirks.js'

const TARGET: Target = { provider: 'lab', model: 'some-model', baseUrl: 'https://lab.example/v1', capabilities: {} }
export const ASK: UpstreamRequest = { messages: [{ role: 'user', content: 'Hello' }] }

export function decoder(quirks: Quirks = {}, wire: Wire = 'stream', request: UpstreamRequest = ASK): Decoder {
  const context: DecodeContext = { request, target: TARGET, wire, status: 200, headers: {} }
  return openaiAdapter(quirks).decode(context)
}

/** Frames of an event stream, read the plain way: enough for recorded text. */
export function framesOf(text: string): Frame[] {
  return text.split(/\r?\n\r?\n/).flatMap(block => {
    const lines = block.split(/\r?\n/)
    const event = lines.find(line => line.startsWith('event:'))?.slice(6).trim()
    const data = lines.filter(line => line.startsWith('data:')).map(line => line.slice(5).replace(/^ /, ''))
    return data.length === 0 ? [] : [{ data: data.join('\n'), ...(event !== undefined && { event }) }]
  })
}

export function chunk(delta: unknown, more: Record<string, unknown> = {}, choice: Record<string, unknown> = {}): Frame {
  return { data: JSON.stringify({ id: 'c1', model: 'm1', choices: [{ index: 0, delta, finish_reason: null, ...choice }], ...more }) }
}
export const DONE: Frame = { data: '[DONE]' }
export const stop = (reason: string | null = 'stop'): Frame => chunk({}, {}, { finish_reason: reason })

export function play(frames: readonly Frame[], quirks: Quirks = {}, request: UpstreamRequest = ASK): ChatEvent[] {
  const reader = decoder(quirks, 'stream', request)
  const events = frames.flatMap(frame => reader.frame(frame))
  return [...events, ...reader.end()]
}
export function read(frames: readonly Frame[], quirks: Quirks = {}, request: UpstreamRequest = ASK): Collected {
  return collect(play(frames, quirks, request))
}
export function readJson(body: unknown, quirks: Quirks = {}, request: UpstreamRequest = ASK): Collected {
  return collect(decoder(quirks, 'json', request).json(body))
}
export function completion(message: unknown, finish: string | null = 'stop', more: Record<string, unknown> = {}): Record<string, unknown> {
  return { id: 'c1', model: 'm1', object: 'chat.completion', choices: [{ index: 0, message, finish_reason: finish }], ...more }
}

export function caught(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('Nothing was thrown.')
}

export function encoded(request: Partial<UpstreamRequest>, quirks: Quirks = {}, target: Partial<Target> = {}, wire: Wire = 'json') {
  const adapter: Adapter = openaiAdapter(quirks)
  const { call, warnings } = adapter.encode({ ...ASK, ...request }, { ...TARGET, ...target }, wire)
  return { call, warnings, body: JSON.parse(String(call.body)) as Record<string, unknown> }
}
