import { inspect } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { compatible, Gateway, openai, type CredentialSource, type GatewayOptions } from '../../src/index.js'
import { provider, until } from '../compositions/support.js'
import { fakeFetch, KEY, thrown } from './support.js'

afterEach(() => void vi.unstubAllEnvs())

const ASK = { model: 'smart', messages: 'Hi' } as const
const OTHER = 'sk-the-other-one-9876543210'
/** OpenAI's own host, over a `fetch` that keeps what was sent. */
function scene(options: Partial<GatewayOptions> = {}, deployment = openai('gpt-4.1', {})) {
  const { fetch, sent } = fakeFetch()
  const gateway = new Gateway({ routes: { smart: deployment }, fetch, ...options } as GatewayOptions)
  const used = (): (string | null)[] => sent.map(({ headers }) => headers.get('authorization'))
  return { gateway, sent, used, chat: () => gateway.chat(ASK as never) }
}

describe('credentials of a provider', () => {
  const forms: readonly (readonly [string, CredentialSource])[] = [
    ['a key', KEY],
    ['a key with blanks around it', ` ${KEY}\n`.trimEnd()],
    ['a pool', [KEY]],
    ['a function', () => KEY],
    ['a function that waits', () => Promise.resolve(KEY)],
    ['a variable of the environment', { env: 'MY_OWN_KEY' }],
  ]

  it.each(forms)('may be %s', async (_what, source) => {
    vi.stubEnv('OPENAI_API_KEY', OTHER)
    vi.stubEnv('MY_OWN_KEY', KEY)
    const at = scene({ credentials: { openai: source } })
    await at.chat()
    expect(at.used()).toEqual([`Bearer ${KEY}`])
    await at.gateway.close()
  })

  it('as a pool are lent in turn', async () => {
    const at = scene({ credentials: { openai: [KEY, OTHER] } })
    await Promise.all([at.chat(), at.chat()])
    expect(new Set(at.used())).toEqual(new Set([`Bearer ${KEY}`, `Bearer ${OTHER}`]))
    await at.gateway.close()
  })

  it('of the deployment win', async () => {
    const at = scene({ credentials: { openai: OTHER } }, openai('gpt-4.1', { apiKey: KEY }))
    await at.chat()
    at.gateway.setCredential('openai', 'a third one')
    await at.chat()
    expect(at.used()).toEqual([`Bearer ${KEY}`, `Bearer ${KEY}`])
    await at.gateway.close()
  })

  it('that come into the environment later are found by the next call', async () => {
    vi.stubEnv('MY_OWN_KEY', '')
    const at = scene({ credentials: { openai: { env: 'MY_OWN_KEY' } } })
    const error = await thrown(at.chat)
    expect([error.code, error.excluded]).toEqual(['no_candidates', [{ deployment: 'openai/gpt-4.1', reason: 'no_credential: set MY_OWN_KEY, which credentials name' }]])
    expect(at.gateway.health().deployments[0]?.state).toBe('no_credential')
    vi.stubEnv('MY_OWN_KEY', KEY)
    await at.chat()
    expect(at.used()).toEqual([`Bearer ${KEY}`])
    await at.gateway.close()
  })

  it('that are replaced by some that cannot be had are not sent on', async () => {
    const at = scene({ credentials: { openai: KEY } })
    await at.chat()
    vi.stubEnv('NOT_YET', '')
    at.gateway.setCredential('openai', { env: 'NOT_YET' })
    expect((await thrown(at.chat)).code).toBe('no_candidates')
    vi.stubEnv('NOT_YET', OTHER)
    await at.chat()
    expect(at.used()).toEqual([`Bearer ${KEY}`, `Bearer ${OTHER}`])
    await at.gateway.close()
  })

  it.each([
    [{ openai: '' }, /credentials\.openai must be a key/],
    [{ openai: `${KEY}\r\nx: y` }, /without line breaks/],
    [{ openai: [] }, /an empty list/],
    [{ openai: { env: '' } }, /\.env must be the name/],
    [{ openai: { evn: 'X' } }, /Did you mean "env"/],
    [{ openai: 5 }, /credentials\.openai must be a key/],
    [KEY, /credentials must be/],
  ])('%# that cannot be meant are refused at construction, unprinted', async (credentials, says) => {
    const error = await thrown(() => new Gateway({ routes: { smart: openai('gpt-4.1', {}) }, credentials } as never))
    expect([error.code, error.message]).toEqual(['invalid_config', expect.stringMatching(says)])
  })
})

