import { describe, expect, it } from 'vitest'
import { fromAiSdk, type AiSdkModel, type AiSdkOptions } from '../../../src/providers/ai-sdk/index.js'
import { answer, ASK, context, failure, model, sent, upstreamOf, VERSIONS } from './support.js'

const wrong = async (given: unknown, options?: unknown): Promise<string> => {
  const { code, message } = await failure(() => fromAiSdk(given as AiSdkModel, options as AiSdkOptions))
  expect(code).toBe('invalid_config')
  return message
}

describe('what is no AI SDK model', () => {
  it('is refused with what to give instead', async () => {
    expect(await wrong('openai/gpt-5')).toMatch(/the model itself, not its name/)
    expect(await wrong(undefined)).toMatch(/takes a language model/)
    expect(await wrong({ specificationVersion: 'v3', provider: 'x', modelId: 'y', doEmbed: () => undefined })).toMatch(/no doGenerate/)
    expect(await wrong({ ...model(), provider: '' })).toMatch(/no provider/)
    expect(await wrong({ ...model(), modelId: undefined })).toMatch(/no modelId/)
  })

  it('of an old or a newer specification says which way to go', async () => {
    expect(await wrong({ ...model(), specificationVersion: 'v1' })).toMatch(/Update the @ai-sdk package/)
    expect(await wrong({ ...model(), specificationVersion: undefined })).toMatch(/Update/)
    expect(await wrong({ ...model(), specificationVersion: 'v5' })).toMatch(/Use an older version/)
  })

  it('comes with an option that belongs elsewhere or nowhere', async () => {
    expect(await wrong(model(), { apiKey: 'k' })).toMatch(/has its key and address already/)
    expect(await wrong(model(), { baseUrl: 'http://x' })).toMatch(/createAnthropic/)
    expect(await wrong(model(), { prize: {} })).toMatch(/prize/)
    expect(await wrong(model(), { price: { input: -1, output: 0 } })).toMatch(/price/)
    expect(await wrong(model(), { headers: { authorization: 'x' } })).toMatch(/set by the library/)
    expect(await wrong(model(), 'x')).toMatch(/object/)
  })
})

describe('a deployment of an AI SDK model', () => {
  it('has the names of the model and the options given', () => {
    const made = fromAiSdk(model({ provider: 'anthropic.messages', modelId: 'claude-x' }), { price: { input: 1, output: 2 }, tags: ['eu'], capabilities: { tools: true }, weight: 2, limits: { concurrency: 3 } })
    expect(made).toMatchObject({ kind: 'deployment', id: 'anthropic.messages/claude-x', provider: 'anthropic.messages', model: 'claude-x', price: { input: 1, output: 2 }, tags: ['eu'], weight: 2 })
    expect(Object.isFrozen(made)).toBe(true)
    expect(fromAiSdk(model(), { id: 'mine' }).id).toBe('mine')
  })

  it.each(VERSIONS)('answers the same on both wires (%s)', async version => {
    const [json, stream] = [await answer(model({ version })), await answer(model({ version }), 'stream')]
    expect(json).toEqual(stream)
    expect(json).toMatchObject({ text: 'Hello', finish: { finishReason: 'stop', rawFinishReason: version === 'v2' ? null : 'raw-stop', usage: { inputTokens: 10, outputTokens: 5 } } })
    expect(Object.keys(json.finish?.usage ?? {})).toEqual(['inputTokens', 'outputTokens'])
  })

  it('calls a model that is a class with its own this', async () => {
    class Counting {
      readonly specificationVersion = 'v3'
      readonly provider = 'mine'
      readonly modelId = 'counting'
      readonly #inner = model()
      doGenerate(options: never): PromiseLike<unknown> {
        return this.#inner.doGenerate(options)
      }
      doStream(options: never): PromiseLike<unknown> {
        return this.#inner.doStream(options)
      }
    }
    expect((await answer(new Counting())).text).toBe('Hello')
  })

  it('sends the headers of the deployment and the caller, but no credential of the caller', async () => {
    const made = model()
    const opened = await upstreamOf(made, { headers: { 'X-Team': 'a' } }).open('chat', ASK, context('json', { 'x-trace': '1', authorization: 'Bearer other' }))
    expect(made.asked[0]?.['headers']).toEqual({ 'x-team': 'a', 'x-trace': '1' })
    expect(opened.warnings).toMatchObject([{ code: 'dropped', parameter: 'headers.authorization' }])
  })

  it('hands on the signal and asks for no raw chunks', async () => {
    const made = model()
    const options = await sent(made, ASK, 'stream')
    expect(options['abortSignal']).toBeInstanceOf(AbortSignal)
    expect(options['includeRawChunks']).toBe(false)
  })

  it('tells the limits of either spelling of headers', async () => {
    const openai = await upstreamOf(model({ response: { headers: { 'X-RateLimit-Remaining-Requests': '7' } } })).open('chat', ASK, context('json'))
    expect(openai).toMatchObject({ limits: { remainingRequests: 7 }, headers: { 'x-ratelimit-remaining-requests': '7' } })
    const anthropic = await upstreamOf(model({ response: { headers: { 'anthropic-ratelimit-tokens-remaining': '9' } } })).open('chat', ASK, context('stream'))
    expect(anthropic.limits).toEqual({ remainingTokens: 9 })
    expect((await upstreamOf(model()).open('chat', ASK, context('json'))).limits).toBeUndefined()
  })
})
