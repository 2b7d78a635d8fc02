import { describe, expect, it } from 'vitest'
import { fallback, type Deployment, type EmbedRequest, type EmbedResult } from '../../src/index.js'
import { scripted, type ScriptedOptions } from '../../src/testing/index.js'
import { money, usd, type MoneyOptions, type MoneyScene } from './money-scene.js'
import { KEY, thrown } from './support.js'

/** 1,000 nano-dollars an input token; a text of four characters is a token. */
const PRICE = { input: 1, output: 2 }
/** What a text of four bytes can use at most: itself, 64 around it, and 256 around the request. */
const BOUND = 324_000
const deployment = (more: Partial<ScriptedOptions> = {}) => scripted({ id: 'd', provider: 'p', model: 'vec', price: PRICE, answers: '', embed: {}, ...more })

function scene(d = deployment(), options: MoneyOptions = {}, target: Deployment = d) {
  const at: MoneyScene = money(target, [d], options)
  const embed = (input: EmbedRequest['input'] = 'abcd', more: Partial<EmbedRequest> = {}, callOptions = {}): Promise<EmbedResult> => at.idle(at.gateway.embed({ model: 'smart', input, ...more } as never, callOptions))
  return { ...at, d, embed }
}

describe('a budget', () => {
  it('is held at the bound without anybody naming maxOutputTokens, and charged with what was used', async () => {
    const at = scene(deployment(), { budgets: [{ name: 'b', usd: usd(BOUND), window: 'day' }] })
    const { cost } = await at.embed()
    expect([cost.nanos, cost.estimated, await at.charged(), at.recorded()]).toEqual([1_000, false, 1_000, 1_000])
    await at.nothingLeft()
  })

  it('without room refuses before anybody is asked', async () => {
    const at = scene(deployment(), { budgets: [{ name: 'b', usd: usd(BOUND - 1), window: 'day' }] })
    expect((await thrown(() => at.embed())).code).toBe('budget_exceeded')
    expect(at.d.calls).toHaveLength(0)
    expect(at.records).toMatchObject([{ kind: 'embed', policy: { decision: 'refused', by: 'b' } }])
    await at.nothingLeft()
  })

  it('pays for all batches of a call, and for those before the one that failed', async () => {
    const d = deployment({ embed: { maxInputs: 1 }, answers: (_, { messages }) => (messages[0]?.content === 'evil' ? { fail: { status: 400 }, latencyMs: 5 } : { latencyMs: 1 }) })
    const at = scene(d, { budgets: [{ name: 'b', usd: 1, window: 'day' }] })
    await at.embed(Array.from({ length: 10 }, () => 'abcd'))
    expect(await at.charged()).toBe(10_000)
    const error = await thrown(() => at.embed(['abcd', 'abcd', 'evil', ...Array.from({ length: 50 }, () => 'abcd')]))
    expect(error.message).toMatch(/^Batch 3 of 53 \(inputs 2 to 2\) failed/)
    expect(error.attempts?.length).toBeLessThan(30)
    expect(await at.charged()).toBe(at.recorded())
    expect(at.recorded()).toBeGreaterThan(10_000)
    await at.nothingLeft()
  })

  it('that sends calls to a cheaper route refuses where that is another model, for its vectors do not compare', async () => {
    const [dear, cheap] = [deployment(), deployment({ id: 'cheap', model: 'other', price: { input: 0.001, output: 0 } })]
    const options = { budgets: [{ name: 'b', usd: usd(BOUND - 1), window: 'day', downgrade: { to: 'cheap' } }] } as const
    const at = money({ smart: dear, cheap }, [dear, cheap], options)
    expect((await thrown(() => at.idle(at.gateway.embed({ model: 'smart', input: 'abcd' })))).code).toBe('budget_exceeded')
    const same = deployment({ id: 'cheap', price: { input: 0.001, output: 0 } })
    const fit = money({ smart: dear, cheap: same }, [dear, same], options)
    const { downgraded, deployment: by } = await fit.idle(fit.gateway.embed({ model: 'smart', input: 'abcd' }))
    expect([downgraded?.to, by]).toEqual(['cheap', 'cheap'])
    await at.nothingLeft()
    await fit.nothingLeft()
  })
})

