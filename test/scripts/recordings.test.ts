import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bom, byteByByte, comments, cr, crlf, notDone, plainDeliveries, randomPieces, SINGLE_BYTES, streamDeliveries, unclosed } from '../../scripts/recordings/deliveries.js'
import { compare, differences, type Meaning } from '../../scripts/recordings/difference.js'
import { ANTHROPIC_RULES, anthropicMeaning } from '../../scripts/recordings/meaning-anthropic.js'
import { OPENAI_RULES, openaiMeaning } from '../../scripts/recordings/meaning-openai.js'
import { readAnthropic } from '../../scripts/recordings/read-anthropic.js'
import { readOpenAI } from '../../scripts/recordings/read-openai.js'
import { seededRandom } from '../../src/testing/random.js'
import { ANTHROPIC_BODY, OPENAI_BODY, STREAM } from './recordings-fixtures.js'

type Fields = Record<string, unknown>

const joined = (pieces: readonly Uint8Array[]): string => Buffer.concat(pieces).toString('utf8')
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The data of an event stream by the letter of the standard, for text that is here whole. */
function dataOf(text: string): string[] {
  const out: string[] = []
  const data: string[] = []
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)) {
    if (line === '' && data.length > 0) out.push(data.splice(0).join('\n'))
    else if (line.startsWith('data:')) data.push(line.slice(5).trimStart())
  }
  return data.length > 0 ? [...out, data.join('\n')] : out
}

describe('deliveries', () => {
  it('no rewriting changes what a stream says', () => {
    for (const rewrite of [crlf, cr, bom, comments, unclosed, (text: string) => bom(crlf(comments(text)))]) expect(dataOf(rewrite(STREAM))).toEqual(dataOf(STREAM))
  })

  it('each rewriting does what it is named for', () => {
    expect(crlf(STREAM).replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    expect(cr(crlf(STREAM))).not.toContain('\n')
    expect(bytesOf(bom(STREAM)).subarray(0, 3)).toEqual(new Uint8Array([0xef, 0xbb, 0xbf]))
    expect(comments(STREAM)).toMatch(/^: keep-alive\n\ndata: .*\n\n: keep-alive\n\ndata: .*\n\n:\ndata: /)
    expect(unclosed(STREAM).endsWith('[DONE]')).toBe(true)
    expect(notDone(STREAM)).toBe(STREAM.slice(0, STREAM.indexOf('data: [DONE]')))
    expect(notDone(crlf(STREAM))).not.toContain('DONE')
  })

  it('pieces put together are the body, whatever the seed, and none is empty', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 1e6 }), (text, most, seed) => {
        const pieces = randomPieces(bytesOf(text), most, seededRandom(seed))
        expect(joined(pieces)).toBe(joined([bytesOf(text)]))
        expect(pieces.every(piece => piece.length >= 1 && piece.length <= most)).toBe(true)
      }),
    )
  })

  it('byte by byte is one byte each up to the bound, and the whole body all the same', () => {
    const body = bytesOf('ü'.repeat(SINGLE_BYTES))
    const pieces = byteByByte(body)
    expect(pieces.slice(0, SINGLE_BYTES).every(piece => piece.length === 1)).toBe(true)
    expect(pieces.length).toBeGreaterThan(SINGLE_BYTES)
    expect(joined(pieces)).toBe(joined([body]))
  })

  it('every delivery the recordings ask for is there', () => {
    const names = streamDeliveries(true).map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const asked of ['whole', 'byte by byte', 'CRLF', 'CR alone', 'BOM', 'comments', 'no [DONE]', 'no last blank line']) expect(names).toContain(asked)
    expect(names.filter(name => name.includes('split at random')).length).toBeGreaterThanOrEqual(3)
    expect(streamDeliveries(false).some(({ unterminated }) => unterminated)).toBe(false)
    expect(plainDeliveries('chat-json').map(({ name }) => name)).toEqual(expect.arrayContaining(['whole', 'chunked', 'byte by byte', 'BOM']))
  })
})

/** Paths to every value that is no object and no list. */
function leaves(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, Array.isArray(value) ? Number(key) : key]))
}
function changed(body: object, path: readonly (string | number)[], to: (at: Fields, key: string) => void): Fields {
  const copy = structuredClone(body) as Fields
  const at = path.slice(0, -1).reduce<Fields>((inner, key) => inner[key] as Fields, copy)
  to(at, String(path.at(-1)))
  return copy
}