describe('over real sockets', () => {
  it('a key of a provider is never sent to another host than its own', async () => {
    const home = await provider({ dialect: 'openai' })
    vi.stubEnv('OPENAI_API_KEY', OTHER)
    const gateway = new Gateway({ routes: { smart: openai('gpt-4.1', { baseUrl: home.baseUrl }), mine: compatible({ name: 'my-server', baseUrl: home.baseUrl }, 'gpt-4.1'), borrowed: compatible({ name: 'openai', baseUrl: home.baseUrl }, 'gpt-4.1'), own: openai('gpt-4.1', { baseUrl: home.baseUrl, apiKey: 'given for this host' }) }, credentials: { openai: KEY } } as GatewayOptions)
    expect((await thrown(() => gateway.chat(ASK as never))).code).toBe('no_candidates')
    await gateway.chat({ model: 'mine', messages: 'Hi' } as never).catch(() => undefined)
    await gateway.chat({ model: 'borrowed', messages: 'Hi' } as never).catch(() => undefined)
    gateway.setCredential('openai', OTHER)
    await thrown(() => gateway.chat(ASK as never))
    await gateway.chat({ model: 'own', messages: 'Hi' } as never)
    // Without a key of its own nothing was sent, or nothing with it; the one that was given for this host went there.
    const carried = home.requests.map(({ credential }) => credential?.reveal())
    expect(carried.filter(one => one !== undefined)).toEqual([expect.stringContaining('given for this host')])
    expect(inspect(home.requests.map(({ headers, body }) => [headers, body]), { depth: 9 })).not.toMatch(new RegExp(`${KEY}|${OTHER}`))
    await gateway.close()
  })
})

describe('setCredential', () => {
  it('holds for calls from here on; those under way keep what they have', async () => {
    const sent: (string | null)[] = []
    const answers: (() => void)[] = []
    const slow: typeof globalThis.fetch = (input, init) => {
      sent.push(new Request(input, init).headers.get('authorization'))
      return new Promise(resolve => void answers.push(() => resolve(Response.json({ id: 'x', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 1 } }))))
    }
    const at = scene({ credentials: { openai: KEY }, fetch: slow })
    const first = at.chat()
    await until(() => sent.length === 1)
    at.gateway.setCredential('openai', OTHER)
    const second = at.chat()
    await until(() => sent.length === 2)
    for (const answer of answers) answer()
    expect((await Promise.all([first, second])).map(({ text }) => text)).toEqual(['Hello', 'Hello'])
    expect(sent).toEqual([`Bearer ${KEY}`, `Bearer ${OTHER}`])
    expect(at.gateway.health().deployments[0]?.keys.inFlight).toBe(0)
    expect(inspect(at.gateway.health(), { depth: 9 })).not.toMatch(new RegExp(`${KEY}|${OTHER}`))
    await at.gateway.close()
  })

  it('refuses what cannot be meant, and keeps what there is', async () => {
    const at = scene({ credentials: { openai: KEY } })
    expect((await thrown(() => at.gateway.setCredential('openai', ''))).code).toBe('invalid_config')
    expect((await thrown(() => at.gateway.setCredential('', KEY))).code).toBe('invalid_config')
    await at.chat()
    expect(at.used()).toEqual([`Bearer ${KEY}`])
    await at.gateway.close()
  })
})
