import type { Quirks } from './quirks.js'
import { SERVERS } from './quirk-presets.js'

const OPENAI = { maxTokens: 'max_completion_tokens', developer: true, refusal: true, toolId: 'openai', families: 'openai' } as const

const SIX = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const
const FIVE = ['none', 'low', 'medium', 'high', 'max'] as const
const FOUR = ['none', 'low', 'medium', 'high'] as const
const THREE = ['low', 'medium', 'high'] as const

/** How servers differ, by a name for each way. */
export const QUIRKS = {
  plain: {},
  openai: OPENAI,
  azure: { ...OPENAI, authHeader: 'api-key' },
  mistral: {
    streamUsage: false, required: 'any', toolId: 'mistral', prefill: 'prefix', echo: true, seed: 'random_seed', documents: true,
    efforts: ['none', 'high'], replay: 'always', replayField: 'thinking', names: false, unsupported: ['logprobs'],
  },
  groq: { efforts: FOUR, besideReasoning: { reasoning_format: 'parsed' }, families: 'groq', unsupported: ['logprobs'] },
  cerebras: { maxTokens: 'max_completion_tokens', efforts: FOUR, unsupported: ['frequencyPenalty', 'presencePenalty'], bareOverflow: true },
  deepseek: { reasoning: 'thinking', efforts: ['high', 'max'], replay: 'tool-turns', output: 'json_object', prefill: 'prefix' },
  xai: { families: 'xai', maxTokens: 'max_completion_tokens' },
  perplexity: { tools: false, streamUsage: false, alternate: true, efforts: ['minimal', 'low', 'medium', 'high'], cost: true, topK: true },
  agent: { cost: true },
  openrouter: {
    reasoning: 'object', efforts: SIX, replay: 'always', replayField: 'reasoning_details',
    cacheControl: true, prefill: 'plain', topK: true, fileUrls: true, cost: true, router: true,
  },
  vercel: { reasoning: 'object', efforts: SIX, unsureOff: true, replay: 'always', replayField: 'reasoning_details' },
  router: { reasoning: 'object', efforts: SIX, unsureOff: true },
  kilo: { reasoning: 'object' },
  requesty: { efforts: FIVE, unsureOff: true },
  helicone: { efforts: ['minimal', 'low', 'medium', 'high'], unsureOff: true },
  auriko: { efforts: ['none', 'low', 'medium', 'high', 'xhigh', 'max'], off: 'off' },
  together: { reasoning: 'enabled', topK: true },
  fireworks: { topK: true },
  moonshot: { reasoning: 'thinking', required: null, replay: 'tool-turns', prefill: 'partial' },
  minimax: { reasoning: 'none', extra: { reasoning_split: true }, replay: 'always', replayField: 'reasoning_details' },
  zai: { reasoning: 'thinking', replay: 'tool-turns', output: 'json_object' },
  thinking: { reasoning: 'thinking', replay: 'tool-turns' },
  tokenhub: { reasoning: 'thinking', efforts: THREE },
  toggle: { reasoning: 'toggle' },
  alibaba: { reasoning: 'enable_thinking', streamedReasoning: true, topK: true },
  siliconflow: { reasoning: 'enable_thinking', budget: [128, 32_768], topK: true },
  novita: { reasoning: 'enable_thinking', budget: [128, 32_768], besideReasoning: { separate_reasoning: true }, topK: true },
  template: { reasoning: 'template', topK: true },
  baseten: { reasoning: 'template_args', topK: true },
  local: { topK: true },
  ollama: { required: null, namedTool: false, efforts: FOUR },
  silent: { reasoning: 'none' },
  text: { stringContent: true },
  sarvam: { authHeader: 'api-subscription-key', efforts: FOUR, off: null },
  google: { efforts: ['none', 'minimal', 'low', 'medium', 'high'], usage: 'total' },
  claude: { reasoning: 'none', strict: false, output: 'json_object', unsupported: ['seed', 'frequencyPenalty', 'presencePenalty', 'logprobs'] },
  snowflake: { efforts: ['none', 'minimal', 'low', 'medium', 'high'] },
  upstage: { efforts: ['minimal', 'low', 'medium', 'high'] },
  stepfun: { efforts: THREE, besideReasoning: { reasoning_format: 'deepseek-style' } },
  venice: { reasoning: 'venice', topK: true },
  six: { efforts: SIX },
  five: { efforts: FIVE },
  four: { efforts: FOUR },
  three: { efforts: THREE },
} as const satisfies Record<string, Quirks>

const rows: ReadonlyMap<string, Quirks> = new Map<string, Quirks>([
  ...Object.entries(QUIRKS),
  ...Object.entries(SERVERS).flatMap(([row, ids]) => ids.split(' ').map(id => [id, QUIRKS[row as keyof typeof SERVERS]] as const)),
])

/** The quirks of a row or of a server known by name; a server without a row is plain. */
export function quirksNamed(name: string): Quirks {
  return rows.get(name) ?? QUIRKS.plain
}
