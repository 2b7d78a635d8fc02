import { describe, expect, it } from 'vitest'
import { messageOf } from '../../../src/protocol/collect.js'
import { sseFraming } from '../../../src/transport/frames.js'
import { ask, caller, decoder, eventsOf, faultOf, piece, result, streamed, target, TOOL, user, whole, write } from './support.js'

const ORIGIN = { provider: 'google', model: 'gemini-3-flash', deployment: 'google/gemini-3-flash' }

describe('a finish reason', () => {
  it.each<[unknown, string, string | null]>([
    ['MAX_TOKENS', 'length', 'MAX_TOKENS'],
    ['SAFETY', 'content-filter', 'SAFETY'],
    ['IMAGE_RECITATION', 'content-filter', 'IMAGE_RECITATION'],
    ['MALFORMED_FUNCTION_CALL', 'other', 'MALFORMED_FUNCTION_CALL'],
    ['FAKE_NEW_FINISH_REASON', 'other', 'FAKE_NEW_FINISH_REASON'],
    [1, 'stop', '1'],
    [3, 'content-filter', '3'],
    [99, 'other', '99'],
    [undefined, 'other', null],
  ])('%s never throws and is kept as it came (trap 61)', (raw, reason, kept) => {
    const { finish } = whole(piece([{ text: 'x' }], raw))
    expect(finish).toMatchObject({ finishReason: reason, rawFinishReason: kept })
  })

  it('may come in a later piece than the call, and the first that says something counts', () => {
    const got = streamed(piece([{ functionCall: { name: 'look', args: {} } }], 'FINISH_REASON_UNSPECIFIED'), piece([], 'STOP'), piece([{ text: 'late' }], 'MAX_TOKENS'))
    expect(got.finish).toMatchObject({ finishReason: 'tool-calls', rawFinishReason: 'STOP' })
    expect(got.text).toBe('late')
  })

  it.each([{ content: {} }, {}, { content: { parts: 7 } }])('a candidate without parts (%j) is no crash (trap 56)', candidate => {
    expect(whole({ candidates: [{ ...candidate, finishReason: 'RECITATION' }] }).finish?.finishReason).toBe('content-filter')
  })
})

describe('a stream that is no event stream', () => {
  it('is understood where it is one JSON list', () => {
    expect(whole([piece([{ text: 'a' }]), piece([{ text: 'b' }], 'STOP', { usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2 } })])).toMatchObject({ text: 'ab', finish: { usage: { inputTokens: 1, outputTokens: 2 } } })
    expect(faultOf(() => whole([piece([{ text: 'a' }])])).code).toBe('malformed_response')
    expect(faultOf(() => whole([{ error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'm' } }])).code).toBe('rate_limited')
  })

  it('loses nothing without a word where pieces have single line ends between them', () => {
    const lines = [piece([{ text: 'a' }]), piece([{ text: 'b' }], 'STOP')].map(each => JSON.stringify(each)).join('\n')
    expect(faultOf(() => decoder('stream').frame({ data: lines })).code).toBe('malformed_response')
  })

  it.each([
    ['in one line', '{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}'],
    ['in many lines', '{\n  "error": {\n    "code": 503,\n    "message": "overloaded",\n    "status": "UNAVAILABLE"\n  }\n}'],
  ])('a bare error between the events, %s, is a fault', (_, error) => {
    const decode = decoder('stream')
    const frames = sseFraming()(frame => void decode.frame(frame))
    const text = `data: ${JSON.stringify(piece([{ text: 'a' }]))}\n\n${error}\n\n`
    expect(faultOf(() => frames.push(new TextEncoder().encode(text)))).toMatchObject({ code: 'overloaded', upstream: { type: 'UNAVAILABLE' } })
  })
})

describe('a call', () => {
  it('without an id gets one that the conversation does not have (trap 57)', () => {
    const request = ask({ messages: [user('a'), caller('call_3_0'), result('call_3_0')] })
    expect(whole(piece([{ functionCall: { name: 'look', args: {} } }], 'STOP'), { request }).toolCalls[0]?.id).toBe('call_3_0_2')
  })

  it('in pieces that contradict each other, or that ends in the middle, is a fault', () => {
    const begun = piece([{ functionCall: { name: 'look', willContinue: true } }])
    const ended = piece([{ functionCall: {} }], 'STOP')
    const more = (...partialArgs: readonly unknown[]) => piece([{ functionCall: { partialArgs, willContinue: true } }])
    for (const path of ['$.a[7]', '$', 'a', '$.a[', `$${'.a'.repeat(70)}`]) expect(faultOf(() => eventsOf([begun, more({ jsonPath: path, stringValue: 'x' }), ended])).code).toBe('malformed_response')
    expect(faultOf(() => eventsOf([begun, more({ jsonPath: '$.a', stringValue: 'x' }, { jsonPath: '$.a.b', stringValue: 'y' }), ended])).code).toBe('malformed_response')
    expect(faultOf(() => eventsOf([begun, piece([], 'STOP')])).code).toBe('malformed_response')
    expect(faultOf(() => eventsOf([more({ jsonPath: '$.a', stringValue: 'x' }), ended])).code).toBe('malformed_response')
  })

  it('cut by a length limit is dropped', () => {
    expect(streamed(piece([{ functionCall: { name: 'look', willContinue: true } }]), piece([], 'MAX_TOKENS'))).toMatchObject({ toolCalls: [], finish: { finishReason: 'length' } })
  })

  it('in pieces may hold any name, number, truth and nothing', () => {
    const partialArgs = [{ jsonPath: "$['__proto__'].x", numberValue: 1 }, { jsonPath: '$.b[0]', boolValue: true }, { jsonPath: '$.b[1]', nullValue: 'NULL_VALUE' }]
    const [call] = streamed(piece([{ functionCall: { name: 'look', partialArgs } }]), piece([], 'STOP')).toolCalls
    expect(call?.arguments).toBe('{"__proto__":{"x":1},"b":[true,null]}')
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })
})

