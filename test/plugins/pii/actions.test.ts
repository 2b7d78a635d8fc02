import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { UpstreamRequest } from '../../../src/protocol/request.js'
import { Hmac, masked } from '../../../src/plugins/pii/actions.js'
import { redactPii, type PiiReport, type RedactPiiOptions } from '../../../src/plugins/pii/index.js'
import { thrown } from '../../gateway/support.js'
import { redactor, viewOf } from './stand-in.js'

const CARD = '4111 1111 1111 1111'
const SECRET = 'sk-abcdefghijklmnop1234'
const KEY = 'a key of at least sixteen bytes'
const said = (text: string, options: RedactPiiOptions): unknown =>
  (redactor(options).open?.(viewOf({ principal: { team: 't' } })).request?.({ messages: [{ role: 'user', content: text }] }) as UpstreamRequest).messages[0]?.content
const given = (text: string, options: RedactPiiOptions): string => {
  const hooks = redactor(options).open?.(viewOf())
  return [hooks?.event?.({ type: 'text-delta', text }) ?? [], hooks?.flush?.('finish') ?? []].flat().map(event => ('text' in event ? event.text : '')).join('')
}

describe('actions', () => {
  test('mask keeps the last four, and nothing of what is short', () => {
    expect(said(CARD, { actions: { CREDIT_CARD: 'mask' } })).toBe('**** **** **** 1111')
    expect([masked('1234567'), masked('12-34-56-78'), masked('ada@engine.test')]).toEqual(['*******', '**-**-56-78', '***@******.test'])
  })

  test('mask for everything leaves nothing of a secret', () => {
    expect(said(`${CARD} ${SECRET}`, { actions: 'mask' })).toBe('**** **** **** 1111 [SECRET_1]')
    expect(said(SECRET, { actions: { default: 'mask' } })).toBe('[SECRET_1]')
  })

  test('hash is an HMAC, the same for a value and a key, whatever its spelling', () => {
    const expected = createHmac('sha256', KEY).update('CREDIT_CARD\u00004111111111111111').digest('hex').slice(0, 32)
    expect(said(`${CARD} 4111111111111111`, { actions: { CREDIT_CARD: 'hash' }, hashKey: KEY })).toBe(`[CREDIT_CARD:${expected}] [CREDIT_CARD:${expected}]`)
    expect(said(CARD, { actions: 'hash', hashKey: call => `${call.principal?.team ?? ''}${KEY}` })).not.toContain(expected)
  })

  test.each([0, 1, 20, 63, 64, 65, 200])('the HMAC is that of the standard, with a key of %i bytes', length => {
    const key = Uint8Array.from({ length }, (_, at) => at & 255)
    for (const text of ['', 'a', 'é'.repeat(100)]) expect(new Hmac(key).hex(text)).toBe(createHmac('sha256', key).update(text).digest('hex'))
  })

  test('block refuses with counts and positions, and without values', async () => {
    const error = await thrown(() => said(`${CARD} and 078-05-1120, 078-05-1121`, { actions: { US_SSN: 'block', CREDIT_CARD: 'block' } }))
    expect(error.code).toBe('refused')
    expect(error.message).toContain('1 CREDIT_CARD, 2 US_SSN, in messages[0].content')
    expect(JSON.stringify(error) + String(error.stack)).not.toMatch(/4111|078/)
    expect((await thrown(() => given(CARD, { actions: { CREDIT_CARD: { output: 'block' } } }))).message).toContain('1 CREDIT_CARD, in answer.text')
  })

  test('report leaves the value and tells where it is', () => {
    const reports: PiiReport[] = []
    expect(said(`to ${CARD}`, { actions: { CREDIT_CARD: 'report' }, onReport: report => reports.push(report) })).toBe(`to ${CARD}`)
    expect(reports).toEqual([{ call: 'c', type: 'CREDIT_CARD', score: 0.9, reason: 'shape', position: 'messages[0].content', direction: 'input', action: 'report' }])
    expect(JSON.stringify(reports)).not.toContain('1111')
  })

  test('a listener that throws or rejects takes nothing away', () => {
    expect(said(CARD, { onReport: () => { throw new Error('x') } })).toBe('[CREDIT_CARD_1]')
    expect(said(CARD, { onReport: (async () => Promise.reject(new Error('x'))) as () => void })).toBe('[CREDIT_CARD_1]')
  })

  test('each direction has its own', () => {
    const options: RedactPiiOptions = { actions: { EMAIL: { input: 'report', output: 'mask' } } }
    expect(said('ada@engine.test', options)).toBe('ada@engine.test')
    expect(given('ada@engine.test', options)).toBe('***@******.test')
    expect(given('ada@engine.test', { actions: { default: { output: 'report' } } })).toBe('ada@engine.test')
  })

  test('without a session every value of a type looks the same', () => {
    expect(said(`ada@engine.test bob@engine.test`, { session: false })).toBe('[EMAIL] [EMAIL]')
  })
})

describe('options that cannot be are refused at construction, saying what would be right', () => {
  test.each<[string, unknown, string]>([
    ['no object', null, 'object'],
    ['an unknown option', { entities: ['EMAIL'] }, '"types"'],
    ['an action that is none', { actions: 'redcat' }, '"redact"'],
    ['an action that is none, for a type', { actions: { EMAIL: 'erase' } }, 'Known'],
    ['an action that is none, for a direction', { actions: { EMAIL: { input: 1 } } }, 'Known'],
    ['a direction that is none', { actions: { EMAIL: { inputs: 'redact' } } }, '"input"'],
    ['a type that is not looked for', { actions: { EMIAL: 'mask' } }, '"EMAIL"'],
    ['an identifier of a country that was not asked for', { countries: ['DE'], actions: { ES_NIE: 'mask' } }, '"ES_NIE"'],
    ['a type that was not asked for', { types: ['EMAIL'], actions: { GPS: 'mask' } }, 'Name it in "types"'],
    ['a secret that is to be masked', { actions: { SECRET: 'mask' } }, 'secret'],
    ['a secret that is to be masked in one direction', { actions: { SECRET: { output: 'mask' } } }, 'secret'],
    ['restoring without a session', { restore: true, session: false }, 'session'],
    ['restoring that is neither yes nor no', { restore: 'yes' }, '"restore"'],
    ['restoring somewhere unknown', { restore: { tools: true } }, 'toolCalls'],
    ['hash without a key', { actions: { EMAIL: 'hash' } }, '"hashKey"'],
    ['hash with a short key', { actions: 'hash', hashKey: 'short' }, '16 bytes'],
    ['a listener that is none', { onReport: 1 }, '"onReport"'],
    ['a model that is none', { model: {} }, '"model"'],
    ['no place for sessions', { maxSessions: 0 }, '"maxSessions"'],
    ['what cannot be searched', { onUnscannable: 'drop' }, '"onUnscannable"'],
  ])('%s', async (_, options, words) => {
    const error = await thrown(() => redactPii(options as RedactPiiOptions))
    expect(error.code).toBe('invalid_config')
    expect(error.message).toContain(words)
  })

  test('a tenant whose key is too short is refused, not hashed without one', async () => {
    expect((await thrown(() => said(CARD, { actions: 'hash', hashKey: () => '' }))).code).toBe('refused')
  })
})
