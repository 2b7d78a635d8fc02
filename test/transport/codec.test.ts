import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { collect } from '../../src/protocol/collect.js'
import { GatewayError } from '../../src/protocol/errors.js'
import type { ChatEvent } from '../../src/protocol/events.js'
import type { Adapter, Opened, OpenContext, Wire } from '../../src/protocol/ports.js'
import { Secret } from '../../src/protocol/secret.js'
import { codecUpstream, type CodecOptions } from '../../src/transport/codec.js'
import { httpTransport } from '../../src/transport/http.js'
import { FakeBody, FakeClock, fakeAdapter, fakeTransport, openContext, request, target } from './fakes.js'
import { faultOf, httpServer, until } from './server.js'

interface Given {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly chunks?: readonly (string | Uint8Array | GatewayError | undefined)[]
  readonly wire?: Wire
  readonly adapter?: Partial<Adapter>
  readonly limits?: CodecOptions['limits']
  readonly ctx?: Partial<OpenContext>
}
function opening({ status = 200, headers = {}, chunks = [], wire = 'stream', adapter, limits, ctx }: Given) {
  const body = new FakeBody().put(...chunks)
  const clock = new FakeClock()
  const transport = fakeTransport({ status, headers, body })
  const upstream = codecUpstream({ adapter: fakeAdapter(adapter), transport, target, ...(limits !== undefined && { limits }) })
  return { body, clock, transport, opened: upstream.open('chat', request, openContext(wire, clock, ctx)) }
}
async function all(opened: Promise<Opened>): Promise<ChatEvent[]> {
  const answer = await opened
  const events: ChatEvent[] = []
  for (let batch = await answer.read(); batch !== undefined; batch = await answer.read()) {
    expect(batch.length).toBeGreaterThan(0)
    events.push(...batch)
  }
  return events
}
const textOf = (events: ChatEvent[]) => collect(events).text
const JSON_BODY = '{"text":"ab"}'
const SSE_BODY = 'data: a\n\ndata: b\n\ndata: stop\n\ndata: [DONE]\n\n'

