import { GatewayError } from '../../src/protocol/errors.js'
import type { ChatEvent } from '../../src/protocol/events.js'
import { isObject } from '../../src/protocol/json.js'
import type { Adapter, Clock, Decoder, OpenContext, Target, Wire } from '../../src/protocol/ports.js'
import type { UpstreamRequest } from '../../src/protocol/request.js'
import type { ByteReader, Received, Transport } from '../../src/transport/types.js'

/** Time that moves by hand. */
export class FakeClock implements Clock {
  #now = 0
  readonly timers = new Set<{ at: number; fn: () => void }>()

  now(): number {
    return this.#now
  }
  after(ms: number, fn: () => void): { cancel(): void } {
    const timer = { at: this.#now + ms, fn }
    this.timers.add(timer)
    return { cancel: () => void this.timers.delete(timer) }
  }
  async advance(ms: number): Promise<void> {
    this.#now += ms
    for (const timer of [...this.timers]) {
      if (timer.at > this.#now) continue
      this.timers.delete(timer)
      timer.fn()
    }
    await new Promise(resolve => setImmediate(resolve))
  }
}

export const target: Target = { provider: 'fake', model: 'm', baseUrl: 'http://x', capabilities: {} }
export const request: UpstreamRequest = { messages: [{ role: 'user', content: 'hi' }] }

const finish: ChatEvent = { type: 'finish', finishReason: 'stop', usage: {} }

/** Frames are texts; `stop` is a finish reason, `[DONE]` the terminal, `bad` a fault, `crash` a mistake in the adapter. */
class FakeDecoder implements Decoder {
  finishing = false
  done = false

  json(body: unknown): ChatEvent[] {
    if (!isObject(body) || typeof body['text'] !== 'string') throw new GatewayError('malformed_response', 'no completion', { origin: 'upstream' })
    this.done = true
    return [{ type: 'text-delta', text: body['text'] }, finish]
  }
  frame({ data }: { readonly data: string }): ChatEvent[] {
    if (data === 'bad') throw new GatewayError('overloaded', 'busy', { origin: 'upstream' })
    if (data === 'crash') throw new TypeError('secret text of the prompt')
    if (data === 'stop') this.finishing = true
    else if (data === '[DONE]') {
      this.done = true
      return [finish]
    } else return [{ type: 'text-delta', text: data }]
    return []
  }
  end(): ChatEvent[] {
    if (!this.finishing) throw new GatewayError('malformed_response', 'ended early', { origin: 'upstream' })
    this.done = true
    return [finish]
  }
}

export function fakeAdapter(more: Partial<Adapter> = {}): Adapter {
  return {
    dialect: 'fake',
    encode: (_request, { baseUrl }, wire) => ({ call: { method: 'POST', url: baseUrl, headers: { 'x-wire': wire, 'x-own': 'adapter' }, body: '{}' }, warnings: [] }),
    authorize: (call, secret) => ({ ...call, headers: { ...call.headers, 'x-key': secret.reveal() } }),
    decode: () => new FakeDecoder(),
    fault: (status, _headers, body, nowMs) => new GatewayError('upstream_error', 'fault', { status, origin: 'upstream', retryAfterMs: nowMs, upstream: { message: JSON.stringify(body) ?? 'nothing' } }),
    ...more,
  }
}

/** A body whose chunks are put in by hand. */
export class FakeBody implements ByteReader {
  cancelled = 0
  reads = 0
  #chunks: (Uint8Array | GatewayError | undefined)[] = []
  #waiting: (() => void) | undefined

  put(...texts: (string | Uint8Array | GatewayError | undefined)[]): this {
    this.#chunks.push(...texts.map(text => (typeof text === 'string' ? new TextEncoder().encode(text) : text)))
    this.#waiting?.()
    return this
  }
  async read(): Promise<Uint8Array | undefined> {
    this.reads++
    while (this.#chunks.length === 0) await new Promise<void>(resolve => (this.#waiting = resolve))
    const chunk = this.#chunks.shift()
    if (GatewayError.is(chunk)) throw chunk
    return chunk
  }
  cancel(): void {
    this.cancelled++
    this.put(new GatewayError('aborted', 'cancelled', { origin: 'caller' }))
  }
}

export function fakeTransport(received: { status?: number; headers?: Record<string, string>; body: ByteReader }): Transport & { calls: { headers: Readonly<Record<string, string>> }[] } {
  const calls: { headers: Readonly<Record<string, string>> }[] = []
  return {
    calls,
    send: (call): Promise<Received> => {
      calls.push(call)
      return Promise.resolve({ status: 200, headers: {}, ...received })
    },
    close: () => Promise.resolve(),
    sockets: () => 0,
  }
}

export function openContext(wire: Wire, clock: Clock, more: Partial<OpenContext> = {}): OpenContext {
  return { wire, clock, signal: new AbortController().signal, onActivity: () => undefined, ...more }
}
