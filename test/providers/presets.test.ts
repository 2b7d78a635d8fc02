import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Adapter, Deployment } from '../../src/protocol/ports.js'
import { QUIRKS, quirksNamed } from '../../src/providers/openai/quirk-rows.js'
import { SERVERS } from '../../src/providers/openai/quirk-presets.js'
import { compatible, presets } from '../../src/providers/presets.js'

function reach(deployment: Deployment) {
  if (!('adapter' in deployment.reach)) throw new Error('No adapter.')
  return deployment.reach
}

async function adapterOf(deployment: Deployment): Promise<Adapter> {
  const { adapter } = reach(deployment)
  return typeof adapter === 'function' ? adapter() : adapter
}

async function warnings(deployment: Deployment): Promise<readonly string[]> {
  const { baseUrl } = reach(deployment)
  const target = { provider: deployment.provider, model: deployment.model, baseUrl, capabilities: {} }
  const encoded = (await adapterOf(deployment)).encode({ messages: [{ role: 'user', content: 'Hi' }], logprobs: true }, target, 'json')
  return encoded.warnings.map(warning => warning.parameter ?? '')
}

function caught(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('Nothing was thrown.')
}

describe('presets', () => {
  it('have ids of their own', () => {
    expect(presets.length).toBeGreaterThan(150)
    expect(new Set(presets.map(preset => preset.id)).size).toBe(presets.length)
  })
  it.each(presets.map(preset => [preset.id, preset] as const))('%s has a legal address, a variable for its key and known quirks', (_, preset) => {
    const url = new URL(preset.baseUrl.replace('{base_url}', 'https://gateway.example').replace(/\{\w+\}/g, 'x'))
    expect(url.protocol).toBe(preset.keyless ? 'http:' : 'https:')
    expect(url.search + url.hash + url.username + url.password).toBe('')
    expect(url.pathname).not.toMatch(/chat\/completions|\/$./)
    if (preset.keyless) expect(['localhost', '127.0.0.1']).toContain(url.hostname)
    else expect(preset.env.length).toBeGreaterThan(0)
    for (const name of preset.env) expect(name).toMatch(/^[A-Z0-9_]+$/)
    expect(Object.isFrozen(preset)).toBe(true)
  })
  it('have quirks under their own ids, and a row named like a preset is the row of that preset', () => {
    const ids = Object.values(SERVERS).flatMap(each => each.split(' '))
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.filter(id => !presets.some(preset => preset.id === id))).toEqual([])
    expect(Object.keys(SERVERS).filter(row => !Object.hasOwn(QUIRKS, row))).toEqual([])
    for (const { id } of presets) if (Object.hasOwn(QUIRKS, id)) expect(quirksNamed(id)).toBe(QUIRKS[id as keyof typeof QUIRKS])
    expect(quirksNamed('ai21')).toBe(QUIRKS.plain)
  })
  it('say what no model of a server can do, which a deployment may know better', () => {
    expect(compatible('perplexity', 'sonar').capabilities).toEqual({ tools: false })
    expect(compatible('perplexity', 'next', { capabilities: { tools: true, images: true } }).capabilities).toEqual({ tools: true, images: true })
    expect(compatible('groq', 'm').capabilities).toEqual({})
    expect(caught(() => compatible('perplexity', 'm', { capabilities: 7 as never }))).toMatchObject({ code: 'invalid_config' })
  })
  const TABLE = '../shared/providers.tsv'
  it.skipIf(!existsSync(TABLE))('hold every row of the table they were made from', () => {
    const rows = readFileSync(TABLE, 'utf8').trim().split('\n').slice(1).map(line => line.split('\t'))
    const wanted = rows.filter(([id, , , , protocol = '']) => /^minimax/.test(id ?? '') || /openai.*chat/.test(protocol)).map(([id]) => id)
    expect(presets.map(preset => preset.id)).toEqual(wanted)
  })
})

