import { describe, expect, it } from 'vitest'
import { openaiEmbed } from '../../../src/providers/openai/embed.js'
import { QUIRKS } from '../../../src/providers/openai/quirk-rows.js'
import { codesOf, faultIn, read, sent, targetOf } from '../embed-support.js'

const codec = openaiEmbed()
const of = (provider: string) => targetOf(provider, 'm')
const WISH = { inputs: ['a', 'b'], dimensions: 256, encoding: 'base64', inputType: 'query' } as const

describe('each server is asked in its own words, and what it has no word for is said', () => {
  it.each([
    ['openai', { dimensions: 256, encoding_format: 'base64' }, ['inputType']],
    ['mistral', { output_dimension: 256, encoding_format: 'base64' }, ['inputType']],
    ['voyage', { output_dimension: 256, encoding_format: 'base64', input_type: 'query' }, []],
    ['jina', { dimensions: 256, embedding_type: 'base64', task: 'retrieval.query' }, []],
    ['nvidia', { dimensions: 256, encoding_format: 'base64', input_type: 'query' }, []],
    ['perplexity', { dimensions: 256 }, ['inputType']],
    ['some-server', { dimensions: 256, encoding_format: 'base64' }, ['inputType']],
  ] as const)('%s', (provider, fields, warned) => {
    expect(sent(codec, of(provider), WISH)).toEqual({ url: 'https://api.example.com/v1/embeddings', body: { model: 'm', input: ['a', 'b'], ...fields }, warned })
  })

  it('a plain request holds nothing that nobody asked for', () => {
    expect(sent(codec, of('openai'), { inputs: ['a'] })).toMatchObject({ body: { model: 'm', input: ['a'] }, warned: [] })
    expect(Object.keys(sent(codec, of('openai'), { inputs: ['a'] }).body as object)).toEqual(['model', 'input'])
  })

  it('a query of the base URL stays behind the path', () => {
    expect(sent(codec, targetOf('azure', 'm', 'https://x.example.com/openai/deployments/d?api-version=1'), { inputs: ['a'] }).url).toBe('https://x.example.com/openai/deployments/d/embeddings?api-version=1')
  })

  it('options of the dialect and of the provider come last', () => {
    const providerOptions = { openai: { user: 'u', input: 'x' }, voyage: { truncation: false }, other: { a: 1 } }
    expect(sent(codec, of('voyage'), { inputs: ['a'], providerOptions }).body).toEqual({ model: 'm', input: 'x', user: 'u', truncation: false })
  })

  it('words that servers refuse are not sent', () => {
    expect(sent(codec, of('voyage'), { inputs: ['a'], encoding: 'float' }).body).not.toHaveProperty('encoding_format')
    expect(sent(codec, of('perplexity'), { inputs: ['a'], encoding: 'float' }).warned).toEqual(['encoding'])
  })
})

describe('an answer', () => {
  const embedding = Buffer.from(Float32Array.from([1, -0.5]).buffer).toString('base64')

  it('is read in floats and in base64 alike, by its indexes where they are those of a list', () => {
    const data = [{ index: 1, embedding: [3, 4] }, { index: 0, embedding }]
    expect(read(codec, of('openai'), { data }, ['a', 'b']).vectors).toEqual([[1, -0.5], [3, 4]])
    for (const index of [0, 7, -1, 0.5, '1', null]) expect(read(codec, of('openai'), { data: [{ index, embedding: [1] }, { index: 0, embedding: [2] }] }, ['a', 'b']).vectors, String(index)).toEqual([[1], [2]])
  })

  it('of signed bytes is whole numbers', () => {
    expect(read(codec, of('perplexity'), { data: [{ embedding: Buffer.from([0, 1, 127, 128, 255]).toString('base64') }] }).vectors).toEqual([[0, 1, 127, -128, -1]])
    expect(faultIn(() => codec.decode({ data: [{ embedding: 'AAAA' }] }, { request: { inputs: ['a'], providerOptions: { perplexity: { encoding_format: 'base64_binary' } } }, target: of('perplexity'), headers: {} })).code).toBe('invalid_request')
  })

  it.each([
    [{ prompt_tokens: 2, total_tokens: 2 }, { inputTokens: 2 }],
    [{ total_tokens: 3 }, { inputTokens: 3 }],
    [{ prompt_tokens: 4, completion_tokens: 0, total_tokens: 4 }, { inputTokens: 4, outputTokens: 0 }],
    [{ prompt_tokens: -1, total_tokens: 'x' }, {}],
    [undefined, {}],
  ])('tells its usage %j, and nothing of it is made up', (usage, found) => {
    expect(read(codec, of('openai'), { data: [{ embedding: [1] }], usage }).usage).toEqual(found)
  })

  it('tells what it cost where the server says so', () => {
    expect(read(openaiEmbed(QUIRKS.openrouter), of('openrouter'), { data: [{ embedding: [1] }], usage: { prompt_tokens: 7, cost: 1.4e-7 } }).usage).toEqual({ inputTokens: 7, reportedCostUsd: 1.4e-7 })
  })

  it('that is an error with a good status is that error', () => {
    expect(faultIn(() => read(codec, of('openrouter'), { error: { code: 429, message: 'slow down' } })).code).toBe('rate_limited')
  })

  it('that is none is malformed', () => {
    expect(new Set(codesOf(codec, of('openai')))).toEqual(new Set(['malformed_response']))
  })
})
