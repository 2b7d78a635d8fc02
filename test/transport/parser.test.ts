import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import { HeaderNames } from '../../src/transport/head.js'
import { AnswerParser } from '../../src/transport/parser.js'

interface Outcome {
  status?: number
  headers?: Record<string, string>
  body: string
  done: boolean
  keep?: boolean
  surplus: boolean
  fault?: string
}

/** Feeds `text` in pieces, each in bytes of its own, then ends the connection. */
function read(text: string, at: readonly number[] = [], names = new HeaderNames()): Outcome {
  const parser = new AnswerParser('h.test', names)
  const input = Buffer.from(text, 'latin1')
  const out: Outcome = { body: '', done: false, surplus: false }
  let from = 0
  try {
    for (const to of [...at, input.length]) {
      const piece = Buffer.from(input.subarray(from, to))
      from = to
      try {
        parser.push(piece, piece.length)
      } finally {
        expect(parser.to - parser.from).toBeLessThanOrEqual(piece.length)
        out.body += piece.toString('latin1', parser.from, parser.to)
      }
    }
    out.done = parser.eof()
  } catch (error) {
    if (!GatewayError.is(error)) throw error
    expect(error.message).toContain('h.test')
    out.fault = error.code
  }
  const { head } = parser
  if (head !== undefined) Object.assign(out, { status: head.status, headers: { ...head.headers }, keep: head.keep })
  out.surplus = parser.surplus
  return out
}
const each = (text: string) => Array.from(text, (_, i) => i).slice(1)
const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`

describe('an answer', () => {
  const rows: [string, string, Partial<Outcome>][] = [
    ['a length', `${OK}content-length: 2\r\n\r\nok`, { body: 'ok', done: true, keep: true }],
    ['no body at all', `${OK}Content-Length: 0\r\n\r\n`, { body: '', done: true, keep: true }],
    ['the same length twice', `${OK}content-length: 2\r\ncontent-length: 2\r\n\r\nok`, { body: 'ok', done: true }],
    ['chunks', `${CHUNKED}2\r\nok\r\n0A\r\n0123456789\r\n0\r\n\r\n`, { body: 'ok0123456789', done: true, keep: true }],
    ['chunks with extensions and trailers', `${CHUNKED}2 ;a="b"\r\nok\r\n0;x\r\nx-a: b\r\nx-c: d\r\n\r\n`, { body: 'ok', done: true, surplus: false }],
    ['the end of the connection', `${OK}\r\nok`, { body: 'ok', done: true, keep: false }],
    ['a status without a body', 'HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n', { body: '', done: true, keep: true }],
    ['304 with the length it would have had', 'HTTP/1.1 304 x\r\ncontent-length: 9\r\n\r\n', { body: '', done: true, keep: true }],
    ['interim answers before it', `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${OK}content-length: 2\r\n\r\nok`, { status: 200, body: 'ok', done: true }],
    ['no reason after the status', 'HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n', { status: 200, done: true }],
    ['a wish to close', `${OK}connection: x, Close\r\ncontent-length: 0\r\n\r\n`, { done: true, keep: false }],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n', { done: true, keep: false }],
    ['HTTP/1.0 that stays', 'HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 0\r\n\r\n', { done: true, keep: true }],
    ['another answer behind it', `${OK}content-length: 2\r\n\r\nokHTTP/1.1 200 evil`, { body: 'ok', done: true, surplus: true }],
    ['bytes behind the last chunk', `${CHUNKED}0\r\n\r\nx`, { body: '', done: true, surplus: true }],
    ['a length that is not reached', `${OK}content-length: 3\r\n\r\nok`, { body: 'ok', done: false }],
    ['chunks without a last one', `${CHUNKED}2\r\nok\r\n`, { body: 'ok', done: false }],
    ['blanks around values, commas between several', `${OK}X-A: \t 1 \t\r\nx-a:2\r\n__proto__: p\r\nempty:\r\ncontent-length: 0\r\n\r\n`, { headers: expect.objectContaining({ 'x-a': '1, 2', empty: '' }) as never, done: true }],
  ]
  it.each(rows)('is read with %s, whole and byte by byte', (_, text, expected) => {
    expect(read(text)).toMatchObject({ ...expected, ...(expected.headers === undefined && { surplus: expected.surplus ?? false }) })
    expect(read(text, each(text))).toEqual(read(text))
  })

  const refused: [string, string][] = [
    ['two different lengths', `${OK}content-length: 2\r\ncontent-length: 3\r\n\r\nok`],
    ['a length and chunks', `${OK}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a length with a sign', `${OK}content-length: +2\r\n\r\nok`],
    ['a length in hex', `${OK}content-length: 0x2\r\n\r\nok`],
    ['an empty length', `${OK}content-length:\r\n\r\nok`],
    ['a coding that is not chunked', `${OK}transfer-encoding: gzip, chunked\r\n\r\n`],
    ['chunked twice', `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`],
    ['a folded header', `${OK}x-a: b\r\n c: d\r\n\r\n`],
    ['a blank before the colon', `${OK}content-length : 2\r\n\r\nok`],
    ['no colon', `${OK}nonsense\r\n\r\n`],
    ['lines that end in LF', 'HTTP/1.1 200 OK\ncontent-length: 2\n\nok'],
    ['a bare CR in a header', `${OK}x-a: b\rc: d\r\n\r\n`],
    ['a bare LF in a header', `${OK}x-a: b\nc: d\r\n\r\n`],
    ['a NUL in a header', `${OK}x-a: b\0c\r\n\r\n`],
    ['HTTP/2', 'HTTP/2 200 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status that is no number', 'HTTP/1.1 2o0 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['another version', 'HTTP/1.2 200 OK\r\n\r\n'],
    ['no blank before the status', 'HTTP/1.1-200 OK\r\n\r\n'],
    ['a status that runs into its reason', 'HTTP/1.1 200OK\r\n\r\n'],
    ['a length of no digits', `${OK}content-length: \r\n\r\n`],
    ['a length of sixteen digits', `${OK}content-length: 1000000000000000\r\n\r\n`],
    ['a length with a sign', `${OK}content-length: +2\r\n\r\nok`],
    ['another protocol', '220 smtp ready\r\n'],
    ['a chunk size that is none', `${CHUNKED}x\r\n`],
    ['an empty chunk size', `${CHUNKED}\r\n`],
    ['a chunk size with a sign', `${CHUNKED}-1\r\n`],
    ['a chunk size without end', `${CHUNKED}${'0'.repeat(13)}`],
    ['a chunk longer than it says', `${CHUNKED}2\r\nokk\r\n`],
    ['LF behind a chunk size', `${CHUNKED}2\nok\r\n`],
    ['LF in an extension', `${CHUNKED}2;a\nb\r\nok\r\n`],
    ['LF behind a trailer', `${CHUNKED}0\r\na: b\n\r\n`],
    ['interim answers without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(17)],
    ['headers without end', `${OK}x-a: ${'y'.repeat(70_000)}`],
    ['extensions without end', `${CHUNKED}2;${'y'.repeat(70_000)}`],
    ['trailers without end', `${CHUNKED}0\r\n${'a: b\r\n'.repeat(20_000)}`],
  ]
  it.each(refused)('is refused with %s', (_, text) => {
    expect(read(text)).toMatchObject({ fault: 'malformed_response', done: false })
    if (text.length < 1000) expect(read(text, each(text))).toEqual(read(text))
  })

  it('is refused when it switches protocols', () => {
    expect(read('HTTP/1.1 101 Switching Protocols\r\n\r\n').fault).toBe('network')
  })

  it('gives the body before a mistake in it', () => {
    expect(read(`${CHUNKED}2\r\nok\r\nx`)).toMatchObject({ body: 'ok', fault: 'malformed_response' })
  })

  it('has the names of its own headers when the server changes their order', () => {
    const names = new HeaderNames()
    for (const lines of ['x-ab: 1\r\nx-a: 2\r\n', 'x-a: 2\r\nx-ab: 1\r\n', 'x-abc: 3\r\nX-A: 2\r\n', 'x-ab: 1\r\n']) {
      const text = `${OK}${lines}content-length: 0\r\n\r\n`
      expect(read(text, [], names)).toEqual(read(text))
    }
  })
})

