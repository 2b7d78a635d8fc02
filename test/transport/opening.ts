import { expect } from 'vitest'
import { collect } from '../../src/protocol/collect.js'
import type { GatewayError } from '../../src/protocol/errors.js'
import type { ChatEvent } from '../../src/protocol/events.js'
import type { Adapter, Opened, OpenContext, Wire } from '../../src/protocol/ports.js'
import { codecUpstream, type CodecOptions } from '../../src/transport/codec.js'
import { FakeBody, FakeClock, fakeAdapter, fakeTransport, openContext, request, target } from './fakes.js'

interface Given {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly chunks?: readonly (string | Uint8Array | GatewayError | undefined)[]
  readonly wire?: Wire
  readonly adapter?: Partial<Adapter>
  readonly limits?: CodecOptions['limits']
  readonly ctx?: Partial<OpenContext>
}
/** A codec over a body that is served by hand. */
export function opening({ status = 200, headers = {}, chunks = [], wire = 'stream', adapter, limits, ctx }: Given) {
  const body = new FakeBody().put(...chunks)
  const clock = new FakeClock()
  const transport = fakeTransport({ status, headers, body })
  const upstream = codecUpstream({ adapter: fakeAdapter(adapter), transport, target, ...(limits !== undefined && { limits }) })
  return { body, clock, transport, opened: upstream.open('chat', request, openContext(wire, clock, ctx)) }
}
export async function all(opened: Promise<Opened>): Promise<ChatEvent[]> {
  const answer = await opened
  const events: ChatEvent[] = []
  for (let batch = await answer.read(); batch !== undefined; batch = await answer.read()) {
    expect(batch.length).toBeGreaterThan(0)
    events.push(...batch)
  }
  return events
}
export const textOf = (events: ChatEvent[]) => collect(events).text
export const JSON_BODY = '{"text":"ab"}'
export const SSE_BODY = 'data: a\n\ndata: b\n\ndata: stop\n\ndata: [DONE]\n\n'

