import type { Adapter } from '../../src/protocol/ports.js'
import { anthropicAdapter } from '../../src/providers/anthropic/adapter.js'
import { openaiAdapter } from '../../src/providers/openai/adapter.js'
import { ANTHROPIC, OPENAI, type Fixtures } from './fixtures.js'

/** A dialect under fire. */
export interface FuzzedDecoder {
  readonly name: string
  readonly adapter: Adapter
  readonly fixtures: Fixtures
  /** Recorded exchanges, further seeds where they lie beside the repository. */
  readonly recordings?: string
}

/** All of them; another dialect is another entry. */
export const DECODERS: readonly FuzzedDecoder[] = [
  { name: 'openai', adapter: openaiAdapter(), fixtures: OPENAI, recordings: 'openai-chat.jsonl' },
  // All switches that change how an answer is read.
  { name: 'compatible', adapter: openaiAdapter({ usage: 'total', cost: true, bareOverflow: true, finish: { enough: 'length' }, replay: 'always', replayField: 'reasoning_details', alternate: true }), fixtures: OPENAI, recordings: 'openai-chat.jsonl' },
  { name: 'anthropic', adapter: anthropicAdapter, fixtures: ANTHROPIC, recordings: 'anthropic.jsonl' },
]
