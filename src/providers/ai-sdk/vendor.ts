import { isOwn } from '../../protocol/conversation.js'
import type { CacheControl, Effort, UpstreamRequest } from '../../protocol/request.js'
import { traitsOf } from '../anthropic/models.js'
import { BUDGETS, thinkingOf } from '../anthropic/thinking.js'
import type { Notes } from '../common/notes.js'
import type { Fields, Spoken, VendorOptions } from './model.js'

/** Providers whose own options are known here; what the specification has no field for goes there. */
export type Vendor = 'openai' | 'anthropic' | 'google' | 'bedrock' | undefined

/** `anthropic.messages` and `vertex.anthropic.messages` take the same options. */
export function vendorOf(provider: string): Vendor {
  const words = provider.toLowerCase().split('.')
  if (words.includes('anthropic')) return 'anthropic'
  const [first = ''] = words
  if (first === 'openai' || first === 'azure') return 'openai'
  if (first === 'google' || first === 'vertex') return 'google'
  return first === 'amazon-bedrock' || first === 'bedrock' ? 'bedrock' : undefined
}

/** Where a provider's package reads its options: the part of its name before the dot. */
export function keyOf(provider: string): string {
  return vendorOf(provider) ?? provider.split('.')[0] ?? provider
}

/** Others cache by themselves, as their own dialects do. */
export function cacheOptions(control: CacheControl | undefined, provider: string): VendorOptions | undefined {
  if (control === undefined) return undefined
  const vendor = vendorOf(provider)
  const ttl = control.ttl === undefined ? {} : { ttl: control.ttl }
  if (vendor === 'anthropic') return { anthropic: { cacheControl: { type: 'ephemeral', ...ttl } } }
  return vendor === 'bedrock' ? { bedrock: { cachePoint: { type: 'default', ...ttl } } } : undefined
}

/** Call options and provider options for what the specifications lack a field for. */
export function vendorCall(request: UpstreamRequest, spoken: Spoken, notes: Notes): { readonly call: Fields; readonly options: VendorOptions } {
  const vendor = vendorOf(spoken.provider)
  const fields: Fields = {}
  const parallel = request.parallelToolCalls
  if (parallel !== undefined) {
    if (vendor === 'openai') fields['parallelToolCalls'] = parallel
    else if (vendor === 'anthropic') fields['disableParallelToolUse'] = !parallel
    else unsupported('parallelToolCalls', notes)
  }
  const { logprobs } = request
  if (logprobs !== undefined && logprobs !== false) {
    if (vendor === 'openai') fields['logprobs'] = logprobs
    else unsupported('logprobs', notes)
  }
  const { call, fields: thinking } = reasoningOf(request, spoken, notes)
  const all = { ...fields, ...thinking }
  return { call, options: Object.keys(all).length === 0 ? {} : { [keyOf(spoken.provider)]: all } }
}

function unsupported(parameter: string, notes: Notes): void {
  notes.add('unsupported', `This AI SDK model has no field for \`${parameter}\` that is known here; it was left out. Use providerOptions['ai-sdk'].`, parameter)
}

type Asked = { readonly call: Fields; readonly fields: Fields }
const NOTHING: Asked = { call: {}, fields: {} }

function reasoningOf(request: UpstreamRequest, spoken: Spoken, notes: Notes): Asked {
  const { effort, budgetTokens } = request.reasoning ?? {}
  if (effort === undefined && budgetTokens === undefined) return NOTHING
  const vendor = vendorOf(spoken.provider)
  if (vendor === 'anthropic') return thinking(request, spoken, notes)
  if (vendor === 'google' && (budgetTokens !== undefined || spoken.version < 4)) return thinkingBudget(effort === 'none' ? 0 : (budgetTokens ?? BUDGETS[effort ?? 'medium']))
  if (budgetTokens !== undefined) unsupported('reasoning.budgetTokens', notes)
  return effort === undefined ? NOTHING : effortOf(effort, spoken, notes)
}

function thinkingBudget(budget: number): Asked {
  return { call: {}, fields: { thinkingConfig: { thinkingBudget: budget, ...(budget > 0 && { includeThoughts: true }) } } }
}

/** A field of its own since v4. */
function effortOf(effort: Effort, spoken: Spoken, notes: Notes): Asked {
  if (spoken.version === 4) return { call: { reasoning: effort }, fields: {} }
  if (vendorOf(spoken.provider) === 'openai') return { call: {}, fields: { reasoningEffort: effort } }
  unsupported('reasoning.effort', notes)
  return NOTHING
}

/** The same choice the dialect of this provider makes. The SDK adds a budget to the bound of the answer; here it is part of it. */
function thinking(request: UpstreamRequest, spoken: Spoken, notes: Notes): Asked {
  const traits = traitsOf(spoken.model)
  const asked = request.maxOutputTokens
  const forced = request.toolChoice === 'required' || typeof request.toolChoice === 'object'
  const obstacle = forced ? 'it cannot go together with a tool the model must call' : request.prefill === true ? 'it cannot go together with the start of an answer' : undefined
  const budgetObstacle = loopLacksReasoning(request, spoken) ? 'the tool loop was begun without reasoning of this model' : undefined
  const told = thinkingOf({ reasoning: request.reasoning, traits, asked, fallback: traits.maxTokens, ceiling: undefined, obstacle, budgetObstacle }, notes)
  const budget = told.thinking?.['budget_tokens']
  return {
    call: asked !== undefined && typeof budget === 'number' ? { maxOutputTokens: Math.max(1, asked - budget) } : {},
    fields: {
      ...(told.thinking !== undefined && { thinking: typeof budget === 'number' ? { type: 'enabled', budgetTokens: budget } : told.thinking }),
      ...(told.effort !== undefined && { effort: told.effort }),
    },
  }
}

// Such a loop cannot go on with a thinking budget.
function loopLacksReasoning({ messages }: UpstreamRequest, spoken: Spoken): boolean {
  if (messages.at(-1)?.role !== 'tool') return false
  const last = messages.findLast(message => message.role === 'assistant')
  if (last === undefined || typeof last.content === 'string') return true
  return !(isOwn(last, spoken) && last.content[0]?.type === 'reasoning')
}
