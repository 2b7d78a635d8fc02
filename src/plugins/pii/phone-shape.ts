import { at, isDigit } from './chars.js'

/** The digit groups of something that may be a telephone number. */
export interface PhoneShape {
  readonly start: number
  readonly plus: boolean
  /** Index of the group that stands in brackets, or -1. */
  readonly bracket: number
  readonly groups: readonly string[]
  /** Separator after each group but the last: a space, or the one sign that is not a space. */
  readonly separators: string
  /** End after each group. */
  readonly ends: readonly number[]
}

const MOST_DIGITS = 17
const MOST_GROUPS = 7
const NBSP = 0xa0
const between = (c: number): boolean => c === 32 || c === 45 || c === 46 || c === 47 || c === 40 || c === 41 || c === NBSP

/** Consumes up to three separators; a bracket may open only once and every other sign only once. */
function separator(text: string, i: number): { next: number; sign: string; opened: boolean; closed: number } {
  let sign = ''
  let opened = false
  let closed = -1
  let spaces = 0
  const limit = i + 4
  while (i < limit && between(at(text, i))) {
    const c = text.charCodeAt(i)
    if (c === 40) {
      if (opened) break
      opened = true
    } else if (c === 41) {
      if (closed !== -1) break
      closed = i + 1
    } else if (c === 32 || c === NBSP) {
      if (++spaces > 2) break
    } else {
      if (sign !== '') break
      sign = text.charAt(i)
    }
    i++
  }
  return { next: i, sign: sign === '' ? ' ' : sign, opened, closed }
}

/** Reads groups from `start`, which is a digit, a plus or an opening bracket; bounded. */
export function readShape(text: string, start: number): PhoneShape {
  const groups: string[] = []
  const ends: number[] = []
  let separators = ''
  let bracket = -1
  let digits = 0
  let i = start
  const plus = at(text, i) === 43
  if (plus) i++
  if (plus && at(text, i) === 32) i++
  if (at(text, i) === 40) {
    bracket = 0
    i++
  }
  while (groups.length < MOST_GROUPS) {
    const from = i
    while (i - from <= MOST_DIGITS && isDigit(at(text, i))) i++
    if (i === from || digits + i - from > MOST_DIGITS) break
    digits += i - from
    groups.push(text.slice(from, i))
    ends.push(i)
    const gap = separator(text, i)
    // A closing bracket belongs to the group that it closes.
    if (gap.closed !== -1 && bracket === groups.length - 1) ends[ends.length - 1] = gap.closed
    if (gap.next === i || !isDigit(at(text, gap.next))) break
    if (gap.opened) bracket = groups.length
    separators += gap.sign
    i = gap.next
  }
  // A bracket around more than the first group is no area code: the digit behind it is tried by itself.
  if (at(text, start) === 40 && at(text, (ends[0] ?? 1) - 1) !== 41) return { start, plus, bracket, groups: [], separators, ends }
  return { start, plus, bracket, groups, separators, ends }
}