describe('usage', () => {
  it('counts the prompts of tools, reasoning, and the media that there were', () => {
    const usageMetadata = {
      promptTokenCount: 30, toolUsePromptTokenCount: 5, candidatesTokenCount: 7, thoughtsTokenCount: 3, cachedContentTokenCount: 9, totalTokenCount: 45, trafficType: 'ON_DEMAND_PRIORITY',
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: 10 }, { modality: 'AUDIO', tokenCount: 20 }], cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 4 }], candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 6 }],
    }
    expect(whole(piece([{ text: 'x' }], 'STOP', { usageMetadata })).finish?.usage).toEqual({ inputTokens: 35, outputTokens: 10, cachedInputTokens: 9, reasoningTokens: 3, inputAudioTokens: 20, cachedInputAudioTokens: 4, outputImageTokens: 6, serviceTier: 'priority' })
    expect(whole(piece([{ text: 'x' }], 'STOP', { usageMetadata: { promptTokenCount: 3, serviceTier: 'standard' } })).finish?.usage).toEqual({ inputTokens: 3 })
    expect(whole(piece([{ text: 'x' }], 'STOP')).finish?.usage).toEqual({})
  })
})

describe('what goes with a part', () => {
  it('comes back on that very part: calls, texts, empty texts, pictures and code', () => {
    const parts = [
      { text: 'Hm', thought: true },
      { text: 'Look:', thoughtSignature: 'T' },
      { executableCode: { code: '1' }, thoughtSignature: 'X' },
      { inlineData: { mimeType: 'image/png', data: 'QUJD' }, thoughtSignature: 'P' },
      { functionCall: { id: 'i1', name: 'look', args: { x: 'a' } }, thoughtSignature: 'C' },
      { functionCall: { id: 'i2', name: 'look', args: { x: 'b' } } },
      { text: '', thoughtSignature: 'E' },
    ]
    const message = messageOf(whole(piece(parts, 'STOP')), ORIGIN)
    expect(write({ messages: [user('a'), message, result('i1'), result('i2')], tools: [TOOL] }).body.contents[1]?.parts).toEqual(parts)
  })

  it('an empty text with a signature after a text stays a part of its own', () => {
    const parts = [{ text: 'abc' }, { text: '', thoughtSignature: 'E' }]
    const message = messageOf(streamed(piece([{ text: 'ab' }]), piece([{ text: 'c' }]), piece([parts[1]], 'STOP')), ORIGIN)
    expect(write({ messages: [user('a'), message, user('b')] }).body.contents[1]?.parts).toEqual(parts)
  })

  it('stays with the model that wrote it', () => {
    const message = messageOf(whole(piece([{ text: 'Hm', thought: true }, { text: 'A', thoughtSignature: 'T' }], 'STOP')), { ...ORIGIN, model: 'gemini-2.5-pro' })
    const { body, codes } = write({ messages: [user('a'), message, user('b')] })
    expect(body.contents[1]?.parts).toEqual([{ text: 'A' }])
    expect(codes).toEqual(['dropped messages', 'dropped messages'])
  })
})

describe('sources', () => {
  it('are citations, with what they stand for', () => {
    const grounding = { groundingChunks: [{ web: { uri: 'https://a.example', title: 'a' } }, { retrievedContext: { title: 'doc', text: 'its text' } }], groundingSupports: [{ segment: { text: 'said' }, groundingChunkIndices: [0, 1, 9, 'x'] }] }
    const got = whole({ candidates: [{ content: { parts: [{ text: 'said' }] }, groundingMetadata: grounding, citationMetadata: { citationSources: [{ uri: 'https://c.example' }] }, finishReason: 'STOP' }] })
    expect(got.content).toMatchObject([{ type: 'text', text: 'said', citations: [{ url: 'https://a.example', title: 'a', text: 'said' }, { title: 'doc', text: 'said' }, { url: 'https://c.example' }] }])
    expect(got.providerMetadata['gemini']).toEqual({ groundingMetadata: grounding })
  })

  it('and log probabilities are read', () => {
    const logprobsResult = { chosenCandidates: [{ token: 'a', logProbability: -0.1 }, { token: 5 }], topCandidates: [{ candidates: [{ token: 'a', logProbability: -0.1 }, { token: 'b', logProbability: -2 }] }] }
    expect(whole({ candidates: [{ content: { parts: [{ text: 'a' }] }, logprobsResult, finishReason: 'STOP' }] }).logprobs).toEqual([{ token: 'a', logprob: -0.1, top: [{ token: 'a', logprob: -0.1 }, { token: 'b', logprob: -2 }] }])
  })
})

it('a schema that travelled as a function is the answer, not a call', () => {
  const request = ask({ tools: [TOOL], output: { name: 'o', jsonSchema: { type: 'object', properties: { a: { type: 'number' } } } } })
  const to = target('gemini-2.5-flash')
  const { body } = write(request, to)
  expect(body.tools?.[0]?.functionDeclarations?.map(each => each['name'])).toEqual(['look', 'json'])
  expect(body.toolConfig).toEqual({ functionCallingConfig: { mode: 'ANY' } })
  expect(whole(piece([{ functionCall: { name: 'json', args: { a: 1 } } }], 'STOP'), { request, target: to })).toMatchObject({ text: '{"a":1}', toolCalls: [], finish: { finishReason: 'stop' } })
})
