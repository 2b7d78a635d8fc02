import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/protocol/errors.js'
import { eventStreamFraming } from '../../../src/providers/bedrock/frames.js'
import { decoder, eventBytes, eventsOf, faultOf, framesOf, header, joined, written } from './support.js'

const METADATA = eventBytes('metadata', { usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7 }, metrics: { latencyMs: 5 } })
const STREAM = joined([
  eventBytes('messageStart', { role: 'assistant', p: 'abc' }),
  eventBytes('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Grüße, 世界 🌍' } }),
  eventBytes('contentBlockStop', { contentBlockIndex: 0 }),
  eventBytes('contentBlockStart', { contentBlockIndex: 1, start: { toolUse: { toolUseId: 't1', name: 'a' } } }),
  eventBytes('contentBlockDelta', { contentBlockIndex: 1, delta: { toolUse: { input: '{"x":1}' } } }),
  eventBytes('contentBlockStop', { contentBlockIndex: 1 }),
  eventBytes('messageStop', { stopReason: 'tool_use' }),
  METADATA,
])
const WHOLE = framesOf([STREAM])
const ANSWER = eventsOf(WHOLE)

function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const edges = [0, ...[...places].sort((a, b) => a - b), bytes.length]
  return edges.slice(1).map((edge, at) => bytes.subarray(edges[at], edge))
}

/** Reads as the transport does. */
function read(bytes: Uint8Array): unknown {
  return eventsOf(framesOf([bytes]))
}

describe('the binary event stream', () => {
  it('gives the same frames wherever the network cuts it', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(STREAM.length), { maxLength: 40 }), places => {
        expect(framesOf(cutAt(STREAM, places))).toEqual(WHOLE)
      }),
    )
    expect(framesOf(Array.from(STREAM, byte => Uint8Array.of(byte)))).toEqual(WHOLE)
    expect(WHOLE.map(({ event }) => event)).toEqual(['messageStart', 'contentBlockDelta', 'contentBlockStop', 'contentBlockStart', 'contentBlockDelta', 'contentBlockStop', 'messageStop', 'metadata'])
  })

  it('keeps nothing of a chunk that is only lent', () => {
    const frames: unknown[] = []
    const lent = new Uint8Array(64)
    const reader = eventStreamFraming(one => frames.push(one))
    for (let at = 0; at < STREAM.length; at += lent.length) {
      const piece = STREAM.subarray(at, at + lent.length)
      lent.set(piece)
      reader.push(lent.subarray(0, piece.length))
      lent.fill(255)
    }
    expect(frames).toEqual(WHOLE)
  })

  it('is refused with a typed error when any bit of it is flipped', () => {
    for (let at = 0; at < STREAM.length; at++) {
      const flipped = STREAM.slice()
      flipped[at] = (STREAM[at] ?? 0) ^ (1 << at % 8)
      expect(faultOf(() => read(flipped)).code, `bit ${at % 8} of byte ${at}`).toBe('malformed_response')
    }
  })

  it('is never taken for whole when it is cut before the stop reason, and never waits for a frame that is not coming', () => {
    for (let length = 0; length < STREAM.length - METADATA.length; length += 3) expect(faultOf(() => read(STREAM.subarray(0, length))).code).toBe('malformed_response')
    expect(ANSWER.at(-1)).toMatchObject({ type: 'finish', finishReason: 'tool-calls', usage: { inputTokens: 3, outputTokens: 4 } })
  })

  it('takes an answer whose usage was cut off for whole, and says so', () => {
    const events = eventsOf(framesOf([STREAM.subarray(0, STREAM.length - 5)]))
    expect(events.at(-1)).toMatchObject({ type: 'finish', finishReason: 'tool-calls', usage: {} })
    expect(events).toContainEqual({ type: 'warning', warning: expect.objectContaining({ code: 'missing_terminal' }) as unknown })
  })

  it('refuses a body that is something else after twelve bytes', () => {
    expect(faultOf(() => framesOf([new TextEncoder().encode('data: {"a":1}\n\n')])).code).toBe('malformed_response')
  })

  it('refuses a frame of more than 16 MiB, and headers of more than 128 KiB, before it holds them', () => {
    const huge = written(new Uint8Array(0), new Uint8Array(16 * 1024 * 1024))
    expect(faultOf(() => framesOf([huge.subarray(0, 12)])).message).toContain('longer than what is read')
    const wordy = written(new Uint8Array(128 * 1024 + 1), '{}')
    expect(faultOf(() => framesOf([wordy.subarray(0, 12)])).message).toContain('longer than what is read')
  })

  it.each([
    ['a header that runs out of its frame', Uint8Array.of(200, 58)],
    ['a value that runs out of its frame', joined([Uint8Array.of(1, 97, 7), Uint8Array.of(255, 255), Uint8Array.of(1)])],
    ['a type of header nobody knows', Uint8Array.of(1, 97, 10)],
    ['a header without a type', Uint8Array.of(1, 97)],
  ])('refuses %s, though its checksums are right', (_, headers) => {
    expect(faultOf(() => framesOf([written(headers, '{}')])).code).toBe('malformed_response')
  })

  it('refuses headers that are longer than the frame they are in', () => {
    const sound = written(new Uint8Array(0), '')
    expect(framesOf([sound])).toEqual([{ event: '', data: '' }])
    const lying = written(header('a', 'b'), '')
    const view = new DataView(lying.buffer)
    view.setUint32(4, 200)
    view.setUint32(8, crc32(lying.subarray(0, 8)))
    expect(faultOf(() => framesOf([lying])).message).toContain('shorter than what it holds')
  })

  it('steps over headers that are no texts', () => {
    const named = (type: number, ...value: readonly number[]): Uint8Array => Uint8Array.of(1, 120, type, ...value)
    const others = [named(0), named(1), named(2, 1), named(3, 1, 2), named(4, 1, 2, 3, 4), named(5, ...Array<number>(8).fill(1)), named(6, 0, 2, 9, 9), named(8, ...Array<number>(8).fill(1)), named(9, ...Array<number>(16).fill(1))]
    expect(framesOf([written(joined([...others, header(':event-type', 'ping'), header(':message-type', 'event')]), '{"a":1}')])).toEqual([{ event: 'ping', data: '{"a":1}' }])
  })

  it('survives bytes from anywhere', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        try {
          read(bytes)
        } catch (error) {
          expect(GatewayError.is(error)).toBe(true)
        }
      }),
    )
  })
})

