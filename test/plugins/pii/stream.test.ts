import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Answer } from '../../../src/plugins/pii/answer.js'
import { ActionTable } from '../../../src/plugins/pii/actions.js'
import { Policy } from '../../../src/plugins/pii/policy.js'
import { Redactor, REACH, type Channel } from '../../../src/plugins/pii/redact.js'
import { Chain, Restorer, type RestoreOptions } from '../../../src/plugins/pii/restore.js'
import { JsonStrings } from '../../../src/plugins/pii/json-strings.js'
import { PiiSession } from '../../../src/plugins/pii/session.js'
import { collect } from '../../../src/protocol/collect.js'
import type { ChatEvent } from '../../../src/protocol/events.js'
import type { Finding } from '../../../src/plugins/pii/types.js'
import { standIn } from './stand-in.js'

const VALUES: readonly (readonly [string, string])[] = [
  ['EMAIL', 'ada@engine.test'],
  ['EMAIL', 'bob@engine.test'],
  ['US_SSN', '078-05-1120'],
  ['PERSON', 'Ada "Countess" Lovelace'],
]
function session(): PiiSession {
  const made = new PiiSession()
  for (const [type, value] of VALUES) made.mint(type, value, true)
  made.mint('SECRET', 'sk-aaaaaaaaaaaaaaaaaaaa', false)
  return made
}
const detector = standIn()
const redactorOf = (kept: PiiSession, context = ''): Redactor =>
  new Redactor({ detector, session: kept, reach: REACH, wary: false, keys: true, replace: ({ type }: Finding) => `[${type}]` }, context)
const both = (options: RestoreOptions = {}): Channel => {
  const kept = session()
  return new Chain(redactorOf(kept), new Restorer(kept, options))
}
const wary = (): Channel => new Redactor({ detector: standIn({ known: { PERSON: ['the quick', 'phone at'] } }), session: undefined, reach: 48, wary: true, keys: false, replace: ({ type }: Finding) => `[${type}]` })
const restorer = (options: RestoreOptions = {}): Channel => new Restorer(session(), options)

function through(make: () => Channel, pieces: readonly string[]): string {
  const channel = make()
  return pieces.map(piece => channel.push(piece)).join('') + channel.end()
}
function everySplit(text: string): string[][] {
  const splits: string[][] = []
  for (let bits = 0; bits < 2 ** (text.length - 1); bits++) {
    const pieces: string[] = []
    let from = 0
    for (let at = 1; at < text.length; at++) if (bits & (1 << (at - 1))) pieces.push(text.slice(from, (from = at)))
    splits.push([...pieces, text.slice(from)])
  }
  return splits
}
function cut(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = []
  for (let at = 0, n = 0; at < text.length; n++) {
    const size = Math.max(1, sizes[n % sizes.length] ?? 1)
    pieces.push(text.slice(at, at + size))
    at += size
  }
  return pieces
}

/** The whole text at once, by the detector alone: what streaming has to be equal to. */
function oneShot(text: string): string {
  let out = ''
  let from = 0
  for (const { type, start, end } of detector.detect(text)) {
    out += `${text.slice(from, start)}[${type}]`
    from = end
  }
  return out + text.slice(from)
}

const word = fc.constantFrom('the', 'quick', 'Note:', 'and', 'phone', 'at', 'NWBK', 'it,', 'password', 'on', '12', '7', '-', '/', '(', 'x=1', 'é', '东京', '\n', '\n\n', '- item', '[link](https://a.test/x)', '`code`', '{"a": 1}', '😀', '_', '[', ']', '[EMAIL', '\\', 'www.a.test', '![alt', '<a href="', '">')
const value = fc.constantFrom('ada@engine.test', 'eve@made.test', '078-05-1120', '4111 1111 1111 1111', '4111111111111111', 'DE89 3704 0044 0532 0130 00', 'GB29 NWBK 6016 1331 9268 19', 'sk-abcdefghijklmnop1234', '555 0100', '[EMAIL_1]', '[email 2]', '[US\\_SSN\\_1]', '[PERSON_1]', '[SECRET_1]', '[EMAIL_9]', '-----BEGIN RSA PRIVATE KEY-----\nMIIB0 ab+/\nAAAA bbbb\n-----END RSA PRIVATE KEY-----')
const prose = fc.array(fc.tuple(fc.oneof({ weight: 4, arbitrary: word }, { weight: 1, arbitrary: value }), fc.constantFrom(' ', ' ', ' ', '', '\n', '. ')), { maxLength: 120 }).map(pairs => pairs.flat().join(''))
const spaced = fc.array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom('the', 'quick', 'fox', 'it,', 'there', 'Note:', 'phone', '12') }, { weight: 1, arbitrary: value }), { maxLength: 120 }).map(words => words.join(' '))
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })

