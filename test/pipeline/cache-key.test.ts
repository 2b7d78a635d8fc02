import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CacheKeys, joinKey, type KeyParts } from '../../src/pipeline/cache-key.js'
import type { Call } from '../../src/pipeline/call.js'
import type { RouteTarget } from '../../src/protocol/ports.js'
import type { UpstreamRequest } from '../../src/protocol/request.js'
import { scripted } from '../../src/testing/index.js'

const target = scripted({ id: 'one', answers: ['x'] }) as RouteTarget
const REQUEST: UpstreamRequest = { messages: [{ role: 'user', content: 'Hi' }] }
const PARTS: KeyParts = { model: 'smart', target, request: REQUEST, scope: 'tenant' }
const plain = new CacheKeys(true)
const key = (over: Partial<KeyParts>, keys = plain) => keys.of({ ...PARTS, ...over })

/** Each field of a request with two values that ask for different answers. */
const FIELDS: { readonly [K in keyof Required<UpstreamRequest>]: readonly [UpstreamRequest[K], UpstreamRequest[K]] } = {
  messages: [[{ role: 'user', content: 'a' }], [{ role: 'user', content: 'b' }]],
  tools: [[{ name: 'f', inputSchema: { type: 'object' } }], [{ name: 'f', inputSchema: { type: 'object', required: ['x'] } }]],
  output: [{ name: 'output', jsonSchema: { type: 'object' } }, { name: 'output', jsonSchema: { type: 'string' } }],
  prefill: [true, false],
  strict: [true, false],
  embed: [{ dimensions: 256 }, { dimensions: 256, inputType: 'query' }],
  toolChoice: ['auto', { name: 'f' }],
  parallelToolCalls: [true, false],
  maxOutputTokens: [1, 2],
  temperature: [0, 0.1],
  topP: [0.5, 1],
  topK: [1, 2],
  stop: ['a', ['a']],
  seed: [1, 2],
  frequencyPenalty: [0, 1],
  presencePenalty: [0, 1],
  reasoning: [{ effort: 'low' }, { effort: 'low', budgetTokens: 5 }],
  logprobs: [true, 5],
  providerOptions: [{ dialect: { a: 1 } }, { dialect: { a: 2 } }],
}
const NAMES = Object.keys(FIELDS) as (keyof UpstreamRequest)[]
const anyRequest = fc.tuple(...NAMES.map(name => fc.integer({ min: name === 'messages' ? 0 : -1, max: 1 }).map(at => [name, at] as const)))
const built = (choices: readonly (readonly [keyof UpstreamRequest, number])[]): UpstreamRequest =>
  Object.fromEntries(choices.filter(([, at]) => at >= 0).map(([name, at]) => [name, FIELDS[name][at as 0 | 1]])) as unknown as UpstreamRequest

describe('everything that can change the answer is in the key', () => {
  test('every field of a request, present or not, whatever the other fields are', () => {
    fc.assert(
      fc.property(anyRequest, fc.nat(NAMES.length - 1), (choices, which) => {
        const changed = choices.map(([name, at], i) => [name, i === which ? (at + 1 > 1 ? (name === 'messages' ? 0 : -1) : at + 1) : at] as const)
        expect(key({ request: built(changed) })).not.toBe(key({ request: built(choices) }))
        expect(key({ request: built([...choices].reverse()) })).toBe(key({ request: built(choices) }))
      }),
    )
  })

  test('the parts of a message, down to signatures and bytes', () => {
    const contents: unknown[] = [
      'Hi',
      [{ type: 'text', text: 'Hi' }],
      [{ type: 'text', text: 'Hi', cacheControl: { ttl: '1h' } }],
      [{ type: 'text', text: 'Hi', providerData: { d: { signature: 'a' } } }],
      [{ type: 'image', image: new Uint8Array([1]), mediaType: 'image/png' }],
      [{ type: 'image', image: new Uint8Array([2]), mediaType: 'image/png' }],
      [{ type: 'image', image: new URL('https://x.test/1.png') }],
      [{ type: 'image', image: new URL('https://x.test/1.png'), detail: 'low' }],
    ]
    const keys = contents.map(content => key({ request: { messages: [{ role: 'user', content } as never] } }))
    expect(new Set(keys).size).toBe(contents.length)
  })

  test('the model that was asked for, the headers, and what the caller prefers', () => {
    const keys = [{}, { model: 'other' }, { headers: { 'x-a': '1' } }, { headers: { 'x-a': '2' } }, { prefer: { only: ['p'] } }, { prefer: { order: ['p'] } }].map(over => key(over))
    expect(new Set(keys).size).toBe(keys.length)
  })
})

