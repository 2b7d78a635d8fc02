import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import type { ChatEvent } from '../../src/protocol/events.js'
import type { Adapter } from '../../src/protocol/ports.js'
import { all, JSON_BODY, opening, SSE_BODY, textOf } from './opening.js'
import { faultOf, until } from './server.js'

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
  it('gives the first content alone and then the events of one chunk together, and waits while there are none', async () => {
    const { opened, body } = opening({ chunks: ['data: a\n\ndata: b\n\ndata: c\n\n', ': ping\n\n', 'da', 'ta: d\n\n'] })
    const answer = await opened
    expect(body.reads).toBe(0)
    expect([(await answer.read())?.length, (await answer.read())?.length]).toEqual([1, 2])
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
    expect([await answer.read(), await answer.read()].map(batch => batch?.map(event => event.type))).toEqual([['text-delta'], ['finish']])
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
    const { opened } = opening({ adapter: { decode }, chunks: ['data: a\n\ndata: b\n\ndata: c\n\ndata: d', undefined] })
    const answer = await opened
    expect([(await answer.read())?.length, (await answer.read())?.length]).toEqual([1, 2])
    expect(same.length).toBe(1)
  })
})