const token = fc.stringMatching(/^[A-Za-z-]{1,8}$/)
const value = fc.stringMatching(/^[!-~\x80-\xff]{0,12}$/)
const header = fc.tuple(token, value).filter(([name]) => !/^(content-length|transfer-encoding|connection)$/i.test(name)).map(([name, text]) => `${name}: ${text}\r\n`)
const bytes = fc.uint8Array({ maxLength: 40 }).map(array => Buffer.from(array).toString('latin1'))
const answer = fc.record({ headers: fc.array(header, { maxLength: 5 }), chunks: fc.array(bytes, { maxLength: 6 }), kind: fc.constantFrom('length', 'chunked', 'close'), interim: fc.boolean(), tail: fc.constantFrom('', 'x: y\r\n'), extension: fc.constantFrom('', ';a=b'), surplus: fc.constantFrom('', 'HTTP/1.1 200 x') }).map(parts => {
  const body = parts.chunks.join('')
  const framing = { length: `content-length: ${body.length}\r\n`, chunked: 'Transfer-Encoding: Chunked\r\n', close: '' }[parts.kind]
  const chunks = parts.chunks.filter(chunk => chunk !== '').map(chunk => `${chunk.length.toString(16)}${parts.extension}\r\n${chunk}\r\n`).join('')
  const sent = parts.kind === 'chunked' ? `${chunks}0\r\n${parts.tail}\r\n` : body
  const surplus = parts.kind === 'close' ? '' : parts.surplus
  return { text: `${parts.interim ? 'HTTP/1.1 100 Continue\r\n\r\n' : ''}${OK}${parts.headers.join('')}${framing}\r\n${sent}${surplus}`, body, surplus: surplus !== '' }
})
const cuts = fc.array(fc.nat(600), { maxLength: 10 })
const within = (text: string, at: readonly number[]) => at.filter(place => place < text.length).sort((a, b) => a - b)

