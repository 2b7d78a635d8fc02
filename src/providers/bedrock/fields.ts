import type { Target } from '../../protocol/ports.js'
import type { Effort, UpstreamRequest } from '../../protocol/request.js'
import type { Traits as ClaudeTraits } from '../anthropic/models.js'
import { samplingOf } from '../anthropic/sampling.js'
import { thinkingOf } from '../anthropic/thinking.js'
import type { Notes } from '../common/notes.js'
import type { Block } from '../common/own.js'
import { loopLacks } from '../common/turns.js'
import type { Conversation } from './messages.js'
import type { Traits } from './models.js'

/** What differs from model to model. */
export interface ModelFields {
  /** Of `inferenceConfig`. */
  readonly inference: Block
  /** `additionalModelRequestFields`. */
  readonly more: Block
}
interface Ask {
  readonly request: UpstreamRequest
  readonly target: Target
  readonly traits: Traits
  readonly conversation: Conversation
  /** The model must call a tool. */
  readonly forced: boolean
}

type Level = 'low' | 'medium' | 'high'
const LEVELS: Readonly<Record<Exclude<Effort, 'none'>, Level>> = { minimal: 'low', low: 'low', medium: 'medium', high: 'high', xhigh: 'high', max: 'high' }

function claudeFields(claude: ClaudeTraits, { request, target, conversation, forced }: Ask, notes: Notes): ModelFields {
  const { maxOutputTokens: ceiling, reasoning: able } = target.capabilities
  const lacks = loopLacks(conversation.messages, block => block['toolResult'] !== undefined, block => block['reasoningContent'] !== undefined)
  const { thinking, effort, on } = thinkingOf(
    {
      reasoning: request.reasoning,
      traits: able === false ? { ...claude, thinking: 'none' } : claude,
      asked: request.maxOutputTokens,
      fallback: ceiling ?? claude.maxTokens,
      ceiling,
      obstacle: forced ? 'it cannot go together with a tool the model must call' : request.prefill === true ? 'it cannot go together with the start of an answer' : undefined,
      budgetObstacle: lacks ? 'the tool loop was begun without reasoning of this model' : undefined,
    },
    notes,
  )
  const { temperature, top_p: topP, top_k: topK } = samplingOf(request, claude, on, notes)
  return {
    inference: { ...(temperature !== undefined && { temperature }), ...(topP !== undefined && { topP }) },
    more: { ...(thinking !== undefined && { thinking }), ...(effort !== undefined && { output_config: { effort } }), ...(topK !== undefined && { top_k: topK }) },
  }
}

function samplingHere({ temperature, topP, topK }: UpstreamRequest, { family }: Traits, notes: Notes): ModelFields {
  if (temperature !== undefined && temperature > 1) notes.add('changed', 'Bedrock takes a temperature of at most 1; 1 was sent.', 'temperature')
  const nova = family === 'nova' || family === 'nova-2'
  if (topK !== undefined && !nova) notes.add('unsupported', 'The model has no `topK` that is known here; it was left out.', 'topK')
  return {
    inference: { ...(temperature !== undefined && { temperature: Math.min(1, temperature) }), ...(topP !== undefined && { topP }) },
    more: topK !== undefined && nova ? { inferenceConfig: { topK } } : {},
  }
}

function levelOf(effort: Exclude<Effort, 'none'>, most: Level, notes: Notes): Level {
  const level = LEVELS[effort] === 'high' ? most : LEVELS[effort]
  if (level !== effort) notes.add('changed', `Reasoning effort "${effort}" cannot be sent with this request; "${level}" was sent.`, 'reasoning.effort')
  return level
}

/** The field that says the effort, each family having its own; `undefined` where it cannot be said. */
function effortField(effort: Effort, { temperature, topP, maxOutputTokens }: UpstreamRequest, { family }: Traits, notes: Notes): Block | undefined {
  switch (family) {
    case 'nova-2': {
      if (effort === 'none') return { reasoningConfig: { type: 'disabled' } }
      // At its highest it takes none of these beside it.
      const most = temperature === undefined && topP === undefined && maxOutputTokens === undefined ? 'high' : 'medium'
      return { reasoningConfig: { type: 'enabled', maxReasoningEffort: levelOf(effort, most, notes) } }
    }
    case 'gpt-oss':
      return effort === 'none' ? undefined : { reasoning_effort: levelOf(effort, 'high', notes) }
    case 'qwen':
      return effort === 'none' ? {} : { reasoning_config: levelOf(effort, 'high', notes) === 'high' ? 'high' : 'low' }
    default:
      return effort === 'none' ? {} : undefined
  }
}

function reasoningHere(request: UpstreamRequest, traits: Traits, notes: Notes): Block {
  const { effort, budgetTokens } = request.reasoning ?? {}
  if (budgetTokens !== undefined) notes.add('unsupported', 'The model takes no reasoning budget; it was left out. Use reasoning.effort.', 'reasoning.budgetTokens')
  if (effort === undefined) return {}
  const field = effortField(effort, request, traits, notes)
  if (field === undefined) notes.add('unsupported', effort === 'none' ? 'The model always reasons; reasoning effort "none" was left out.' : 'How this model is told to reason is not known here; `reasoning` was left out. Use providerOptions.', 'reasoning')
  return field ?? {}
}

export function fieldsOf(ask: Ask, notes: Notes): ModelFields {
  const { request, traits } = ask
  if (traits.claude !== undefined) return claudeFields(traits.claude, ask, notes)
  const { inference, more } = samplingHere(request, traits, notes)
  return { inference, more: { ...more, ...reasoningHere(request, traits, notes) } }
}
