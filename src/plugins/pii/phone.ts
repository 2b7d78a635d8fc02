import { at, cutsAfter, isDigit } from './chars.js'
import type { Hits } from './hits.js'
import { readShape, type PhoneShape } from './phone-shape.js'

const CURRENCY = '$€£¥₹₽₩'
const UNIT = /^\s?(?:%|[$€£¥₹]|(?:usd|eur|gbp|chf|jpy|dollars?|euros?|pounds?|bytes|[kmg]i?b|ms|px|km|kg|rows|users|people|items)\b)/i
const EXTENSION = /^(?:,? ?(?:ext|extension)\.? ?|,? ?x\.? ?|#)(\d{1,6})(?![\w-])/i
const YEAR = /^(?:19|20)\d\d$/

const lengths = (groups: readonly string[]): string => groups.map(group => group.length).join('-')

function isDate(groups: readonly string[]): boolean {
  const [a = '', b = '', c = ''] = groups
  if (groups.length < 2) return false
  if (YEAR.test(a) && (YEAR.test(b) || (b.length <= 2 && c.length <= 2))) return true
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
  const first = groups[0] ?? ''
  if (digits.startsWith('00')) return digits.length >= 10 ? (groups.length > 1 ? 0.6 : 0.3) : 0
  if (digits.length < 9 || digits.length > 12) return digits.length >= 7 && digits.length <= 8 && groups.length > 1 ? 0.2 : 0
  if (groups.length === 1) return 0.25
  if (bracket) return first.length >= 2 ? 0.65 : 0
  if (groups.every(group => group.length <= 2)) {
    const step = Number(groups[1]) - Number(groups[0])
    return groups.length === 5 && groups.some((group, k) => k > 0 && Number(group) - Number(groups[k - 1]) !== step) ? 0.55 : 0
  }
  if (first.length < 2 || first.length > 6 || groups.length > 4) return 0.2
  return separators.includes('.') ? 0.4 : 0.5
}

function bare(digits: string): number {
  if (digits.length < 7 || digits.length > 12 || /^(\d)\1+$/.test(digits)) return 0
  return 0.2
}

function isThousands(groups: readonly string[], separators: string): boolean {
  return groups.length > 1 && (groups[0] ?? '').length <= 3 && groups.slice(1).every(group => group.length === 3) && !separators.includes('-') && (separators.includes('.') || (groups[0] ?? '').length < 3)
}

/** How much the shape alone says, from 0. */
function base(shape: PhoneShape, count: number): number {
  const groups = shape.groups.slice(0, count)
  const separators = shape.separators.slice(0, count - 1)
  const digits = groups.join('')
  const bracket = shape.bracket === 0
  if (shape.plus) return international(groups.filter((group, k) => k === 0 || group !== '0' || shape.bracket !== k).join(''), count > 1)
  if (digits.length < 7 || digits.length > 17 || isDate(groups)) return 0
  if (digits.length === 13 && /^97[89]/.test(digits)) return 0
  const shapeOf = lengths(groups)
  if (shapeOf === '3-3-4' && !digits.startsWith('00')) return american(groups, separators, bracket)
  if (shapeOf === '3-7' && bracket) return 0.7
  if (shapeOf === '1-3-3-4' && groups[0] === '1') return 0.7
  if (shapeOf === '1-10' || shapeOf === '3-7') return separators === '-' ? 0.45 : 0.2
  if (digits.startsWith('0')) return trunk(groups, separators, bracket, digits)
  if (bracket) return bracketed(groups, digits)
  if (groups.length === 1) return bare(digits)
  return separated(groups, separators, digits)
}

function bracketed(groups: readonly string[], digits: string): number {
  const area = groups[0] ?? ''
  if (groups.length < 2 || digits.length < 8 || digits.length > 12 || area.length < 2 || area.length > 5) return 0
  return YEAR.test(area) ? 0.2 : 0.55
}

function separated(groups: readonly string[], separators: string, digits: string): number {
  if (digits.length > 13 || groups.length > 6 || isThousands(groups, separators)) return 0
  if (groups.length === 2 && (separators === '.' || separators === '/')) return 0
  if (new Set(separators).size > 2 || (separators.includes('.') && /[^.]/.test(separators))) return 0
  if (groups.some((group, k) => group.length > 6 || (k > 0 && group.length < 2))) return 0
  // Four numbers with dots are an address, three a version.
  if (separators.includes('.') && (groups.length < 4 || groups.every(group => Number(group) < 256))) return groups.length >= 4 && digits.length >= 8 && groups.length > 4 ? 0.2 : 0
  return 0.25
}

function refusedBefore(text: string, start: number): boolean {
  let i = start - 1
  if (at(text, i) === 40) i--
  if (at(text, i) === 32) i--
  return i >= 0 && CURRENCY.includes(text.charAt(i))
}

function boundaryAfter(text: string, end: number): boolean {
  const next = at(text, end)
  if (cutsAfter(text, end) || next === 64) return false
  return !((next === 45 || next === 46 || next === 47 || next === 58 || next === 44) && isDigit(at(text, end + 1)))
}

/** A telephone number that begins at `start` (a digit, `+` or an opening bracket); returns where it ends, or `start`. */
export function phone(hits: Hits, start: number): number {
  const { text } = hits
  const shape = readShape(text, start)
  hits.steps += 40
  if (refusedBefore(text, start)) return start
  for (let count = shape.groups.length; count > 0; count--) {
    // A shorter number ends where a space stands.
    if (count < shape.groups.length && shape.separators[count - 1] !== ' ') continue
    let end = shape.ends[count - 1] ?? start
    const extension = count === shape.groups.length ? EXTENSION.exec(text.slice(end, end + 20)) : null
    if (extension !== null) end += extension[0].length
    if (extension === null && (!boundaryAfter(text, end) || UNIT.test(text.slice(end, end + 10)))) continue
    const score = base(shape, count)
    if (score === 0) continue
    if (score <= 0.25 && (at(text, start - 1) === 35 || at(text, start - 1) === 46 || at(text, start - 1) === 45)) continue
    if (hits.weigh('PHONE', start, end, extension === null ? score : Math.max(score, 0.4), 'shape')) return end
  }
  return start
}
