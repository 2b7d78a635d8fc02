import type { Effort, Reasoning } from '../../protocol/request.js'
import type { Notes } from '../common/notes.js'
import type { Block } from '../common/own.js'
import type { Traits } from './models.js'

/** What bears on how a model is told to think. */
export interface ThinkingAsk {
  readonly reasoning: Reasoning | undefined
  readonly traits: Traits
  /** The caller's own bound of the answer, or `undefined`. */
  readonly asked: number | undefined
  /** `max_tokens` where the caller named none, and how far it may be raised. */
  readonly fallback: number
  readonly ceiling: number | undefined
  /** Why thinking cannot be on for this request, in a clause. */
  readonly obstacle: string | undefined
  /** Such an obstacle, for thinking with a budget only. */
  readonly budgetObstacle: string | undefined
}

/** The fields it comes to. */
export interface Thinking {
  readonly thinking?: Block
  readonly effort?: Effort
  readonly maxTokens: number
  readonly on: boolean
}

const MIN_BUDGET = 1024
export const BUDGETS: Readonly<Record<Exclude<Effort, 'none'>, number>> = { minimal: 1024, low: 4096, medium: 8192, high: 16_384, xhigh: 24_576, max: 31_999 }
// Room for the answer beside the thinking, where we choose the bound.
const ANSWER_ROOM = 4096

function effortOf(effort: Exclude<Effort, 'none'>, traits: Traits, notes: Notes): Effort | undefined {
  if (traits.efforts.length === 0) return undefined
  if (traits.efforts.includes(effort)) return effort
  const nearest = effort === 'minimal' ? 'low' : traits.efforts.includes('xhigh') ? 'xhigh' : 'high'
  notes.add('changed', `The model has no reasoning effort "${effort}"; "${nearest}" was sent.`, 'reasoning.effort')
  return nearest
}

function budgeted(budget: number, ask: ThinkingAsk, notes: Notes): { budget: number; maxTokens: number } | undefined {
  let fit = Math.max(MIN_BUDGET, Math.floor(budget))
  const bound = ask.asked ?? Math.min(Math.max(ask.fallback, fit + ANSWER_ROOM), ask.ceiling ?? Number.MAX_SAFE_INTEGER)
  if (bound <= MIN_BUDGET) {
    notes.add('dropped', `Reasoning needs more than ${MIN_BUDGET} output tokens; it was left out. Raise maxOutputTokens.`, 'reasoning')
    return undefined
  }
  if (fit >= bound) fit = Math.max(MIN_BUDGET, Math.floor((bound * 3) / 4))
  if (fit !== budget && ask.reasoning?.budgetTokens !== undefined) notes.add('changed', `The reasoning budget was set to ${fit} tokens: it must be at least ${MIN_BUDGET} and below maxOutputTokens.`, 'reasoning.budgetTokens')
  return { budget: fit, maxTokens: bound }
}

function off(ask: ThinkingAsk, notes: Notes): Thinking {
  const maxTokens = ask.asked ?? ask.fallback
  if (ask.traits.thinking === 'none') return { maxTokens, on: false }
  if (ask.traits.canStopThinking) return { thinking: { type: 'disabled' }, maxTokens, on: false }
  notes.add('changed', 'The model always reasons; reasoning effort "none" was left out.', 'reasoning.effort')
  return { maxTokens, on: true }
}

function withBudget(level: Exclude<Effort, 'none'> | undefined, wanted: number | undefined, ask: ThinkingAsk, notes: Notes): Thinking {
  const fit = budgeted(wanted ?? BUDGETS[level ?? 'medium'], ask, notes)
  if (fit === undefined) return { maxTokens: ask.asked ?? ask.fallback, on: false }
  return { thinking: { type: 'enabled', budget_tokens: fit.budget }, maxTokens: fit.maxTokens, on: true }
}

function wantedThinking(level: Exclude<Effort, 'none'> | undefined, wanted: number | undefined, ask: ThinkingAsk, notes: Notes): Thinking {
  const { traits } = ask
  const maxTokens = ask.asked ?? ask.fallback
  const budget = traits.thinking === 'budget' || (traits.thinking === 'either' && wanted !== undefined)
  const obstacle = ask.obstacle ?? (budget ? ask.budgetObstacle : undefined)
  if (obstacle !== undefined) {
    notes.add('dropped', `Reasoning was left out: ${obstacle}.`, 'reasoning')
    return { maxTokens, on: !traits.canStopThinking }
  }
  if (budget) return withBudget(level, wanted, ask, notes)
  if (wanted !== undefined) notes.add('changed', 'The model takes no reasoning budget; it decides for itself. Use reasoning.effort.', 'reasoning.budgetTokens')
  return { thinking: { type: 'adaptive' }, maxTokens, on: true }
}

/** Turns `reasoning` into the fields the model's generation takes. */
export function thinkingOf(ask: ThinkingAsk, notes: Notes): Thinking {
  const { traits } = ask
  const maxTokens = ask.asked ?? ask.fallback
  const level = ask.reasoning?.effort
  const wanted = ask.reasoning?.budgetTokens
  if (level === 'none') return off(ask, notes)
  if (level === undefined && wanted === undefined) return { maxTokens, on: !traits.canStopThinking }
  if (traits.thinking === 'none') {
    notes.add('unsupported', 'The model does not reason; `reasoning` was left out.', 'reasoning')
    return { maxTokens, on: false }
  }
  const effort = level === undefined ? undefined : effortOf(level, traits, notes)
  return { ...wantedThinking(level, wanted, ask, notes), ...(effort !== undefined && { effort }) }
}
