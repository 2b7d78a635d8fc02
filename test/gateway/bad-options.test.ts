import { afterEach, describe, expect, it, vi } from 'vitest'
import { anthropic, compatible, fallback, Gateway, openai, type Deployment, type Group } from '../../src/index.js'
import { scripted } from '../../src/testing/index.js'
import { fakeFetch, KEY, thrown } from './support.js'

afterEach(() => void vi.unstubAllEnvs())

const one = scripted('Hello')
const make = (options: unknown) => new Gateway(options as never)
const group = (targets: readonly unknown[]): Group => ({ kind: 'group', strategy: 'mine', targets, order: (given: unknown) => given }) as unknown as Group
const circle = (): Group => {
  const targets: unknown[] = [one]
  const outer = group(targets)
  targets.push(group([outer]))
  return outer
}

type Row = readonly [what: string, work: () => unknown, says: RegExp]

const GATEWAY: readonly Row[] = [
  ['no options at all', () => make(undefined), /options/],
  ['an option nobody knows, naming the nearest', () => make({ route: { smart: one } }), /options has no option "route".*Did you mean "routes"/],
  ['an option that is near nothing', () => make({ routes: { smart: one }, zzzzzzzz: 1 }), /Known: agent, audit, breaker, budgets, cache/],
  ['an unknown retry option', () => make({ routes: { smart: one }, retry: { maxAttempt: 2 } }), /options\.retry has no option "maxAttempt".*"maxAttempts"/],
  ['a deadline without its unit', () => make({ routes: { smart: one }, deadlines: { idle: 2 } }), /options\.deadlines has no option "idle".*"idleMs"/],
  ['a number written as a text', () => make({ routes: { smart: one }, retry: { attempts: '3' } }), /options\.retry\.attempts/],
  ['no tries at all', () => make({ routes: { smart: one }, retry: { attempts: 0 } }), /options\.retry\.attempts/],
  ['a negative deadline', () => make({ routes: { smart: one }, deadlines: { totalMs: -1 } }), /options\.deadlines\.totalMs/],
  ['a deadline that is not a number', () => make({ routes: { smart: one }, deadlines: { totalMs: NaN } }), /options\.deadlines\.totalMs/],
  ['a wire that does not exist', () => make({ routes: { smart: one }, chatWire: 'sse' }), /options\.chatWire/],
  ['a way to recover that does not exist', () => make({ routes: { smart: one }, recover: 'resume' }), /options\.recover/],
  ['plugins that are no list', () => make({ routes: { smart: one }, plugins: { name: 'x' } }), /options\.plugins/],
  ['a plugin without a name', () => make({ routes: { smart: one }, plugins: [{}] }), /plugin: \{ name/],
  ['a fetch that is no function', () => make({ routes: { smart: one }, fetch: KEY }), /options\.fetch: must be a function/],
  ['half a clock', () => make({ routes: { smart: one }, clock: { now: () => 1 } }), /now\(\), after/],
  ['a log target that is none', () => make({ routes: { smart: one }, log: 5 }), /log is not a log target/],
  ['no route and no provider', () => make({}), /at least one route or provider/],
  ['routes without one', () => make({ routes: {} }), /at least one route or provider/],
  ['a provider that is no factory', () => make({ providers: { mine: one } }), /providers\.mine must be a factory/],
]

const ROUTES: readonly Row[] = [
  ['an unknown option of a route', () => make({ routes: { smart: { use: one, retrys: {} } } }), /routes\["smart"\] has no option "retrys".*"retry"/],
  ['a route that is nothing', () => make({ routes: { smart: 5 } }), /routes\["smart"\] must be a deployment/],
  ['a route with settings alone', () => make({ routes: { smart: { recover: 'error' } } }), /must be a deployment, a group/],
  ['a route without a deployment', () => make({ routes: { smart: group([]) } }), /has no deployment/],
  ['a fallback over nothing', () => fallback(), /at least one deployment/],
  ['a group that holds itself', () => make({ routes: { smart: circle() } }), /is cyclic: a group holds itself/],
  ['a group that holds something else', () => make({ routes: { smart: group([one, 'backup']) } }), /holds something that is no deployment/],
  ['a group with a hole in it', () => make({ routes: { smart: group([undefined]) } }), /holds something that is no deployment/],
  ['aliases in a circle', () => make({ routes: { a: 'b', b: 'c', c: 'a' } }), /is cyclic: a -> b -> c -> a/],
  ['an alias of itself', () => make({ routes: { a: 'a' } }), /is cyclic: a -> a/],
  ['an alias of nothing, naming the nearest', () => make({ routes: { smart: one, fast: 'smrt' } }), /alias of "smrt".*Did you mean "smart"/],
  ['an alias of a wildcard, which has no model yet', () => make({ routes: { 'any/*': () => one, fast: 'any/*' } }), /"fast" is an alias of the wildcard route "any\/\*"/],
  ['a wildcard that is an alias', () => make({ routes: { smart: one, 'x/*': 'smart' } }), /wildcard route cannot be an alias/],
  ['an alias with settings', () => make({ routes: { smart: one, fast: { use: 'smart' } } }), /write the name alone/],
  ['two stars', () => make({ routes: { '*/*': () => one } }), /at most one "\*"/],
  ['a route without a name', () => make({ routes: { '': one } }), /must hold some text/],
  ['a factory that was not called', () => make({ routes: { smart: openai } }), /is a factory. Call it with a model/],
  ['a step that is no target', () => fallback(one, 5 as never), /argument 2 is not a deployment/],
  ['a step after an unknown code', () => fallback(one, { use: one, only: ['contextlength' as never] }), /"contextlength" is not an error code.*"context_length"/],
  ['a step after nothing', () => fallback({ use: one, only: [] }), /"only" of argument 1 must be a list/],
  ['a step with an unknown condition', () => fallback({ use: one, onlyy: [] } as never), /has no option "onlyy"/],
]

const DEPLOYMENTS: readonly Row[] = [
  ['an unknown option', () => openai('m', { apikey: KEY } as never), /has no option "apikey". Did you mean "apiKey"/],
  ['no model', () => openai('' as never), /takes the model first/],
  ['options where the model should be', () => anthropic({ apiKey: KEY } as never), /takes the model first/],
  ['options that are none', () => openai('m', KEY as never), /options must be an object/],
  ['an empty key', () => openai('m', { apiKey: ' ' }), /likely a missing environment variable/],
  ['an empty pool', () => openai('m', { apiKey: [] }), /apiKey is an empty list/],
  ['a hole in a pool', () => openai('m', { apiKey: [KEY, ''] }), /apiKey must be a text, a list of texts/],
  ['a key with a line break', () => openai('m', { apiKey: `${KEY}\nX-Evil: 1` }), /apiKey holds a line break/],
  ['a header with a line break', () => openai('m', { headers: { 'x-team': `a\r\nauthorization: ${KEY}` } }), /headers\["x-team"\] must be one line/],
  ['a header with a name that is none', () => openai('m', { headers: { [`x y${KEY}`]: '1' } }), /a name that is not a header name/],
  ['a key smuggled in as a header', () => openai('m', { headers: { Authorization: `Bearer ${KEY}` } }), /Give keys as apiKey/],
  ['a key in the base URL', () => openai('m', { baseUrl: `https://me:${KEY}@example.com/v1` }), /must not hold a user name or password/],
  ['a scheme that is none of the web', () => openai('m', { baseUrl: `ftp://example.com/${KEY}` }), /must start with https:\/\/ or http:\/\/, not ftp:/],
  ['half a base URL', () => openai('m', { baseUrl: `api.example.com/${KEY}` }), /is not a URL/],
  ['a base URL with a fragment', () => openai('m', { baseUrl: 'https://example.com/v1#x' }), /fragment/],
  ['half a price', () => openai('m', { price: { input: 1 } as never }), /price\.output must be a number/],
  ['a price below nothing', () => openai('m', { price: { input: -1, output: 1 } }), /price\.input must be a number/],
  ['an unknown price', () => openai('m', { price: { input: 1, output: 1, cached: 1 } as never }), /price has no option "cached"/],
  ['an unknown capability', () => openai('m', { capabilities: { tool: true } as never }), /capabilities has no option "tool".*"tools"/],
  ['a capability of the wrong type', () => openai('m', { capabilities: { contextWindow: '8k' } as never }), /capabilities\.contextWindow must be a whole number/],
  ['no slot at all', () => openai('m', { limits: { concurrency: 0 } }), /limits\.concurrency must be a whole number above 0/],
  ['an unknown limit', () => openai('m', { limits: { concurrent: 1 } as never }), /limits has no option "concurrent"/],
  ['tags that are no texts', () => openai('m', { tags: [1] as never }), /tags must be a list of texts/],
  ['a server nobody knows, naming the nearest', () => compatible('groqq' as never, 'm'), /no server "groqq".*"groq"/],
]

describe.each([
  ['the gateway', GATEWAY],
  ['routes', ROUTES],
  ['deployments', DEPLOYMENTS],
])('a mistake in the options of %s is refused where it was made', (_where, rows) => {
  it.each(rows)('%s', async (_what, work, says) => {
    const error = await thrown(work)
    expect(error).toMatchObject({ code: 'invalid_config', origin: 'caller' })
    expect(error.message).toMatch(says)
  })
})

describe('credentials', () => {
  const ask = (deployment: Deployment, fetch: typeof globalThis.fetch) => new Gateway({ routes: { smart: deployment }, fetch }).chat({ model: 'smart', messages: 'Hi' })

  it('a missing key is told by the name of its variable, and keeps nobody from building', async () => {
    vi.stubEnv('OPENAI_API_KEY', '')
    vi.stubEnv('ANTHROPIC_API_KEY', ' ')
    const { fetch, sent } = fakeFetch()
    const gateway = new Gateway({ routes: { smart: fallback(openai('m-1'), anthropic('m-2')) }, fetch })
    const error = await thrown(() => gateway.chat({ model: 'smart', messages: 'Hi' }))
    expect(error.code).toBe('no_candidates')
    expect(error.excluded?.map(({ deployment }) => deployment)).toEqual(['openai/m-1', 'anthropic/m-2'])
    expect(error.excluded?.[0]?.reason).toContain('OPENAI_API_KEY')
    expect(error.excluded?.[1]?.reason).toContain('ANTHROPIC_API_KEY')
    expect(error.message).toContain('OPENAI_API_KEY')
    expect(gateway.health().deployments.map(({ state }) => state)).toEqual(['no_credential', 'no_credential'])
    expect(sent).toEqual([])
  })

  it('a key of the environment goes to its own host', async () => {
    vi.stubEnv('OPENAI_API_KEY', KEY)
    const { fetch, sent } = fakeFetch()
    await ask(openai('m-1'), fetch)
    expect([new URL(sent[0]?.url ?? '').host, sent[0]?.headers.get('authorization')]).toEqual(['api.openai.com', `Bearer ${KEY}`])
  })

  it.each(['https://evil.example/v1', 'http://api.openai.com/v1', 'https://api.openai.com:8443/v1', 'https://api.openai.com.evil.example/v1'])('a key of the environment never goes to %s', async baseUrl => {
    vi.stubEnv('OPENAI_API_KEY', KEY)
    const { fetch, sent } = fakeFetch()
    const error = await thrown(() => ask(openai('m-1', { baseUrl }), fetch))
    expect([error.code, error.excluded?.[0]?.reason]).toEqual(['no_candidates', expect.stringContaining('give apiKey')])
    expect(sent).toEqual([])
    await ask(openai('m-1', { baseUrl, apiKey: 'given-for-this-one' }), fetch)
    expect(sent.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer given-for-this-one'])
  })

  it('a key that comes into the environment later is found', async () => {
    vi.stubEnv('OPENAI_API_KEY', '')
    const { fetch } = fakeFetch()
    const gateway = new Gateway({ routes: { smart: openai('m-1') }, fetch })
    await thrown(() => gateway.chat({ model: 'smart', messages: 'Hi' }))
    vi.stubEnv('OPENAI_API_KEY', KEY)
    expect((await gateway.chat({ model: 'smart', messages: 'Hi' })).text).toBe('Hello')
  })
})
