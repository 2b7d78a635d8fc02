import { isObject } from '../protocol/json.js'
import type { Group } from '../protocol/ports.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'
import { bad, type Unit } from './rank.js'
import { checkSticky, shared, type Sticky } from './weighted.js'

/** How much a canary gets. */
export interface CanaryOptions {
  /** Share of the calls that try the new target first, 0 to 1. */
  readonly share: number
  /** The same user or conversation stays on the same side. */
  readonly sticky?: Sticky
}

const OPTIONS = new Set(['share', 'sticky'])

/**
 * Gives a share of the calls to a new target; the other one is the fallback of each. Answers carry the note
 * `{ variant: 'stable' }` or `{ variant: 'canary' }`. With `share: 0` the trial is a last resort.
 *
 * @example
 * canary(openai('gpt-5.6'), openai('gpt-6'), { share: 0.05, sticky: 'user' })
 */
export function canary(stable: Unit, trial: Unit, options: CanaryOptions): Group {
  if (!isObject(options)) throw bad('canary() takes { share } last: canary(stable, trial, { share: 0.05 }).')
  refuseUnknownKeys(options, OPTIONS, 'canary()')
  const { share, sticky } = options
  if (typeof share !== 'number' || !(share >= 0 && share <= 1)) throw bad('canary(): share must be a number from 0 to 1, such as 0.05 for five in a hundred.')
  const branches = [
    { use: stable, weight: 1 - share, variant: 'stable' },
    { use: trial, weight: share, variant: 'canary' },
  ]
  return shared('canary', branches, checkSticky('canary', sticky), false)
}
