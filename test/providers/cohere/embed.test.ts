import { describe, expect, it } from 'vitest'
import { cohereEmbed } from '../../../src/providers/cohere/embed.js'
import { codesOf, read, sent, targetOf } from '../embed-support.js'

const target = targetOf('cohere', 'embed-v4.0', 'https://api.example.com/v2')

describe('Cohere', () => {
  it('is told what a text is for, also where the caller does not say, and then with a warning', () => {
    expect(sent(cohereEmbed, target, { inputs: ['a'], inputType: 'query', dimensions: 256, encoding: 'base64' })).toEqual({
      url: 'https://api.example.com/v2/embed', body: { model: 'embed-v4.0', texts: ['a'], input_type: 'search_query', embedding_types: ['base64'], output_dimension: 256 }, warned: [],
    })
    expect(sent(cohereEmbed, target, { inputs: ['a'] })).toMatchObject({ body: { input_type: 'search_document', embedding_types: ['float'] }, warned: ['inputType'] })
    expect(sent(cohereEmbed, target, { inputs: ['a'], inputType: 'similarity' })).toMatchObject({ body: { input_type: 'search_document' }, warned: ['inputType'] })
  })

  it('takes options last, and 96 texts at once', () => {
    expect(sent(cohereEmbed, target, { inputs: ['a'], inputType: 'document', providerOptions: { cohere: { truncate: 'END' } } }).body).toMatchObject({ truncate: 'END' })
    expect(cohereEmbed.limits(target)).toEqual({ maxInputs: 96 })
  })

  it('answers by type or with a bare list, and bills what it says', () => {
    const base64 = Buffer.from(Float32Array.from([1, 2]).buffer).toString('base64')
    expect(read(cohereEmbed, target, { id: 'x', embeddings: { float: [[1, 2]] }, meta: { billed_units: { input_tokens: 4 } } })).toEqual({ vectors: [[1, 2]], usage: { inputTokens: 4 } })
    expect(read(cohereEmbed, target, { embeddings: { base64: [base64] } })).toEqual({ vectors: [[1, 2]], usage: {} })
    expect(read(cohereEmbed, target, { embeddings: [[1, 2]] }).vectors).toEqual([[1, 2]])
  })

  it('is malformed where it answers with something else', () => {
    expect(new Set(codesOf(cohereEmbed, target))).toEqual(new Set(['malformed_response']))
  })
})
