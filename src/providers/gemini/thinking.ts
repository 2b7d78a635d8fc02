import type { Effort } from '../../protocol/request.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import type { Notes } from '../common/notes.js'
import type { Block } from '../common/own.js'
import type { Level, Traits } from './models.js'

type Wanted = Exclude<Effort, 'none'>

const BUDGETS: Readonly<Record<Wanted, number>> = { minimal: 512, low: 1024, medium: 8192, high: 24_576, xhigh: 32_768, max: 32_768 }
const LEVELS: Readonly<Record<Effort, Level>> = { none: 'MINIMAL', minimal: 'MINIMAL', low: 'LOW', medium: 'MEDIUM', high: 'HIGH', xhigh: 'HIGH', max: 'HIGH' }
const ORDER: readonly Level[] = ['MINIMAL', 'LOW', 'MEDIUM', 'HIGH']

function levelOf(effort: Effort, traits: Traits, notes: Notes): Level {
  const wanted = LEVELS[effort]
  // The next level up, for reasoning that was asked for must not be lost.
  const found = ORDER.slice(ORDER.indexOf(wanted)).find(level => traits.levels.includes(level)) ?? 'HIGH'
  if (found.toLowerCase() !== effort) notes.add('changed', `The model has no reasoning effort "${effort}"; "${found.toLowerCase()}" was sent.`, 'reasoning.effort')
  return found
}

function budgetOf(wanted: number, traits: Traits, parameter: string | undefined, notes: Notes): number {
  const { least, most } = traits.budget
  const fit = Math.min(most, Math.max(least, Math.floor(wanted)))
  if (fit !== wanted && parameter !== undefined) notes.add('changed', `The reasoning budget was set to ${fit} tokens: the model takes ${least} to ${most}.`, parameter)
  return fit
}

function stopped(traits: Traits, notes: Notes): Block {
  if (traits.budget.canStop) return { thinkingBudget: 0 }
  notes.add('changed', `The model always reasons; a budget of ${traits.budget.least} tokens was sent.`, 'reasoning.effort')
  return { thinkingBudget: traits.budget.least }
}

/** `thinkingConfig`: a budget or a level, never both; `undefined` where nothing was asked for. */
export function thinkingOf({ reasoning }: UpstreamRequest, traits: Traits, notes: Notes): Block | undefined {
  const effort = reasoning?.effort
  const budget = reasoning?.budgetTokens
  if (effort === undefined && budget === undefined) return undefined
  if (traits.thinking === 'none') {
    if (effort !== 'none') notes.add('unsupported', 'The model does not reason; `reasoning` was left out.', 'reasoning')
    return undefined
  }
  if (traits.thinking === 'level' && effort !== undefined) {
    if (budget !== undefined) notes.add('dropped', 'The model takes an effort or a budget, not both; the budget was left out.', 'reasoning.budgetTokens')
    return { thinkingLevel: levelOf(effort, traits, notes), ...(effort !== 'none' && { includeThoughts: true }) }
  }
  if (effort === 'none' || budget === 0) return stopped(traits, notes)
  // Newer models still take a budget where no level says otherwise.
  return { thinkingBudget: budget === undefined ? budgetOf(BUDGETS[effort ?? 'medium'], traits, undefined, notes) : budgetOf(budget, traits, 'reasoning.budgetTokens', notes), includeThoughts: true }
}
