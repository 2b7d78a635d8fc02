import type { Adapter, Target } from '../../src/protocol/ports.js'
import { anthropicAdapter } from '../../src/providers/anthropic/adapter.js'
import { bedrockAdapter } from '../../src/providers/bedrock/adapter.js'
import { cohereAdapter } from '../../src/providers/cohere/adapter.js'
import { geminiAdapter } from '../../src/providers/gemini/adapter.js'
import { openaiAdapter } from '../../src/providers/openai/adapter.js'
import { QUIRKS } from '../../src/providers/openai/quirk-rows.js'
import { ollamaAdapter } from '../../src/providers/ollama/adapter.js'
import { responsesAdapter } from '../../src/providers/responses/adapter.js'
import * as answers from './answers.js'
import type { Rules } from './rules.js'
import { mistral, OPENAI_CHAT, OPENROUTER, RESPONSES } from './rules-openai.js'
import { ANTHROPIC, bedrock, COHERE, gemini, OLLAMA } from './rules-turns.js'
import type { Author } from './story.js'

/** A wire: how it answers, and what it refuses. */
export interface Vendor extends Author {
  readonly name: string
  readonly rules: Rules
  /** What only this server can read comes back to it. */
  readonly signs: boolean
}

function vendor(name: string, adapter: Adapter, model: string, answer: answers.Answer, rules: Rules, signs = false): Vendor {
  const target: Target = { provider: name, model, baseUrl: 'https://api.example.test/v1', capabilities: {} }
  return { name, adapter, target, answer, rules, signs, signature: `SIGNED_BY_${name.toUpperCase().replace(/\W/g, '_')}` }
}

/** Every wire there is. */
export const VENDORS: readonly Vendor[] = [
  vendor('openai', openaiAdapter(QUIRKS.openai), 'gpt-5.6', answers.openaiChat, OPENAI_CHAT),
  vendor('openrouter', openaiAdapter(QUIRKS.openrouter), 'anthropic/claude-opus-5', answers.openrouter, OPENROUTER, true),
  vendor('mistral', openaiAdapter(QUIRKS.mistral), 'magistral-medium', answers.mistral, mistral(true)),
  // The models of 2024 refuse a user right after a tool.
  vendor('mistral 2024', openaiAdapter({ ...QUIRKS.mistral, bridge: true }), 'mistral-large-2407', answers.mistral, mistral(false)),
  vendor('responses', responsesAdapter(QUIRKS.openai), 'gpt-5.6', answers.responses, RESPONSES, true),
  vendor('anthropic', anthropicAdapter, 'claude-opus-5', answers.anthropic, ANTHROPIC, true),
  vendor('gemini 3', geminiAdapter, 'gemini-3-pro', answers.gemini, gemini({ signed: true, ids: true }), true),
  vendor('gemini 2.5', geminiAdapter, 'gemini-2.5-pro', answers.gemini, gemini({ signed: false, ids: true }), true),
  vendor('bedrock', bedrockAdapter('us-east-1'), 'anthropic.claude-opus-5-v1:0', answers.bedrock, bedrock(/^[\w-]{1,64}$/), true),
  vendor('bedrock mistral', bedrockAdapter('us-east-1'), 'mistral.mistral-large-2407-v1:0', answers.bedrock, bedrock(/^[a-zA-Z0-9]{9}$/)),
  vendor('cohere', cohereAdapter, 'command-a-03-2025', answers.cohere, COHERE),
  vendor('ollama', ollamaAdapter(), 'qwen3', answers.ollama, OLLAMA),
]
