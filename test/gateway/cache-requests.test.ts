import * as z from 'zod'
import { describe, expect, it } from 'vitest'
import { cheapest, fallback, Gateway, type CacheScope, type CallOptions, type Message, type Principal } from '../../src/index.js'
import { scripted } from '../../src/testing/index.js'
import { ask, scene, type Request } from './cache-scene.js'

const user = (content: Extract<Message, { role: 'user' }>['content']): Message[] => [{ role: 'user', content }]
const tool = { name: 'weather', inputSchema: { type: 'object', properties: { city: { type: 'string' } } } }
const image = (byte: number) => user([{ type: 'image', image: new Uint8Array([byte]), mediaType: 'image/png' }])
const seen = (over: object): Message[] => [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: [{ type: 'reasoning', text: 'Hm.', ...over }, { type: 'text', text: 'Yes?' }] }, { role: 'user', content: 'Well.' }]

type Row = readonly [what: string, request: Partial<Request>, options?: CallOptions]
/** Each asks for something else than all the others. */
const VARIATIONS: readonly Row[] = [
  ['another text', { messages: 'Hi!' }],
  ['another case', { messages: 'hi' }],
  ['a blank more', { messages: 'Hi ' }],
  ['the text in parts', { messages: user([{ type: 'text', text: 'Hi' }]) }],
  ['two parts', { messages: user([{ type: 'text', text: 'H' }, { type: 'text', text: 'i' }]) }],
  ['a name', { messages: [{ role: 'user', content: 'Hi', name: 'ann' }] }],
  ['an image', { messages: image(1) }],
  ['another image', { messages: image(2) }],
  ['a turn before it', { messages: [{ role: 'user', content: 'Oh' }, { role: 'assistant', content: 'Yes?' }, { role: 'user', content: 'Hi' }] }],
  ['a thought before it', { messages: seen({}) }],
  ['a thought with a signature', { messages: seen({ providerData: { anthropic: { signature: 's1' } } }) }],
  ['a thought with another signature', { messages: seen({ providerData: { anthropic: { signature: 's2' } } }) }],
  ['a start of the answer', { messages: [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: 'Oh' }] }],
  ['a system prompt', { system: 'Be brief.' }],
  ['another system prompt', { system: 'Be long.' }],
  ['a tool', { tools: [tool] }],
  ['a tool with a description', { tools: [{ ...tool, description: 'Looks.' }] }],
  ['a tool with another schema', { tools: [{ ...tool, inputSchema: { type: 'object' } }] }],
  ['a strict tool', { tools: [{ ...tool, strict: true }] }],
  ['a tool that must be called', { tools: [tool], toolChoice: 'required' }],
  ['this tool must be called', { tools: [tool], toolChoice: { name: 'weather' } }],
  ['one tool at a time', { tools: [tool], parallelToolCalls: false }],
  ['a temperature', { temperature: 0 }],
  ['another temperature', { temperature: 0.1 }],
  ['top p', { topP: 0.1 }],
  ['top k', { topK: 1 }],
  ['a seed', { seed: 1 }],
  ['another seed', { seed: 2 }],
  ['a stop', { stop: 'a' }],
  ['two stops', { stop: ['a', 'b'] }],
  ['a bound', { maxOutputTokens: 10 }],
  ['another bound', { maxOutputTokens: 11 }],
  ['a penalty', { frequencyPenalty: 1 }],
  ['the other penalty', { presencePenalty: 1 }],
  ['reasoning', { reasoning: { effort: 'low' } }],
  ['more reasoning', { reasoning: { effort: 'high' } }],
  ['logprobs', { logprobs: true }],
  ['more logprobs', { logprobs: 3 }],
  ['an option of a dialect', { providerOptions: { openai: { user: 'a' } } }],
  ['another value of it', { providerOptions: { openai: { user: 'b' } } }],
  ['a schema', { output: { type: 'object', properties: { a: { type: 'string' } } } }],
  ['another schema', { output: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } }],
  ['a header', {}, { headers: { 'x-a': '1' } }],
  ['another header', {}, { headers: { 'x-a': '2' } }],
  ['a preference', {}, { prefer: { order: ['p'] } }],
  ['another preference', {}, { prefer: { only: ['p'] } }],
]

describe('what can change the answer is another question', () => {
  it('each variation of a request is a miss, and asked again a hit', async () => {
    const { chat, asked } = scene({ answers: '{"a":"b"}', capabilities: { prefill: true } })
    const ways: Row[] = [['the plain request', {}], ...VARIATIONS]
    const first: unknown[] = []
    for (const [what, request, options] of ways) first.push([what, (await chat(ask('Hi', request), options)).cached])
    expect(first).toEqual(ways.map(([what]) => [what, false]))
    expect(asked()).toBe(ways.length)
    const second: unknown[] = []
    for (const [what, request, options] of ways) second.push([what, (await chat(ask('Hi', request), options)).cached])
    expect(second).toEqual(ways.map(([what]) => [what, 'hit']))
  })

  it('a route, and the defaults it sends along', async () => {
    const target = scripted('Hello')
    const gateway = new Gateway({ routes: { one: target, two: target, bounded: { use: target, maxOutputTokens: 5 } }, cache: { scope: 'global' } })
    for (const model of ['one', 'two', 'bounded'] as const) await gateway.chat({ model, messages: 'Hi' })
    expect(target.calls).toHaveLength(3)
  })
})

