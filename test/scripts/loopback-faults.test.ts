import type { ClientRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { bodyOf, DIALECTS, eventsOf, faulty, jsonText, object, send, stopAll, TEXT, textOf, until } from './client.js'

afterEach(stopAll)

describe.each(DIALECTS)('faults of %s', dialect => {
  const stream = bodyOf(dialect, true)
  const json = bodyOf(dialect, false)
  const terminal = dialect === 'openai' ? '[DONE]' : 'message_stop'
  const finish = dialect === 'openai' ? '"finish_reason":"stop"' : '"stop_reason":"end_turn"'

  it('a status comes with its headers and the error of the dialect, once', async () => {
    const provider = await faulty(dialect, { status: 429, retryAfter: '2', headers: { 'x-extra': '1' } })
    const first = await send(provider, dialect, stream)
    expect([first.status, first.headers['retry-after'], first.headers['x-extra']]).toEqual([429, '2', '1'])
    expect(object(object(JSON.parse(first.body))['error'])['type']).toBe(dialect === 'openai' ? 'requests' : 'rate_limit_error')
    expect(Object.keys(first.headers).filter(name => name.includes('ratelimit'))).toEqual([])
    expect((await send(provider, dialect, stream)).status).toBe(200)
  })

  it('a status takes a body of the test', async () => {
    const provider = await faulty(dialect, { status: 503, headers: { 'content-type': 'text/plain' }, body: 'away' })
    const { status, headers, body } = await send(provider, dialect, stream)
    expect([status, headers['content-type'], body]).toEqual([503, 'text/plain', 'away'])
  })

  it('reset breaks before the headers', async () => {
    const provider = await faulty(dialect, 'reset')
    const reply = await send(provider, dialect, stream)
    expect([reply.status, reply.error]).toEqual([undefined, 'ECONNRESET'])
    expect(provider.closedByClient).toBe(0)
  })

  it('silent never answers, and the server knows when the client gave up', async () => {
    const provider = await faulty(dialect, 'silent')
    let req: ClientRequest | undefined
    const reply = send(provider, dialect, stream, { onRequest: made => (req = made) })
    await until(() => provider.requests.length === 1)
    await sleep(30)
    expect([provider.openRequests, provider.closedByClient]).toEqual([1, 0])
    const abortedMs = Date.now()
    req?.destroy()
    expect((await reply).status).toBeUndefined()
    await until(() => provider.closedByClient === 1)
    expect(provider.requests[0]?.closedByClientMs).toBeGreaterThanOrEqual(abortedMs)
    expect(provider.openRequests).toBe(0)
  })

  it('slowFirst sends headers at once and the first byte late', async () => {
    for (const body of [stream, json]) {
      const provider = await faulty(dialect, { slowFirst: 150 })
      let headersMs = 0
      const startedMs = performance.now()
      const reply = await send(provider, dialect, body, { onRequest: req => void req.once('response', () => (headersMs = performance.now() - startedMs)) })
      expect(reply.atMs[0]).toBeGreaterThanOrEqual(145)
      expect(reply.atMs[0]! - headersMs).toBeGreaterThanOrEqual(50)
    }
  })

  it('comments keep the line alive before the first event', async () => {
    const provider = await faulty(dialect, { comments: 15, thenFirstAfter: 100 })
    const { body, atMs } = await send(provider, dialect, stream)
    expect(body.indexOf(': keep-alive\n\n: keep-alive\n\n')).toBe(0)
    expect(atMs.length).toBeGreaterThan(3)
    expect(textOf(dialect, body)).toBe(TEXT)
    const plain = await faulty(dialect, { comments: 15, thenFirstAfter: 60 })
    expect(jsonText(dialect, (await send(plain, dialect, json)).body)).toBe(TEXT)
  })

  it('cutAfter breaks the connection after so many words', async () => {
    const provider = await faulty(dialect, { cutAfter: 4 })
    const { status, body, error } = await send(provider, dialect, stream)
    expect([status, error, textOf(dialect, body)]).toEqual([200, 'ECONNRESET', 'one two three four'])
    expect(body).not.toContain(finish)
    expect(provider.closedByClient).toBe(0)
  })

  it('truncateAfter ends in good order without finish or terminal', async () => {
    const provider = await faulty(dialect, { truncateAfter: 4 })
    const { body, error } = await send(provider, dialect, stream)
    expect([error, textOf(dialect, body)]).toEqual([undefined, 'one two three four'])
    expect(body).not.toContain(finish)
    expect(body).not.toContain(terminal)
  })

  it('stallAfter falls silent until the client leaves', async () => {
    for (const [body, seen] of [[stream, 'two'], [json, '{']] as const) {
      const provider = await faulty(dialect, { stallAfter: 2 })
      let req: ClientRequest | undefined
      let text = ''
      const reply = send(provider, dialect, body, { onRequest: made => void (req = made).once('response', res => res.on('data', chunk => (text += String(chunk)))) })
      await until(() => text.includes(seen))
      await sleep(40)
      expect(provider.openRequests).toBe(1)
      req?.destroy()
      expect((await reply).body).not.toContain('three')
      await until(() => provider.closedByClient === 1)
    }
  })

  it('garbageAfter puts one broken event into an answer that is whole', async () => {
    const provider = await faulty(dialect, { garbageAfter: 3 })
    const { body } = await send(provider, dialect, stream)
    expect(eventsOf(body).filter(event => typeof event === 'string' && event !== '[DONE]').length).toBe(1)
    expect(textOf(dialect, body)).toBe(TEXT)
    expect(body).toContain(finish)
  })

  it('noDone has the finish but no terminal', async () => {
    const provider = await faulty(dialect, 'noDone')
    const { body, error } = await send(provider, dialect, stream)
    expect([body.includes(finish), body.includes(terminal), error]).toEqual([true, false, undefined])
  })

  it('errorEvent comes first after 200, errorAfter after so many words', async () => {
    const first = await send(await faulty(dialect, 'errorEvent'), dialect, stream)
    expect([first.status, eventsOf(first.body).length]).toEqual([200, 1])
    expect(object(eventsOf(first.body)[0])['error']).toBeTruthy()
    const later = await send(await faulty(dialect, 'errorAfter:2'), dialect, stream)
    expect(textOf(dialect, later.body)).toBe('one two')
    expect(object(eventsOf(later.body).at(-1))['error']).toBeTruthy()
  })

  it('a 200 may hold a JSON error or a page', async () => {
    const error = await send(await faulty(dialect, 'jsonError200'), dialect, stream)
    expect([error.status, error.headers['content-type']]).toEqual([200, 'application/json'])
    expect(object(JSON.parse(error.body))['error']).toBeTruthy()
    const page = await send(await faulty(dialect, 'html200'), dialect, json)
    expect([page.status, page.headers['content-type'], page.body.slice(0, 15)]).toEqual([200, 'text/html; charset=utf-8', '<!doctype html>'])
  })

  it('the wire may be the other one', async () => {
    const asJson = await send(await faulty(dialect, 'jsonForStream'), dialect, stream)
    expect([asJson.headers['content-type'], jsonText(dialect, asJson.body)]).toEqual(['application/json', TEXT])
    const asStream = await send(await faulty(dialect, 'sseForJson'), dialect, json)
    expect([asStream.headers['content-type'], textOf(dialect, asStream.body)]).toEqual(['text/event-stream; charset=utf-8', TEXT])
    // Each names one wire and leaves the other as it was asked for.
    expect((await send(await faulty(dialect, 'jsonForStream'), dialect, json)).headers['content-type']).toBe('application/json')
    expect((await send(await faulty(dialect, 'sseForJson'), dialect, stream)).headers['content-type']).toContain('event-stream')
  })

  it('contextLength and contentFilter are 400s in the words of the dialect', async () => {
    const long = await send(await faulty(dialect, 'contextLength'), dialect, stream)
    expect([long.status, long.body.includes(dialect === 'openai' ? 'context_length_exceeded' : 'prompt is too long')]).toEqual([400, true])
    const filtered = await send(await faulty(dialect, 'contentFilter'), dialect, stream)
    expect([filtered.status, filtered.body.includes(dialect === 'openai' ? '"content_filter"' : 'content filtering policy')]).toEqual([400, true])
  })

  it('a JSON body is cut, truncated or broken, never a short whole one', async () => {
    const cut = await send(await faulty(dialect, { cutAfter: 99 }), dialect, json)
    expect([cut.status, cut.error]).toEqual([200, 'ECONNRESET'])
    for (const fault of [{ truncateAfter: 3 }, { truncateAfter: 99 }, { garbageAfter: 3 }]) {
      const { body, error } = await send(await faulty(dialect, fault), dialect, json)
      expect(error).toBeUndefined()
      expect([body.includes('"one two three'), body.includes('four')]).toEqual([true, !('truncateAfter' in fault && fault.truncateAfter === 3)])
      expect(() => JSON.parse(body) as unknown).toThrow(SyntaxError)
    }
    expect(object(JSON.parse((await send(await faulty(dialect, 'errorAfter:2'), dialect, json)).body))['error']).toBeTruthy()
  })
})
