import { describe, expect, it } from 'vitest'
import { vertexEmbed } from '../../../src/providers/vertex/embed.js'
import { codesOf, read, sent, targetOf } from '../embed-support.js'

const PLACE = 'https://eu.example.com/v1/projects/p/locations/eu'
const target = targetOf('vertex', 'text-embedding-005', PLACE)

describe('Vertex', () => {
  it('predicts from several instances', () => {
    expect(sent(vertexEmbed, target, { inputs: ['a', 'b'], inputType: 'document', dimensions: 256 })).toEqual({
      url: `${PLACE}/publishers/google/models/text-embedding-005:predict`,
      body: { instances: [{ content: 'a', task_type: 'RETRIEVAL_DOCUMENT' }, { content: 'b', task_type: 'RETRIEVAL_DOCUMENT' }], parameters: { outputDimensionality: 256 } },
      warned: [],
    })
  })

  it.each(['', '/publishers/google', '/publishers/google/models'])('is found from a base URL that ends with "%s"', end => {
    expect(sent(vertexEmbed, targetOf('vertex', 'text-embedding-005', `${PLACE}${end}`), { inputs: ['a'] }).url).toBe(`${PLACE}/publishers/google/models/text-embedding-005:predict`)
  })

  it('asks the models of Gemini for one text at a time, the newer ones by embedContent', () => {
    const second = targetOf('vertex', 'gemini-embedding-2', PLACE)
    expect(sent(vertexEmbed, second, { inputs: ['a'], dimensions: 8 })).toEqual({ url: `${PLACE}/publishers/google/models/gemini-embedding-2:embedContent`, body: { content: { parts: [{ text: 'a' }] }, outputDimensionality: 8 }, warned: [] })
    expect([second, targetOf('vertex', 'gemini-embedding-001', PLACE), target].map(one => vertexEmbed.limits(one).maxInputs)).toEqual([1, 1, 250])
  })

  it('sums the tokens of its predictions where each one tells them', () => {
    const prediction = (values: number[], token_count?: number) => ({ embeddings: { values, statistics: { token_count } } })
    expect(read(vertexEmbed, target, { predictions: [prediction([1], 3), prediction([2], 4)] }, ['a', 'b'])).toEqual({ vectors: [[1], [2]], usage: { inputTokens: 7 } })
    expect(read(vertexEmbed, target, { predictions: [prediction([1], 3), prediction([2])] }, ['a', 'b']).usage).toEqual({})
    expect(read(vertexEmbed, target, { embedding: { values: [5] } }).vectors).toEqual([[5]])
  })

  it('is malformed where it answers with something else', () => {
    expect(new Set(codesOf(vertexEmbed, target))).toEqual(new Set(['malformed_response']))
  })
})
