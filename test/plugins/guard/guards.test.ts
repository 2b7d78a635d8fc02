import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type GatewayError, type Plugin } from 'sallyport'
import { allowedTopics, blockList, maxPrompt, secretLeak, type Detector } from 'sallyport/guard'
import { thrown } from '../../gateway/support.js'
import { ASK, MARKED, opened, passed, read, reports, scene } from './support.js'

describe('allowedTopics', () => {
  it.each([
    [true, undefined],
    [{ allowed: true, reason: 'x' }, undefined],
    [false, /about something that is not allowed/],
    [{ allowed: false, reason: 'Only cooking' }, /: Only cooking\./],
  ])('%j lets through or refuses, at once or after a wait', async (verdict, says) => {
    for (const judge of [() => verdict, () => Promise.resolve(verdict)]) {
      const { chat, deployment } = scene([allowedTopics(judge)])
      if (says === undefined) expect((await chat()).text).toBe('fine')
      else expect((await thrown(() => chat())).message).toMatch(says)
      expect(deployment.calls).toHaveLength(says === undefined ? 1 : 0)
    }
  })

  it('is given the request, the call and a signal that ends with the call', async () => {
    const seen: unknown[] = []
    const { chat } = scene([
      allowedTopics((request, { call, signal }) => {
        seen.push(request.messages, call.model, signal)
        return true
      }),
    ])
    await chat()
    expect(seen.slice(0, 2)).toEqual([[{ role: 'user', content: 'Hi' }], 'smart'])
    expect((seen[2] as AbortSignal).aborted).toBe(true)
  })

  it.each<[string, () => unknown]>([
    ['throws', () => { throw new RangeError('private words') }],
    ['rejects', () => Promise.reject(new RangeError('private words'))],
    ['answers with a text', () => 'yes'],
    ['answers with nothing', () => undefined],
    ['answers with an object that says nothing', () => ({ ok: true })],
  ])('one that %s refuses the call, and with failOpen lets it through; both are reported', async (_what, judge) => {
    const { told, onReport } = reports()
    const closed = scene([allowedTopics(judge as never, { onReport })])
    const error = await thrown(() => closed.chat())
    expect([error.code, error.message, closed.deployment.calls.length]).toEqual(['refused', expect.stringMatching(/"allowedTopics" could not look at the request/), 0])
    expect(error.message).not.toContain('private')
    expect((await scene([allowedTopics(judge as never, { onReport, failOpen: true, name: 'topics' })]).chat()).text).toBe('fine')
    expect(told.map(({ guard, outcome }) => [guard, outcome])).toEqual([['allowedTopics', 'failed'], ['topics', 'skipped']])
  })

  it('one that hangs is not waited for longer than it may take, and leaves nothing behind', async () => {
    const hangs = () => new Promise<never>(() => undefined)
    const { chat, clock, gateway } = scene([allowedTopics(hangs, { timeoutMs: 500 })])
    const failed = thrown(() => chat())
    await clock.advance(500)
    expect([(await failed).code, (await failed).message]).toEqual(['refused', expect.stringContaining('took longer than 500 ms')])
    expect(gateway.health().calls).toBe(0)
    const open = scene([allowedTopics(hangs, { timeoutMs: 500, failOpen: true })])
    const answer = open.chat()
    await open.clock.advance(500)
    expect((await answer).text).toBe('fine')
  })

  it('one that hangs is left when the caller goes', async () => {
    const signals: AbortSignal[] = []
    const { gateway, clock } = scene([allowedTopics((_, { signal }) => (signals.push(signal), new Promise<never>(() => undefined)))])
    const control = new AbortController()
    const failed = thrown(() => gateway.chat(ASK as never, { signal: control.signal }))
    await clock.advance(1)
    control.abort()
    expect((await failed).code).toBe('aborted')
    expect([signals[0]?.aborted, clock.pending]).toEqual([true, 0])
  })

  it.each([[undefined, {}, /takes the function/], [() => true, { timeoutMs: 0 }, /timeoutMs/], [() => true, { timeout: 5 }, /Did you mean "timeoutMs"/], [() => true, 5, /options as an object/]])('%# bad options', async (judge, options, says) => {
    expect((await thrown(() => allowedTopics(judge as never, options as never))).message).toMatch(says)
  })
})