describe('what cannot change the answer is the same question', () => {
  it.each<[string, Partial<Request>, CallOptions]>([
    ['the order of the fields', {}, {}],
    ['metadata', {}, { metadata: { trace: 7 } }],
    ['a conversation', {}, { conversation: 'c-1' }],
    ['a deadline', {}, { deadlines: { totalMs: 5_000 } }],
    ['retries', {}, { retry: { attempts: 2 } }],
    ['a priority', {}, { priority: 3 }],
    ['tags', {}, { principal: { tags: ['x'] } }],
    ['a list of one message', { messages: user('Hi') }, {}],
    ['a list of no tools', { tools: [] }, {}],
  ])('%s', async (_, request, options) => {
    const { chat, asked } = scene()
    await chat({ model: 'smart', messages: 'Hi', maxOutputTokens: 5 })
    expect([(await chat({ ...request, maxOutputTokens: 5, messages: request.messages ?? 'Hi', model: 'smart' }, options)).cached, asked()]).toEqual(['hit', 1])
  })

  it('a schema of a library that is made anew for each call', async () => {
    const { chat } = scene({ answers: '{"a":"b"}' })
    const schema = () => z.object({ a: z.string() })
    await chat(ask('Hi', { output: schema() }))
    const again = await chat(ask('Hi', { output: schema() }))
    expect([again.cached, again.output]).toEqual(['hit', { a: 'b' }])
  })

  it('a prompt of a megabyte', async () => {
    const { chat, asked } = scene()
    const long = 'x'.repeat(1_000_000)
    for (const text of [`${long}a`, `${long}b`, `${long}a`, `${long}b`]) await chat(ask(text))
    expect(asked()).toBe(2)
  })

  it('whatever the strategy would choose this time', async () => {
    const [a, b] = [scripted({ id: 'a', answers: 'from a', price: { input: 1, output: 1 } }), scripted({ id: 'b', answers: 'from b', price: { input: 2, output: 2 } })]
    const gateway = new Gateway({ routes: { smart: cheapest(a, b), chain: fallback(b, a) }, cache: true })
    await gateway.chat(ask())
    await gateway.isolate('a')
    const again = await gateway.chat(ask())
    expect([again.cached, again.deployment, again.text]).toEqual(['hit', 'a', 'from a'])
  })
})

describe('who is given an answer', () => {
  const ann: Principal = { team: 't', project: 'p', user: 'ann' }
  const OTHERS: readonly (readonly [string, Principal | undefined])[] = [
    ['a colleague', { ...ann, user: 'bob' }],
    ['the team, in another project', { ...ann, project: 'q' }],
    ['another team', { ...ann, team: 'u' }],
    ['a project of the name of the team', { project: 't' }],
    ['a user of the name of the team', { user: 't' }],
    ['nobody', undefined],
  ]
  it.each<[CacheScope, readonly string[]]>([
    ['tenant', ['a colleague', 'the team, in another project']],
    ['user', []],
    ['global', OTHERS.map(([who]) => who)],
  ])('under the scope %s', async (scope, sharing) => {
    const given: string[] = []
    for (const [who, principal] of OTHERS) {
      const { chat } = scene({ cache: { scope } })
      await chat(ask(), { principal: ann })
      if ((await chat(ask(), principal === undefined ? {} : { principal })).cached === 'hit') given.push(who)
      expect((await chat(ask(), { principal: { ...ann } })).cached).toBe('hit')
    }
    expect(given).toEqual(sharing)
  })

  it('holds for joining as well', async () => {
    for (const scope of ['tenant', 'user', 'global'] as const) {
      const { gateway, asked, clock } = scene({ cache: { scope }, answers: { text: 'Hello', latencyMs: 10 } })
      const calls = [ann, { ...ann, user: 'bob' }, { ...ann, team: 'u' }].map(principal => gateway.as({ principal }).chat(ask()))
      await clock.runUntilIdle()
      await Promise.all(calls)
      expect([scope, asked()]).toEqual([scope, { tenant: 2, user: 3, global: 1 }[scope]])
    }
  })

  it('a route may share less than its gateway', async () => {
    const target = scripted('Hello')
    const gateway = new Gateway({ routes: { smart: { use: target, cache: { scope: 'user' } } }, cache: { scope: 'global' } })
    for (const name of ['ann', 'bob']) await gateway.as({ principal: { user: name } }).chat(ask())
    expect(target.calls).toHaveLength(2)
  })
})