describe.each([
  ['openai', openaiMeaning, OPENAI_BODY],
  ['anthropic', anthropicMeaning, ANTHROPIC_BODY],
] as const)('the meaning of an %s body', (_, meaning, body) => {
  // The only word of a body that says nothing: a call or a tool that holds a function is one.
  const silent = (path: readonly (string | number)[]): boolean => path.at(-1) === 'type' && (path.includes('tool_calls') || (path[0] === 'tools' && path[1] === 0 && path.length === 3) || path[0] === 'tool_choice') && meaning === openaiMeaning

  it('no value can be lost or changed unseen', () => {
    const paths = leaves(body).filter(path => !silent(path))
    expect(paths.length).toBeGreaterThan(30)
    for (const path of paths) {
      const lost = changed(body, path, (at, key) => void delete at[key])
      const other = changed(body, path, (at, key) => void (at[key] = typeof at[key] === 'number' ? Number(at[key]) + 1 : 'something else'))
      expect(differences(meaning(body), meaning(lost)), `${path.join('.')} lost`).not.toEqual([])
      expect(differences(meaning(body), meaning(other)), `${path.join('.')} changed`).not.toEqual([])
    }
  })

  it('a field that nobody knows is compared too', () => {
    for (const at of [[], ['messages', 1], ['tools', 0], ['messages', 1, 'content', 0]] as const) {
      const more = changed(body, [...at, 'brand_new'], (inner, key) => void (inner[key] = 1))
      expect(differences(meaning(body), meaning(more))).toMatchObject([{ arrived: 1 }])
    }
  })

  it('null says what absence says, and the order of keys says nothing', () => {
    const turned = Object.fromEntries(Object.entries({ ...body, something: null }).reverse())
    expect(differences(meaning(body), meaning(turned))).toEqual([])
  })
})

describe('spellings', () => {
  const same = (a: Fields, b: Fields): void => expect(differences(openaiMeaning({ messages: [], ...a }), openaiMeaning({ messages: [], ...b }))).toEqual([])
  it('OpenAI: two ways to write one thing mean the same', () => {
    same({ max_tokens: 5 }, { max_completion_tokens: 5 })
    same({ stop: 'a' }, { stop: ['a'] })
    same({ stream: false }, {})
    same({ messages: [{ role: 'user', content: 'a' }] }, { messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }] })
    same({ messages: [{ role: 'assistant', content: null }] }, { messages: [{ role: 'assistant', content: '' }] })
    same({ tool_choice: { function: { name: 'a' } } }, { tool_choice: { type: 'function', function: { name: 'a' } } })
    const calls = (text: string): Fields => ({ messages: [{ role: 'assistant', tool_calls: [{ id: '1', function: { name: 'a', arguments: text } }] }] })
    same(calls('{"a":1,"b":2}'), calls('{ "b": 2, "a": 1 }'))
  })
  it('OpenAI: two limits that contradict each other are not taken for one', () => {
    expect(differences(openaiMeaning({ max_tokens: 5, max_completion_tokens: 6 }), openaiMeaning({ max_tokens: 5 }))).not.toEqual([])
  })
  it('Anthropic: a text is a block of text, and neighbours of one role are one turn', () => {
    const text = (said: string): Fields => ({ type: 'text', text: said })
    const apart = { messages: [{ role: 'user', content: 'a' }, { role: 'user', content: [text('b')] }], system: 'c' }
    expect(differences(anthropicMeaning(apart), anthropicMeaning({ messages: [{ role: 'user', content: [text('a'), text('b')] }], system: [text('c')] }))).toEqual([])
    expect(differences(anthropicMeaning(apart), anthropicMeaning({ messages: [{ role: 'user', content: [text('b'), text('a')] }], system: 'c' }))).toHaveLength(2)
  })
})

