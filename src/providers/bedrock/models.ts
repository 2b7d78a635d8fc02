import type { ToolIdRule } from '../../protocol/conversation.js'
import type { Target } from '../../protocol/ports.js'
import { traitsOf as claudeTraitsOf, type Traits as ClaudeTraits } from '../anthropic/models.js'
import { TOOL_ID } from '../common/names.js'

/** Who made a model, as far as its requests differ; `unknown` is a model whose id tells nothing, such as an ARN of one's own. */
type Family = 'claude' | 'nova' | 'nova-2' | 'gpt-oss' | 'qwen' | 'mistral' | 'plain' | 'other' | 'unknown'

/** What a model takes, told from its id. */
export interface Traits {
  readonly family: Family
  /** What is known of a Claude model. */
  readonly claude?: ClaudeTraits
  /** Takes `outputConfig.textFormat`. */
  readonly jsonSchema: boolean
  /** Takes `strict` on tools. */
  readonly strict: boolean
  /** Takes cache points. */
  readonly cache: boolean
  /** How it can be made to call a tool: any or a certain one, any, or not at all. */
  readonly force: 'named' | 'any' | 'none'
  readonly toolId: ToolIdRule
}

const FAMILIES: readonly (readonly [Family, RegExp])[] = [
  ['claude', /claude/],
  ['nova-2', /nova-2/],
  ['nova', /nova/],
  ['gpt-oss', /gpt-oss/],
  ['qwen', /qwen/],
  ['mistral', /mistral|mixtral|ministral|magistral|pixtral|voxtral|devstral/],
  ['plain', /llama|titan|cohere|jamba|ai21/],
  ['other', /deepseek|kimi|minimax|gemma|nemotron|writer|glm|openai/],
]
const SCHEMA = /qwen3|gpt-oss|kimi/
const MISTRAL_ID: ToolIdRule = { pattern: /^[a-zA-Z0-9]{9}$/, alphabet: 'abcdefghijklmnopqrstuvwxyz0123456789', length: 9 }
const CACHING = new Set<Family>(['claude', 'nova', 'nova-2', 'unknown'])

function forceOf(family: Family, claude: ClaudeTraits | undefined): Traits['force'] {
  if (family === 'plain' || claude?.forcedTool === false) return 'none'
  return family === 'mistral' ? 'any' : 'named'
}

/** Reads the id of a model, of an inference profile, or an ARN of either. */
export function traitsOf(model: string): Traits {
  const name = model.toLowerCase()
  const family = FAMILIES.find(([, pattern]) => pattern.test(name))?.[0] ?? 'unknown'
  const claude = family === 'claude' ? claudeTraitsOf(name) : undefined
  const version = claude?.version ?? 0
  return {
    family,
    ...(claude !== undefined && { claude }),
    jsonSchema: claude === undefined ? SCHEMA.test(name) : version > 0 && claude.jsonSchema,
    // The newest refuse `strict` here, though not at their maker's own address.
    strict: claude === undefined ? SCHEMA.test(name) : version >= 405 && version <= 406,
    cache: CACHING.has(family),
    force: forceOf(family, claude),
    toolId: family === 'mistral' ? MISTRAL_ID : TOOL_ID,
  }
}

/** True where the schema of the answer has its own field. */
export function takesSchema({ model, capabilities }: Pick<Target, 'model' | 'capabilities'>): boolean {
  return capabilities.jsonSchema ?? traitsOf(model).jsonSchema
}
