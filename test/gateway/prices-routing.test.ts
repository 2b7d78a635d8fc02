import { afterEach, describe, expect, it, vi } from 'vitest'
import { cheapest, Gateway, openai, type Price, type Usage } from '../../src/index.js'
import { scripted, virtualClock } from '../../src/testing/index.js'
import { ask } from './cache-scene.js'
import { fakeFetch } from './support.js'

afterEach(() => void vi.unstubAllEnvs())

/** 4,000 characters: about 1,000 tokens. */
const PROMPT = 'word'.repeat(1_000)
const member = (id: string, price: Price | undefined, usage: Usage = { inputTokens: 1_000, outputTokens: 400 }) => scripted({ id, ...(price && { price }), answers: { text: 'Hello', usage } })
function scene(...members: readonly ReturnType<typeof member>[]) {
  const gateway = new Gateway({ routes: { smart: cheapest(...members) }, clock: virtualClock() })
  return { gateway, chosen: async (more = {}) => (await gateway.chat(ask(PROMPT, more))).deployment }
}
/** Has `id` answer, so that it is measured. */
async function measured({ gateway, chosen }: ReturnType<typeof scene>, others: readonly string[]): Promise<void> {
  for (const other of others) await gateway.isolate(other)
  for (let call = 0; call < 3; call++) await chosen()
  for (const other of others) await gateway.restore(other)
}

describe('cheapest, through a gateway, goes by what this request is expected to cost', () => {
  it('and not by the sum of the rates, nor by the order they are given in', async () => {
    expect(await scene(member('dear', { input: 1, output: 10 }), member('cheap', { input: 5, output: 1 })).chosen()).toBe('dear')
    expect(await scene(member('dear', { input: 3, output: 10 }), member('cheap', { input: 5, output: 1 })).chosen()).toBe('cheap')
  })

  it('a short answer that was asked for changes the choice', async () => {
    const { chosen } = scene(member('writes cheaply', { input: 3, output: 1 }), member('reads cheaply', { input: 1, output: 10 }))
    expect([await chosen(), await chosen({ maxOutputTokens: 10 })]).toEqual(['writes cheaply', 'reads cheaply'])
  })

  it('how long its answers were is learned', async () => {
    const at = scene(member('wordy', { input: 1, output: 1 }, { inputTokens: 1_000, outputTokens: 3_000 }), member('terse', { input: 2, output: 2 }, { inputTokens: 1_000, outputTokens: 20 }))
    expect(await at.chosen()).toBe('wordy')
    await measured(at, ['wordy'])
    // 2 x (1,000 + 20) against 1,000 + 3,000.
    expect(await at.chosen()).toBe('terse')
  })

  it('the share of the prompt that was cached is learned', async () => {
    const at = scene(member('remembers', { input: 2, output: 1, cachedInput: 0.1 }, { inputTokens: 1_000, outputTokens: 400, cachedInputTokens: 900 }), member('forgets', { input: 1.5, output: 1 }))
    expect(await at.chosen()).toBe('forgets')
    await measured(at, ['forgets'])
    expect(await at.chosen()).toBe('remembers')
  })

  it('a price of 0 comes first, an unknown one last', async () => {
    const at = scene(member('unknown', undefined), member('paid', { input: 1, output: 1 }), member('free', { input: 0, output: 0 }))
    expect(await at.chosen()).toBe('free')
    await at.gateway.isolate('free')
    expect(await at.chosen()).toBe('paid')
    await at.gateway.isolate('paid')
    expect(await at.chosen()).toBe('unknown')
  })

  it('the table and the option "prices" count from the first call on', async () => {
    vi.stubEnv('OPENAI_API_KEY', 'a-key')
    const { fetch, sent } = fakeFetch()
    const target = cheapest(openai('gpt-4.1'), openai('gpt-4.1-nano'), openai('gpt-4.1-mini'))
    expect((await new Gateway({ routes: { smart: target }, fetch }).chat(ask())).deployment).toBe('openai/gpt-4.1-nano')
    expect((await new Gateway({ routes: { smart: target }, fetch, prices: { 'openai/gpt-4.1': { input: 0, output: 0 } } }).chat(ask())).deployment).toBe('openai/gpt-4.1')
    expect(sent.map(({ body }) => body['model'])).toEqual(['gpt-4.1-nano', 'gpt-4.1'])
  })
})
