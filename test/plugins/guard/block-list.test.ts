import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blockList } from 'sallyport/guard'
import { thrown } from '../../gateway/support.js'
import { opened, passed, read, reports, scene } from './support.js'

const WORDS = ['bluebird', 'red team', 'C++', '爆弾', 'résumé']

describe('a word of the block list', () => {
  it.each([
    ['bluebird', true],
    ['The BLUEBIRD flies.', true],
    ['blue\u200bbird', true],
    ['blu\u0435bird', false],
    ['ｂｌｕｅｂｉｒｄ', true],
    ['bluebirds', false],
    ['xbluebird', false],
    ['bluebird1', false],
    ['bluebird_x, or not', true],
    ['the red \n\t team', true],
    ['red\u00a0team', true],
    ['redteam', false],
    ['c++!', true],
    ['vitamin C++', true],
    ['これは爆弾です', true],
    ['a resume', true],
    ['re\u0301sume\u0301', true],
    ['blueblue bluebir bluebird', true],
  ])('is found as a whole word, however it is written: %j is %s', async (text, refused) => {
    const { chat, deployment } = scene([blockList({ words: WORDS, in: 'request' })])
    const outcome = await chat({ messages: text }).then(() => false, () => true)
    expect([outcome, deployment.calls.length]).toEqual([refused, refused ? 0 : 1])
  })

  it('refuses with an error that does not repeat it, blames the right side, and is reported', async () => {
    const { told, onReport } = reports()
    const asked = scene([blockList({ words: ['bluebird'], onReport })])
    const request = await thrown(() => asked.chat({ messages: 'About bluebird.' }))
    expect(request).toMatchObject({ code: 'refused', origin: 'caller', message: 'The request was refused by the guard "blockList": it holds a word or phrase of the block list.' })
    const answered = scene([blockList({ words: ['bluebird'], onReport, name: 'names' })], 'It is bluebird.')
    const answer = await thrown(() => answered.chat())
    expect([answer.code, answer.origin, answer.message]).toEqual(['refused', 'upstream', expect.stringContaining('"names"')])
    expect(told).toMatchObject([{ guard: 'blockList', at: 'request', outcome: 'refused' }, { guard: 'names', at: 'answer', outcome: 'refused' }])
    expect(JSON.stringify([told, request, answer])).not.toContain('bluebird')
    expect(answered.records).toMatchObject([{ outcome: 'failure', code: 'refused' }])
  })

  it.each<[string, Parameters<ReturnType<typeof scene>['chat']>[0]]>([
    ['a system prompt', { system: 'Say bluebird.' }],
    ['a part of text', { messages: [{ role: 'user', content: [{ type: 'text', text: 'bluebird' }] }] }],
    ['the name of who asks', { messages: [{ role: 'user', name: 'bluebird', content: 'Hi' }] }],
    ['the name of a file', { messages: [{ role: 'user', content: [{ type: 'file', data: 'AAAA', mediaType: 'text/plain', filename: 'bluebird.txt' }] }] }],
    ['the input of a call in the history', { messages: [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: [{ type: 'tool-call', id: '1', name: 't', input: { a: [{ b: 'bluebird' }] } }] }, { role: 'tool', toolCallId: '1', content: 'ok' }] }],
    ['a name in it', { messages: [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: [{ type: 'tool-call', id: '1', name: 't', input: { bluebird: 1 } }] }, { role: 'tool', toolCallId: '1', content: 'ok' }] }],
    ['the result of a tool', { messages: [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: [{ type: 'tool-call', id: '1', name: 't', input: {} }] }, { role: 'tool', toolCallId: '1', content: 'bluebird' }] }],
    ['what a tool is for', { tools: [{ name: 't', description: 'asks bluebird', inputSchema: { type: 'object' } }] }],
    ['a schema', { tools: [{ name: 't', inputSchema: { type: 'object', properties: { bluebird: { type: 'string' } } } }] }],
    ['options of a dialect', { providerOptions: { other: { instructions: 'bluebird' } } }],
    ['a part that goes to one dialect as it is', { messages: [{ role: 'user', content: [{ type: 'text', text: '', providerData: { other: { block: { text: 'bluebird' } } } }] }] }],
  ])('is found in %s', async (_where, request) => {
    const { chat, deployment } = scene([blockList({ words: ['bluebird'] })])
    expect((await thrown(() => chat(request))).code).toBe('refused')
    expect(deployment.calls).toEqual([])
  })

  it('in a message of a role that is not looked at, or on the side that is not, passes', async () => {
    const roles = scene([blockList({ words: ['bluebird', 'object', 'name'], roles: ['user'], in: 'request' })])
    await roles.chat({ system: 'Never talk of bluebird.', tools: [{ name: 't', inputSchema: { type: 'object' } }] })
    expect((await thrown(() => roles.chat({ messages: 'bluebird' }))).code).toBe('refused')
    expect((await scene([blockList({ words: ['bluebird'], in: 'request' })], 'bluebird').chat()).text).toBe('bluebird')
    expect((await scene([blockList({ words: ['fine'], in: 'answer' })], 'good').chat({ messages: 'fine' })).text).toBe('good')
    // Words that schemas are made of are nobody's.
    await scene([blockList({ words: ['object', 'properties'] })]).chat({ tools: [{ name: 't', inputSchema: { type: 'object', properties: {} } }] })
  })

  it('in the texts of embeddings is refused', async () => {
    const { gateway } = scene([blockList({ words: ['bluebird'] })])
    expect((await thrown(() => gateway.embed({ model: 'smart', input: ['fine', 'a bluebird'] } as never))).code).toBe('refused')
  })
})

