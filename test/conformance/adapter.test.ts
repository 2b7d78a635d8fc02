import { describe, test } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import type { ChatEvent } from '../../src/protocol/events.js'
import type { Adapter, DecodeContext, Decoder, Frame, Headers, HttpCall, Target, Wire } from '../../src/protocol/ports.js'
import type { UpstreamRequest } from '../../src/protocol/request.js'
import { adapterConformance } from '../../src/testing/conformance/index.js'
import { expectCaught } from './caught.js'
import { fixtures, Toy, ToyDecoder } from './toy-adapter.js'

describe('a sound adapter passes', () => {
  for (const check of adapterConformance(new Toy(), fixtures)) test(check.name, () => check.run())
})

function decoding(make: (ctx: DecodeContext) => Decoder): Adapter {
  return Object.assign(new Toy(), { decode: make })
}

class SilentAboutGarbage extends ToyDecoder {
  protected override unparsable(): ChatEvent[] {
    return []
  }
}
class CrashesOnGarbage extends ToyDecoder {
  override frame(frame: Frame): ChatEvent[] {
    JSON.parse(frame.data)
    return super.frame(frame)
  }
}
class CrashesOnNull extends ToyDecoder {
  override frame(frame: Frame): ChatEvent[] {
    if (frame.data === 'null') throw new TypeError('cannot read properties of null')
    return super.frame(frame)
  }
}
class FinishesCutAnswers extends ToyDecoder {
  override end(): ChatEvent[] {
    this.finishing = true
    return super.end()
  }
}
class EndsQuietly extends ToyDecoder {
  override end(): ChatEvent[] {
    return this.finishing ? super.end() : []
  }
}
class FinishesTwice extends ToyDecoder {
  override end(): ChatEvent[] {
    return [...super.end(), this.finish()]
  }
}
class FinishIsNotLast extends ToyDecoder {
  override end(): ChatEvent[] {
    return [...super.end(), { type: 'text-delta', text: '' }]
  }
}
class NeverDone extends ToyDecoder {
  override end(): ChatEvent[] {
    const events = super.end()
    this.done = false
    return events
  }
}
class ForgetsUsageOfJson extends ToyDecoder {
  protected override count(from: unknown): void {
    if (this.ctx.wire === 'stream') super.count(from)
  }
}
class RefusesTheUnknown extends ToyDecoder {
  protected override unknown(frame: unknown): ChatEvent[] {
    if (typeof frame === 'object' && frame !== null) throw new GatewayError('malformed_response', 'An unknown frame.')
    return []
  }
}
class LetsOddUsageThrough extends ToyDecoder {
  protected override count(from: unknown): void {
    const { in: inputTokens } = from as { in: number }
    this.usage = { inputTokens }
  }
}
class DeliversHalfCalls extends ToyDecoder {
  override frame(frame: Frame): ChatEvent[] {
    const events = super.frame(frame)
    if (frame.data.includes('"tool"') && frame.data.includes('c1')) events.push({ type: 'tool-call', index: 0, id: 'c1', name: 'weather', input: {}, arguments: '{}' })
    return events
  }
}

const shared: { calls: { text: string }[] } = { calls: [] }
class SharesItsState extends ToyDecoder {
  override frame(frame: Frame): ChatEvent[] {
    const events = super.frame(frame)
    shared.calls.push({ text: frame.data })
    return shared.calls.at(-2)?.text === frame.data ? [] : events
  }
}

describe('a broken decoder is caught', () => {
  test.each([
    [SilentAboutGarbage, 'text: a frame that is not JSON is a warning or a fault'],
    [CrashesOnGarbage, 'tools: a frame that is not JSON is a warning or a fault'],
    [CrashesOnNull, 'text: odd frames never crash the decoder'],
    [FinishesCutAnswers, 'text: a cut stream is never finished'],
    [FinishesCutAnswers, 'cut: the answer is what was expected'],
    [EndsQuietly, 'text: a cut stream is never finished'],
    [FinishesTwice, 'text: exactly one finish, and it is last'],
    [FinishIsNotLast, 'tools: exactly one finish, and it is last'],
    [NeverDone, 'text: exactly one finish, and it is last'],
    [ForgetsUsageOfJson, 'text: the JSON body and the stream give the same answer'],
    [RefusesTheUnknown, 'tools: unknown frames are skipped'],
    [LetsOddUsageThrough, 'text: broken answers never crash the decoder and never give broken events'],
    [DeliversHalfCalls, 'tools: half a tool call is never delivered'],
    [SharesItsState, 'text: two answers at once are kept apart'],
  ])('%o', async (Broken, name) => {
    await expectCaught(adapterConformance(decoding(ctx => new Broken(ctx)), fixtures), name)
  })

  test('a body of any kind taken for an answer', async () => {
    class TakesAnything extends ToyDecoder {
      override json(body: unknown): ChatEvent[] {
        return super.json(typeof body === 'object' && body !== null ? body : { stop: 'end' })
      }
    }
    await expectCaught(adapterConformance(decoding(ctx => new TakesAnything(ctx)), fixtures), 'text: a body that is no object is a fault')
  })
})

