import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/protocol/errors.js'
import type { Adapter, Deployment } from '../../../src/protocol/ports.js'
import { openai } from '../../../src/providers/openai/index.js'
import { compatible } from '../../../src/providers/presets.js'

async function adapterOf({ reach }: Deployment): Promise<Adapter> {
  if (!('adapter' in reach)) throw new Error('No adapter.')
  return typeof reach.adapter === 'function' ? reach.adapter() : reach.adapter
}
function refused(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (GatewayError.is(error) && error.code === 'invalid_config') return error.message
    throw error
  }
  throw new Error('Nothing was thrown.')
}

describe('the dialect is spoken only where it was asked for', () => {
  it.each<[string, Deployment, string]>([
    ['openai', openai('gpt-5.6'), 'openai'],
    ['openai, responses', openai('gpt-5.6', { api: 'responses', organization: 'org' }), 'responses'],
    ['a preset', compatible('xai', 'grok-4.3'), 'openai'],
    ['a preset, responses', compatible('xai', 'grok-4.3', { api: 'responses' }), 'responses'],
    ['a server, responses', compatible({ name: 'lab', baseUrl: 'http://10.0.0.5/v1', api: 'responses' }, 'm'), 'responses'],
    ['a server with switches of its own', compatible({ name: 'lab', baseUrl: 'http://10.0.0.5/v1', api: 'responses', quirks: { strict: false } }, 'm'), 'responses'],
  ])('%s', async (_, deployment, dialect) => {
    const adapter = await adapterOf(deployment)
    expect(adapter.dialect).toBe(dialect)
    const target = { provider: deployment.provider, model: deployment.model, baseUrl: 'https://x.example/v1', capabilities: {} }
    const { call } = adapter.encode({ messages: [{ role: 'user', content: 'Hi' }] }, target, 'json')
    expect(call.url).toBe(`https://x.example/v1/${dialect === 'responses' ? 'responses' : 'chat/completions'}`)
  })

  it('a word that is no API is refused at once, not at the first call', () => {
    const wrong = 'completions' as 'chat'
    for (const run of [() => openai('m', { api: wrong }), () => compatible('xai', 'm', { api: wrong }), () => compatible({ name: 'lab', baseUrl: 'http://x', api: wrong }, 'm')]) expect(refused(run)).toMatch(/api must be/)
    expect(refused(() => compatible({ name: 'lab', baseUrl: 'http://x' }, 'm', { api: 'responses' } as object))).toMatch(/beside name and baseUrl/)
  })

  it('a model of xAI that reasons is asked for its reasoning', async () => {
    const adapter = await adapterOf(compatible('xai', 'grok-4.3', { api: 'responses' }))
    const encode = (model: string) => JSON.parse(String(adapter.encode({ messages: [{ role: 'user', content: 'Hi' }] }, { provider: 'xai', model, baseUrl: 'https://x.example', capabilities: {} }, 'json').call.body)) as object
    expect(encode('grok-4.3')).toMatchObject({ include: ['reasoning.encrypted_content'] })
    expect(encode('grok-4-1-fast-non-reasoning')).not.toHaveProperty('include')
  })
})
