import { describe, expect, it } from 'vitest'
import { startProvider } from '../../scripts/loopback/index.js'
import { anthropic, Gateway, openai, type CallOptions, type GatewayOptions } from '../../src/index.js'
import { thrown } from './support.js'

/** A dialect without a seed, on a server of its own. */
async function scene(options: Partial<GatewayOptions> = {}) {
  const provider = await startProvider({ dialect: 'anthropic', words: 'Hi', paceMs: 0 })
  const gateway = new Gateway({ routes: { smart: anthropic('claude-opus-5', { baseUrl: provider.baseUrl, apiKey: 'k' }) }, ...options })
  const chat = (call: CallOptions = {}) => gateway.chat({ model: 'smart', messages: 'Hi', seed: 7 } as never, call)
  return { provider, gateway, chat, close: async () => { await gateway.close(); await provider.stop() } }
}

describe('what a deployment cannot take', () => {
  it('is left out with a warning where nobody is strict', async () => {
    const at = await scene()
    expect((await at.chat()).warnings.map(({ code, parameter }) => [code, parameter])).toEqual([['unsupported', 'seed']])
    await at.close()
  })

  it.each([
    ['the call', {}, { strict: true }],
    ['the gateway', { strict: true }, {}],
  ] as const)('is an error before anything is sent where %s is strict, and says what', async (_, options, call) => {
    const at = await scene(options)
    const error = await thrown(() => at.chat(call))
    expect([error.code, error.origin]).toEqual(['invalid_request', 'caller'])
    expect(error.message).toMatch(/strict.*\(seed\)/)
    expect(at.provider.requests).toHaveLength(0)
    expect([at.gateway.health().calls, at.gateway.health().sockets]).toEqual([0, 0])
    await at.close()
  })

  it('the nearest word counts: a call that is not strict on a gateway that is', async () => {
    const at = await scene({ strict: true })
    expect((await at.chat({ strict: false })).warnings).toHaveLength(1)
    await at.close()
  })

  it('what only changes its form is no loss', async () => {
    const provider = await startProvider({ dialect: 'openai', words: 'Hi', paceMs: 0 })
    const gateway = new Gateway({ routes: { smart: openai('gpt-5.6', { baseUrl: provider.baseUrl, apiKey: 'k' }) }, strict: true })
    const answer = await gateway.chat({ model: 'smart', messages: 'Hi', tools: [{ name: 'f', inputSchema: { type: 'object', properties: { a: { type: 'string' } } }, strict: true }] })
    expect(answer.warnings.map(({ code }) => code)).toEqual(['changed'])
    await gateway.close()
    await provider.stop()
  })
})
