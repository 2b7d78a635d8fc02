import { GatewayError } from '../../protocol/errors.js'
import type { ChatEvent } from '../../protocol/events.js'
import type { Adapter, Frame } from '../../protocol/ports.js'
import { answerOf, decodeFrames, decodeJson, decoderFor, ensureWhole, type AdapterFixture, type Decoded } from './adapter-run.js'
import { ensure, equal, failed, messageOf, refuses, same, show } from './check.js'

type Body = (adapter: Adapter, fixture: AdapterFixture) => void | Promise<void>

const UNKNOWN: readonly Frame[] = [
  { event: 'x_conformance', data: '{"type":"x_conformance","x_conformance":{"a":[1]}}' },
  { data: '{"type":"x_conformance","object":"x_conformance"}' },
]

function readings(adapter: Adapter, fixture: AdapterFixture): (readonly [string, () => Decoded])[] {
  return [
    ...(fixture.json === undefined ? [] : [['the JSON wire', () => decodeJson(adapter, fixture)] as const]),
    ...(fixture.frames === undefined ? [] : [['the stream wire', () => decodeFrames(adapter, fixture)] as const]),
  ]
}

function finishesOnce(adapter: Adapter, fixture: AdapterFixture): void {
  for (const [wire, read] of readings(adapter, fixture)) ensureWhole(read().events, wire)
  if (fixture.frames === undefined) return
  const decoder = decoderFor(adapter, fixture, 'stream')
  for (const frame of fixture.frames) {
    if (decoder.done) break
    const finished = decoder.frame(frame).some(event => event.type === 'finish')
    ensure(finished === decoder.done, () => `expected done to turn true with the finish event and not else, found done ${decoder.done} after ${show(frame)}`)
  }
  if (!decoder.done) decoder.end()
  ensure(decoder.done, () => 'expected done to be true after the finish event of end()')
}

function readsBothAlike(adapter: Adapter, fixture: AdapterFixture): void {
  const json = answerOf(decodeJson(adapter, fixture).events)
  const stream = answerOf(decodeFrames(adapter, fixture).events)
  for (const key of new Set([...Object.keys(json), ...Object.keys(stream)])) {
    equal(Reflect.get(stream, key), Reflect.get(json, key), `${key} of the stream against the JSON body`)
  }
}

async function expected(adapter: Adapter, fixture: AdapterFixture): Promise<void> {
  const { expect = {} } = fixture
  for (const [wire, read] of readings(adapter, fixture)) {
    if (expect.fault !== undefined) {
      await refuses(read, wire, expect.fault)
      continue
    }
    const answer = answerOf(read().events)
    for (const key of ['text', 'reasoning', 'refusal'] as const) if (expect[key] !== undefined) equal(answer[key], expect[key], `${key} on ${wire}`)
    for (const key of ['finishReason', 'rawFinishReason', 'usage'] as const) if (expect[key] !== undefined) equal(answer.finish?.[key], expect[key], `${key} on ${wire}`)
    if (expect.toolCalls === undefined) continue
    equal(answer.toolCalls.length, expect.toolCalls.length, `the number of tool calls on ${wire}`)
    for (const [i, call] of expect.toolCalls.entries()) {
      for (const key of ['id', 'name', 'input'] as const) if (call[key] !== undefined) equal(answer.toolCalls[i]?.[key], call[key], `${key} of tool call ${i} on ${wire}`)
    }
  }
}

function skipsUnknown(adapter: Adapter, fixture: AdapterFixture): void {
  const plain = answerOf(decodeFrames(adapter, fixture).events)
  const frames = (fixture.frames ?? []).flatMap(frame => [...UNKNOWN, frame])
  let found: Decoded
  try {
    found = decodeFrames(adapter, fixture, frames)
  } catch (error) {
    throw failed('expected frames of an unknown type to be skipped', error)
  }
  ensureWhole(found.events, 'with unknown frames between')
  equal(answerOf(found.events), plain, 'the answer with unknown frames between')
}

