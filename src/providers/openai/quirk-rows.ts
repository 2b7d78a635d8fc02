import type { Quirks } from './quirks.js'

const OPENAI = { maxTokens: 'max_completion_tokens', developer: true, refusal: true, toolId: 'openai', families: 'openai' } as const

/** The rows of quirks that presets refer to. */
export const QUIRKS = {
  plain: {},
  openai: OPENAI,
  azure: { ...OPENAI, authHeader: 'api-key' },
  mistral: {
    streamUsage: false, required: 'any', toolId: 'mistral', prefill: 'prefix', echo: true, seed: 'random_seed', documents: true,
    efforts: ['none', 'high'], replay: 'always', replayField: 'thinking', names: false, unsupported: ['logprobs'],
  },
  groq: { unsupported: ['logprobs'] },
  cerebras: { maxTokens: 'max_completion_tokens', unsupported: ['frequencyPenalty', 'presencePenalty'], bareOverflow: true },
  deepseek: { reasoning: 'thinking', efforts: ['high', 'max'], replay: 'tool-turns', output: 'json_object', prefill: 'prefix' },
  xai: { families: 'xai', maxTokens: 'max_completion_tokens' },
  perplexity: { tools: false, streamUsage: false, cost: true, topK: true },
  openrouter: {
    reasoning: 'object', efforts: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'], replay: 'always', replayField: 'reasoning_details',
    cacheControl: true, prefill: 'plain', topK: true, fileUrls: true, cost: true, router: true,
  },
  together: { reasoning: 'enabled', topK: true },
  fireworks: { topK: true },
  moonshot: { reasoning: 'thinking', required: null, prefill: 'partial' },
  zai: { reasoning: 'thinking', output: 'json_object' },
  thinking: { reasoning: 'thinking' },
  qwen: { reasoning: 'enable_thinking', topK: true },
  template: { reasoning: 'template', topK: true },
  local: { topK: true },
  ollama: { required: null, namedTool: false },
  silent: { reasoning: 'none' },
  text: { stringContent: true },
  sarvam: { authHeader: 'api-subscription-key' },
  google: { usage: 'total' },
} as const satisfies Record<string, Quirks>
