import { CODES, GatewayError, type Code } from '../../protocol/errors.js'
import type { Adapter, Headers, Random } from '../../protocol/ports.js'
import { seededRandom } from '../random.js'
import { mutated } from './adapter-garbage.js'
import { ensure, equal, failed, show } from './check.js'

type Body = (adapter: Adapter) => void

// With spaces, so that it is no identifier: a sentence of the provider, which may repeat the prompt.
const SENTENCE = 'Said of the prompt: my number is 555 0100'
const NOW_MS = Date.UTC(2026, 0, 1)
const ROUNDS = 2000
const STATUSES = [-1, 0, NaN, 100, 200, 204, 301, 304, 400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 418, 422, 425, 429, 498, 499, 500, 501, 502, 503, 504, 520, 524, 529, 599, 999]
const HEADER_NAMES = [
  'retry-after', 'retry-after-ms', 'x-ratelimit-reset-requests', 'x-ratelimit-reset-tokens', 'x-ratelimit-remaining-requests',
  'x-ratelimit-limit-tokens', 'x-should-retry', 'x-request-id', 'request-id', '__proto__', 'content-type',
]
const HEADER_VALUES = [
  '', '0', '-1', '2', '1e999', 'NaN', 'Infinity', '9'.repeat(400), 'soon',
  '6m0s', '1s', '12ms', '-5s', 'Thu, 01 Jan 2026 00:00:09 GMT', 'Thu, 99 Foo 2026', '2026-01-01T00:00:20Z', SENTENCE,
]
const BODIES: readonly unknown[] = [
  undefined,
  null,
  '',
  SENTENCE,
  `<html>${SENTENCE}</html>`,
  42,
  [],
  {},
  [{ error: { code: 429, message: SENTENCE, status: 'RESOURCE_EXHAUSTED', details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '3s' }] } }],
  { error: { message: SENTENCE, type: 'invalid_request_error', code: 'context_length_exceeded', param: 'messages' } },
  { type: 'error', error: { type: 'overloaded_error', message: SENTENCE }, request_id: 'req_1' },
  { error: SENTENCE },
  { message: SENTENCE, code: 'x', type: SENTENCE },
  { detail: [{ loc: ['body', 'messages'], msg: SENTENCE, type: 'value_error' }] },
  { error: { code: SENTENCE, type: SENTENCE, param: SENTENCE, message: SENTENCE } },
  JSON.parse('{"__proto__":{"error":{"code":"x"}},"error":{"__proto__":null,"constructor":1}}'),
]

function someHeaders(random: Random): Headers {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>
  for (const name of HEADER_NAMES) if (random() < 0.4) headers[name] = HEADER_VALUES[Math.floor(random() * HEADER_VALUES.length)] ?? ''
  return headers
}

function ensureSound(error: unknown, what: string): void {
  ensure(GatewayError.is(error), () => `${what}: expected a GatewayError, found ${show(error)}`)
  ensure(CODES.includes(error.code), () => `${what}: expected a code of the error table, found ${show(error.code)}`)
  ensure(error.message !== '' && !error.message.includes(SENTENCE), () => `${what}: expected a message of our own, found the provider's sentence in it or nothing`)
  ensure(!JSON.stringify(error).includes(SENTENCE), () => `${what}: expected the provider's sentence in upstream.message only, found it in what is printed`)
  const { retryAfterMs } = error
  ensure(retryAfterMs === undefined || (Number.isFinite(retryAfterMs) && retryAfterMs >= 0), () => `${what}: expected retryAfterMs to be milliseconds or absent, found ${retryAfterMs}`)
}

function faultNeverThrows(adapter: Adapter): void {
  const random = seededRandom(13)
  for (let round = 0; round < ROUNDS; round++) {
    const status = STATUSES[round % STATUSES.length] ?? 500
    const given = BODIES[Math.floor(random() * BODIES.length)]
    const body = random() < 0.5 ? given : mutated(given, random)
    const headers = someHeaders(random)
    const what = `fault(${status}, ${show(headers)}, ${show(body)})`
    let error: unknown
    try {
      error = adapter.fault(status, headers, body, NOW_MS)
    } catch (thrown) {
      throw failed(`${what}: expected fault() to return, never to throw`, thrown)
    }
    ensureSound(error, what)
  }
}

const PLAIN: readonly (readonly [number, readonly Code[]])[] = [
  [401, ['credential_rejected']],
  [402, ['quota_exhausted']],
  [404, ['model_not_found']],
  [408, ['network', 'upstream_error']],
  [422, ['invalid_request']],
  [429, ['rate_limited']],
  [500, ['upstream_error', 'overloaded']],
  [502, ['upstream_error', 'overloaded']],
  [503, ['upstream_error', 'overloaded']],
  [529, ['upstream_error', 'overloaded']],
]

function judgesPlainStatuses(adapter: Adapter): void {
  for (const [status, codes] of PLAIN) {
    for (const body of [undefined, {}, '<html></html>']) {
      const { code, status: said } = adapter.fault(status, {}, body, NOW_MS)
      ensure(codes.includes(code), () => `expected the status ${status} with the body ${show(body)} to be ${codes.join(' or ')}, found ${code}`)
      equal(said, status, 'the status an error carries')
    }
  }
  equal(adapter.fault(429, { 'retry-after': '2' }, undefined, NOW_MS).retryAfterMs, 2000, 'retryAfterMs of a 429 with retry-after: 2')
}

function limitsNeverThrow(adapter: Adapter): void {
  const random = seededRandom(17)
  for (let round = 0; round < ROUNDS / 10; round++) {
    const headers = someHeaders(random)
    let found: unknown
    try {
      found = adapter.limits?.(headers, NOW_MS)
    } catch (thrown) {
      throw failed(`limits(${show(headers)}): expected it to return, never to throw`, thrown)
    }
    for (const [key, value] of Object.entries(found ?? {})) {
      ensure(value === undefined || (Number.isFinite(value) && Number(value) >= 0), () => `limits(${show(headers)}): expected ${key} to be a number of 0 or more, or absent, found ${show(value)}`)
    }
  }
}

export const faultChecks: readonly (readonly [string, Body])[] = [
  ['fault never throws, and never repeats the provider', faultNeverThrows],
  ['a plain status is judged as the error table says', judgesPlainStatuses],
  ['limits never throws', limitsNeverThrow],
]