class DrawsIds extends Toy {
  #count = 0
  override encode(request: UpstreamRequest, target: Target, wire: Wire): ReturnType<Toy['encode']> {
    const { call } = super.encode(request, target, wire)
    return { call: { ...call, headers: { ...call.headers, 'x-id': String(this.#count++) } }, warnings: [] }
  }
}
class ChangesTheRequest extends Toy {
  override encode(request: UpstreamRequest, target: Target, wire: Wire): ReturnType<Toy['encode']> {
    Object.assign(request, { temperature: 1 })
    return super.encode(request, target, wire)
  }
}
class GoesElsewhere extends Toy {
  override encode(request: UpstreamRequest, target: Target, wire: Wire): ReturnType<Toy['encode']> {
    const { call } = super.encode(request, target, wire)
    return { call: { ...call, url: 'https://elsewhere.test/' }, warnings: [] }
  }
}
class KeyInTheUrl extends Toy {
  override authorize(call: HttpCall, secret: { reveal(): string }): HttpCall {
    return { ...call, url: `${call.url}?key=${secret.reveal()}` }
  }
}
class KeepsTheKey extends Toy {
  #key = ''
  override encode(request: UpstreamRequest, target: Target, wire: Wire): ReturnType<Toy['encode']> {
    const { call } = super.encode(request, target, wire)
    return { call: { ...call, headers: { ...call.headers, 'x-last': this.#key } }, warnings: [] }
  }
  override authorize(call: HttpCall, secret: { reveal(): string }): HttpCall {
    this.#key = secret.reveal()
    return super.authorize(call, secret)
  }
}
class AuthorizesInPlace extends Toy {
  override authorize(call: HttpCall, secret: { reveal(): string }): HttpCall {
    return Object.assign(call, { headers: Object.assign(call.headers, { authorization: secret.reveal() }) })
  }
}

class FaultThrows extends Toy {
  override fault(status: number, headers: Headers, body: unknown, nowMs: number): GatewayError {
    void (body as { error?: unknown }).error
    return super.fault(status, headers, body, nowMs)
  }
}
class FaultQuotes extends Toy {
  override fault(status: number, headers: Headers, body: unknown, nowMs: number): GatewayError {
    const { code, upstream } = super.fault(status, headers, body, nowMs)
    return new GatewayError(code, `It said: ${upstream?.message ?? ''}`, { status })
  }
}
class FaultMisjudges extends Toy {
  override fault(status: number, headers: Headers, body: unknown, nowMs: number): GatewayError {
    return super.fault(status === 401 ? 500 : status, headers, body, nowMs)
  }
}
class FaultWaitsForever extends Toy {
  override fault(status: number): GatewayError {
    return new GatewayError('rate_limited', 'Wait.', { status, retryAfterMs: NaN })
  }
}
class LimitsThrow extends Toy {
  limits(headers: Headers): { remainingRequests: number } {
    return { remainingRequests: Number(headers['x-ratelimit-remaining-requests']) }
  }
}

describe('a broken adapter is caught', () => {
  test.each([
    [DrawsIds, 'text: encode is pure'],
    [ChangesTheRequest, 'text: encode is pure'],
    [GoesElsewhere, 'text: encode gives a call that can be sent'],
    [KeyInTheUrl, 'text: no key outside the headers of its own call'],
    [KeepsTheKey, 'text: no key outside the headers of its own call'],
    [AuthorizesInPlace, 'text: authorize adds to a copy'],
    [FaultThrows, 'fault never throws, and never repeats the provider'],
    [FaultQuotes, 'fault never throws, and never repeats the provider'],
    [FaultWaitsForever, 'fault never throws, and never repeats the provider'],
    [FaultMisjudges, 'a plain status is judged as the error table says'],
    [LimitsThrow, 'limits never throws'],
  ])('%o', async (Broken, name) => {
    // Each fixture a copy: one of these changes what it is given.
    await expectCaught(adapterConformance(new Broken(), structuredClone(fixtures)), name)
  })

  test('fixtures that show nothing', async () => {
    await expectCaught(adapterConformance(new Toy(), []), 'there is something to check')
    await expectCaught(adapterConformance(new Toy(), [{ name: 'empty', request: { messages: [] } }]), 'there is something to check')
  })
})
