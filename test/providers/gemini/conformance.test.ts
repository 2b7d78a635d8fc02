import { describe, test } from 'vitest'
import { geminiAdapter } from '../../../src/providers/gemini/adapter.js'
import { expressAdapter, googleAdapter } from '../../../src/providers/vertex/google.js'
import { adapterConformance, type AdapterFixture } from '../../../src/testing/conformance/index.js'
import { ask, caller, framesOf, piece, result, target, TOOL, user } from './support.js'

const USAGE = { promptTokenCount: 10, candidatesTokenCount: 5, thoughtsTokenCount: 2, totalTokenCount: 17 }
const HEAD = { responseId: 'r-1', modelVersion: 'gemini-3-flash' }

const fixtures: readonly AdapterFixture[] = [
  {
    name: 'text with reasoning and a signature',
    request: ask({ reasoning: { effort: 'low' } }),
    target: target(),
    json: piece([{ text: 'Hm.', thought: true }, { text: 'It is blue.' }, { text: '', thoughtSignature: 'S' }], 'STOP', { ...HEAD, usageMetadata: USAGE }),
    frames: framesOf(
      piece([{ text: 'H', thought: true }], undefined, { ...HEAD, usageMetadata: { promptTokenCount: 10 } }),
      piece([{ text: 'm.', thought: true }], undefined, HEAD),
      piece([{ text: 'It is ' }], undefined, HEAD),
      piece([{ text: 'blue.' }], undefined, HEAD),
      piece([{ text: '', thoughtSignature: 'S' }], 'STOP', { ...HEAD, usageMetadata: USAGE }),
    ),
    expect: { text: 'It is blue.', reasoning: 'Hm.', finishReason: 'stop', rawFinishReason: 'STOP', usage: { inputTokens: 10, outputTokens: 7, reasoningTokens: 2 } },
  },
  {
    name: 'two calls, one of them in pieces',
    request: ask({ messages: [user('Go'), caller('c1'), result('c1')], tools: [TOOL] }),
    target: target(),
    json: piece([{ functionCall: { name: 'look', args: { x: 'a' } }, thoughtSignature: 'S' }, { functionCall: { name: 'look', args: { x: 'bc' } } }], 'STOP', { usageMetadata: USAGE }),
    frames: framesOf(
      piece([{ functionCall: { name: 'look', args: { x: 'a' } }, thoughtSignature: 'S' }]),
      piece([{ functionCall: { name: 'look', willContinue: true } }]),
      piece([{ functionCall: { partialArgs: [{ jsonPath: '$.x', stringValue: 'b', willContinue: true }], willContinue: true } }]),
      piece([{ functionCall: { partialArgs: [{ jsonPath: '$.x', stringValue: 'c' }], willContinue: true } }]),
      piece([{ functionCall: {} }]),
      piece([{ text: '' }], 'STOP', { usageMetadata: USAGE }),
    ),
    expect: { toolCalls: [{ id: 'call_3_0', name: 'look', input: { x: 'a' } }, { id: 'call_3_1', name: 'look', input: { x: 'bc' } }], finishReason: 'tool-calls' },
  },
  {
    name: 'a picture, code and sources',
    request: ask(),
    target: target(),
    json: {
      candidates: [
        {
          content: { parts: [{ text: 'A' }, { executableCode: { language: 'PYTHON', code: '1' } }, { inlineData: { mimeType: 'image/png', data: 'QUJD' }, thoughtSignature: 'F' }, { text: 'B' }] },
          groundingMetadata: { groundingChunks: [{ web: { uri: 'https://a.example', title: 'a' } }], groundingSupports: [{ segment: { text: 'B' }, groundingChunkIndices: [0] }] },
          finishReason: 'STOP',
        },
      ],
    },
    frames: framesOf(
      piece([{ text: 'A' }, { executableCode: { language: 'PYTHON', code: '1' } }]),
      piece([{ inlineData: { mimeType: 'image/png', data: 'QUJD' }, thoughtSignature: 'F' }]),
      { candidates: [{ content: { parts: [{ text: 'B' }] }, groundingMetadata: { groundingChunks: [{ web: { uri: 'https://a.example', title: 'a' } }] } }] },
      { candidates: [{ groundingMetadata: { groundingSupports: [{ segment: { text: 'B' }, groundingChunkIndices: [0] }] }, finishReason: 'STOP' }] },
    ),
    expect: { text: 'AB', finishReason: 'stop', usage: {} },
  },
  {
    name: 'a prompt that is refused',
    request: ask(),
    target: target(),
    json: { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 } },
    frames: framesOf({ promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 } }),
    expect: { text: '', finishReason: 'content-filter', rawFinishReason: 'SAFETY', usage: { inputTokens: 4, outputTokens: 0 } },
  },
  { name: 'an error inside a stream', request: ask(), target: target(), frames: framesOf(piece([{ text: 'A' }]), { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } }), expect: { fault: 'overloaded' } },
]

describe.each([['the public API', geminiAdapter], ['Vertex', googleAdapter], ['express mode', expressAdapter]] as const)('%s', (_, adapter) => {
  for (const check of adapterConformance(adapter, fixtures)) test(check.name, () => check.run())
})