describe('maxPrompt', () => {
  it('counts all texts of a request, and refuses before anybody is asked', async () => {
    const { chat, deployment } = scene([maxPrompt({ characters: 10 })])
    await chat({ messages: '0123456789' })
    const error = await thrown(() => chat({ system: '01234', messages: '012345' }))
    expect([error.code, error.message]).toEqual(['refused', expect.stringContaining('11 characters, and 10 are allowed')])
    expect((await thrown(() => chat({ messages: 'x', tools: [{ name: 't', description: 'a long description', inputSchema: { type: 'object' } }] }))).code).toBe('refused')
    expect(deployment.calls).toHaveLength(1)
  })

  it('counts tokens, those of pictures too', async () => {
    const { chat } = scene([maxPrompt({ tokens: 100 })])
    await chat({ messages: 'x'.repeat(400) })
    expect((await thrown(() => chat({ messages: 'x'.repeat(401) }))).message).toContain('101 tokens')
    expect((await thrown(() => chat({ messages: [{ role: 'user', content: [{ type: 'image', image: 'data:image/png;base64,AAAA' }] }] }))).message).toContain('1,000 tokens')
  })

  it.each([[{}, /bounds nothing/], [{ tokens: 0 }, /tokens must be/], [{ characters: 1.5 }, /characters must be/], [{ chars: 5 }, /no option "chars"|Did you mean/]])('%j is refused', async (options, says) => {
    expect((await thrown(() => maxPrompt(options as never))).message).toMatch(says)
  })
})

