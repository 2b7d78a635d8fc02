import { describe, expect, it, test } from 'vitest'
import { Secret } from '../../../src/protocol/secret.js'
import { Gateway } from '../../../src/index.js'
import type { Deployment, HttpCall } from '../../../src/protocol/ports.js'
import { machineTokens } from '../../../src/providers/vertex/auth.js'
import { claudeAdapter } from '../../../src/providers/vertex/claude.js'
import { expressAdapter, googleAdapter } from '../../../src/providers/vertex/google.js'
import { vertex, type VertexOptions } from '../../../src/providers/vertex/index.js'
import { adapterConformance } from '../../../src/testing/conformance/index.js'
import { framesFor } from '../anthropic/support.js'
import { ask, caller, faultOf, result, target, user, write } from '../gemini/support.js'

const PLACE = { project: 'my-project', location: 'global', auth: () => 'token' } as const
const baseUrlOf = ({ reach }: Deployment): string => ('baseUrl' in reach ? reach.baseUrl : '')
const at = (location: string, model = 'gemini-3-pro') => baseUrlOf(vertex(model, { ...PLACE, location }))

describe('the address', () => {
  it.each([
    ['global', 'https://aiplatform.googleapis.com/v1beta1/projects/my-project/locations/global'],
    ['eu', 'https://aiplatform.eu.rep.googleapis.com/v1beta1/projects/my-project/locations/eu'],
    ['us', 'https://aiplatform.us.rep.googleapis.com/v1beta1/projects/my-project/locations/us'],
    ['europe-west4', 'https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/my-project/locations/europe-west4'],
  ])('of %s', (location, url) => {
    expect(at(location)).toBe(url)
  })

  it.each([
    ['gemini-3-pro', '/publishers/google/models/gemini-3-pro'],
    ['a/b:c', '/publishers/google/models/a%2Fb%3Ac'],
    ['endpoints/123', '/endpoints/123'],
    ['publishers/google/models/x@1', '/publishers/google/models/x@1'],
    ['../../evil?x#y', '/publishers/google/models/..%2F..%2Fevil%3Fx%23y'],
  ])('of the model %s', (model, path) => {
    const to = target(model, { baseUrl: at('global') })
    expect(googleAdapter.encode(ask(), to, 'json').call.url).toBe(`${at('global')}${path}:generateContent`)
    expect(googleAdapter.encode(ask(), to, 'stream').call.url).toBe(`${at('global')}${path}:streamGenerateContent?alt=sse`)
  })

  it('of Claude', () => {
    const baseUrl = at('eu', 'claude-opus-4-5@20251101')
    expect(baseUrl).toBe('https://aiplatform.eu.rep.googleapis.com/v1/projects/my-project/locations/eu')
    const { call } = claudeAdapter.encode(ask({ maxOutputTokens: 5, providerOptions: { anthropic: { stream: false } } }), target('claude-opus-4-5@20251101', { baseUrl, headers: { 'anthropic-beta': 'x' } }), 'stream')
    expect(call.url).toBe(`${baseUrl}/publishers/anthropic/models/claude-opus-4-5@20251101:streamRawPredict`)
    expect(call.headers).toMatchObject({ 'anthropic-beta': 'x' })
    expect(JSON.parse(String(call.body))).toEqual({ anthropic_version: 'vertex-2023-10-16', max_tokens: 5, messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }], stream: true })
  })
})

