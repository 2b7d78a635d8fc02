import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import type { HttpCall } from '../../src/protocol/ports.js'
import { Endpoints } from '../../src/transport/endpoint.js'
import { requestHead } from '../../src/transport/request.js'

const endpoints = new Endpoints()
const raw = (call: Omit<HttpCall, 'url'>, url = 'http://h.test') => requestHead(endpoints.of(url), { ...call, url }, Buffer.byteLength(call.body ?? ''))
const head = (headers: Record<string, string>, url = 'http://h.test/p?q=1') => raw({ method: 'POST', headers, body: '{}' }, url)
const lines = (text: string) => {
  expect(text.endsWith('\r\n\r\n')).toBe(true)
  return text.slice(0, -4).split('\r\n')
}

describe('the head of a request', () => {
  it('is one request line, the headers and one length', () => {
    expect(lines(head({ 'x-a': 'b', accept: '*/*' }))).toEqual(['POST /p?q=1 HTTP/1.1', 'host: h.test', 'connection: keep-alive', 'x-a: b', 'accept: */*', 'content-length: 2'])
    expect(lines(raw({ method: 'GET', headers: {} }))).toEqual(['GET / HTTP/1.1', 'host: h.test', 'connection: keep-alive'])
    expect(lines(raw({ method: 'POST', headers: {} })).at(-1)).toBe('content-length: 0')
  })

  it('says once how the message travels, whatever the adapter says', () => {
    const text = head({ 'Content-Length': '99', 'transfer-encoding': 'chunked', Host: 'evil.test', connection: 'close', expect: '100-continue', te: 'trailers', upgrade: 'h2c' })
    expect(lines(text)).toEqual(['POST /p?q=1 HTTP/1.1', 'host: h.test', 'connection: keep-alive', 'content-length: 2'])
  })

  it('says what a header is now, not what it was in an earlier request', () => {
    const keys = ['a', 'b', 'a', '\xe4', 'a'].map(key => lines(head({ authorization: `Bearer ${key}`, 'x-long': key.repeat(5_000) })).slice(3, 5))
    expect(keys).toEqual(['a', 'b', 'a', '\xe4', 'a'].map(key => [`authorization: Bearer ${key}`, `x-long: ${key.repeat(5_000)}`]))
    const many = Array.from({ length: 40 }, (_, at) => [`x-${at}`, String(at)])
    for (let twice = 0; twice < 2; twice++) expect(lines(head(Object.fromEntries(many))).slice(3, -1)).toEqual(many.map(([name, value]) => `${name}: ${value}`))
    expect(inspect(endpoints.of('http://h.test/p?q=1'), { depth: Infinity, showHidden: true })).not.toContain('Bearer')
  })

  it('cannot be split by a header, and never shows one in its fault', () => {
    const odd = fc.string({ unit: fc.constantFrom('\r', '\n', '\0', ':', ' ', '\t', 'a', 'B', '-', '\x7f', 'ä', '\u0100', '😀'), maxLength: 8 })
    fc.assert(fc.property(fc.dictionary(odd, odd), headers => {
      try {
        const [, , , ...rest] = lines(head(headers))
        expect(rest.map(line => line.split(': ', 1)[0])).toEqual([...Object.keys(headers), 'content-length'])
        expect(rest.slice(0, -1)).toEqual(Object.entries(headers).map(([name, value]) => `${name}: ${value}`))
      } catch (error) {
        if (!GatewayError.is(error)) throw error
        expect(error.code).toBe('invalid_config')
        expect(Object.entries(headers).flat().some(text => /[^\t\x20-\x7e\x80-\xff]/.test(text)) || Object.keys(headers).some(name => !/^[\w-]+$/.test(name))).toBe(true)
      }
    }))
  })

  it('cannot be split by a URL', () => {
    for (const path of ['/a b', '/a\r\nx: y', '/a\nb', '/ä', '/a?b=\r\nc', '/a#b', '/\0']) {
      const [line = '', host] = lines(head({}, `http://h.test${path}`))
      expect(line).toMatch(/^POST \/[\x21-\x7e]* HTTP\/1\.1$/)
      expect(host).toBe('host: h.test')
    }
  })
})