describe('what a body is', () => {
  const types = ['application/json', 'application/json; charset=utf-8', 'text/event-stream', 'text/event-stream; charset=utf-8', 'application/octet-stream', 'text/plain', 'text/html', undefined]
  const bodies: [string, string][] = [
    ['json', JSON_BODY],
    ['json after blanks', `\n \n\r\n${JSON_BODY}\n`],
    ['json after a byte-order mark', `\ufeff${JSON_BODY}`],
    ['events', SSE_BODY],
    ['events after a comment', `: processing\n\n${SSE_BODY}`],
    ['events after a byte-order mark', `\ufeff${SSE_BODY}`],
    ['events after blank lines', `\r\n\n${SSE_BODY}`],
    ['events with names first', `event: x\n${SSE_BODY}`],
    ['events with ids first', `id: x\n${SSE_BODY}`],
    ['events with retry first', `retry: 1\n${SSE_BODY}`],
  ]
  for (const [name, text] of bodies) {
    it(`is told by what it holds: ${name}, whatever was asked for and however it is labelled`, async () => {
      for (const type of types) {
        for (const wire of ['json', 'stream'] as const) {
          for (const split of [false, true]) {
            const bytes = new TextEncoder().encode(text)
            const chunks = split ? Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)) : [bytes]
            const { opened } = opening({ wire, headers: type === undefined ? {} : { 'content-type': type }, chunks: [...chunks, undefined] })
            expect(textOf(await all(opened)), `${wire} as ${type}`).toBe('ab')
          }
        }
      }
    })
  }

  it('is malformed when it is HTML, empty, blank, cut JSON, or JSON that is no answer', async () => {
    const nested = `{"text":${'['.repeat(500)}${']'.repeat(500)}}`
    for (const text of ['<!DOCTYPE html><p>secret', '\n <html>', '', ' \n ', '{"text":"secret', '[1,2] secret', '{}', 'upstream connect error', '"secret"', nested]) {
      for (const type of ['application/json', 'text/event-stream', 'text/html', '']) {
        const fault = await faultOf(all(opening({ headers: { 'content-type': type }, chunks: [text, undefined] }).opened))
        expect(fault.code, `${text.slice(0, 20)} as ${type}`).toBe('malformed_response')
        expect(`${fault.message}${JSON.stringify(fault.cause)}`).not.toContain('secret')
      }
    }
  })

  it('is left to the framing of the dialect where it has one, unless it is labelled JSON', async () => {
    const frames: NonNullable<Adapter['frames']> = onFrame => ({
      push: chunk => onFrame({ data: new TextDecoder().decode(chunk).replace(/[{}]/g, '') }),
      end: () => undefined,
    })
    const lines = ['{a}', '{b}', '{stop}', '{[DONE]}']
    expect(textOf(await all(opening({ adapter: { frames }, headers: { 'content-type': 'application/x-ndjson' }, chunks: lines }).opened))).toBe('ab')
    expect(textOf(await all(opening({ adapter: { frames }, headers: { 'content-type': 'application/json' }, chunks: [JSON_BODY, undefined] }).opened))).toBe('ab')
    expect((await faultOf(all(opening({ adapter: { frames }, headers: { 'content-type': 'text/html' }, chunks: ['<p>'] }).opened))).code).toBe('malformed_response')
  })

  it('may be cut anywhere by the network', async () => {
    const bytes = new TextEncoder().encode('\ufeff: c\r\ndata: größe\r\n\r\ndata: 😀\r\rdata: stop\n\ndata: [DONE]\n\n')
    await fc.assert(fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 8 }), async places => {
      const at = [0, ...places.sort((a, b) => a - b), bytes.length]
      const chunks = at.slice(1).map((to, i) => bytes.subarray(at[i], to))
      expect(textOf(await all(opening({ chunks }).opened))).toBe('größe😀')
    }), { numRuns: 200 })
  })

  it('is bounded on both wires', async () => {
    const chunk = `data: ${'x'.repeat(100)}\n\n`
    const limits = { jsonBytes: 1000, streamBytes: 2000 }
    const stream = opening({ limits, chunks: Array.from({ length: 50 }, () => chunk) })
    expect((await faultOf(all(stream.opened))).code).toBe('malformed_response')
    expect([stream.body.cancelled, stream.body.reads]).toEqual([1, 19])
    for (const start of ['{', ' ', '\n']) {
      const json = opening({ limits, chunks: [start, ...Array.from({ length: 50 }, () => ' '.repeat(100))] })
      expect((await faultOf(all(json.opened))).code).toBe('malformed_response')
      expect([json.body.cancelled, json.body.reads]).toEqual([1, 11])
    }
  })
})