describe('whatever the chunks, the text is the same', () => {
  test.each(['[EMAIL_1]', 'a [email 1]!', '[[EMAIL_2]]', '\\[US\\_SSN\\_1]', '![x](/[EMAIL_1])', '//[EMAIL_1] [', '[EMAIL_1', '[EMAIL_[EMAIL_1]', 'a@b.test [A]'])('in every split of %s', text => {
    for (const make of [restorer, both]) {
      const whole = through(make, [text])
      for (const pieces of everySplit(text)) if (through(make, pieces) !== whole) expect(pieces).toEqual(['any pieces'])
    }
  })

  test.each(['{"a":"\\u005bEMAIL_1]"}', '"[EMAIL\\u005f1]"', '["\\\\[EMAIL_1]"]'])('in every split of the JSON %s', text => {
    const make = (): Channel => new JsonStrings(() => restorer())
    const whole = through(make, [text])
    expect(JSON.stringify(JSON.parse(whole))).toContain('ada@engine.test')
    const splits = text.length > 17 ? [[...text], ...Array.from({ length: text.length - 1 }, (_, at) => [text.slice(0, at + 1), text.slice(at + 1)])] : everySplit(text)
    for (const pieces of splits) if (through(make, pieces) !== whole) expect(pieces).toEqual(['any pieces'])
  })

  test('in random texts, cut at random and by the character', () => {
    fc.assert(
      fc.property(prose, sizes, (text, lengths) => {
        for (const make of [restorer, both, () => both({ urls: true, images: true }), wary]) {
          const whole = through(make, [text])
          expect(through(make, cut(text, lengths))).toBe(whole)
          expect(through(make, [...text])).toBe(whole)
        }
      }),
      { numRuns: 400 },
    )
  })

  test('in any text at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), sizes, (text, lengths) => {
        expect(through(both, cut(text, lengths))).toBe(through(both, [text]))
        const json = (): Channel => new JsonStrings(() => both())
        expect(through(json, cut(text, lengths))).toBe(through(json, [text]))
      }),
      { numRuns: 300 },
    )
  })

  test('in texts longer than what is ever held, without a place to cut', () => {
    const digits = '1234 '.repeat(6000)
    const key = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIBabcd+/99 x\n'.repeat(1500)}-----END RSA PRIVATE KEY----- and then ada@made.test is told`
    for (const text of [digits, `a ${key}`, 'x'.repeat(20_000), `${'word '.repeat(3000)}ada@made.test`]) {
      const whole = through(both, [text])
      for (const size of [1, 7, 1000, 8192]) expect(through(both, cut(text, [size]))).toBe(whole)
    }
    expect(through(both, [`a ${key}`])).toBe('a [SECRET] and then [EMAIL] is told')
  })
})

describe('a stream is redacted like the text as a whole', () => {
  test('wherever values stand between words', () => {
    fc.assert(
      fc.property(spaced, sizes, (text, lengths) => {
        expect(through(() => redactorOf(new PiiSession()), cut(text, lengths))).toBe(oneShot(text))
      }),
      { numRuns: 500 },
    )
  })

  test('and a value split by every chunk is never half shown', () => {
    const text = `Please write to eve@made.test or pay from GB29 NWBK 6016 1331 9268 19, thank you, and that is all there is to say about it.`
    const channel = redactorOf(new PiiSession())
    let sent = ''
    for (const char of text) {
      sent += channel.push(char)
      expect(sent).not.toMatch(/eve|made|GB29|6016/)
    }
    expect(sent + channel.end()).toBe(oneShot(text))
  })

  test('of prose little is held back', () => {
    const channel = both()
    const text = 'It was a bright cold day in April, and the clocks were striking, while somebody slipped quickly through the glass doors of the mansions. '.repeat(20)
    let sent = 0
    const held = [...text].map((char, at) => at + 1 - (sent += channel.push(char).length)).sort((a, b) => a - b)
    expect(held[Math.floor(held.length / 2)]).toBeLessThanOrEqual(40)
    expect(held[Math.floor(held.length * 0.95)]).toBeLessThanOrEqual(100)
  })

  test('scripts without spaces go on, too', () => {
    const channel = both()
    expect(channel.push('今日はとても良い天気ですから散歩に行きましょう。'.repeat(10)).length).toBeGreaterThan(150)
  })

  test('a private key without an end is not shown', () => {
    expect(through(both, ['Here: -----BEGIN PRIVATE KEY-----\nMIIB'])).toBe('Here: [SECRET]')
  })
})

