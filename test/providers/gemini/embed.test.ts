import { describe, expect, it } from 'vitest'
import { geminiEmbed } from '../../../src/providers/gemini/embed.js'
import { codesOf, read, sent, targetOf } from '../embed-support.js'

const BASE = 'https://api.example.com/v1beta'
const target = targetOf('gemini', 'gemini-embedding-001', BASE)

describe('Gemini', () => {
  it('is asked for one text alone, and for several in a batch whose every request has the fields', () => {
    const wish = { dimensions: 256, inputType: 'query', providerOptions: { gemini: { title: 't' } } } as const
    const fields = { taskType: 'RETRIEVAL_QUERY', outputDimensionality: 256, title: 't' }
    expect(sent(geminiEmbed, target, { inputs: ['a'], ...wish })).toEqual({ url: `${BASE}/models/gemini-embedding-001:embedContent`, body: { content: { parts: [{ text: 'a' }] }, ...fields }, warned: [] })
    expect(sent(geminiEmbed, target, { inputs: ['a', 'b'], ...wish })).toEqual({
      url: `${BASE}/models/gemini-embedding-001:batchEmbedContents`,
      body: { requests: ['a', 'b'].map(text => ({ model: 'models/gemini-embedding-001', content: { parts: [{ text }] }, ...fields })) },
      warned: [],
    })
  })

  it('warns once of what it cannot take, however many texts there are', () => {
    expect(sent(geminiEmbed, target, { inputs: ['a'], encoding: 'base64' }).warned).toEqual(['encoding'])
    const second = sent(geminiEmbed, targetOf('gemini', 'models/gemini-embedding-2', BASE), { inputs: ['a', 'b', 'c'], inputType: 'query' })
    expect(second.warned).toEqual(['inputType'])
    expect(JSON.stringify(second.body)).not.toContain('taskType')
    expect(second.url).toBe(`${BASE}/models/gemini-embedding-2:batchEmbedContents`)
  })

  it('answers with one or with many', () => {
    expect(read(geminiEmbed, target, { embedding: { values: [1, 2] }, usageMetadata: { promptTokenCount: 11 } })).toEqual({ vectors: [[1, 2]], usage: { inputTokens: 11 } })
    expect(read(geminiEmbed, target, { embeddings: [{ values: [1] }, { values: [2] }] })).toEqual({ vectors: [[1], [2]], usage: {} })
  })

  it('is malformed where it answers with something else', () => {
    expect(new Set(codesOf(geminiEmbed, target))).toEqual(new Set(['malformed_response']))
  })
})
