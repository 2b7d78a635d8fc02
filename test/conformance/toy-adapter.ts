import { GatewayError, type Code } from '../../src/protocol/errors.js'
import type { ChatEvent, FinishReason, Usage } from '../../src/protocol/events.js'
import { isObject, numberAt, stringAt, tryParseJson } from '../../src/protocol/json.js'
import type { Adapter, DecodeContext, Decoder, Frame, Headers, HttpCall, Target, Wire } from '../../src/protocol/ports.js'
import type { UpstreamRequest } from '../../src/protocol/request.js'
import { ToolCalls } from '../../src/protocol/toolcalls.js'
import type { AdapterFixture } from '../../src/testing/conformance/index.js'

const REASONS = new Map<string, FinishReason>([['end', 'stop'], ['tool', 'tool-calls'], ['max', 'length']])

/** A made-up dialect, decoded as it should be. The broken ones in the tests change one method each. */
export class ToyDecoder implements Decoder {
  finishing = false
  done = false
  protected reason: string | undefined
  protected usage: Usage = {}
  protected calls = new ToolCalls()

  constructor(protected readonly ctx: DecodeContext) {}

  json(body: unknown): ChatEvent[] {
    if (!isObject(body)) throw new GatewayError('malformed_response', 'The answer is not an object.', { origin: 'upstream' })
    const out: ChatEvent[] = [this.start(body)]
    const text = stringAt(body, 'text')
    if (text !== undefined) out.push({ type: 'text-delta', text })
    for (const [i, tool] of (Array.isArray(body['tools']) ? (body['tools'] as unknown[]) : []).entries()) {
      this.calls.start(i, stringAt(tool, 'id'), stringAt(tool, 'name') ?? '', out)
      this.calls.delta(i, JSON.stringify((isObject(tool) ? tool['input'] : undefined) ?? {}), out)
      this.calls.complete(i, out)
    }
    this.stop(body)
    this.count(body)
    return [...out, ...this.end()]
  }

  frame({ data }: Frame): ChatEvent[] {
    if (data === '') return []
    const frame = tryParseJson(data)
    if (frame === undefined) return this.unparsable()
    const out: ChatEvent[] = []
    const index = numberAt(frame, 'i') ?? 0
    switch (stringAt(frame, 'type')) {
      case 'start':
        return [this.start(frame)]
      case 'text':
        return [{ type: 'text-delta', text: stringAt(frame, 'text') ?? '' }]
      case 'tool':
        if (!this.calls.has(index)) this.calls.start(index, stringAt(frame, 'id'), stringAt(frame, 'name') ?? '', out)
        return out
      case 'args':
        this.calls.delta(index, stringAt(frame, 'text') ?? '', out)
        return out
      case 'stop':
        this.calls.completeAll(out)
        this.stop(frame)
        return out
      case 'done':
        this.count(frame)
        return this.end()
      default:
        return this.unknown(frame)
    }
  }

  end(): ChatEvent[] {
    if (!this.finishing) throw new GatewayError('malformed_response', 'The answer was cut.', { origin: 'upstream' })
    this.done = true
    return [this.finish()]
  }

  protected start(from: unknown): ChatEvent {
    const id = stringAt(from, 'id')
    return { type: 'start', ...(id !== undefined && { id }) }
  }
  protected finish(): ChatEvent {
    return { type: 'finish', finishReason: REASONS.get(this.reason ?? '') ?? 'other', rawFinishReason: this.reason ?? null, usage: this.usage }
  }
  protected unparsable(): ChatEvent[] {
    if (this.calls.pending) throw new GatewayError('malformed_response', 'A tool call was garbled.', { origin: 'upstream' })
    return [{ type: 'warning', warning: { code: 'frame_skipped', message: 'A frame was not JSON.' } }]
  }
  protected unknown(_frame: unknown): ChatEvent[] {
    return []
  }
  protected stop(from: unknown): void {
    this.reason = stringAt(from, 'stop')
    this.finishing = this.reason !== undefined
  }
  protected count(from: unknown): void {
    const [input, output] = ['in', 'out'].map(key => Math.max(0, numberAt(from, key) ?? -1))
    this.usage = { ...(numberAt(from, 'in') !== undefined && { inputTokens: input ?? 0 }), ...(numberAt(from, 'out') !== undefined && { outputTokens: output ?? 0 }) }
  }
}