describe('a stream', () => {
  it('tells no part of a word that comes in pieces', async () => {
    const { gateway } = scene([blockList({ words: ['bluebird'] })], { chunks: ['It is called bl', 'ueb', 'ird', ' and more'] })
    const { text, error } = await read(gateway)
    expect([text, (error as { code?: string }).code]).toEqual(['It is called ', 'refused'])
  })

  it('holds back no more than the beginning of a word, and all of it comes', async () => {
    const { event, flush } = opened(blockList({ words: ['bluebird'] }))
    expect(event({ type: 'text-delta', text: 'see blue' })).toEqual([{ type: 'text-delta', text: 'see ' }])
    expect(event({ type: 'logprobs', tokens: [] })).toEqual([])
    expect(event({ type: 'text-delta', text: ' sky b' })).toEqual([{ type: 'text-delta', text: 'blue' }, { type: 'logprobs', tokens: [] }, { type: 'text-delta', text: ' sky ' }])
    expect(flush('finish')).toEqual([{ type: 'text-delta', text: 'b' }])
  })

  it('ends a text where something else begins, and drops what it held where the answer breaks off or starts over', () => {
    const { event, flush } = opened(blockList({ words: ['bluebird'] }))
    expect(event({ type: 'text-delta', text: 'blue' })).toEqual([])
    expect(event({ type: 'tool-call-start', index: 0, id: '1', name: 't' })).toHaveLength(2)
    event({ type: 'tool-call-delta', index: 0, arguments: '{"a":"blue' })
    expect(flush('error')).toEqual([])
    event({ type: 'text-delta', text: 'blue' })
    expect(flush('restart')).toEqual([])
    expect(event({ type: 'text-delta', text: 'bird.' })).toEqual([{ type: 'text-delta', text: 'bird.' }])
    expect(flush('finish')).toEqual([])
  })

  it.each([
    ['a call, escaped', [{ type: 'tool-call-start', index: 0, id: '1', name: 't' }, { type: 'tool-call-delta', index: 0, arguments: '{"a":"bl\\u0075ebird"}' }, { type: 'tool-call', index: 0, id: '1', name: 't', input: { a: 'bluebird' }, arguments: '{"a":"bl\\u0075ebird"}' }]],
    ['reasoning', [{ type: 'reasoning-delta', text: 'blue' }, { type: 'reasoning-delta', text: 'bird ' }]],
    ['a refusal', [{ type: 'refusal-delta', text: 'bluebird ' }]],
    ['a citation', [{ type: 'citation', url: 'https://x.test/bluebird' }]],
    ['the name of a tool', [{ type: 'tool-call-start', index: 0, id: '1', name: 'bluebird' }]],
  ] as const)('finds a word in %s', (_where, events) => {
    const { event } = opened(blockList({ words: ['bluebird'] }))
    expect(() => events.forEach(one => void event(one))).toThrow(/refused by the guard/)
  })

  it('finds a word that a citation cut in two, at the end', () => {
    const { event, flush } = opened(blockList({ words: ['bluebird'] }))
    event({ type: 'text-delta', text: 'blue' })
    event({ type: 'citation', title: 'x' })
    event({ type: 'text-delta', text: 'bird' })
    expect(() => flush('finish')).toThrow(/refused by the guard/)
  })

  it('ends the same way however it is cut, and without a match nothing is lost', () => {
    const guard = blockList({ words: ['ab', 'abc ab', 'bb cb', 'é😀', '爆'], patterns: [{ pattern: /\bca{1,3}b\b/, maxLength: 5 }] })
    const text = fc.array(fc.constantFrom('a', 'b', 'c', ' ', '  ', 'A', 'e\u0301', 'é', '😀', '\u200b', '爆', '1', '-'), { maxLength: 24 }).map(parts => parts.join(''))
    fc.assert(
      fc.property(text, fc.array(fc.nat(30), { maxLength: 8 }), (whole, cuts) => {
        const at = [...new Set([0, ...cuts.filter(cut => cut < whole.length), whole.length])].sort((a, b) => a - b)
        const pieces = at.slice(1).map((end, i) => whole.slice(at[i], end))
        const one = passed(guard, [whole])
        const many = passed(guard, pieces)
        expect(many.refused).toBe(one.refused)
        if (one.refused) expect(whole.startsWith(many.text)).toBe(true)
        else expect([one.text, many.text]).toEqual([whole, whole])
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a pattern of the block list', () => {
  const internal = { pattern: /\bINT-\d{4,8}\b/, maxLength: 12 }

  it('is found in requests and in streams, whose pieces it may span', async () => {
    expect((await thrown(() => scene([blockList({ patterns: [internal] })]).chat({ messages: 'See INT-12345.' }))).code).toBe('refused')
    const { gateway } = scene([blockList({ patterns: [internal] })], { chunks: ['ticket no. IN', 'T-12', '345 and some more text'] })
    const { text, error } = await read(gateway)
    expect([text.includes('INT'), (error as { code?: string }).code]).toEqual([false, 'refused'])
    expect(passed(blockList({ patterns: [internal] }), ['xINT-1234', '5 INT-123', '456789 ', 'INT-1'])).toEqual({ text: 'xINT-12345 INT-123456789 INT-1', refused: false })
  })

  it.each([
    [/(a+)+b/, /repeats a group/],
    [/(a|aa)+b/, /repeats a group/],
    [/(?:(?:a|b))*c/, /repeats a group/],
    [/(a)\1/, /back-reference/],
    [/(?<x>a)\k<x>/, /back-reference/],
    [/(?=a)b/, /looks ahead/],
    [/(?<!a)b/, /looks ahead/],
    [/^a/, /anchor/],
    [/a$/, /anchor/],
    [/a*b*c*/, /ways from one place/],
    [/(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)/, /ways from one place/],
    [/a?a?a?a?a?a?a?a?a?a?x/, /ways from one place/],
    [/a{0,4}/, /empty text/],
    [new RegExp('[a&&b]', 'v'), /flag v/],
  ])('%s, which a hostile text makes slow or which means nothing, is refused at construction', async (pattern, says) => {
    const error = await thrown(() => blockList({ patterns: [{ pattern, maxLength: 60 }] }))
    expect([error.code, error.message]).toEqual(['invalid_config', expect.stringMatching(says)])
  })

  it.each([/[(|)*+]{1,9}x/, /\(\)\*+x/, /a{3}b{2,5}/, /x(?:ab|cd)?y/, /\b[A-Z]{2,10}-\d{1,12}\b/i, /a{,3}/])('%s is sound', pattern => {
    expect(() => blockList({ patterns: [{ pattern, maxLength: 30 }] })).not.toThrow()
  })

  it('takes no more than a slice of a hostile text at once, so that time grows with its length', () => {
    const slow = { pattern: /x[a-y]{1,30}[a-y]{1,30}z/, maxLength: 64 }
    const steps = (length: number): number => {
      const from = performance.now()
      passed(blockList({ patterns: [slow], in: 'answer' }), ['x'.repeat(length)])
      return performance.now() - from
    }
    steps(4_000)
    const [small, large] = [steps(8_000), steps(32_000)]
    // Four times the text; far below sixteen times the time, whatever else the machine does.
    expect(large / small).toBeLessThan(12)
  })
})

describe('options that cannot be meant', () => {
  it.each([
    [{}, /blocks nothing/],
    [{ words: [] }, /blocks nothing/],
    [{ words: ['\u200b '] }, /words\[0\] must be a text/],
    [{ words: 'x' }, /words must be a list/],
    [{ word: ['x'] }, /Did you mean "words"/],
    [{ words: ['x'], in: 'answers' }, /in must be/],
    [{ words: ['x'], roles: ['users'] }, /roles must be/],
    [{ words: ['x'], failOpen: 'yes' }, /failOpen must be/],
    [{ words: ['x'], name: '' }, /name must be/],
    [{ patterns: [/a/] }, /must be \{ pattern, maxLength \}|needs a pattern|no option/],
    [{ patterns: [{ pattern: /a/ }] }, /needs maxLength/],
    [{ patterns: [{ pattern: /a/, maxLength: 5_000 }] }, /needs maxLength/],
  ])('%j', async (options, says) => {
    const error = await thrown(() => blockList(options as never))
    expect([error.code, error.message]).toEqual(['invalid_config', expect.stringMatching(says)])
  })
})