describe('restoring', () => {
  test.each([
    ['[EMAIL_1] and [EMAIL_2]', 'ada@engine.test and bob@engine.test'],
    ['[email_1] [Email 1] [EMAIL\\_1]', 'ada@engine.test ada@engine.test ada@engine.test'],
    ['[EMAIL_1', '[EMAIL_1'],
    ['[EMAIL_12] [EMIAL_1] [EMAIL-1] [ EMAIL_1]', '[EMAIL_12] [EMIAL_1] [EMAIL-1] [ EMAIL_1]'],
    ['[SECRET_1]', '[SECRET_1]'],
    ['[[EMAIL_1]', '[ada@engine.test'],
    ['see https://evil.test/?q=[EMAIL_1] now [EMAIL_1]', 'see https://evil.test/?q=[EMAIL_1] now ada@engine.test'],
    ['www.evil.test/[EMAIL_1]', 'www.evil.test/[EMAIL_1]'],
    ['[me](/x?[EMAIL_1]) [EMAIL_1]', '[me](/x?[EMAIL_1]) ada@engine.test'],
    ['![[EMAIL_1]](https://evil.test/[EMAIL_1].png)', '![[EMAIL_1]](https://evil.test/[EMAIL_1].png)'],
    ['<img src="x?a= [EMAIL_1]"> [EMAIL_1]', '<img src="x?a= [EMAIL_1]"> ada@engine.test'],
    ['a < b, [EMAIL_1]', 'a < b, ada@engine.test'],
  ])('%s', (text, restored) => {
    expect(through(restorer, [text])).toBe(restored)
  })

  test('in URLs and images only where that is asked for', () => {
    const text = 'https://a.test/[EMAIL_1] ![x](https://a.test/[EMAIL_1])'
    expect(through(() => restorer({ urls: true }), [text])).toBe('https://a.test/ada@engine.test ![x](https://a.test/[EMAIL_1])')
    expect(through(() => restorer({ urls: true, images: true }), [text])).toBe('https://a.test/ada@engine.test ![x](https://a.test/ada@engine.test)')
  })

  test('unknown placeholders stay and are counted', () => {
    const kept = session()
    expect(through(() => new Restorer(kept, {}), ['[EMAIL_7] [FOO_1]'])).toBe('[EMAIL_7] [FOO_1]')
    expect(kept.unknown).toBe(1)
  })
})

function answer({ output = true, calls = false, restore, json = false }: { output?: boolean; calls?: boolean; restore?: RestoreOptions; json?: boolean }): Answer {
  const table = new ActionTable('redact', () => true)
  const policy = new Policy({ call: 'c', table, hmac: undefined, session: session(), restore: true, tell: undefined })
  const made = new Answer({ policy, redact: { detector, reach: REACH, wary: false, keys: true }, output, calls, restore, actionOf: () => 'redact' })
  made.json = json
  return made
}
function played(made: Answer, events: readonly ChatEvent[]): ChatEvent[] {
  const list = (given: ChatEvent | readonly ChatEvent[]): readonly ChatEvent[] => (Array.isArray(given) ? (given as readonly ChatEvent[]) : [given as ChatEvent])
  const last = events.at(-1)
  return [...events.slice(0, -1).flatMap(event => list(made.event(event))), ...made.flush('finish'), ...(last === undefined ? [] : list(made.event(last)))]
}
const FINISH: ChatEvent = { type: 'finish', finishReason: 'stop', usage: {} }
const call = (text: string, pieces: readonly string[]): ChatEvent[] => [
  { type: 'tool-call-start', index: 0, id: 'a', name: 'send' },
  ...pieces.map(piece => ({ type: 'tool-call-delta', index: 0, arguments: piece }) as const),
  { type: 'tool-call', index: 0, id: 'a', name: 'send', arguments: text, input: JSON.parse(text) as unknown },
]