describe('compatible()', () => {
  it('makes a deployment of a preset', () => {
    expect(compatible('groq', 'llama-4', { tags: ['fast'] })).toMatchObject({ id: 'groq/llama-4', provider: 'groq', model: 'llama-4', tags: ['fast'], reach: { baseUrl: 'https://api.groq.com/openai/v1', env: ['GROQ_API_KEY'], keyless: false } })
    expect(compatible('ollama', 'qwen3').reach).toMatchObject({ baseUrl: 'http://localhost:11434/v1', keyless: true })
    expect(compatible('vllm', 'qwen3').reach).toMatchObject({ keyless: true })
  })
  it('loads the adapter with the quirks of its row, not those of another', async () => {
    expect(await warnings(compatible('groq', 'a'))).toEqual(['logprobs'])
    expect(await warnings(compatible('moonshotai', 'a'))).toEqual([])
  })
  it('names the nearest preset for one it does not know', () => {
    expect(caught(() => compatible('grok' as 'groq', 'm'))).toMatchObject({ code: 'invalid_config', message: expect.stringContaining('"groq"') })
    expect(caught(() => compatible('zzzzzzzzzzzzzzzz' as 'groq', 'm'))).toMatchObject({ code: 'invalid_config', message: expect.stringContaining('baseUrl') })
    for (const key of ['__proto__', 'constructor', 'toString']) expect(caught(() => compatible(key as 'groq', 'm'))).toMatchObject({ code: 'invalid_config' })
    expect(caught(() => compatible(7 as never, 'm'))).toMatchObject({ code: 'invalid_config' })
  })
  it('fills the address from settings and says what is missing', () => {
    expect(compatible('cloudflare-ai-gateway', 'm', { settings: { account_id: 'abc', gateway: 'g1' } }).reach).toMatchObject({ baseUrl: 'https://gateway.ai.cloudflare.com/v1/abc/g1/compat', env: ['CLOUDFLARE_API_TOKEN'] })
    expect(compatible('neon', 'm', { settings: { base_url: 'https://x.example/' } }).reach).toMatchObject({ baseUrl: 'https://x.example/ai-gateway/mlflow/v1' })
    expect(caught(() => compatible('snowflake-cortex', 'm'))).toMatchObject({ code: 'invalid_config', message: expect.stringContaining('account') })
    expect(caught(() => compatible('neon', 'm'))).toMatchObject({ message: expect.stringContaining('base_url') })
    expect(caught(() => compatible('snowflake-cortex', 'm', { settings: { acount: 'x' } as never }))).toMatchObject({ message: expect.stringContaining('"account"') })
    expect(caught(() => compatible('groq', 'm', { settings: { account: 'x' } as never }))).toMatchObject({ code: 'invalid_config' })
  })
  it.each(['evil.example/x', 'a@evil.example', 'a:80', 'a?b', 'a#b', '..', '', 'a b', 7])('does not let the setting %j move the address', account => {
    expect(caught(() => compatible('snowflake-cortex', 'm', { settings: { account: account as string } }))).toMatchObject({ code: 'invalid_config' })
  })
  it('sends no key from the environment to another host', () => {
    expect(reach(compatible('groq', 'm', { baseUrl: 'https://other.example/v1' }))).not.toHaveProperty('env')
    const open = reach(compatible('snowflake-cortex', 'm', { baseUrl: 'https://other.example/v1' }))
    expect(open.baseUrl).toBe('https://other.example/v1')
    expect(open).not.toHaveProperty('env')
  })
  it('lets a server of the user behave like any preset', async () => {
    for (const { id } of presets) expect(compatible({ name: 'lab', baseUrl: 'https://lab.example', quirks: id }, 'm')).toMatchObject({ provider: 'lab', capabilities: {} })
    expect(await warnings(compatible({ name: 'lab', baseUrl: 'https://lab.example', quirks: 'anthropic-openai-compat' }, 'm'))).toEqual(['logprobs'])
    expect(caught(() => compatible({ name: 'lab', baseUrl: 'https://lab.example', quirks: 'grok' as 'groq' }, 'm'))).toMatchObject({ code: 'invalid_config', message: expect.stringContaining('"groq"') })
  })
  it('takes a server of the user, with a key or without', async () => {
    const plain = compatible({ name: 'lab', baseUrl: 'http://10.0.0.5:8000/v1/' }, 'qwen3')
    expect(plain).toMatchObject({ id: 'lab/qwen3', reach: { baseUrl: 'http://10.0.0.5:8000/v1', keyless: true } })
    expect(plain.reach).not.toHaveProperty('env')
    expect(reach(compatible({ name: 'lab', baseUrl: 'https://lab.example', keyless: false }, 'm', { apiKey: 'k' }))).toMatchObject({ keyless: false, keys: [expect.anything()] })
    expect(await warnings(compatible({ name: 'lab', baseUrl: 'https://lab.example', quirks: 'groq' }, 'm'))).toEqual(['logprobs'])
    const own = compatible({ name: 'lab', baseUrl: 'https://lab.example', quirks: { maxTokens: 'max_completion_tokens' } }, 'm')
    const target = { provider: 'lab', model: 'm', baseUrl: reach(own).baseUrl, capabilities: {} }
    expect((await adapterOf(own)).encode({ messages: [{ role: 'user', content: 'Hi' }], maxOutputTokens: 5 }, target, 'json').call.body).toContain('"max_completion_tokens":5')
  })
  it.each<[string, unknown]>([
    ['no name', { baseUrl: 'https://a.example' }], ['a name with a slash', { name: 'a/b', baseUrl: 'https://a.example' }], ['no address', { name: 'a' }],
    ['another scheme', { name: 'a', baseUrl: 'ftp://a.example' }], ['an unknown field', { name: 'a', baseUrl: 'https://a.example', url: 'x' }],
    ['unknown quirks', { name: 'a', baseUrl: 'https://a.example', quirks: 'grok' }], ['an unknown switch', { name: 'a', baseUrl: 'https://a.example', quirks: { maxToken: 'x' } }],
    ['a key where yes or no belongs', { name: 'a', baseUrl: 'https://a.example', keyless: 'no' }],
  ])('refuses a server with %s', (_, server) => {
    expect(caught(() => compatible(server as never, 'm'))).toMatchObject({ code: 'invalid_config' })
  })
})