describe('limits', () => {
  it('count a call of many batches as one request, and its tokens together', async () => {
    const at = scene(deployment({ embed: { maxInputs: 1 } }), { limits: [{ name: 'l', of: {}, requestsPerMinute: 1, inputTokensPerMinute: 100_000, concurrency: 1 }] })
    await at.soon(at.gateway.embed({ model: 'smart', input: ['abcd', 'efgh', 'ijkl'] }))
    expect(await at.store.standings()).toMatchObject({ 'limit:l:requests:60000': { charged: 1, held: 0 }, 'limit:l:inputTokens:60000': { charged: 3, held: 0 }, 'limit:l:concurrency:': { charged: 0, held: 0 } })
    expect((await thrown(() => at.soon(at.gateway.embed({ model: 'smart', input: 'abcd' })))).code).toBe('limit_exceeded')
    await at.nothingLeft()
  })

  it('of a deployment hold each batch back, and all of them come through', async () => {
    const d = deployment({ embed: { maxInputs: 1 }, limits: { concurrency: 2 }, answers: { latencyMs: 100 } })
    const at = scene(d)
    const { embeddings, timings } = await at.embed(['a', 'bb', 'ccc', 'dddd', 'eeeee'])
    expect(embeddings.map(([length]) => length)).toEqual([1, 2, 3, 4, 5])
    expect(timings.totalMs).toBeGreaterThanOrEqual(300)
    await at.nothingLeft()
  })
})

describe('a virtual key', () => {
  it('opens its models, and is not in the record', async () => {
    const at = scene()
    const { secret: key } = await at.idle(at.gateway.keys.create({ team: 'search', models: ['cheap'] }))
    expect((await thrown(() => at.embed('abcd', {}, { key }))).code).toBe('permission_denied')
    const { secret: good } = await at.idle(at.gateway.keys.create({ team: 'search', models: ['smart'] }))
    await at.embed('abcd', {}, { key: good })
    expect(at.records.at(-1)).toMatchObject({ outcome: 'success', principal: { team: 'search' } })
    expect(JSON.stringify(at.records)).not.toContain(good)
    await at.nothingLeft()
  })
})

describe('a route for embeddings', () => {
  it('opens the circuit of a deployment that fails, and asks the other one', async () => {
    const down = deployment({ id: 'down', answers: { fail: { status: 503 } } })
    const up = deployment({ id: 'up' })
    const at = money(fallback(down, up), [down, up], { retry: { attempts: 1 }, breaker: { failures: 2 } })
    for (let i = 0; i < 12; i++) await at.idle(at.gateway.embed({ model: 'smart', input: 'abcd' }))
    expect(down.calls.length).toBeLessThan(12)
    expect(up.calls).toHaveLength(12)
    await at.nothingLeft()
  })

  it('takes a context window for that of one text, not of all', async () => {
    const at = scene(deployment({ capabilities: { contextWindow: 100 } }))
    expect((await at.embed(Array.from({ length: 50 }, () => 'x'.repeat(300)))).embeddings).toHaveLength(50)
    expect((await thrown(() => at.embed('x'.repeat(1_000)))).code).toBe('no_candidates')
    await at.nothingLeft()
  })
})

describe('a request that nobody would take', () => {
  const bad: readonly (readonly [string, object, string])[] = [
    ['an unknown field', { inputs: 'a' }, 'input'],
    ['a field of the wire', { input: 'a', input_type: 'query' }, 'inputType'],
    ['no input', {}, '"input" must be a text'],
    ['an empty text', { input: '' }, '"input" is empty'],
    ['an empty list', { input: [] }, '"input" is empty'],
    ['an empty text in a list', { input: ['a', ''] }, 'input[1] is empty'],
    ['something else in a list', { input: ['a', 5] }, 'input[1] must be a text'],
    ['too many texts', { input: Array.from({ length: 10_001 }, () => 'a') }, 'at most 10000'],
    ['too much text', { input: 'x'.repeat(32 * 1024 * 1024 + 1) }, 'at most 33554432'],
    ['no whole number of dimensions', { input: 'a', dimensions: 1.5 }, '"dimensions"'],
    ['an unknown encoding', { input: 'a', encoding: 'int8' }, '"encoding"'],
    ['an unknown input type', { input: 'a', inputType: 'search_query' }, '"inputType"'],
    ['options that are none', { input: 'a', providerOptions: { openai: 5 } }, '"providerOptions"'],
    ['a model that is no name', { model: 5, input: 'a' }, '"model"'],
    ['a yes that is none', { input: 'a', anyModel: 'yes' }, '"anyModel"'],
  ]

  it.each(bad)('(%s) is refused with what to do', async (_, request, said) => {
    const at = scene()
    const error = await thrown(() => at.idle(at.gateway.embed({ model: 'smart', ...request } as never)))
    expect([error.code, error.message]).toEqual(['invalid_request', expect.stringContaining(said)])
    expect(at.d.calls).toHaveLength(0)
    await at.nothingLeft()
  })

  it('because it is no object, or has options that do not exist, is recorded all the same', async () => {
    const at = scene()
    for (const request of [undefined, null, 'text', []]) expect((await thrown(() => at.idle(at.gateway.embed(request as never)))).code).toBe('invalid_request')
    expect((await thrown(() => at.embed('a', {}, { timeout: 5 }))).code).toBe('invalid_request')
    expect(at.records.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual(Array.from({ length: 5 }, () => 'embed failure'))
    expect(JSON.stringify(at.records)).not.toContain(KEY)
    await at.nothingLeft()
  })
})