describe('rules', () => {
  const held = (recorded: Meaning, arrived: Meaning, vendor = 'lab', warnings: Parameters<typeof compare>[3]['warnings'] = []) => compare(recorded, arrived, OPENAI_RULES, { vendor, warnings })
  it.each([
    ['n', { n: 1 }, {}, { n: 2 }, {}],
    ['tools', { tools: [] }, {}, { tools: [{ name: 'a' }] }, {}],
    ['usage', { stream: true }, { stream: true, streamOptions: { include_usage: true } }, { stream: true }, { stream: true, streamOptions: { include_usage: true, other: 1 } }],
    ['name', { answer: { name: 'City', schema: {} } }, { answer: { name: 'output', schema: {} } }, { answer: { name: 'City', schema: {} } }, { answer: { name: 'else', schema: {} } }],
    [
      'strict',
      { answer: { schema: { additionalProperties: false, properties: { a: {} }, required: ['a'] } } },
      { answer: { strict: true, schema: { additionalProperties: false, properties: { a: {} }, required: ['a'] } } },
      { answer: { schema: { additionalProperties: false, properties: { a: {} }, required: [] } } },
      { answer: { strict: true, schema: { additionalProperties: false, properties: { a: {} }, required: [] } } },
    ],
    ['developer', { messages: [{ role: 'developer' }] }, { messages: [{ role: 'system' }] }, { messages: [{ role: 'user' }] }, { messages: [{ role: 'system' }] }],
    ['reasoning', { messages: [{ reasoning: 'Hm.' }] }, { messages: [{}] }, { messages: [{ reasoning: 'Hm.' }] }, { messages: [{ reasoning: 'Ha.' }] }],
  ])('%s: what is right by design is allowed and what is beside it is not', (_, recorded, arrived, wrongRecorded, wrongArrived) => {
    expect(held(recorded, arrived)).toMatchObject({ wrong: [], allowed: [expect.any(String)] })
    expect(held(wrongRecorded, wrongArrived).wrong).toHaveLength(1)
  })
  it('an effort is rounded only with a warning', () => {
    const warnings = [{ code: 'changed', message: 'rounded', parameter: 'reasoning.effort' }] as const
    expect(held({ reasoning_effort: 'medium' }, { reasoning_effort: 'high' }, 'lab', warnings).wrong).toEqual([])
    expect(held({ reasoning_effort: 'medium' }, { reasoning_effort: 'high' }).wrong).toHaveLength(1)
  })
  it('a rule for some servers does not hold for the others', () => {
    expect(held({ messages: [{ role: 'developer' }] }, { messages: [{ role: 'system' }] }, 'openai').wrong).toHaveLength(1)
    expect(held({ messages: [{ reasoning: 'Hm.' }] }, { messages: [{}] }, 'deepseek').wrong).toHaveLength(1)
    expect(held({ toolChoice: 'auto' }, {}, 'ollama').wrong).toEqual([])
    expect(held({ toolChoice: 'auto' }, {}).wrong).toHaveLength(1)
  })
  it('Anthropic: only a result that is no error may lose its mark', () => {
    const result = (mark: Fields): Meaning => ({ messages: [{ content: [mark] }] })
    const context = { vendor: 'anthropic', warnings: [] }
    expect(compare(result({ is_error: false }), result({}), ANTHROPIC_RULES, context).wrong).toEqual([])
    expect(compare(result({ is_error: true }), result({}), ANTHROPIC_RULES, context).wrong).toHaveLength(1)
  })
})

describe('reading a recorded request', () => {
  it('what has no word of ours is an error, not a loss', () => {
    const openai = (message: Fields): (() => unknown) => () => readOpenAI({ messages: [message] }, 'lab')
    expect(openai({ role: 'user', content: 'a', weight: 1 })).toThrow(/weight/)
    expect(openai({ role: 'narrator', content: 'a' })).toThrow(/narrator/)
    expect(openai({ role: 'assistant', content: 'a', audio: { id: 'x' } })).toThrow(/audio/)
    expect(() => readAnthropic({ messages: ['a'] })).toThrow(/no object/)
    expect(() => readAnthropic({ messages: [{ role: 'narrator', content: 'a' }] })).toThrow(/narrator/)
  })
  it("fields of the provider's own go into providerOptions", () => {
    expect(readOpenAI({ messages: [], user: 'u', thinking: { type: 'enabled', clear: true }, reasoning_effort: 'max' }, 'lab').providerOptions).toEqual({ openai: { user: 'u', thinking: { type: 'enabled', clear: true }, reasoning_effort: 'max' } })
    expect(readAnthropic({ messages: [], container: 'c', thinking: { type: 'disabled' } }).providerOptions).toEqual({ anthropic: { container: 'c', thinking: { type: 'disabled' } } })
  })
})