describe('a fault inside the stream', () => {
  const exception = (type: string, message: string): Uint8Array => written(joined([header(':exception-type', type), header(':content-type', 'application/json'), header(':message-type', 'exception')]), JSON.stringify({ message }))

  it.each([
    ['throttlingException', 'rate_limited', 429],
    ['modelStreamErrorException', 'upstream_error', 424],
    ['internalServerException', 'upstream_error', 500],
    ['serviceUnavailableException', 'overloaded', 503],
    ['modelTimeoutException', 'upstream_error', 408],
    ['validationException', 'invalid_request', 400],
    ['aNewOneException', 'upstream_error', 500],
  ])('%s is %s', (type, code, status) => {
    const fault = faultOf(() => eventsOf(framesOf([eventBytes('messageStart', { role: 'assistant' }), exception(type, 'Of the prompt: 555')])))
    expect(fault).toMatchObject({ code, status, upstream: { type, message: 'Of the prompt: 555' } })
    expect(fault.message).not.toContain('555')
  })

  it('a prompt that is too long is told from a request that is wrong', () => {
    expect(faultOf(() => eventsOf(framesOf([exception('validationException', 'Input is too long for requested model.')]))).code).toBe('context_length')
  })

  it('an error of the stream itself is told by its code and message', () => {
    const bytes = written(joined([header(':message-type', 'error'), header(':error-code', 'throttlingException'), header(':error-message', 'Slow down')]), '')
    expect(faultOf(() => eventsOf(framesOf([bytes])))).toMatchObject({ code: 'rate_limited', upstream: { message: 'Slow down' } })
  })

  it('after content it is still a fault, not an end', () => {
    const decode = decoder('stream')
    for (const one of framesOf([STREAM]).slice(0, 3)) decode.frame(one)
    expect(faultOf(() => decode.frame({ event: 'exception:throttlingException', data: '' })).code).toBe('rate_limited')
  })
})