describe('a deployment', () => {
  it('has the names that the price table has', () => {
    expect(vertex('gemini-3-pro', PLACE).provider).toBe('google-vertex')
    expect(vertex('claude-opus-5', PLACE).provider).toBe('google-vertex-anthropic')
    expect(vertex('claude-like', { ...PLACE, publisher: 'google' }).provider).toBe('google-vertex')
    expect(baseUrlOf(vertex('gemini-3-pro', { apiKey: 'k' }))).toBe('https://aiplatform.googleapis.com/v1beta1')
  })

  it.each<[string, unknown, RegExp]>([
    ['no options', undefined, /vertex\(model, \{ project/],
    ['no project', { location: 'global' }, /needs project/],
    ['no location', { project: 'p' }, /needs location/],
    ['a location that is a host', { project: 'p', location: 'evil.example/' }, /needs location/],
    ['a project that is a path', { project: 'a/b', location: 'global' }, /needs project/],
    ['a key and a token', { apiKey: 'k', auth: () => 't' }, /not both/],
    ['a key and a project', { apiKey: 'k', project: 'p' }, /express mode/],
    ['a publisher nobody knows', { ...PLACE, publisher: 'meta' }, /publisher/],
    ['auth that gives no token', { ...PLACE, auth: 'token' }, /auth must be/],
    ['an option nobody knows', { ...PLACE, projct: 'x' }, /projct/],
    ["the machine's credentials for another host", { baseUrl: 'https://proxy.example/v1' }, /not sent to another host/],
    ['a host that only looks like Google', { baseUrl: 'https://googleapis.com.evil.example/v1' }, /not sent to another host/],
  ])('with %s is refused with the fix', (_, options, message) => {
    const error = faultOf(() => vertex('gemini-3-pro', options as VertexOptions))
    expect(error.code).toBe('invalid_config')
    expect(error.message).toMatch(message)
  })

  it('of Claude takes no key of express mode', () => {
    expect(faultOf(() => vertex('claude-opus-5', { apiKey: 'k' })).message).toMatch(/express mode/)
  })
})

describe('ids of calls', () => {
  const idsOf = (model: string) => write({ messages: [user('a'), caller('c1'), result('c1')] }, target(model), 'json', googleAdapter).body.contents.slice(1).map(({ parts }) => parts[0]?.functionCall?.id ?? parts[0]?.functionResponse?.id)

  it('are left out where older models refuse them', () => {
    expect(idsOf('gemini-2.5-flash')).toEqual([undefined, undefined])
    expect(idsOf('gemini-3-flash')).toEqual(['c1', 'c1'])
  })
})

describe('tokens', () => {
  const call: HttpCall = { method: 'POST', url: 'https://x.example/', headers: {}, body: '{}' }
  class GoogleAuth {
    static made = 0
    constructor(readonly options: { scopes: readonly string[] }) {
      GoogleAuth.made++
    }
    getAccessToken() {
      return Promise.resolve(this.options.scopes.length === 1 ? 'machine-token' : null)
    }
  }

  it('go into the header that each way in has', async () => {
    expect((await googleAdapter.authorize(call, new Secret('t'))).headers).toEqual({ authorization: 'Bearer t' })
    expect((await claudeAdapter.authorize(call, new Secret('t'))).headers).toEqual({ authorization: 'Bearer t' })
    expect((await expressAdapter.authorize(call, new Secret('k'))).headers).toEqual({ 'x-goog-api-key': 'k' })
  })

  it('come from a function, a client or its wrapped answer, asked at each try', async () => {
    const tokens = async (auth: VertexOptions['auth']) => {
      const { reach } = vertex('gemini-3-pro', { ...PLACE, ...(auth !== undefined && { auth }) })
      return 'keys' in reach && typeof reach.keys === 'function' ? await reach.keys() : undefined
    }
    expect(await tokens(() => 'a')).toBe('a')
    expect(await tokens({ getAccessToken: () => Promise.resolve('b') })).toBe('b')
    expect(await tokens({ getAccessToken: () => Promise.resolve({ token: 'c' }) })).toBe('c')
    await expect(tokens({ getAccessToken: () => Promise.resolve({ token: null }) })).rejects.toMatchObject({ code: 'credential_rejected' })
    await expect(tokens({ getAccessToken: () => Promise.reject(new Error('secret inside')) })).rejects.not.toThrow(/secret/)
  })

  it('of the machine are asked of the library that is installed, which is made once', async () => {
    const ask = machineTokens(() => Promise.resolve({ GoogleAuth }))
    expect([await ask(), await ask(), GoogleAuth.made]).toEqual(['machine-token', 'machine-token', 1])
    await expect(machineTokens(() => Promise.resolve({}))()).rejects.toThrow(/version 9/)
  })

  it('are missing with a sentence that says what to install, which reaches the caller', async () => {
    await using gateway = new Gateway({ routes: { r: vertex('gemini-3-pro', { project: 'p', location: 'global' }) }, retry: { attempts: 1, maxAttempts: 1 }, fetch: () => Promise.reject(new Error('nothing may be sent')) })
    await expect(gateway.chat({ model: 'r', messages: 'a' })).rejects.toThrow(/npm install google-auth-library/)
  })
})

describe('an error in front of Claude', () => {
  it('is read in the words of whoever says it', () => {
    expect(claudeAdapter.fault(429, {}, { type: 'error', error: { type: 'rate_limit_error', message: 'm' } }, 0)).toMatchObject({ code: 'rate_limited', upstream: { type: 'rate_limit_error' } })
    expect(claudeAdapter.fault(403, {}, [{ error: { code: 403, status: 'PERMISSION_DENIED', message: 'm', details: [{ reason: 'IAM_PERMISSION_DENIED' }] } }], 0)).toMatchObject({ code: 'credential_rejected', upstream: { code: 'IAM_PERMISSION_DENIED' } })
    expect(claudeAdapter.fault(404, {}, '<html>', 0).code).toBe('model_not_found')
  })
})

describe('Claude keeps the rules of every adapter', () => {
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-opus-5', content: [{ type: 'text', text: 'Hello there.' }, { type: 'tool_use', id: 'toolu_1', name: 'look', input: { x: 'a' } }], stop_reason: 'tool_use', stop_sequence: null, usage: { input_tokens: 3, output_tokens: 4 } }
  const fixture = { name: 'a text and a call', request: ask({ maxOutputTokens: 9 }), target: target('claude-opus-5', { provider: 'google-vertex-anthropic' }), json: message, frames: framesFor(message), expect: { text: 'Hello there.', finishReason: 'tool-calls' } } as const
  for (const check of adapterConformance(claudeAdapter, [fixture])) test(check.name, () => check.run())
})