describe('an event stream', () => {
  it('gives the events of one chunk together, and waits while there are none', async () => {
    const { opened, body } = opening({ chunks: ['data: a\n\ndata: b\n\ndata: c\n\n', ': ping\n\n', 'da', 'ta: d\n\n'] })
    const answer = await opened
    expect(body.reads).toBe(0)
    expect((await answer.read())?.length).toBe(3)
    expect(body.reads).toBe(1)
    expect(await answer.read()).toEqual([{ type: 'text-delta', text: 'd' }])
    expect(body.reads).toBe(4)
  })

  it('delivers what came before a fault, then the fault, again and again', async () => {
    const cut = new GatewayError('malformed_response', 'cut', { origin: 'network' })
    const cases: [readonly (string | GatewayError | undefined)[], string][] = [
      [['data: a\n\ndata: bad\n\ndata: c\n\n'], 'overloaded'],
      [['data: a\n\n', cut], 'malformed_response'],
      [['data: a\n\n', undefined], 'malformed_response'],
      [['data: a\n\ndata: crash\n\n'], 'malformed_response'],
      [['data: a\n\ndata: b', undefined], 'malformed_response'],
    ]
    for (const [chunks, code] of cases) {
      const { opened, body } = opening({ chunks })
      const answer = await opened
      expect((await answer.read())?.[0]).toEqual({ type: 'text-delta', text: 'a' })
      if (chunks[0] === 'data: a\n\ndata: b') expect(await answer.read()).toEqual([{ type: 'text-delta', text: 'b' }])
      const fault = await faultOf(answer.read())
      expect(fault.code).toBe(code)
      expect(String(fault.stack)).not.toContain('secret')
      expect(await faultOf(answer.read())).toBe(fault)
      expect(body.cancelled).toBe(1)
      answer.close()
      expect(await faultOf(answer.read())).toBe(fault)
    }
  })

  it('ends at the terminal without waiting for the body, and reads nothing after it', async () => {
    const { opened, body, clock } = opening({ chunks: ['data: a\n\ndata: stop\n\ndata: [DONE]\n\ndata: bad\n\ndata: z\n\n'] })
    const answer = await opened
    expect((await answer.read())?.map(event => event.type)).toEqual(['text-delta', 'finish'])
    expect(await answer.read()).toBeUndefined()
    answer.close()
    expect(body.cancelled).toBe(0)
    body.put(undefined)
    await until(() => clock.timers.size === 0)
    expect(body.cancelled).toBe(0)
  })

  it('gives up on what follows the terminal when it is long or late', async () => {
    const late = opening({ chunks: [SSE_BODY] })
    await all(late.opened)
    await late.clock.advance(249)
    expect(late.body.cancelled).toBe(0)
    await late.clock.advance(1)
    expect(late.body.cancelled).toBe(1)
    const long = opening({ chunks: [SSE_BODY, new Uint8Array(40_000), new Uint8Array(40_000)] })
    await all(long.opened)
    await until(() => long.clock.timers.size === 0)
    expect(long.body.cancelled).toBe(1)
  })

  it('needs no terminal after a finish reason: the end, a cut and a second of silence all do', async () => {
    const cut = new GatewayError('malformed_response', 'cut', { origin: 'network' })
    for (const last of [undefined, cut]) {
      const { opened, clock } = opening({ chunks: ['data: ab\n\ndata: stop\n\n', last] })
      expect(textOf(await all(opened))).toBe('ab')
      expect(clock.timers.size).toBe(0)
    }
    const { opened, clock, body } = opening({ chunks: ['data: ab\n\n', 'data: stop\n\n'] })
    const answer = await opened
    await answer.read()
    let last: readonly ChatEvent[] | undefined
    const reading = answer.read().then(batch => (last = batch))
    await clock.advance(0)
    await clock.advance(999)
    expect(last).toBeUndefined()
    await clock.advance(1)
    await reading
    expect(last?.map(event => event.type)).toEqual(['finish'])
    expect(await answer.read()).toBeUndefined()
    expect(body.cancelled).toBe(1)
    expect(clock.timers.size).toBe(0)
  })

  it('takes the usage that comes within the second, and starts the second anew', async () => {
    const { opened, clock, body } = opening({ chunks: ['data: a\n\ndata: stop\n\n'] })
    const answer = await opened
    await answer.read()
    for (const text of ['usage', 'more']) {
      const reading = answer.read()
      await clock.advance(900)
      body.put(`data: ${text}\n\n`)
      expect(await reading).toEqual([{ type: 'text-delta', text }])
      expect(clock.timers.size).toBe(0)
    }
  })

  it('does not let comments hold a finished answer back', async () => {
    const { opened, clock, body } = opening({ chunks: ['data: a\n\ndata: stop\n\n'] })
    const answer = await opened
    await answer.read()
    const reading = answer.read()
    for (let i = 0; i < 4; i++) {
      await clock.advance(250)
      body.put(': ping\n\n')
    }
    expect((await reading)?.[0]?.type).toBe('finish')
    expect(clock.timers.size).toBe(0)
  })

  it('does not take an abort within the second for the end', async () => {
    const { opened, clock } = opening({ chunks: ['data: a\n\ndata: stop\n\n'] })
    const answer = await opened
    await answer.read()
    const fault = faultOf(answer.read())
    await clock.advance(0)
    answer.close()
    expect((await fault).code).toBe('aborted')
    expect(clock.timers.size).toBe(0)
  })

  it('is closed once, also while it is read, and gives nothing more', async () => {
    const { opened, body } = opening({ chunks: ['data: a\n\n'] })
    const answer = await opened
    await answer.read()
    const fault = faultOf(answer.read())
    answer.close()
    answer.close()
    expect((await fault).code).toBe('aborted')
    expect((await faultOf(answer.read())).code).toBe('aborted')
    expect(body.cancelled).toBe(1)
  })

  it('never writes to the arrays of the adapter', async () => {
    const same: ChatEvent[] = Object.freeze([{ type: 'text-delta', text: 'x' }]) as unknown as ChatEvent[]
    const decode: Adapter['decode'] = () => ({ json: () => [], frame: () => same, end: () => same, finishing: true, done: false })
    const { opened } = opening({ adapter: { decode }, chunks: ['data: a\n\ndata: b\n\ndata: c', undefined] })
    expect((await (await opened).read())?.length).toBe(2)
    expect(same.length).toBe(1)
  })
})

