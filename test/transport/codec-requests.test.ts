import { describe, expect, it } from 'vitest'
import { idleClock } from '../../src/platform/clock.js'
import { GatewayError } from '../../src/protocol/errors.js'
import type { Adapter } from '../../src/protocol/ports.js'
import { Secret } from '../../src/protocol/secret.js'
import { codecUpstream } from '../../src/transport/codec.js'
import { httpTransport } from '../../src/transport/http.js'
import { FakeClock, fakeAdapter, openContext, request, target } from './fakes.js'
import { all, JSON_BODY, opening, SSE_BODY, textOf } from './opening.js'
import { faultOf, httpServer, until } from './server.js'

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
    const transport = httpTransport({ idle: idleClock() })
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
    const transport = httpTransport({ idle: idleClock() })
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
