import { describe, expect, it } from 'vitest'
import { bedrockEmbed } from '../../../src/providers/bedrock/embed.js'
import { codesOf, faultIn, read, sent, targetOf } from '../embed-support.js'

const BASE = 'https://bedrock.example.com'
const titan = targetOf('bedrock', 'amazon.titan-embed-text-v2:0', BASE)
const cohere = targetOf('bedrock', 'us.cohere.embed-v4:0', BASE)

describe('Bedrock', () => {
  it('asks Titan for one text at a time, the id in the path encoded once', () => {
    expect(sent(bedrockEmbed, titan, { inputs: ['a'], dimensions: 256, providerOptions: { bedrock: { normalize: false } } })).toEqual({
      url: `${BASE}/model/amazon.titan-embed-text-v2%3A0/invoke`, body: { inputText: 'a', dimensions: 256, normalize: false }, warned: [],
    })
    expect(sent(bedrockEmbed, titan, { inputs: ['a'], inputType: 'query', encoding: 'base64' }).warned).toEqual(['encoding', 'inputType'])
    expect(bedrockEmbed.limits(titan)).toEqual({ maxInputs: 1 })
  })

  it('asks Cohere in its own words', () => {
    expect(sent(bedrockEmbed, cohere, { inputs: ['a', 'b'], inputType: 'query' })).toEqual({
      url: `${BASE}/model/us.cohere.embed-v4%3A0/invoke`, body: { texts: ['a', 'b'], input_type: 'search_query', embedding_types: ['float'] }, warned: [],
    })
    expect(bedrockEmbed.limits(cohere)).toEqual({ maxInputs: 96 })
  })

  it('says what to do where a model does not embed, or cannot shorten', () => {
    expect(faultIn(() => sent(bedrockEmbed, targetOf('bedrock', 'meta.llama4', BASE), { inputs: ['a'] })).code).toBe('invalid_request')
    expect(faultIn(() => sent(bedrockEmbed, targetOf('bedrock', 'amazon.titan-embed-text-v1', BASE), { inputs: ['a'], dimensions: 5 })).message).toContain('Leave "dimensions" out')
  })

  it('reads the usage from the body or the header', () => {
    expect(read(bedrockEmbed, titan, { embedding: [1, 2], inputTextTokenCount: 3 })).toEqual({ vectors: [[1, 2]], usage: { inputTokens: 3 } })
    expect(read(bedrockEmbed, cohere, { embeddings: { float: [[1]] } }, ['a'], { 'x-amzn-bedrock-input-token-count': '5' })).toEqual({ vectors: [[1]], usage: { inputTokens: 5 } })
    expect(read(bedrockEmbed, cohere, { embeddings: [[1]] }, ['a'], { 'x-amzn-bedrock-input-token-count': 'x' }).usage).toEqual({})
  })

  it('is malformed where it answers with something else', () => {
    for (const target of [titan, cohere]) expect(new Set(codesOf(bedrockEmbed, target))).toEqual(new Set(['malformed_response']))
  })
})
