import type { UpstreamRequest } from '../../protocol/request.js'
import type { Quirks } from './quirks.js'

/** What a model's family says about the parameters of one request. */
export interface Family {
  /** `undefined` where nothing is known of it. */
  readonly reasons?: boolean
  /** Takes nothing beside the wish for reasoning. */
  readonly plainReasoning?: boolean
  /** Request fields it refuses now. */
  readonly refuses: readonly (keyof UpstreamRequest)[]
  /** The role instructions go in. */
  readonly instructions: 'keep' | 'developer' | 'user'
}

type Field = keyof UpstreamRequest
const SAMPLING: readonly Field[] = ['temperature', 'topP', 'frequencyPenalty', 'presencePenalty', 'logprobs', 'stop']
const PENALTIES: readonly Field[] = ['frequencyPenalty', 'presencePenalty', 'stop']
const PLAIN: Family = { refuses: [], instructions: 'keep' }

function openai(model: string, request: UpstreamRequest): Family {
  if (/^o\d/.test(model)) {
    const early = /^o1-(?:mini|preview)/.test(model)
    return { reasons: true, refuses: SAMPLING, instructions: early ? 'user' : 'developer' }
  }
  const gpt = /^gpt-(\d+)(?:\.(\d+))?(.*)$/.exec(model)
  if (gpt === null) return PLAIN
  const [, major = '', minor, variant = ''] = gpt
  const chat = variant.startsWith('-chat')
  if (Number(major) < 5 || (major === '5' && minor === undefined && chat)) return { reasons: false, refuses: [], instructions: 'keep' }
  const off = minor !== undefined && !/^-(?:chat|codex|pro)/.test(variant) && reasoningOff(Number(major), Number(minor), request)
  return { reasons: true, refuses: off ? [] : SAMPLING, instructions: 'developer' }
}

// 5.1 to 5.4 reason when asked to, later ones unless asked not to.
function reasoningOff(major: number, minor: number, { reasoning }: UpstreamRequest): boolean {
  if (reasoning?.effort !== undefined) return reasoning.effort === 'none'
  if (reasoning?.budgetTokens !== undefined) return reasoning.budgetTokens === 0
  return major === 5 && minor < 5
}

function xai(model: string): Family {
  const reasons = /^grok-(?:[4-9]|3-mini|code)/.test(model) && !model.includes('non-reasoning')
  return { ...(reasons && { reasons }), refuses: reasons ? PENALTIES : [], instructions: 'keep' }
}

// It separates its reasoning by itself, and refuses to be told how.
function groq(model: string): Family {
  return model.startsWith('gpt-oss') ? { ...PLAIN, plainReasoning: true } : PLAIN
}

const FAMILIES: Readonly<Record<NonNullable<Quirks['families']>, (model: string, request: UpstreamRequest) => Family>> = { openai, xai, groq }

/** The family of a model, by its name; a fine-tuned or prefixed name counts as what it was made from. */
export function familyOf(model: string, request: UpstreamRequest, quirks: Quirks): Family {
  if (quirks.families === undefined) return PLAIN
  const name = model.toLowerCase().replace(/^ft:/, '').split('/').at(-1) ?? ''
  return FAMILIES[quirks.families](name, request)
}