function codeOf(status: number): Code {
  const codes = new Map<number, Code>([[401, 'credential_rejected'], [402, 'quota_exhausted'], [404, 'model_not_found'], [408, 'network'], [429, 'rate_limited']])
  return codes.get(status) ?? (status >= 500 ? 'upstream_error' : 'invalid_request')
}

export class Toy implements Adapter {
  readonly dialect = 'toy'

  encode(request: UpstreamRequest, target: Target, wire: Wire): { call: HttpCall; warnings: [] } {
    const body = JSON.stringify({ model: target.model, messages: request.messages, stream: wire === 'stream' })
    return { call: { method: 'POST', url: `${target.baseUrl}/chat`, headers: { 'content-type': 'application/json' }, body }, warnings: [] }
  }
  authorize(call: HttpCall, secret: { reveal(): string }): HttpCall {
    return { ...call, headers: { ...call.headers, authorization: `Bearer ${secret.reveal()}` } }
  }
  decode(ctx: DecodeContext): Decoder {
    return new ToyDecoder(ctx)
  }
  fault(status: number, headers: Headers, body: unknown, _nowMs: number): GatewayError {
    const seconds = Number(headers['retry-after'] || NaN)
    const said = isObject(body) ? stringAt(body['error'], 'message') : undefined
    return new GatewayError(codeOf(status), `The upstream answered ${status}.`, {
      origin: 'upstream',
      status,
      ...(seconds >= 0 && seconds < 1e6 && { retryAfterMs: seconds * 1000 }),
      ...(said !== undefined && { upstream: { message: said } }),
    })
  }
}

const request: UpstreamRequest = { messages: [{ role: 'user', content: 'What is the weather in Oslo?' }], maxOutputTokens: 50 }
const frame = (value: object): Frame => ({ data: JSON.stringify(value) })

export const fixtures: readonly AdapterFixture[] = [
  {
    name: 'text',
    request,
    json: { id: 'r1', text: 'Cold and clear', stop: 'end', in: 9, out: 3 },
    frames: [frame({ type: 'start', id: 'r1' }), frame({ type: 'text', text: 'Cold ' }), frame({ type: 'text', text: 'and clear' }), frame({ type: 'stop', stop: 'end' }), frame({ type: 'done', in: 9, out: 3 })],
    expect: { text: 'Cold and clear', finishReason: 'stop', rawFinishReason: 'end', usage: { inputTokens: 9, outputTokens: 3 } },
  },
  {
    name: 'tools',
    request,
    json: { id: 'r2', tools: [{ id: 'c1', name: 'weather', input: { city: 'Oslo', days: 2 } }], stop: 'tool', in: 9, out: 7 },
    frames: [
      frame({ type: 'start', id: 'r2' }),
      frame({ type: 'tool', i: 4, id: 'c1', name: 'weather' }),
      frame({ type: 'args', i: 4, text: '{"city": "Oslo"' }),
      frame({ type: 'args', i: 4, text: ', "days": 2}' }),
      frame({ type: 'stop', stop: 'tool' }),
      frame({ type: 'done', in: 9, out: 7 }),
    ],
    expect: { toolCalls: [{ id: 'c1', name: 'weather', input: { city: 'Oslo', days: 2 } }], finishReason: 'tool-calls' },
  },
  { name: 'cut', request, json: { id: 'r3', text: 'Cold' }, frames: [frame({ type: 'start' }), frame({ type: 'text', text: 'Cold' })], expect: { fault: 'malformed_response' } },
]