function readPrefix(adapter: Adapter, fixture: AdapterFixture, frames: readonly Frame[]): Decoded | undefined {
  try {
    return decodeFrames(adapter, fixture, frames)
  } catch (error) {
    ensure(GatewayError.is(error) && error.code === 'malformed_response', () => `expected a cut stream to be malformed_response, found ${GatewayError.is(error) ? error.code : messageOf(error)}`)
    return undefined
  }
}

function refusesCut(adapter: Adapter, fixture: AdapterFixture): void {
  const whole = answerOf(decodeFrames(adapter, fixture).events)
  const frames = fixture.frames ?? []
  for (let length = 0; length < frames.length; length++) {
    const what = `${length} of ${frames.length} frames, then the end of the body`
    const found = readPrefix(adapter, fixture, frames.slice(0, length))
    if (found === undefined) continue
    ensure(found.concluded, () => `${what}: expected malformed_response, for no finish reason had come, found ${show(found.events.at(-1))}`)
    ensureWhole(found.events, what)
    const { finish, text, toolCalls, reasoning } = answerOf(found.events)
    equal(finish?.finishReason, whole.finish?.finishReason, `${what}: finishReason`)
    equal({ text, toolCalls, reasoning }, { text: whole.text, toolCalls: whole.toolCalls, reasoning: whole.reasoning }, `${what}: a finish is only right when the whole answer is there`)
  }
}

function callsIn(events: readonly ChatEvent[]): { name: string; input: unknown }[] {
  return events.flatMap(event => (event.type === 'tool-call' ? [{ name: event.name, input: event.input }] : []))
}

/** Every call that a cut stream completed is one of the whole answer: half a call is no call. */
function keepsHalfCallsBack(adapter: Adapter, fixture: AdapterFixture): void {
  const whole = callsIn((fixture.json === undefined ? decodeFrames(adapter, fixture) : decodeJson(adapter, fixture)).events)
  const frames = fixture.frames ?? []
  for (let length = 0; length <= frames.length; length++) {
    const decoder = decoderFor(adapter, fixture, 'stream')
    const events: ChatEvent[] = []
    try {
      for (const frame of frames.slice(0, length)) if (!decoder.done) events.push(...decoder.frame(frame))
      if (!decoder.done) events.push(...decoder.end())
    } catch {
      // The cut itself is the business of another check.
    }
    for (const call of callsIn(events)) ensure(whole.some(one => same(one, call)), () => `${length} of ${frames.length} frames: expected whole tool calls only, found ${show(call)}`)
  }
}

function keepsAnswersApart(adapter: Adapter, fixture: AdapterFixture): void {
  const plain = answerOf(decodeFrames(adapter, fixture).events)
  const frames = fixture.frames ?? []
  const readers = [0, 1].map(() => ({ decoder: decoderFor(adapter, fixture, 'stream'), events: [] as ChatEvent[] }))
  for (const frame of frames) for (const { decoder, events } of readers) if (!decoder.done) events.push(...decoder.frame(frame))
  for (const { decoder, events } of readers) {
    if (!decoder.done) events.push(...decoder.end())
    equal(answerOf(events), plain, 'one of two answers that arrive at the same time')
  }
}

const BOTH: readonly (readonly [string, Body])[] = [['the JSON body and the stream give the same answer', readsBothAlike]]
const WHOLE: readonly (readonly [string, Body])[] = [['exactly one finish, and it is last', finishesOnce]]
const STREAM: readonly (readonly [string, Body])[] = [
  ['unknown frames are skipped', skipsUnknown],
  ['a cut stream is never finished', refusesCut],
  ['half a tool call is never delivered', keepsHalfCallsBack],
  ['two answers at once are kept apart', keepsAnswersApart],
]

/** The checks of a fixture's answer. */
export function wireChecks(fixture: AdapterFixture): (readonly [string, Body])[] {
  const ends = fixture.expect?.fault === undefined
  const streams = fixture.frames !== undefined
  return [
    ...(fixture.expect === undefined ? [] : [['the answer is what was expected', expected] as const]),
    ...(ends ? WHOLE : []),
    ...(ends && streams && fixture.json !== undefined ? BOTH : []),
    ...(ends && streams ? STREAM : []),
  ]
}
