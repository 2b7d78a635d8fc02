import { isObject } from '../protocol/json.js'
import type { Group, Shadow } from '../protocol/ports.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'
import { bad, groupOf, unitsOf, type Unit } from './rank.js'

/** How much a shadow sees. */
export interface MirrorOptions {
  /** Share of the calls that are copied, 0 to 1. Default 1. */
  readonly share?: number
  /** The copies are charged to the caller's budget. Default: to nobody, recorded as `system`. */
  readonly bill?: boolean
}

const OPTIONS = new Set(['share', 'bill'])
const NOBODY: readonly Shadow[] = Object.freeze([])

/**
 * Answers from the first target and sends a copy of the call to the second, whose answer is thrown away: it can neither delay
 * nor fail the call.
 *
 * @example
 * mirror(openai('gpt-5.6'), openai('gpt-6'), { share: 0.1 })
 */
export function mirror(main: Unit, shadow: Unit, options: MirrorOptions = {}): Group {
  if (!isObject(options)) throw bad('mirror() takes { share, bill } last.')
  refuseUnknownKeys(options, OPTIONS, 'mirror()')
  const { share = 1, bill = false } = options
  if (typeof share !== 'number' || !(share >= 0 && share <= 1)) throw bad('mirror(): share must be a number from 0 to 1, such as 0.1 for one in ten.')
  if (typeof bill !== 'boolean') throw bad('mirror(): bill must be true or false.')
  const copies: readonly Shadow[] = Object.freeze([Object.freeze({ target: shadow, bill })])
  return groupOf('mirror', unitsOf('mirror', [main, shadow]), targets => targets.filter(target => target === main), {
    shadows: ({ random }) => (share === 1 || random() < share ? copies : NOBODY),
  })
}
