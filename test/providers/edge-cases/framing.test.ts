import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { chunk, completion, data, end, JSON_HEAD, Play, stream } from './play.js'

const play = new Play()
const HI = [chunk({ role: 'assistant', content: 'Grüß ' }), chunk({ content: 'Gött 🎈' })] as const
const SAID = 'Grüß Gött 🎈'
const USAGE = { id: 'c1', choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } }
const text = async (...args: Parameters<Play['ask']>) => (await play.ask(...args)).result.text
const bytes = (body: string) => new TextEncoder().encode(body)
const each = (body: string, size: number) => {
  const all = bytes(body)
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.subarray(at * size, (at + 1) * size))
}

describe('chunks that are not like the others', () => {
  it('a first chunk without choices gives neither id nor model, and its filter results are kept (trap 1)', async () => {
    const filter = { id: '', model: '', choices: [], prompt_filter_results: [{ content_filter_results: { hate: { filtered: true } } }] }
    const { result } = await play.ask(stream(filter, ...HI))
    expect([result.text, result.id, result.model, result.providerMetadata['openai']]).toEqual([SAID, expect.any(String), 'm1', { prompt_filter_results: filter.prompt_filter_results }])
  })
  it('usage that comes alone and last is not lost (trap 2)', async () => {
    expect((await play.ask([...HI, end(), USAGE, '[DONE]'].map(data).join(''))).result.usage).toEqual({ inputTokens: 3, outputTokens: 4 })
  })
  it('a chunk without the key choices is passed over (trap 3)', async () => {
    expect(await text(stream({ id: 'c1', object: 'ping' }, HI[0], { obfuscation: 'x' }, HI[1]))).toBe(SAID)
  })
  it('a filter chunk whose choice has no delta is no crash and no new message (trap 4)', async () => {
    const late = { id: '', model: '', choices: [{ index: 0, finish_reason: null, content_filter_results: {}, content_filter_offsets: { check_offset: 0 } }] }
    expect(await text(stream(HI[0], late, HI[1], late))).toBe(SAID)
  })
})

describe('the end of a stream', () => {
  it('needs no [DONE] behind a finish reason, and with [DONE] does not wait for the connection (trap 5)', async () => {
    expect(await text([...HI, end()].map(data).join(''))).toBe(SAID)
    expect(await text({ pieces: [stream(...HI)], open: true })).toBe(SAID)
  })
  it('is [DONE] alone where a server never says why it stopped (trap 6)', async () => {
    const { result } = await play.ask([...HI, '[DONE]'].map(data).join(''))
    expect([result.text, result.finishReason, result.rawFinishReason]).toEqual([SAID, 'stop', null])
    const called = await play.ask([chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }] }, {}, { finish_reason: '' }), '[DONE]'].map(data).join(''))
    expect(called.result.finishReason).toBe('tool-calls')
  })
  it('that is neither is a cut, however the connection ends (trap 7)', async () => {
    for (const broken of [false, true]) expect(['malformed_response', 'network']).toContain((await play.fault({ pieces: HI.map(data), broken })).code)
  })
  it('may lack the blank line of its last event (trap 14)', async () => {
    expect(await text([...HI, end()].map(data).join('').trimEnd())).toBe(SAID)
  })
})

