import type { Adapter } from '../../src/protocol/ports.js'
import { anthropicAdapter } from '../../src/providers/anthropic/adapter.js'
import { bedrockAdapter } from '../../src/providers/bedrock/adapter.js'
import { cohereAdapter } from '../../src/providers/cohere/adapter.js'
import { geminiAdapter } from '../../src/providers/gemini/adapter.js'
import { mistralAdapter } from '../../src/providers/mistral/adapter.js'
import { ollamaAdapter } from '../../src/providers/ollama/adapter.js'
import { openaiAdapter } from '../../src/providers/openai/adapter.js'
import { QUIRKS } from '../../src/providers/openai/quirk-rows.js'
import { responsesAdapter } from '../../src/providers/responses/adapter.js'
import { ANTHROPIC, OPENAI, type Fixtures } from './fixtures.js'
import { BEDROCK, BEDROCK_EVENTS, COHERE, GEMINI, OLLAMA, RESPONSES } from './fixtures-more.js'

/** A dialect under fire. */
export interface FuzzedDecoder {
  readonly name: string
  readonly adapter: Adapter
  readonly fixtures: Fixtures
  /** Recorded exchanges, further seeds where they lie beside the repository. */
  readonly recordings?: string
}

const { frames: _frames, ...unframed } = bedrockAdapter('us-east-1')

/** All of them; another dialect is another entry. */
export const DECODERS: readonly FuzzedDecoder[] = [
  { name: 'openai', adapter: openaiAdapter(), fixtures: OPENAI, recordings: 'openai-chat.jsonl' },
  // All switches that change how an answer is read.
  { name: 'compatible', adapter: openaiAdapter({ usage: 'total', cost: true, bareOverflow: true, finish: { enough: 'length' }, replay: 'always', replayField: 'reasoning_details', alternate: true }), fixtures: OPENAI, recordings: 'openai-chat.jsonl' },
  { name: 'anthropic', adapter: anthropicAdapter, fixtures: ANTHROPIC, recordings: 'anthropic.jsonl' },
  { name: 'responses', adapter: responsesAdapter(QUIRKS.openai), fixtures: RESPONSES, recordings: 'openai-responses.jsonl' },
  { name: 'gemini', adapter: geminiAdapter, fixtures: GEMINI, recordings: 'gemini.jsonl' },
  { name: 'bedrock', adapter: bedrockAdapter('us-east-1'), fixtures: BEDROCK, recordings: 'bedrock.jsonl' },
  { name: 'bedrock-events', adapter: unframed, fixtures: BEDROCK_EVENTS },
  { name: 'mistral', adapter: mistralAdapter('magistral-medium'), fixtures: OPENAI, recordings: 'mistral.jsonl' },
  { name: 'cohere', adapter: cohereAdapter, fixtures: COHERE, recordings: 'cohere.jsonl' },
  { name: 'ollama', adapter: ollamaAdapter(), fixtures: OLLAMA },
]