describe('who shares answers', () => {
  const ann = { team: 't', project: 'p', user: 'ann' }
  const bob = { team: 't', project: 'p', user: 'bob' }
  const with_ = (principal: KeyParts['principal'], scope: KeyParts['scope'] = 'tenant') => key({ principal, scope })

  test('tenant: the team, whoever of it calls and whatever its tags', () => {
    expect(with_({ ...ann, tags: ['x'] })).toBe(with_({ ...bob, project: 'q' }))
    expect(with_(ann)).not.toBe(with_({ ...ann, team: 'u' }))
  })

  test('tenant without a team: the project, then the user; a team and a user of one name stay apart', () => {
    const names = [{ team: 'x' }, { project: 'x' }, { user: 'x' }, {}].map(principal => with_(principal))
    expect(new Set(names).size).toBe(4)
    expect(with_(undefined)).toBe(with_({}))
  })

  test('an empty name makes nobody a tenant', () => {
    expect(with_({ team: '', user: 'ann' })).not.toBe(with_({ team: '', user: 'bob' }))
  })

  test('user: one person in one project; global: everybody', () => {
    expect(with_(ann, 'user')).not.toBe(with_(bob, 'user'))
    expect(with_(ann, 'user')).not.toBe(with_({ ...ann, project: 'q' }, 'user'))
    expect(with_(ann, 'global')).toBe(with_(undefined, 'global'))
    expect(with_({ team: 'global' })).not.toBe(with_(undefined, 'global'))
  })
})

describe('keys for a store that others read', () => {
  const shared = new CacheKeys(false)

  test('hold nothing of the prompt, and are of one length', async () => {
    expect(await key({}, shared)).toMatch(/^[0-9a-f]{64}$/)
    expect(typeof key({}, shared)).toBe('string')
  })

  test('tell apart two applications that call different things by one name', async () => {
    const others = [scripted({ id: 'two', answers: ['x'] }), { ...(target as object), model: 'newer' }].map(other => key({ target: other as RouteTarget }, shared))
    expect(new Set([await key({}, shared), ...(await Promise.all(others))]).size).toBe(3)
  })

  test('a long request is hashed in memory too, at once after the first', async () => {
    const keys = new CacheKeys(true)
    const long = { request: { messages: [{ role: 'user', content: 'x'.repeat(100_000) }] } } as const
    expect(await key(long, keys)).toMatch(/^[0-9a-f]{64}$/)
    expect(typeof key(long, keys)).toBe('string')
    expect(key({}, keys)).toContain('"Hi"')
  })
})

test('calls that commit at different events, or that set tries of their own, share no flight', () => {
  const call = (kind: 'chat' | 'stream', options: object = {}) => ({ kind, options }) as Call
  const names = [joinKey(call('chat'), { recover: 'error' }, 'k'), joinKey(call('stream'), { recover: 'error' }, 'k'), joinKey(call('stream'), { recover: 'restart' }, 'k')]
  expect(new Set(names).size).toBe(3)
  expect(joinKey(call('chat', { retry: { attempts: 1 } }), { recover: 'error' }, 'k')).toBeUndefined()
  expect(joinKey(call('chat', { deadlines: { idleMs: 1 } }), { recover: 'error' }, 'k')).toBeUndefined()
  expect(joinKey(call('chat', { deadlines: { totalMs: 1 } }), { recover: 'error' }, 'k')).toBe(names[0])
})