describe('the events of an answer', () => {
  const text = '{"to":"[PERSON_1] <[EMAIL\\u005f1]>","n":[1,"eve@made.test"],"u":"https://a.test/[EMAIL_1]"}'

  test('arguments of calls stay as the model wrote them, unless both are asked for', () => {
    expect(collect(played(answer({ restore: {} }), [...call(text, [text]), FINISH])).toolCalls[0]?.arguments).toBe(text)
    const { toolCalls } = collect(played(answer({ calls: true, restore: { toolCalls: true } }), [...call(text, [text]), FINISH]))
    expect(toolCalls[0]?.input).toEqual({ to: 'Ada "Countess" Lovelace <ada@engine.test>', n: [1, '[EMAIL]'], u: 'https://a.test/[EMAIL_1]' })
  })

  test('the pieces of a call are the whole call, whatever the pieces', () => {
    for (const size of [1, 2, 3, 5, 8, 13, 100]) {
      const events = played(answer({ calls: true, restore: { toolCalls: true } }), [...call(text, cut(text, [size])), FINISH])
      const pieces = events.map(event => (event.type === 'tool-call-delta' ? event.arguments : '')).join('')
      expect(pieces).toBe(collect(events).toolCalls[0]?.arguments)
      expect(() => JSON.parse(pieces) as unknown).not.toThrow()
    }
  })

  test('an answer that is JSON stays JSON when a value with quotes goes back', () => {
    const given = collect(played(answer({ restore: {}, json: true }), [...[...'{"who": "[PERSON_1]", "mail": "eve@made.test"}'].map(char => ({ type: 'text-delta', text: char }) as const), FINISH]))
    expect(JSON.parse(given.text)).toEqual({ who: 'Ada "Countess" Lovelace', mail: '[EMAIL]' })
  })

  test('each kind of text has a buffer of its own, in its place', () => {
    const deltas = (type: 'text-delta' | 'reasoning-delta' | 'refusal-delta', words: string): ChatEvent[] => [...words].map(char => ({ type, text: char }))
    const given = collect(played(answer({ restore: {} }), [...deltas('reasoning-delta', 'to [EMAIL_1]'), ...deltas('text-delta', 'hi [EMAIL_2] eve@made.test'), ...deltas('refusal-delta', 'not [EMAIL_1]'), FINISH]))
    expect(given.content).toEqual([
      { type: 'reasoning', text: 'to ada@engine.test' },
      { type: 'text', text: 'hi bob@engine.test [EMAIL]' },
      { type: 'refusal', text: 'not ada@engine.test' },
    ])
  })

  test('citations are redacted and restored, but not their addresses', () => {
    const given = collect(played(answer({ restore: {} }), [{ type: 'text-delta', text: 'as said' }, { type: 'citation', text: 'by [EMAIL_1], eve@made.test', title: 'T', url: 'https://a.test/[EMAIL_1]' }, FINISH]))
    expect(given.content[0]).toMatchObject({ text: 'as said', citations: [{ text: 'by ada@engine.test, [EMAIL]', title: 'T', url: 'https://a.test/[EMAIL_1]' }] })
  })

  test('log probabilities, which spell out what is redacted, are left out with a warning', () => {
    const given = collect(played(answer({ restore: {} }), [{ type: 'text-delta', text: 'x' }, { type: 'logprobs', tokens: [{ token: 'eve', logprob: 0 }] }, { type: 'logprobs', tokens: [] }, FINISH]))
    expect(given.logprobs).toBeUndefined()
    expect(given.warnings).toHaveLength(1)
  })

  test('an end before the end drops what is not decided, and shows what only waits', () => {
    const redacting = answer({ restore: {} })
    redacting.event({ type: 'text-delta', text: 'write to eve@ma' })
    expect(redacting.flush('error')).toEqual([])
    const restoring = answer({ output: false, restore: {} })
    restoring.event({ type: 'text-delta', text: 'write to [EMA' })
    expect(restoring.flush('aborted')).toEqual([{ type: 'text-delta', text: '[EMA' }])
  })

  test('a restart voids what waits', () => {
    const made = answer({ restore: {} })
    made.event({ type: 'text-delta', text: 'write to [EMAIL_' })
    expect(made.flush('restart')).toEqual([])
    expect(collect(played(made, [{ type: 'restart', attempt: 2, reason: 'network' }, { type: 'text-delta', text: 'no' }, FINISH])).text).toBe('no')
  })
})