describe('the network', () => {
  it('may cut an answer anywhere', () => {
    fc.assert(fc.property(answer, cuts, ({ text, body, surplus }, at) => {
      const whole = read(text)
      expect(whole).toMatchObject({ status: 200, body, surplus, done: true })
      expect(read(text, within(text, at))).toEqual(whole)
      expect(read(text, each(text))).toEqual(whole)
    }), { numRuns: 300 })
  })

  it('may change an answer: it is read the same however it is cut, or refused', () => {
    const change = fc.record({ at: fc.nat(600), text: fc.oneof(bytes, fc.constantFrom('\r', '\n', '\r\n', '\0', ':', ';', ' ', '0', 'ffffffff', 'content-length: 1\r\n')), drop: fc.nat(4) })
    fc.assert(fc.property(answer, fc.array(change, { minLength: 1, maxLength: 4 }), cuts, ({ text }, changes, at) => {
      let mutant = text
      for (const { at: place, text: put, drop } of changes) mutant = mutant.slice(0, place) + put + mutant.slice(place + drop)
      const whole = read(mutant)
      expect([undefined, 'malformed_response', 'network']).toContain(whole.fault)
      expect(read(mutant, within(mutant, at))).toEqual(whole)
      expect(whole.body.length).toBeLessThanOrEqual(mutant.length)
    }), { numRuns: 500 })
  })

  it('may bring anything at all', () => {
    fc.assert(fc.property(fc.oneof(bytes, bytes.map(text => OK + text), bytes.map(text => CHUNKED + text)), text => {
      expect(read(text, each(text))).toEqual(read(text))
    }), { numRuns: 500 })
  })
})