describe('an error answer', () => {
  it('is judged by the adapter alone, with the parsed body, the text, or nothing', async () => {
    const rows: [number, readonly (string | GatewayError | undefined)[], string][] = [
      [400, ['{"error":', '{"code":1}}', undefined], '{"error":{"code":1}}'],
      [502, ['<html>bad gateway', undefined], '"<html>bad gateway"'],
      [503, [undefined], 'nothing'],
      [307, [undefined], 'nothing'],
      [500, ['part', new GatewayError('malformed_response', 'cut')], '"part"'],
      [500, ['x'.repeat(9000), undefined], `"${'x'.repeat(4096)}"`.slice(0, 2000)],
    ]
    for (const [status, chunks, said] of rows) {
      const { opened, clock } = opening({ status, chunks })
      expect(await faultOf(opened)).toMatchObject({ code: 'upstream_error', status, upstream: { message: said } })
      expect(clock.timers.size).toBe(0)
    }
  })

  it('is not read for longer than two seconds or a mebibyte', async () => {
    const slow = opening({ status: 429, chunks: ['{"half":'] })
    const fault = faultOf(slow.opened)
    await slow.clock.advance(0)
    await slow.clock.advance(2000)
    expect(await fault).toMatchObject({ status: 429, retryAfterMs: 2000 })
    const long = opening({ status: 500, chunks: Array.from({ length: 30 }, () => 'x'.repeat(100_000)) })
    expect((await faultOf(long.opened)).status).toBe(500)
    expect([long.body.cancelled, long.body.reads]).toEqual([1, 11])
  })

  it('gives way to an abort that comes while it is read', async () => {
    const controller = new AbortController()
    const reason = new GatewayError('timeout', 'late')
    const { opened, body, clock } = opening({ status: 500, ctx: { signal: controller.signal } })
    const fault = faultOf(opened)
    await clock.advance(0)
    controller.abort(reason)
    body.cancel()
    expect(await fault).toBe(reason)
  })
})