describe('bytes', () => {
  it.each([['CRLF', '\r\n'], ['CR', '\r'], ['all of them', '']])('with lines that end in %s, cut anywhere (trap 8)', async (_, eol) => {
    let at = 0
    const body = stream(...HI).replace(/\n/g, () => (eol === '' ? (['\n', '\r', '\r\n'][at++ % 3] ?? '') : eol))
    expect(await text(body)).toBe(SAID)
    expect(await text({ pieces: each(body, 1) })).toBe(SAID)
  })
  it('with a byte-order mark lose no event (trap 9)', async () => {
    expect(await text({ pieces: [new Uint8Array([0xef]), new Uint8Array([0xbb, 0xbf]), stream(...HI)] })).toBe(SAID)
  })
  it('without the blank behind data:, and in several lines of data (trap 10)', async () => {
    const split = stream(...HI).replace(/data: /g, 'data:').replace('"model":"m1",', '"model":"m1",\ndata:')
    expect(await text(split)).toBe(SAID)
  })
  it('that are comments are not content (trap 11)', async () => {
    expect(await text(`: OPENROUTER PROCESSING\n\n:\n\n${stream(...HI).replace(/\n\n/g, '\n\n: keep-alive\n\n')}`)).toBe(SAID)
  })
  it('cut inside a character make no strange ones (trap 12)', async () => {
    for (const size of [1, 2, 3]) expect(await text({ pieces: each(stream(...HI), size) })).toBe(SAID)
  })
  it('cut inside "data:" and inside a string are put together (trap 13)', async () => {
    for (const size of [2, 5, 17]) expect(await text({ pieces: each(stream(...HI), size) })).toBe(SAID)
  })
  it('that are JSON lines without frames are a typed error (trap 15)', async () => {
    expect((await play.fault(`${HI.map(each => JSON.stringify(each)).join('\n')}\n`)).code).toBe('malformed_response')
  })
  it('packed are unpacked (trap 23)', async () => {
    const packed = gzipSync(stream(...HI))
    expect(await text({ headers: { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' }, pieces: [packed.subarray(0, 20), packed.subarray(20)] })).toBe(SAID)
  })
})

describe('what an answer turns out to be', () => {
  it('an error told by its event name alone (trap 16)', async () => {
    expect(await play.fault(`event: error\n${data({ message: 'over', status_code: 503 })}`)).toMatchObject({ code: 'upstream_error', status: 503 })
    expect(await play.fault(data({ error: { message: 'x', code: 'insufficient_quota' } }))).toMatchObject({ code: 'quota_exhausted' })
  })
  it('one JSON body where a stream was asked for (trap 17)', async () => {
    expect(await text({ headers: JSON_HEAD, pieces: [completion({ content: SAID })] })).toBe(SAID)
    expect((await play.fault({ headers: JSON_HEAD, pieces: ['{"error":{"message":"m","code":"model_not_found"}}'] })).code).toBe('model_not_found')
  })
  it('a stream where one body was asked for (trap 18)', async () => {
    expect(await text(stream(...HI), { whole: true })).toBe(SAID)
  })
  it.each(['application/octet-stream', 'text/plain', 'application/json', 'application/x-redacted', undefined])('what it is, though it says it is %s (trap 19)', async type => {
    const headers = type === undefined ? {} : { 'content-type': type }
    expect(await text({ headers, pieces: [stream(...HI)] })).toBe(SAID)
    expect(await text({ headers, pieces: [completion({ content: SAID })] }, { whole: true })).toBe(SAID)
    expect(await play.fault({ status: 402, headers, pieces: ['{"error":{"message":"Insufficient Balance"}}'] })).toMatchObject({ code: 'quota_exhausted' })
  })
  it.each([[404, 'model_not_found'], [502, 'upstream_error'], [503, 'upstream_error'], [200, 'malformed_response']] as const)('a page with %i is an error in our words (trap 20)', async (status, code) => {
    const fault = await play.fault({ status, headers: { 'content-type': 'text/html' }, pieces: ['<!DOCTYPE html><html><body>Bad gateway</body></html>'] })
    expect(fault.code).toBe(code)
    expect(fault.message).not.toMatch(/Unexpected token|<html|<!DOCTYPE/)
  })
  it('an error with 200 is one, with the status it names (trap 21)', async () => {
    expect(await play.fault({ headers: JSON_HEAD, pieces: ['{"error":{"message":"m","code":429}}'] }, { whole: true })).toMatchObject({ code: 'rate_limited', status: 429 })
  })
  it.each(['', ' \n', '{}', '[]', 'null', '7', '"text"', '{"choices":[]}', '{"object":"list","data":[]}', '{"choices":[{"message":'])('%j is no completion and no crash (trap 22)', async body => {
    expect((await play.fault({ headers: JSON_HEAD, pieces: [body] }, { whole: true })).code).toBe('malformed_response')
  })
})

describe('time', () => {
  it('an abort ends the connection and is not tried again (trap 24)', async () => {
    const aborter = new AbortController()
    expect(await play.fault({ pieces: [data(HI[0])], open: true, written: () => aborter.abort() }, { call: { signal: aborter.signal } })).toMatchObject({ code: 'aborted' })
    await expect.poll(() => play.closed).toBe(1)
  })
  it.each([['0', 0], ['-5', 0], ['1e99', undefined], ['99999999999', 99_999_999_999_000], ['Thu, 01 Jan 1970 00:00:00 GMT', 0], ['soon', undefined], ['1.5', 1500]])('a wait of %j is clamped (trap 63)', async (after, ms) => {
    const { code, retryAfterMs } = await play.fault({ status: 429, headers: { ...JSON_HEAD, 'retry-after': after }, pieces: ['{}'] })
    expect([code, retryAfterMs]).toEqual(['rate_limited', ms])
  })
  it('a wait on a good answer is nobody’s (trap 71)', async () => {
    expect(await text({ headers: { 'content-type': 'text/event-stream', 'retry-after': '3600' }, pieces: [stream(...HI)] })).toBe(SAID)
  })
})
