import { describe, expect, it, vi } from 'vitest'
import type { GatewayError } from '../../src/protocol/errors.js'
import type { ChatEvent } from '../../src/protocol/events.js'
import type { Adapter, Opened } from '../../src/protocol/ports.js'
import { codecUpstream } from '../../src/transport/codec.js'
import { cutFault } from '../../src/transport/faults.js'
import type { ByteConsumer, ByteReader } from '../../src/transport/types.js'
import { FakeClock, fakeAdapter, fakeTransport, openContext, request, target } from './fakes.js'
import { SSE_BODY } from './opening.js'

const SHARED = new Uint8Array(256 * 1024)

/** A body that flows by hand; all it gives lies in memory that is written over afterwards. */
class FlowBody implements ByteReader {
  over = false
  cancelled = 0
  paused = false
  consumer: ByteConsumer | undefined

  read(): Promise<never> {
    return Promise.reject(new Error('nobody reads what flows'))
  }
  flow(consumer: ByteConsumer): void {
    this.consumer = consumer
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  cancel(): void {
    this.cancelled++
    this.consumer = undefined
  }
  give(text: string, last = false): void {
    this.over = last
    const { written } = new TextEncoder().encodeInto(text, SHARED)
    this.consumer?.bytes(SHARED.subarray(0, written))
    if (last) this.consumer?.ended()
    SHARED.fill(0x78)
  }
}

interface Told {
  readonly batches: (readonly ChatEvent[] | undefined)[]
  readonly faults: (GatewayError | undefined)[]
}
async function opening(adapter?: Partial<Adapter>): Promise<{ answer: Opened; body: FlowBody; clock: FakeClock; told: Told; ask(): void }> {
  const body = new FlowBody()
  const clock = new FakeClock()
  const answer = await codecUpstream({ adapter: fakeAdapter(adapter), transport: fakeTransport({ body }), target }).open('chat', request, openContext('stream', clock))
  const told: Told = { batches: [], faults: [] }
  return { answer, body, clock, told, ask: () => answer.readInto?.((batch, fault) => (told.batches.push(batch), told.faults.push(fault))) }
}
const textOf = (told: Told) => told.batches.flat().map(event => (event?.type === 'text-delta' ? event.text : event?.type))

describe('an answer whose body flows', () => {
  it('tells a waiting reader inside the call that brings the bytes, once for each question', async () => {
    const { body, told, ask } = await opening()
    ask()
    expect(told.batches).toEqual([])
    body.give('data: a\n\n')
    expect(textOf(told)).toEqual(['a'])
    ask()
    body.give('data: b\n\n')
    expect(textOf(told)).toEqual(['a', 'b'])
    body.give('data: c\n\n')
    body.give('data: d\n\n')
    expect(told.batches.length).toBe(2)
    ask()
    expect(told.batches[2]).toEqual([{ type: 'text-delta', text: 'c' }, { type: 'text-delta', text: 'd' }])
    body.give('data: stop\n\ndata: [DONE]\n\n', true)
    ask()
    ask()
    expect([textOf(told).slice(4), told.batches.length, told.faults.filter(Boolean)]).toEqual([['finish', undefined], 5, []])
    expect(body.cancelled).toBe(0)
  })

  it('may be asked again from inside the telling', async () => {
    const { answer, body } = await opening()
    const seen: string[] = []
    const more = (batch: readonly ChatEvent[] | undefined): void => {
      seen.push(...(batch ?? []).map(event => event.type))
      if (batch !== undefined) answer.readInto?.(more)
    }
    answer.readInto?.(more)
    body.give(SSE_BODY, true)
    expect(seen).toEqual(['text-delta', 'text-delta', 'finish'])
  })

  it('holds the server back at 64 KiB that nobody asked for, and lets go when somebody does', async () => {
    const { body, ask, told } = await opening()
    ask()
    body.give('data: a\n\n')
    const chunk = `data: ${'y'.repeat(1016)}\n\n`
    for (let i = 0; i < 63; i++) body.give(chunk)
    expect(body.paused).toBe(false)
    body.give(chunk)
    expect(body.paused).toBe(true)
    ask()
    expect([body.paused, told.batches[1]?.length]).toEqual([false, 64])
    for (let i = 0; i < 64; i++) body.give(`: ${'y'.repeat(1020)}\n\n`)
    expect(body.paused).toBe(true)
    ask()
    expect(body.paused).toBe(false)
  })

  it('keeps nothing of memory that is only lent: JSON in pieces, blanks, and a framing of its own', async () => {
    const json = await opening()
    json.ask()
    for (const piece of ['\ufeff', ' {"te', 'xt":', '"ä"']) json.body.give(piece)
    json.body.give('}', true)
    expect(textOf(json.told)).toEqual(['ä', 'finish'])
    const frames: NonNullable<Adapter['frames']> = onFrame => {
      const kept: Uint8Array[] = []
      return { push: chunk => void kept.push(chunk), end: () => onFrame({ data: new TextDecoder().decode(Buffer.concat(kept)) }) }
    }
    const own = await opening({ frames })
    own.ask()
    for (const piece of ['sto', 'p']) own.body.give(piece)
    own.body.give('', true)
    expect(textOf(own.told)).toEqual(['finish'])
  })

  it('reads the rest behind the terminal while nobody asks, and gives up on a long or late one', async () => {
    const good = await opening()
    good.ask()
    good.body.give(SSE_BODY)
    good.ask()
    expect(good.clock.timers.size).toBe(1)
    good.body.give('\n', true)
    expect([good.clock.timers.size, good.body.cancelled]).toEqual([0, 0])
    const long = await opening()
    long.ask()
    long.body.give(SSE_BODY)
    long.ask()
    for (let i = 0; i < 65; i++) long.body.give(': '.repeat(512))
    expect([long.clock.timers.size, long.body.cancelled]).toEqual([0, 1])
    const late = await opening()
    late.ask()
    late.body.give(SSE_BODY)
    late.ask()
    await late.clock.advance(250)
    expect([late.clock.timers.size, late.body.cancelled]).toEqual([0, 1])
  })

  it('arms no timer where the terminal is the last of the body', async () => {
    const { body, ask, clock } = await opening()
    const after = clock.after.bind(clock)
    let armed = 0
    clock.after = (ms, fn) => (armed++, after(ms, fn))
    ask()
    body.give(SSE_BODY, true)
    expect(armed).toBe(0)
  })

  it('takes a second of silence or a cut behind a finish reason for the end', async () => {
    for (const how of ['silence', 'cut'] as const) {
      const { body, ask, told, clock } = await opening()
      ask()
      body.give('data: a\n\ndata: stop\n\n')
      ask()
      if (how === 'cut') body.consumer?.failed(cutFault('h'))
      else {
        await clock.advance(999)
        body.give(': ping\n\n')
        expect(told.batches.length).toBe(1)
        await clock.advance(1)
      }
      expect(textOf(told)).toEqual(['a', 'finish'])
      expect(clock.timers.size).toBe(0)
    }
  })

  it('starts the second anew with each frame', async () => {
    const { body, ask, told, clock } = await opening()
    ask()
    body.give('data: stop\n\n')
    await clock.advance(900)
    body.give('data: late\n\n')
    ask()
    await clock.advance(900)
    expect(textOf(told)).toEqual(['late'])
    await clock.advance(100)
    expect(textOf(told)).toEqual(['late', 'finish'])
  })

  it('starts the second anew with each part of a frame, where frames have no comments between them', async () => {
    const frames: NonNullable<Adapter['frames']> = onFrame => ({ push: chunk => (chunk.length > 2 ? onFrame({ data: new TextDecoder().decode(chunk) }) : undefined), end: () => undefined })
    const { body, ask, told, clock } = await opening({ frames })
    ask()
    body.give('stop')
    await clock.advance(900)
    body.give('x')
    await clock.advance(900)
    expect(textOf(told)).toEqual([])
    body.give('late')
    ask()
    await clock.advance(1000)
    expect(textOf(told)).toEqual(['late', 'finish'])
  })

  it('tells the waiting reader at once when it is closed, and nothing ever after', async () => {
    const { answer, body, ask, told, clock } = await opening()
    ask()
    body.give('data: a\n\n')
    ask()
    answer.close()
    expect(told.faults[1]?.code).toBe('aborted')
    expect([body.cancelled, clock.timers.size]).toEqual([1, 0])
    ask()
    expect(told.faults[2]).toBe(told.faults[1])
  })

  it('delivers what came before a fault that nobody waited for', async () => {
    const { body, ask, told } = await opening()
    ask()
    body.give('data: a\n\n')
    body.give('data: b\n\ndata: bad\n\n')
    expect(body.cancelled).toBe(1)
    ask()
    ask()
    expect([textOf(told), told.faults[2]?.code]).toEqual([['a', 'b', undefined], 'overloaded'])
  })

  describe('whose first content came with more in one packet', () => {
    it('is told of the content before the rest is read, so that nobody waits for what they did not ask for', async () => {
      const read: string[] = []
      const { decode } = fakeAdapter()
      const spied: Adapter['decode'] = ctx => {
        const decoder = decode(ctx)
        const frame = decoder.frame.bind(decoder)
        decoder.frame = given => (read.push(given.data), frame(given))
        return decoder
      }
      const { body, ask, told } = await opening({ decode: spied })
      ask()
      body.give(SSE_BODY, true)
      expect([read, textOf(told)]).toEqual([['a'], ['a']])
      ask()
      expect([read, textOf(told)]).toEqual([['a', 'b', 'stop', '[DONE]'], ['a', 'b', 'finish']])
      ask()
      expect([told.batches.at(-1), told.faults.filter(Boolean)]).toEqual([undefined, []])
    })

    it('keeps the rest, whose memory was only lent', async () => {
      const { body, ask, told } = await opening()
      ask()
      body.give('data: a\n\ndata: b\n\ndata: c')
      body.give('d\n\n')
      ask()
      expect(textOf(told)).toEqual(['a', 'b', 'cd'])
    })

    it('tells the rest before the cut or the early end that came behind it', async () => {
      for (const end of ['cut', 'end'] as const) {
        const { body, ask, told } = await opening()
        ask()
        body.give('data: a\n\ndata: b\n\n')
        if (end === 'cut') body.consumer?.failed(cutFault('h'))
        else body.consumer?.ended()
        ask()
        ask()
        expect([textOf(told), told.faults.map(fault => fault?.code)]).toEqual([['a', 'b', undefined], [undefined, undefined, 'malformed_response']])
      }
    })

    it('tells a fault in the rest after what stood before it, and lets the connection go', async () => {
      const { body, ask, told } = await opening()
      ask()
      body.give('data: a\n\ndata: b\n\ndata: bad\n\ndata: c\n\n')
      expect(body.cancelled).toBe(0)
      ask()
      ask()
      expect([textOf(told), told.faults[2]?.code, body.cancelled]).toEqual([['a', 'b', undefined], 'overloaded', 1])
    })

    it('reads nothing of the rest once it is closed', async () => {
      const { answer, body, ask, told, clock } = await opening()
      ask()
      body.give('data: a\n\ndata: bad\n\n')
      answer.close()
      ask()
      expect([told.faults[1]?.code, body.cancelled, clock.timers.size]).toEqual(['aborted', 1, 0])
    })

    it('does not look for the end of an event more than sixteen times in a chunk', async () => {
      const decode = vi.spyOn(TextDecoder.prototype, 'decode')
      const { body, ask } = await opening()
      ask()
      body.give(`:${'\n\n'.repeat(1_000)}`)
      expect(decode.mock.calls.length).toBe(16)
      decode.mockRestore()
    })
  })
})
