import { GatewayError } from '../../protocol/errors.js'
import { isObject, tryParseJson } from '../../protocol/json.js'
import type { Adapter, Frame, Random } from '../../protocol/ports.js'
import { seededRandom } from '../random.js'
import { answerOf, decodeFrames, decodeJson, ensureWhole, warningsIn, type AdapterFixture, type Decoded } from './adapter-run.js'
import { ensure, equal, failed, refuses, show } from './check.js'

type Body = (adapter: Adapter, fixture: AdapterFixture) => void | Promise<void>

const NOT_JSON = ['{not json', '{"cut":"in the mid', '<html>502</html>', '\u0000\uFFFD\uD800', '{"a":1}}', 'undefined']
const ODD = ['', 'null', '42', '"text"', '[]', '[[[]]]', 'true']
const WORSE = ['{}', '{"__proto__":{"x":1}}', '{"type":null}', '{"type":{}}', '{"choices":42}', '{"choices":[null]}', '{"candidates":{}}', '{"delta":[]}', '['.repeat(5000)]
const NOT_ANSWERS: readonly unknown[] = [undefined, null, '', 'text', 0, true, [], [[]]]
const MUTANTS = 400
const MOST_POSITIONS = 40

/** Reads; a fault is an answer too, anything else that is thrown is a crash. */
function read(what: string, body: () => Decoded): Decoded | GatewayError {
  try {
    return body()
  } catch (error) {
    if (GatewayError.is(error)) return error
    throw failed(`${what}: expected events or a GatewayError`, error)
  }
}

function* withInserted(frames: readonly Frame[], data: string): Generator<readonly [number, Frame[]]> {
  const step = Math.max(1, Math.ceil(frames.length / MOST_POSITIONS))
  for (let at = 0; at < frames.length; at += step) {
    // A frame that comes after its like keeps the event name: it looks as if it belonged there.
    const event = frames[at]?.event
    yield [at, [...frames.slice(0, at), { ...(event !== undefined && { event }), data }, ...frames.slice(at)]]
  }
}

function saysWhatItSkips(adapter: Adapter, fixture: AdapterFixture): void {
  const plain = decodeFrames(adapter, fixture).events
  for (const data of NOT_JSON) {
    for (const [at, frames] of withInserted(fixture.frames ?? [], data)) {
      const what = `the frame ${show(data)} before frame ${at}`
      const found = read(what, () => decodeFrames(adapter, fixture, frames))
      if (GatewayError.is(found)) continue
      ensure(warningsIn(found.events) > warningsIn(plain), () => `${what}: expected a warning or a fault, found neither`)
      ensureWhole(found.events, what)
      equal(answerOf(found.events), answerOf(plain), `${what}: the answer`)
    }
  }
}

function survivesOddFrames(adapter: Adapter, fixture: AdapterFixture): void {
  const plain = answerOf(decodeFrames(adapter, fixture).events)
  for (const data of [...ODD, ...WORSE]) {
    for (const [at, frames] of withInserted(fixture.frames ?? [], data)) {
      const what = `the frame ${show(data)} before frame ${at}`
      const found = read(what, () => decodeFrames(adapter, fixture, frames))
      if (GatewayError.is(found)) continue
      ensureWhole(found.events, what)
      if (ODD.includes(data)) equal(answerOf(found.events), plain, `${what}: the answer`)
    }
  }
}

const STRANGERS: readonly unknown[] = [null, true, 0, -1, 1.5, 1e300, '', 'x', '__proto__', [], {}, [null], { a: 1 }, [[]], '\uD800']

/** A copy with one place, somewhere, replaced, taken out or doubled. */
export function mutated(value: unknown, random: Random): unknown {
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)]
  const leaf = !(Array.isArray(value) ? value.length > 0 : isObject(value) && Object.keys(value).length > 0)
  if (leaf || random() < 0.15) return pick(STRANGERS)
  const chance = random()
  if (Array.isArray(value)) {
    const at = Math.floor(random() * value.length)
    if (chance < 0.1) return value.toSpliced(at, 1)
    return chance < 0.2 ? value.toSpliced(at, 0, value[at]) : value.with(at, mutated(value[at], random))
  }
  const key = pick(Object.keys(value as object)) ?? ''
  return Object.fromEntries(Object.entries(value as object).flatMap(([name, item]: [string, unknown]) => (name !== key ? [[name, item]] : chance < 0.1 ? [] : [[name, mutated(item, random)]])))
}

function survivesMutation(adapter: Adapter, fixture: AdapterFixture): void {
  const random = seededRandom(3)
  const frames = fixture.frames ?? []
  for (let round = 0; round < MUTANTS; round++) {
    if (frames.length > 0) {
      const at = Math.floor(random() * frames.length)
      const data = JSON.stringify(mutated(tryParseJson(frames[at]?.data ?? '') ?? {}, random))
      const what = `frame ${at} replaced by ${show(data)}`
      const found = read(what, () => decodeFrames(adapter, fixture, frames.with(at, { ...frames[at], data })))
      if (!GatewayError.is(found)) ensureWhole(found.events, what)
    }
    if (fixture.json !== undefined) {
      const body = mutated(fixture.json, random)
      const what = `the body ${show(body)}`
      const found = read(what, () => decodeJson(adapter, fixture, body))
      if (!GatewayError.is(found)) ensureWhole(found.events, what)
    }
  }
}

async function refusesNonAnswers(adapter: Adapter, fixture: AdapterFixture): Promise<void> {
  for (const body of NOT_ANSWERS) await refuses(() => decodeJson(adapter, { ...fixture, json: body }, body), `the body ${show(body)}`)
}

/** The checks that feed a decoder what no provider should send. */
export function garbageChecks(fixture: AdapterFixture): (readonly [string, Body])[] {
  const ends = fixture.expect?.fault === undefined
  const streams = fixture.frames !== undefined
  return [
    ...(ends && streams ? [['a frame that is not JSON is a warning or a fault', saysWhatItSkips] as const, ['odd frames never crash the decoder', survivesOddFrames] as const] : []),
    ...(fixture.json === undefined ? [] : [['a body that is no object is a fault', refusesNonAnswers] as const]),
    ['broken answers never crash the decoder and never give broken events', survivesMutation],
  ]
}
