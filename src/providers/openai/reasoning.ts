import type { Warning } from '../../protocol/events.js'
import type { Effort, Reasoning, UpstreamRequest } from '../../protocol/request.js'
import type { Block } from './media.js'
import type { Encoding } from './messages.js'
import type { ReasoningStyle } from './quirks.js'

const ORDER: readonly Effort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']

function warning(code: Warning['code'], message: string, parameter: string): Warning {
  return { code, message, parameter }
}

/** The nearest word the server takes; of two as near, the higher. */
function nearestEffort(effort: Effort, known: readonly Effort[]): Effort {
  const far = (word: Effort) => Math.abs(ORDER.indexOf(word) - ORDER.indexOf(effort))
  return known.reduce((best, word) => (far(word) < far(best) || (far(word) === far(best) && ORDER.indexOf(word) > ORDER.indexOf(best)) ? word : best), known[0] ?? effort)
}

function effortOfBudget(budgetTokens: number): Effort {
  if (budgetTokens === 0) return 'none'
  if (budgetTokens <= 2048) return 'low'
  return budgetTokens <= 8192 ? 'medium' : 'high'
}

function effortWord(reasoning: Reasoning, { quirks, warnings }: Encoding): Effort | undefined {
  const { budgetTokens } = reasoning
  const asked = reasoning.effort ?? (budgetTokens === undefined ? undefined : effortOfBudget(budgetTokens))
  if (asked === undefined) return undefined
  if (budgetTokens !== undefined) {
    const message = reasoning.effort === undefined ? `This provider takes no reasoning budget; it was sent as effort "${asked}".` : 'This provider takes no reasoning budget beside the effort; the budget was left out.'
    warnings.push(warning('changed', message, 'reasoning.budgetTokens'))
  }
  if (asked === 'none' && quirks.unsureOff === true) warnings.push(warning('other', 'Behind this provider some models cannot be kept from reasoning; "none" was sent, which they may not heed.', 'reasoning.effort'))
  const word = quirks.efforts === undefined ? asked : nearestEffort(asked, quirks.efforts)
  if (word !== asked) warnings.push(warning('changed', `This provider does not know the effort "${asked}"; "${word}" was sent.`, 'reasoning.effort'))
  return word
}

function switched(reasoning: Reasoning, { warnings }: Encoding): boolean {
  if (reasoning.effort !== undefined && reasoning.effort !== 'none') warnings.push(warning('changed', 'This provider turns reasoning on or off and takes no effort; it was turned on.', 'reasoning.effort'))
  return reasoning.effort === undefined ? reasoning.budgetTokens !== 0 : reasoning.effort !== 'none'
}

function noBudget(reasoning: Reasoning, { warnings }: Encoding): void {
  if (reasoning.budgetTokens !== undefined && reasoning.budgetTokens !== 0) warnings.push(warning('dropped', 'This provider takes no reasoning budget; it was left out.', 'reasoning.budgetTokens'))
}

function thinking(reasoning: Reasoning, encoding: Encoding): Block {
  const off = reasoning.effort === 'none' || (reasoning.effort === undefined && reasoning.budgetTokens === 0)
  if (off) return { thinking: { type: 'disabled' } }
  if (encoding.quirks.efforts === undefined) {
    noBudget(reasoning, encoding)
    switched(reasoning, encoding)
    return { thinking: { type: 'enabled' } }
  }
  const word = effortWord(reasoning, encoding)
  return { thinking: { type: 'enabled' }, ...(word !== undefined && { reasoning_effort: word }) }
}

function onOff(reasoning: Reasoning, encoding: Encoding): boolean {
  noBudget(reasoning, encoding)
  return switched(reasoning, encoding)
}

/** `reasoning_effort` in the server's own word. */
function effort(reasoning: Reasoning, encoding: Encoding): Block {
  const word = effortWord(reasoning, encoding)
  const { off } = encoding.quirks
  return { reasoning_effort: word === 'none' && off !== undefined ? off : word }
}

function bounded(budgetTokens: number, { quirks, warnings }: Encoding): number {
  const [least, most] = quirks.budget ?? [0, Infinity]
  const fit = Math.min(Math.max(budgetTokens, least), most)
  if (fit !== budgetTokens) warnings.push(warning('changed', `This provider takes a reasoning budget of ${least} to ${most} tokens; ${fit} was sent.`, 'reasoning.budgetTokens'))
  return fit
}

/** True where reasoning is asked for at all, and not asked to stay off. */
export function reasons({ reasoning }: Pick<UpstreamRequest, 'reasoning'>): boolean {
  if (reasoning?.effort !== undefined) return reasoning.effort !== 'none'
  return reasoning?.budgetTokens !== undefined && reasoning.budgetTokens !== 0
}

type Style = (reasoning: Reasoning, encoding: Encoding) => Block
const STYLES: Readonly<Record<ReasoningStyle, Style>> = {
  none: ({ effort }, { warnings }) => {
    if (effort !== 'none') warnings.push(warning('unsupported', 'This model or provider has no switch for reasoning; the wish was left out.', 'reasoning'))
    return {}
  },
  effort,
  object: (reasoning, encoding) => ({
    reasoning: reasoning.effort === undefined && reasoning.budgetTokens !== 0 ? { max_tokens: reasoning.budgetTokens } : { effort: effortWord(reasoning, encoding) },
  }),
  enabled: (reasoning, encoding) => ({ reasoning: { enabled: onOff(reasoning, encoding) } }),
  thinking,
  enable_thinking: (reasoning, encoding) => {
    const on = switched(reasoning, encoding)
    return { enable_thinking: on, ...(on && reasoning.budgetTokens !== undefined && { thinking_budget: bounded(reasoning.budgetTokens, encoding) }) }
  },
  prompt_mode: (reasoning, encoding) => {
    noBudget(reasoning, encoding)
    if (switched(reasoning, encoding)) return { prompt_mode: 'reasoning' }
    encoding.warnings.push(warning('changed', 'This model always reasons; the wish to turn it off was left out.', 'reasoning.effort'))
    return {}
  },
  template: (reasoning, encoding) => ({ chat_template_kwargs: { enable_thinking: onOff(reasoning, encoding) } }),
  template_args: (reasoning, encoding) => ({ chat_template_args: { enable_thinking: onOff(reasoning, encoding) } }),
  toggle: (reasoning, encoding) => ({ thinking: onOff(reasoning, encoding) }),
  venice: (reasoning, encoding) => (reasons({ reasoning }) ? effort(reasoning, encoding) : { reasoning: { enabled: false }, venice_parameters: { disable_thinking: true } }),
}

/** The body fields that ask for reasoning, in the style of the server. */
export function encodeReasoning(reasoning: Reasoning | undefined, encoding: Encoding): Block {
  if (reasoning === undefined || (reasoning.effort === undefined && reasoning.budgetTokens === undefined)) return {}
  const style = encoding.family.reasons === false ? 'none' : (encoding.quirks.reasoning ?? 'effort')
  const asked = STYLES[style](reasoning, encoding)
  return encoding.family.plainReasoning === true ? asked : { ...asked, ...encoding.quirks.besideReasoning }
}