describe('secretLeak', () => {
  const guard = secretLeak({ detector: MARKED })

  it('refuses an answer with a secret, of which a stream tells no part', async () => {
    expect((await thrown(() => scene([guard], 'It is secret-12345.').chat())).message).toContain('something of the type SECRET')
    const { gateway } = scene([guard], { chunks: ['The key you asked me for is the following one, here it comes: sec', 'ret-1', '2345', ' and that was it, to the last letter of it'] })
    const { text, error } = await read(gateway)
    expect([(error as GatewayError).code, text.includes('sec'), text.startsWith('The key')]).toEqual(['refused', false, true])
  })

  it('holds a key back from its first line on', () => {
    const lines = ['Here is some text that goes before the key, long enough. -----BEGIN', ' KEY-----\nabc', 'def ghi\n'.repeat(40), '-----END KEY-----', ' and after']
    const { text, refused } = passed(guard, lines)
    expect([refused, text.includes('-----BEGIN')]).toEqual([true, false])
    const open = passed(guard, ['-----BEGIN KEY-----\n', 'abc def\n'.repeat(4_000), 'x'])
    expect([open.refused, open.text.length]).toEqual([false, 20 + 32_000 + 1])
  })

  it('looks at requests where that is asked, and at the types that are', async () => {
    await scene([guard]).chat({ messages: 'secret-12345' })
    expect((await thrown(() => scene([secretLeak({ detector: MARKED, in: 'both' })]).chat({ messages: 'secret-12345' }))).code).toBe('refused')
    expect((await scene([secretLeak({ detector: MARKED, types: ['EMAIL'] })], 'secret-12345').chat()).text).toBe('secret-12345')
  })

  it('loses nothing of an answer, and decides the same however it is cut', () => {
    const word = fc.constantFrom('secret-1234', 'secret-', '12345', ' ', '\n', 'and', '-----BEGIN KEY-----', '-----END KEY-----', 'x'.repeat(40), '.')
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), fc.array(fc.nat(200), { maxLength: 10 }), (parts, cuts) => {
        const whole = parts.join('')
        const at = [...new Set([0, ...cuts.filter(cut => cut < whole.length), whole.length])].sort((a, b) => a - b)
        const { text, refused } = passed(guard, at.slice(1).map((end, i) => whole.slice(at[i], end)))
        expect(refused).toBe(MARKED.detect(whole).length > 0)
        const first = MARKED.detect(whole)[0]
        if (first === undefined) expect(text).toBe(whole)
        else expect(first.start).toBeGreaterThanOrEqual(text.length)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each<[string, Detector]>([
    ['throws', { maxLength: 1, detect: () => { throw new TypeError('private words') } }],
    ['gives no list', { maxLength: 1, detect: () => ({}) as never }],
    ['gives a promise', { maxLength: 1, detect: () => Promise.resolve([]) as never }],
  ])('with a detector that %s refuses the call, in chats and streams', async (_what, detector) => {
    const { told, onReport } = reports()
    const closed = scene([secretLeak({ detector, onReport })], { chunks: ['a long answer in some pieces, and ', 'another piece of it'] })
    const error = await thrown(() => closed.chat())
    expect([error.code, error.message.includes('private')]).toEqual(['refused', false])
    expect(((await read(closed.gateway)).error as GatewayError).code).toBe('refused')
    const open = scene([secretLeak({ detector, failOpen: true, onReport })], { chunks: ['a long answer in some pieces, and ', 'another piece of it'] })
    expect((await read(open.gateway)).text).toBe('a long answer in some pieces, and another piece of it')
    expect(told.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'skipped'])
  })

  it.each([[{}, /needs a detector/], [{ detector: {} }, /needs a detector/], [{ detector: MARKED, types: [] }, /types must be/]])('%# bad options', async (options, says) => {
    expect((await thrown(() => secretLeak(options as never))).message).toMatch(says)
  })
})

describe('guards together', () => {
  it('look at requests from first to last and at answers from last to first', async () => {
    const order: string[] = []
    const noting = (name: string): Plugin => secretLeak({ name, in: 'both', detector: { maxLength: 1, detect: () => (order.push(name), []) } })
    await scene([noting('a'), noting('b')], 'x').chat()
    expect(order.slice(0, 2)).toEqual(['a', 'b'])
    expect(order[2]).toBe('b')
  })

  it('are told of by a report that may itself fail', async () => {
    const { chat } = scene([blockList({ words: ['Hi'], onReport: () => { throw new Error('no') } })])
    expect((await thrown(() => chat())).code).toBe('refused')
  })

  it('hold a structured answer back before it is judged', async () => {
    const { chat, deployment } = scene([blockList({ words: ['bluebird'] })], ['{"a":"bluebird"}'])
    expect((await thrown(() => chat({ output: { type: 'object' } }))).code).toBe('refused')
    expect(deployment.calls).toHaveLength(1)
  })

  it('look at calls of tools side by side, in their order', () => {
    const { event, flush } = opened(blockList({ words: ['bluebird'] }))
    const given = [
      ...event({ type: 'tool-call-start', index: 0, id: 'a', name: 'one' }),
      ...event({ type: 'tool-call-start', index: 1, id: 'b', name: 'two' }),
      ...event({ type: 'tool-call-delta', index: 0, arguments: '{"x":"blue' }),
      ...event({ type: 'tool-call-delta', index: 1, arguments: '{}' }),
      ...event({ type: 'tool-call-delta', index: 0, arguments: ' sky"}' }),
      ...event({ type: 'tool-call', index: 0, id: 'a', name: 'one', input: { x: 'blue sky' }, arguments: '{"x":"blue sky"}' }),
      ...event({ type: 'tool-call', index: 1, id: 'b', name: 'two', input: {}, arguments: '{}' }),
      ...flush('finish'),
    ]
    const args = (index: number) => given.map(one => (one.type === 'tool-call-delta' && one.index === index ? one.arguments : '')).join('')
    expect([args(0), args(1), given.at(-1)?.type]).toEqual(['{"x":"blue sky"}', '{}', 'tool-call'])
  })
})
