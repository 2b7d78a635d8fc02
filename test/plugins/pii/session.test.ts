import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { UpstreamRequest } from '../../../src/protocol/request.js'
import { PiiSession } from '../../../src/plugins/pii/session.js'
import type { RedactPii } from '../../../src/plugins/pii/plugin.js'
import { thrown } from '../../gateway/support.js'
import { redactor, viewOf } from './stand-in.js'

const ADA = 'ada@engine.test'
const say = (pii: RedactPii, text: string, view: object = {}): unknown => {
  const request = pii.open?.(viewOf(view)).request?.({ messages: [{ role: 'user', content: text }] }) as UpstreamRequest
  return request.messages[0]?.content
}

describe('placeholders', () => {
  test('two values never share one, and spellings of a value do', () => {
    expect(say(redactor(), `${ADA} bob@engine.test ADA@Engine.test 4111 1111 1111 1111 4111-1111-1111-1111`)).toBe('[EMAIL_1] [EMAIL_2] [EMAIL_1] [CREDIT_CARD_1] [CREDIT_CARD_1]')
  })

  test('the same conversation has the same ones in every turn, whatever comes between', () => {
    const pii = redactor()
    const of = { conversation: 'k' }
    expect(say(pii, ADA, of)).toBe('[EMAIL_1]')
    expect(say(pii, `bob@engine.test ${ADA}`, of)).toBe('[EMAIL_2] [EMAIL_1]')
    expect(say(pii, 'bob@engine.test', { conversation: 'l' })).toBe('[EMAIL_1]')
    expect(say(pii, 'bob@engine.test')).toBe('[EMAIL_1]')
  })

  test('the same name of a conversation is another one for another tenant', () => {
    const pii = redactor({ restore: true })
    say(pii, ADA, { conversation: '1', principal: { team: 'a' } })
    const hooks = pii.open?.(viewOf({ conversation: '1', principal: { team: 'b' } }))
    expect([hooks?.event?.({ type: 'text-delta', text: '[EMAIL_1]' }), hooks?.flush?.('finish')].flat()).toEqual([{ type: 'text-delta', text: '[EMAIL_1]' }])
  })

  test.each(['[EMAIL_1]', '[email 1]', '[FOO\\_BAR\\_12]'])('a text that holds %s already is not mistaken for ours', text => {
    const given = String(say(redactor(), `${text} ${ADA}`))
    expect(given).toMatch(/\[EMAIL_[A-Z]{4}_1\]$/)
    expect(given.startsWith(text)).toBe(true)
    expect(say(redactor(), `${text} ${ADA}`)).toBe(given)
  })

  test('our own ones in the history are ours', () => {
    const pii = redactor()
    say(pii, ADA, { conversation: 'k' })
    expect(say(pii, '[EMAIL_1] and bob@engine.test', { conversation: 'k' })).toBe('[EMAIL_1] and [EMAIL_2]')
  })

  test('one that a text names before it is given out is never given out', () => {
    const pii = redactor()
    say(pii, ADA, { conversation: 'k' })
    expect(say(pii, 'what is [EMAIL_2]? bob@engine.test', { conversation: 'k' })).toMatch(/^what is \[EMAIL_2\]\? \[EMAIL_[A-Z]{4}_2\]$/)
  })
})

describe('a session', () => {
  test('shows counts, and never a value', () => {
    const session = new PiiSession()
    session.mint('EMAIL', ADA, true)
    session.learn('EMAIL', ADA)
    for (const text of [JSON.stringify(session), inspect(session, { depth: 9, showHidden: true }), String(session)]) expect(text).not.toContain('ada')
    expect(JSON.parse(JSON.stringify(session))).toEqual({ placeholders: 1, unknown: 0, types: { EMAIL: 1 } })
    const pii = redactor()
    say(pii, ADA, { conversation: 'k' })
    expect(inspect(pii, { depth: 9, showHidden: true })).not.toContain('ada@')
  })

  test('has an end: 10,000 values, then an error', async () => {
    const session = new PiiSession()
    for (let at = 0; at < 10_000; at++) session.mint('EMAIL', `${at}@engine.test`, true)
    const error = await thrown(() => session.mint('EMAIL', ADA, true))
    expect(error.code).toBe('refused')
    expect(session.mint('EMAIL', '7@engine.test', true)).toBe('[EMAIL_8]')
  })

  test('the oldest conversation is forgotten where there are too many', () => {
    const pii = redactor({ maxSessions: 2 })
    for (const conversation of ['a', 'b', 'a', 'c']) say(pii, ADA, { conversation })
    expect(['a', 'b', 'c'].map(conversation => pii.session({ conversation })?.size)).toEqual([1, undefined, 1])
  })

  test('is gone when it is disposed, and when the plugin is closed', async () => {
    const pii = redactor()
    say(pii, ADA, { conversation: 'k' })
    const session = pii.session({ conversation: 'k' })
    const hooks = pii.open?.(viewOf({ conversation: 'k' }))
    pii.dispose({ conversation: 'k' })
    expect([session?.size, pii.session({ conversation: 'k' })]).toEqual([0, undefined])
    expect((await thrown(() => hooks?.request?.({ messages: [{ role: 'user', content: ADA }] }))).code).toBe('refused')
    say(pii, ADA, { conversation: 'k' })
    await pii.close()
    expect(pii.session({ conversation: 'k' })).toBeUndefined()
  })

  test('finding what was found before takes time linear in the text', () => {
    const session = new PiiSession()
    for (let at = 0; at < 5_000; at++) session.learn('PHONE', `+1 55${at} ${at}`)
    const text = '+1 55'.repeat(40_000)
    expect(session.spelt(text)).toEqual([])
  })
})

describe('a session on its way to another process', () => {
  const key = Uint8Array.from({ length: 32 }, (_, at) => at)
  const of = { conversation: 'k', principal: { team: 'a' } }

  async function exported(): Promise<string> {
    const pii = redactor({ restore: true })
    say(pii, `${ADA} sk-abcdefghijklmnop1234`, of)
    return (await pii.exportSession(of, key)) ?? ''
  }

  test('goes on with the same placeholders', async () => {
    const pii = redactor({ restore: true })
    await pii.importSession(of, key, await exported())
    expect(say(pii, `bob@engine.test ${ADA} sk-zbcdefghijklmnop1234`, of)).toBe('[EMAIL_2] [EMAIL_1] [SECRET_2]')
    expect(pii.session(of)?.valueOf('[EMAIL_1]')).toBe(ADA)
  })

  test('is encrypted, differently each time, and holds no secret', async () => {
    const text = await exported()
    expect(await exported()).not.toBe(text)
    expect(atob(text.split('.')[2] ?? '')).not.toContain('ada')
  })

  type Change = (text: string) => [object, Uint8Array, string]
  test.each<[string, Change]>([
    ['another key', text => [of, key.map(byte => byte ^ 1), text]],
    ['another tenant', text => [{ ...of, principal: { team: 'b' } }, key, text]],
    ['another conversation', text => [{ ...of, conversation: 'l' }, key, text]],
    ['a changed text', text => [of, key, text.slice(0, -6) + (text.endsWith('AAAAA=') ? 'BBBBB=' : 'AAAAA=')]],
    ['no session at all', () => [of, key, 'nonsense']],
    ['a key that is too short', text => [of, key.slice(1), text]],
  ])('does not open with %s', async (_, change) => {
    const pii = redactor()
    const [whose, other, text] = change(await exported())
    expect((await thrown(() => pii.importSession(whose as typeof of, other, text))).code).toBe('invalid_request')
  })
})