describe('the request', () => {
  it('is signed last, over the headers of the caller, which take no place of the library', async () => {
    const headers = { 'X-Own': 'caller', 'x-key': 'caller', authorization: 'caller', 'X-Api-Key': 'caller', host: 'evil', 'Content-Length': '1', 'x-trace': '1' }
    const { opened, transport } = opening({ chunks: [SSE_BODY], ctx: { headers, secret: new Secret('real') } })
    const { warnings } = await opened
    expect({ ...transport.calls[0]?.headers }).toEqual({ 'x-wire': 'stream', 'x-own': 'caller', 'x-key': 'real', 'x-trace': '1' })
    expect(warnings.map(({ code, parameter }) => `${code} ${parameter}`)).toEqual(['authorization', 'x-api-key', 'host', 'content-length'].map(name => `dropped headers.${name}`))
  })

  it('goes without a key where there is none, and waits for a key that takes time', async () => {
    const none = opening({ chunks: [SSE_BODY] })
    await none.opened
    expect(none.transport.calls[0]?.headers['x-key']).toBeUndefined()
    const authorize: Adapter['authorize'] = async (call, secret) => {
      await Promise.resolve()
      return { ...call, headers: { ...call.headers, 'x-key': `late ${secret.reveal()}` } }
    }
    const late = opening({ chunks: [SSE_BODY], adapter: { authorize }, ctx: { secret: new Secret('k') } })
    await late.opened
    expect(late.transport.calls[0]?.headers['x-key']).toBe('late k')
  })

  it('is not sent when the call was aborted while it was signed', async () => {
    const controller = new AbortController()
    const authorize: Adapter['authorize'] = call => {
      controller.abort()
      return call
    }
    const { opened, transport } = opening({ adapter: { authorize }, ctx: { secret: new Secret('k'), signal: controller.signal } })
    expect((await faultOf(opened)).code).toBe('aborted')
    expect(transport.calls.length).toBe(0)
  })

  it('passes on warnings, status, headers and limits', async () => {
    const adapter: Partial<Adapter> = {
      limits: headers => ({ remainingRequests: Number(headers['x-left']) }),
      encode: () => ({ call: { method: 'POST', url: 'http://x', headers: {} }, warnings: [{ code: 'dropped', message: 'm' }] }),
    }
    const { opened } = opening({ adapter, status: 201, headers: { 'x-left': '7' }, chunks: [JSON_BODY, undefined], wire: 'json' })
    expect(await opened).toMatchObject({ status: 201, headers: { 'x-left': '7' }, limits: { remainingRequests: 7 }, warnings: [{ code: 'dropped' }] })
  })
})

describe('over real sockets', () => {
  it('gives the connection back after JSON, a stream with trailing bytes, and an error', async () => {
    const bodies = [JSON_BODY, SSE_BODY, '{"error":1}']
    let n = 0
    const server = await httpServer((_, response) => {
      const i = n++ % 3
      response.statusCode = i === 2 ? 500 : 200
      response.write(bodies[i])
      setTimeout(() => response.end(i === 1 ? ': bye\n\n' : ''), 10)
    })
    const transport = httpTransport()
    const clock = new FakeClock()
    const upstream = codecUpstream({ adapter: fakeAdapter(), transport, target: { ...target, baseUrl: server.url } })
    let activity = 0
    for (let i = 0; i < 6; i++) {
      const opened = upstream.open('chat', request, openContext('stream', clock, { onActivity: () => activity++ }))
      if (i % 3 === 2) expect((await faultOf(opened)).status).toBe(500)
      else expect(textOf(await all(opened))).toBe('ab')
      await until(() => clock.timers.size === 0)
    }
    expect(activity).toBeGreaterThanOrEqual(12)
    expect(server.accepted()).toBe(1)
    await transport.close()
    expect(transport.sockets()).toBe(0)
    await server.stop()
  })

  it('closes the connection of a stream that is left, and of one that stays silent after its finish reason', async () => {
    const server = await httpServer((_, response) => void response.write('data: a\n\ndata: stop\n\n'))
    const transport = httpTransport()
    const clock = new FakeClock()
    const upstream = codecUpstream({ adapter: fakeAdapter(), transport, target: { ...target, baseUrl: server.url } })
    const left = await upstream.open('chat', request, openContext('stream', clock))
    await left.read()
    left.close()
    await until(() => server.sockets.size === 0, 100)
    const silent = await upstream.open('chat', request, openContext('stream', clock))
    await silent.read()
    const last = silent.read()
    await until(() => clock.timers.size === 1)
    await clock.advance(1000)
    expect((await last)?.[0]?.type).toBe('finish')
    await until(() => server.sockets.size === 0, 100)
    expect(transport.sockets()).toBe(0)
    await transport.close()
    await server.stop()
  })
})
