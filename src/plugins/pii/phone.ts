import { at, cutsAfter, isDigit } from './chars.js'
import type { Hits } from './hits.js'
import { CELL, endsCell, isCounted, isLabelledBehind, leadOf, NO_LEAD, WAY } from './phone-lead.js'
import type { PhoneShape } from './phone-shape.js'

const CURRENCY = '$€£¥₹₽₩'
const UNIT = /^\s?(?:%|[$€£¥₹]|(?:usd|eur|gbp|chf|jpy|dollars?|euros?|pounds?|bytes|[kmg]i?b|ms|px|km|kg|rows|users|people|items)\b)/i
const EXTENSION = /^(?:,? ?(?:ext|extension)\.? ?|,? ?x\.? ?|#)(\d{1,6})(?!\w|-\d)/i
const YEAR = /^(?:19|20)\d\d$/
const DAY = /^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/
/** Of a count or a date, which is a telephone number only where the words before say so. */
const COUNT = 0.05

function lengths(groups: readonly string[]): string {
  let shape = ''
  for (const group of groups) shape += shape === '' ? group.length : `-${group.length}`
  return shape
}

function isDate(groups: readonly string[]): boolean {
  const [a = '', b = '', c = ''] = groups
  if (groups.length < 2) return false
  if (YEAR.test(a) && (YEAR.test(b) || (b.length <= 2 && c.length <= 2) || DAY.test(a + b))) return true
  return a.length <= 2 && b.length <= 2 && YEAR.test(c) && Number(a) <= 31 && Number(b) <= 31
}

function international(digits: string, separated: boolean): number {
  if (digits.startsWith('0') || digits.length < 8 || digits.length > 15) return 0
  // North America and Russia have one length for all.
  if (digits.startsWith('1') || digits.startsWith('7')) return digits.length === 11 ? 0.85 : digits.length === 10 ? 0.3 : 0
  return separated || digits.length > 9 ? 0.8 : 0.45
}

function american(groups: readonly string[], separators: string, bracket: boolean): number {
  const [area = '', exchange = ''] = groups
  if (bracket) return 0.75
  const likely = area >= '2' && exchange >= '2'
  if (separators === '--' || separators === '/-' || separators === ' -') return likely ? 0.65 : 0.5
  if (separators === '..') return likely ? 0.6 : 0.5
  return separators === '  ' ? (likely ? 0.5 : 0.35) : 0.45
}

/** Numbers that begin with the 0 of a trunk call. */
function trunk(groups: readonly string[], separators: string, bracket: boolean, digits: string): number {
  if (digits.startsWith('00')) return digits.length >= 10 ? (groups.length > 1 ? 0.55 : 0.3) : 0
  if (digits.length > 12) return 0
  if (digits.length < 9) return groups.length > 1 ? 0.2 : 0
  // Three, two and four is how a social security number is written, though none has this.
  return groups.length === 1 || lengths(groups) === '3-2-4' ? 0.25 : trunkGroups(groups, separators, bracket)
}

function trunkGroups(groups: readonly string[], separators: string, bracket: boolean): number {
  const first = groups[0]?.length ?? 0
  if (bracket) return first >= 2 ? 0.65 : 0
  if (groups.every(group => group.length <= 2)) return groups.length === 5 ? (isRising(groups) ? 0.25 : 0.55) : 0
  if (groups[0] === '0') return groups[1]?.length === 3 && groups.length > 2 ? 0.5 : 0.2
  return first > 6 || groups.length > 4 ? 0.2 : separators.includes('.') ? 0.4 : 0.5
}

/** 01 02 03 04 05 is counted and 04 18 27 33 41 drawn, not dialled. */
const isRising = (groups: readonly string[]): boolean => groups.every((group, k) => k === 0 || group > (groups[k - 1] ?? ''))

function bare(digits: string): number {
  if (digits.length < 7 || digits.length > 12 || /^(\d)\1+$/.test(digits)) return 0
  return DAY.test(digits) ? COUNT : 0.2
}

/** Groups of three are how counts are written; of those, two digits or three and twice three more are telephone numbers too. */
function thousands(groups: readonly string[], separators: string): number | undefined {
  const first = groups[0]?.length ?? 0
  if (first > 3 || separators.includes('-') || separators.includes('/') || groups.some((group, k) => k > 0 && group.length !== 3)) return undefined
  return groups.length === 3 && first > 1 ? COUNT : 0
}

/** Whether the first `count` groups could be a number at all: what most places fail. */
function isPossible(shape: PhoneShape, count: number): boolean {
  let digits = 0
  let longest = 0
  for (let k = 0; k < count; k++) {
    const length = shape.lengths[k] ?? 0
    digits += length
    if (length > longest) longest = length
  }
  // Three pairs are the whole of it in small countries.
  if (longest === 2 && digits === 6 && !shape.plus) return count === 3
  return digits >= (shape.plus ? 8 : 7) && (digits <= 13 || shape.plus || (shape.lengths[0] ?? 0) > 2) && (longest > 2 || count > 3) && longest > 1
}

/** How much the shape of the first `count` groups says, from 0. */
function base(text: string, shape: PhoneShape, count: number): number {
  const groups: string[] = []
  let separators = ''
  for (let k = 0; k < count; k++) {
    const start = shape.starts[k] ?? 0
    groups.push(text.slice(start, start + (shape.lengths[k] ?? 0)))
    if (k < count - 1) separators += String.fromCharCode(shape.separators[k] ?? 32)
  }
  // The 0 in +44 (0)20 is not dialled.
  if (shape.plus) return international(groups.filter((group, k) => k === 0 || group !== '0' || shape.bracket !== k).join(''), count > 1)
  const digits = groups.join('')
  if (isDate(groups) || (digits.length === 13 && /^97[89]/.test(digits))) return 0
  return national(groups, separators, digits, shape.bracket === 0)
}

function national(groups: readonly string[], separators: string, digits: string, bracket: boolean): number {
  const shapeOf = lengths(groups)
  const dialled = digits.startsWith('0') ? trunk(groups, separators, bracket, digits) : 0
  if (shapeOf === '3-3-4' && !digits.startsWith('00')) return Math.max(american(groups, separators, bracket), dialled)
  if (shapeOf === '3-7' && bracket) return 0.7
  if (digits.startsWith('0') && shapeOf !== '1-10') return dialled
  return (bracket ? bracketed(groups, digits) : known(shapeOf, groups, separators)) ?? (groups.length === 1 ? bare(digits) : separated(groups, separators, digits))
}

/** Shapes that are told by the lengths of their groups. */
function known(shapeOf: string, groups: readonly string[], separators: string): number | undefined {
  const [first = ''] = groups
  if (shapeOf === '1-3-3-4' && first === '1') return 0.7
  if (shapeOf === '2-2-2') return separators === '  ' ? COUNT : 0
  if (shapeOf === '1-10' || shapeOf === '3-7') return separators === '-' ? 0.45 : 0.2
  if (shapeOf !== '3-3-2-2') return undefined
  // With dots it is an address where the first part may be one.
  return separators.includes('.') ? (first > '255' ? 0.25 : 0) : 0.5
}

function bracketed(groups: readonly string[], digits: string): number {
  const area = groups[0] ?? ''
  if (groups.length < 2 || digits.length < 8 || digits.length > 12 || area.length < 2 || area.length > 5) return 0
  return YEAR.test(area) ? 0.2 : 0.55
}

function separated(groups: readonly string[], separators: string, digits: string): number {
  if (digits.length > 13 || groups.length > 6) return 0
  if (groups.length === 2 && (separators === '.' || separators === '/')) return 0
  if (groups.some((group, k) => group.length > 6 || (k > 0 && group.length < 2))) return 0
  return thousands(groups, separators) ?? mixed(groups, separators)
}

/** Three numbers with dots are a version, four an address. */
function mixed(groups: readonly string[], separators: string): number {
  if (separators.includes('.')) return groups.length > 4 && /^\.+$/.test(separators) ? 0.2 : 0
  return new Set(separators).size > 2 ? 0 : 0.25
}

function refusedBefore(text: string, start: number): boolean {
  let i = start - 1
  if (at(text, i) === 40) i--
  if (at(text, i) === 32) i--
  return i >= 0 && CURRENCY.includes(text.charAt(i))
}

function boundaryAfter(text: string, start: number, end: number): boolean {
  const next = at(text, end)
  if (cutsAfter(text, end) || next === 64) return false
  // Between two commas is a cell, and what follows it another.
  return !((next === 45 || next === 46 || next === 47 || next === 58 || (next === 44 && at(text, start - 1) !== 44)) && isDigit(at(text, end + 1)))
}

/** End of the first `count` groups where they can end there, with an extension, or -1. */
function endOf(text: string, shape: PhoneShape, count: number): { end: number; extended: boolean } | undefined {
  const end = shape.ends[count - 1] ?? 0
  // A shorter number ends where a space stands.
  if (count < shape.count && shape.separators[count - 1] !== 32) return undefined
  const c = at(text, end)
  if (c === 32 || c === 44 || c === 35 || c === 120 || c === 101) {
    const extension = EXTENSION.exec(text.slice(end, end + 20))
    if (extension !== null) return { end: end + extension[0].length, extended: true }
  }
  return !boundaryAfter(text, shape.start, end) || UNIT.test(text.slice(end, end + 10)) ? undefined : { end, extended: false }
}

/** Behind another number and a space it has to look like one by itself. */
const leastBehind = (text: string, start: number): number => (at(text, start - 1) === 32 && isDigit(at(text, start - 2)) ? 0.6 : 0.01)

/** What a weak shape says with the words that lead it in. */
function ledIn(hits: Hits, start: number, end: number, score: number, ungrouped: boolean): number {
  if (score === 0 || score >= 0.5) return score
  const { text } = hits
  hits.steps += 120
  if (isLabelledBehind(text, end)) return 0.5
  const lead = leadOf(text, start)
  if (lead === CELL) return score === COUNT && endsCell(text, end) ? 0.15 : score
  if (lead === NO_LEAD || (ungrouped && lead === WAY)) return score
  return isCounted(text, end, lead, ungrouped || score === COUNT) ? score : 0.5
}

/** A telephone number that begins at `start` (a digit, `+` or an opening bracket); returns where it ends, or `start`. */
export function phone(hits: Hits, shape: PhoneShape, start: number): number {
  const { text } = hits
  shape.read(text, start)
  hits.steps += 8 + shape.digits * 2
  const before = at(text, start - 1)
  const least = leastBehind(text, start)
  for (let count = shape.count; count > 0; count--) {
    if (!isPossible(shape, count)) break
    const found = endOf(text, shape, count)
    if (found === undefined) continue
    const plain = Math.max(base(text, shape, count), found.extended ? 0.4 : 0)
    hits.steps += 40
    if (plain < least) continue
    const score = ledIn(hits, start, found.end, plain, count === 1)
    if (score === COUNT) continue
    if (refusedBefore(text, start) || (score <= 0.25 && (before === 35 || before === 46 || before === 45))) return start
    if (hits.weigh('PHONE', start, found.end, score, 'shape')) return found.end
    // A weak shape is not tried again with fewer of its groups.
    if (score <= 0.25) return start
  }
  return start
}
