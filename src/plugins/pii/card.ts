import { at, cutsAfter, isDigit, luhn } from './chars.js'
import type { Hits } from './hits.js'

/** First digits (from, to, as six digits) and lengths of the issuers, from ISO/IEC 7812 and their own sites. */
const ISSUERS: readonly (readonly [number, number, string])[] = [
  [180000, 180099, '15'],
  [213100, 213199, '15'],
  [220000, 220499, '16'],
  [222100, 272099, '16'],
  [300000, 305999, '14 16'],
  [309500, 309599, '14 16'],
  [340000, 349999, '15'],
  [350000, 359999, '16 17 18 19'],
  [360000, 369999, '14 16'],
  [370000, 379999, '15'],
  [380000, 399999, '14 16'],
  [400000, 499999, '13 16 19'],
  [500000, 509999, '12 13 14 15 16 17 18 19'],
  [510000, 559999, '16'],
  [560000, 589999, '12 13 14 15 16 17 18 19'],
  [601100, 601199, '16 19'],
  [620000, 629999, '16 17 18 19'],
  [630000, 639999, '12 13 14 15 16 17 18 19'],
  [644000, 659999, '16 19'],
  [670000, 679999, '12 13 14 15 16 17 18 19'],
  [810000, 829999, '16'],
  [979200, 979299, '16'],
]
const GROUPS = new Set(['4-4-4-4', '4-4-4-4-3', '4-6-5', '4-6-4', '4-4-5', '4-3-3-3', '4-4-4-3', '4-4-4-1', '6-13', '8-8', '4-5-6'])

function issued(prefix: number, length: number): boolean {
  return ISSUERS.some(([from, to, lengths]) => prefix >= from && prefix <= to && lengths.includes(String(length)))
}

/** Digits that are one, two and the like over and over are nobody's card. */
function monotonous(text: string, start: number, end: number): boolean {
  const first = text.charCodeAt(start)
  for (let i = start + 1; i < end; i++) if (isDigit(text.charCodeAt(i)) && text.charCodeAt(i) !== first) return false
  return true
}

function prefixOf(text: string, start: number): number {
  let prefix = 0
  for (let i = start, count = 0; count < 6; i++) {
    const c = at(text, i)
    if (c === -1) return 0
    if (!isDigit(c)) continue
    prefix = prefix * 10 + c - 48
    count++
  }
  return prefix
}

function usual(digits: number, first: number): boolean {
  return digits === 16 || (first !== 53 && first !== 54 && (digits === 15 || digits === 14))
}

/** Score of the shape, or 0 where the digits are no card. */
function score(text: string, start: number, end: number, digits: number, shape: string): number {
  if (!issued(prefixOf(text, start), digits) || !luhn(text, start, end) || monotonous(text, start, end)) return 0
  if (shape.length > 2) return GROUPS.has(shape) ? 0.95 : 0
  return usual(digits, text.charCodeAt(start)) ? 0.7 : 0.3
}

function taken(hits: Hits, start: number, end: number, digits: number, shape: string): boolean {
  const { text } = hits
  const next = at(text, end)
  if (cutsAfter(text, end) || ((next === 45 || next === 46) && isDigit(at(text, end + 1)))) return false
  const base = score(text, start, end, digits, shape)
  hits.steps += 24
  return base > 0 && hits.weigh('CREDIT_CARD', start, end, base, 'checksum')
}

/** No card begins with 0 or 7, and with 1 only 1800. */
const begins = (text: string, start: number): boolean => {
  const c = text.charCodeAt(start)
  return c !== 48 && c !== 55 && (c !== 49 || at(text, start + 1) === 56)
}

const separates = (c: number): boolean => c === 32 || c === 45 || c === 46 || c === 0xa0

/** A card number that begins at `start`; returns where it ends, or `start`. */
export function card(hits: Hits, start: number): number {
  const { text } = hits
  if (!begins(text, start)) return start
  let separator = -1
  let digits = 0
  let shape = ''
  let found = start
  for (let i = start; digits <= 19; i++) {
    const from = i
    while (i - from <= 19 && isDigit(at(text, i))) i++
    if (i - from < 3 && (digits < 12 || i === from)) break
    digits += i - from
    shape += shape === '' ? i - from : `-${i - from}`
    if (digits >= 12 && digits <= 19 && taken(hits, start, i, digits, shape)) found = i
    const next = at(text, i)
    if (!separates(next) || (separator !== -1 && separator !== next)) break
    separator = next
  }
  return found
}
