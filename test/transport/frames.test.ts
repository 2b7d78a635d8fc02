import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import type { Frame } from '../../src/protocol/ports.js'
import { sseFraming } from '../../src/transport/frames.js'

const sse = sseFraming()

const bytes = (text: string) => new TextEncoder().encode(text)

function cut(input: Uint8Array, at: readonly number[], framing = sse): Frame[] {
  const frames: Frame[] = []
  const parser = framing(frame => frames.push(frame))
  let from = 0
  for (const to of [...at, input.length]) {
    parser.push(input.subarray(from, to))
    from = to
  }
  parser.end()
  return frames
}
const each = (input: Uint8Array) => Array.from(input, (_, i) => i).slice(1)
function failure(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return GatewayError.is(error) ? error.code : String(error)
  }
  return 'none'
}

describe('server-sent events', () => {
  const rows: [string, string, Frame[]][] = [
    ['one event', 'data: a\n\n', [{ data: 'a' }]],
    ['several data lines', 'data: a\ndata:b\ndata\n\n', [{ data: 'a\nb\n' }]],
    ['a name', 'event: error\ndata: {}\n\n', [{ event: 'error', data: '{}' }]],
    ['comments and unknown fields', ': OPENROUTER PROCESSING\n\n:\nfoo: bar\nretry: x\nid: 1\ndata: a\n\n: ping\n\n', [{ data: 'a' }]],
    ['a bare error between the events', 'data: a\n\n{"error":{"code":1}}\n\ndata: b\n\n', [{ data: 'a' }, { data: '{"error":{"code":1}}' }, { data: 'b' }]],
    ['a bare error over many lines', 'data: a\n\n{\n  "error": {\n    "code": 1\n  }\n}\n', [{ data: 'a' }, { data: '{\n  "error": {\n    "code": 1\n  }\n}' }]],
    ['bare lines that are no error', 'data: a\n\n{"x":1}\n{ "error": \n}}\nplain\ndata: b\n\n', [{ data: 'a' }, { data: 'b' }]],
    ['an event without data', 'event: ping\n\ndata: a\n\n', [{ data: 'a' }]],
    ['a last event without a blank line', 'data: a\n\ndata: b\n', [{ data: 'a' }, { data: 'b' }]],
    ['a last event without any line end', 'data: a\n\ndata: b', [{ data: 'a' }, { data: 'b' }]],
    ['no space after the colon, and two', 'data:a\n\ndata:  b\n\n', [{ data: 'a' }, { data: ' b' }]],
    ['an empty body', '', []],
    ['characters of four bytes', 'data: 😀größe€\n\n', [{ data: '😀größe€' }]],
  ]
  for (const [name, text, expected] of rows) {
    for (const [eol, as] of [['LF', '\n'], ['CRLF', '\r\n'], ['CR', '\r']] as const) {
      it(`reads ${name}, with ${eol}, with and without a byte-order mark, whole and byte by byte`, () => {
        for (const mark of ['', '\ufeff']) {
          const input = bytes(mark + text.replaceAll('\n', as))
          expect(cut(input, [])).toEqual(expected)
          expect(cut(input, each(input))).toEqual(expected)
        }
      })
    }
  }

  it('gives an event at once when its blank line is there, with CR too', () => {
    for (const eol of ['\n', '\r\n', '\r']) {
      const frames: Frame[] = []
      const parser = sse(frame => frames.push(frame))
      parser.push(bytes(`data: a${eol}${eol}`))
      expect(frames, JSON.stringify(eol)).toEqual([{ data: 'a' }])
      parser.push(bytes(`data: b${eol}${eol}`))
      expect(frames).toEqual([{ data: 'a' }, { data: 'b' }])
    }
  })

  it('does not depend on where the network cuts', () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }).map(text => `data: ${text.replace(/[\r\n]/g, '')}`),
      fc.constantFrom(': ping', 'event: x', 'data', 'id: 1', ''),
    )
    const stream = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 30 }).map(lines => lines.map(([text, eol]) => text + eol).join(''))
    fc.assert(fc.property(stream, fc.array(fc.nat(400), { maxLength: 12 }), (text, places) => {
      const input = bytes(text)
      const at = places.filter(place => place < input.length).sort((a, b) => a - b)
      expect(cut(input, at)).toEqual(cut(input, []))
    }), { numRuns: 500 })
  })

  it('decodes like one decoder over the whole, with marks, cut characters and broken bytes anywhere', () => {
    const piece = fc.oneof(
      fc.constantFrom('\ufeff', 'größe', '😀', '€', 'a').map(text => bytes(text)),
      fc.uint8Array({ maxLength: 4 }).map(some => some.filter(byte => byte !== 10 && byte !== 13)),
    )
    fc.assert(fc.property(fc.boolean(), fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(60), { maxLength: 8 }), (marked, pieces, places) => {
      const input = new Uint8Array(Buffer.concat([bytes(marked ? '\ufeffdata: ' : 'data: '), ...pieces, bytes('\n\n')]))
      const at = places.filter(place => place < input.length).sort((a, b) => a - b)
      const data = new TextDecoder().decode(input).slice('data: '.length, -2)
      for (const cuts of [at, each(input)]) expect(cut(input, cuts)).toEqual([{ data }])
    }), { numRuns: 500 })
  })

  it('reads any events back, whatever is between them', () => {
    const event = fc.record({ data: fc.array(fc.string({ unit: 'grapheme' }).map(text => text.replace(/[\r\n]/g, '')), { minLength: 1, maxLength: 3 }), comment: fc.boolean() })
    fc.assert(fc.property(fc.array(event, { maxLength: 10 }), fc.constantFrom('\n', '\r\n', '\r'), (events, eol) => {
      const text = events.map(({ data, comment }) => `${comment ? `: hi${eol}${eol}` : ''}${data.map(line => `data: ${line}${eol}`).join('')}${eol}`).join('')
      expect(cut(bytes(text), each(bytes(text)))).toEqual(events.map(({ data }) => ({ data: data.join('\n') })))
    }))
  })

  it('reads a picture of six megabytes in one line: an answer that was paid for is not thrown away for its length', () => {
    const data = 'x'.repeat(6_000_000)
    expect(cut(bytes(`data: ${data}\n\n`), Array.from({ length: 91 }, (_, i) => (i + 1) * 65_536))).toEqual([{ data }])
  })

  it('reads an event of a million bytes, whole and in pieces', () => {
    const data = 'x'.repeat(1_000_000)
    const input = bytes(`data: ${data}\n\ndata: b\n\n`)
    const pieces = Array.from({ length: 99 }, (_, i) => (i + 1) * 10_000)
    expect(cut(input, [])).toEqual([{ data }, { data: 'b' }])
    expect(cut(input, pieces)).toEqual([{ data }, { data: 'b' }])
  })

  it('stops at a line that never ends, without keeping it', () => {
    const parser = sse(() => undefined)
    const chunk = bytes('x'.repeat(16 * 1024))
    let pushed = 0
    expect(failure(() => {
      for (;;) {
        pushed += chunk.length
        parser.push(chunk)
      }
    })).toBe('malformed_response')
    expect(pushed).toBeLessThanOrEqual(16 * 1024 * 1024 + 2 * chunk.length)
  })

  it('stops at a long line also inside one chunk, and at its end', () => {
    const long = 'x'.repeat(16 * 1024 * 1024 + 10)
    expect(failure(() => cut(bytes(`data: ${long}\n\n`), []))).toBe('malformed_response')
    expect(failure(() => cut(bytes(`data: a\n\ndata: ${long}`), []))).toBe('malformed_response')
    const small = sseFraming({ lineBytes: 10, eventChars: 15 })
    expect(failure(() => cut(bytes('data: 12345678\n\n'), [4], small))).toBe('malformed_response')
    expect(failure(() => cut(bytes('data: 123\n\n'), [4], small))).toBe('none')
  })

  it('stops at an event of many lines', () => {
    const line = bytes(`data: ${'x'.repeat(1_000_000)}\n`)
    let pushed = 0
    const parser = sse(() => undefined)
    expect(failure(() => {
      for (;;) {
        pushed += line.length
        parser.push(line)
      }
    })).toBe('malformed_response')
    expect(pushed).toBeLessThan(40 * 1024 * 1024)
    const small = sseFraming({ lineBytes: 10, eventChars: 15 })
    expect(failure(() => cut(bytes('data: 123\ndata: 123\ndata: 123\ndata: 123\ndata: 123\n\n'), [], small))).toBe('malformed_response')
  })

  it('never fails with anything but a fault of ours on bytes of any kind', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), input => {
      expect(['none', 'malformed_response']).toContain(failure(() => cut(input, each(input), sseFraming({ lineBytes: 20, eventChars: 40 }))))
    }))
  })
})
