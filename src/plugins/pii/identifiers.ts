import { at, cutsAfter, cutsBefore, has, isAlnum, isDigit, isForeignLetter, LETTER, LOWER, UPPER } from './chars.js'
import type { Words } from './context-words.js'
import type { Hits } from './hits.js'
import { isWord, smallOf, type Small } from './identifier-words.js'
import { nationalIndex, type NationalRow } from './national/index.js'

const SHORTEST = 4
const LONGEST = 26
const MOST_TOKENS = 8
/** Tokens of one character, of which a row of single digits has more. */
const MOST_SINGLES = 3
/** Before the first digit. */
const MOST_LETTER_TOKENS = 2
/** More tokens than any identifier has: a table of numbers. */
const TABLE = 12
/** A type that was asked for by its name needs less. */
const NAMED = 0.3
/** The same where small letters stand apart, as words do. */
const NAMED_SMALL = 0.1
/** With more names than this, a name says no more than a country. */
const FEW = 5
const NOT_DIGITS = /\D/

/** The plus sign is that of Nordic numbers of people over a hundred. */
const separates = (c: number): boolean => c === 32 || (c >= 45 && c <= 47) || c === 43
const LONGEST_CAPITALS = 6
const LONGEST_SMALL = 4

/** Letters that stand apart are all capitals or all small, since `The 5` is a sentence; `sign` parts them from the number: code writes `a.b1`. */
function isLetterToken(text: string, from: number, end: number, sign: number): boolean {
  const small = has(text.charCodeAt(from), LOWER)
  if (end - from > (small ? LONGEST_SMALL : LONGEST_CAPITALS) || (small && sign !== 32 && sign !== 45)) return false
  for (let i = from + 1; i < end; i++) if (has(text.charCodeAt(i), small ? UPPER : LOWER)) return false
  return !small || end - from < 2 || !isWord(text.slice(from, end))
}

/** What nothing but the identifier is written like. */
const SURE_SHAPE = 0.4

interface Row {
  readonly row: NationalRow
  readonly words: Words
  readonly bonus: number
}

/** The national identifiers that are wanted, asked about every run of letters and digits that has a digit. */
export class Identifiers {
  readonly maxLength: number
  /** By length without separators. */
  readonly #digits: readonly (readonly Row[])[]
  readonly #letters: readonly (readonly Row[])[]

  constructor(rows: readonly NationalRow[], named: ReadonlySet<string>) {
    const weighed = new Map(rows.map(row => [row, { row, words: new Set(row.context.map(phrase => phrase.toLowerCase().replace(/[\s_-]+/g, ''))), bonus: named.size <= FEW && named.has(row.type) ? NAMED : 0 }]))
    const { digits, letters } = nationalIndex(rows)
    const of = (list: readonly NationalRow[] | undefined): readonly Row[] => (list ?? []).flatMap(row => weighed.get(row) ?? [])
    this.#digits = digits.map(of)
    this.#letters = letters.map(of)
    this.maxLength = Math.max(0, ...rows.map(row => row.maxLength))
  }

  /** Looks at the token around the digit at `inside`; returns where to look next. */
  look(hits: Hits, inside: number, floor: number): number {
    const { text } = hits
    let start = inside
    while (start > floor && inside - start <= LONGEST && isAlnum(text.charCodeAt(start - 1))) start--
    const ends = this.#ends(text, start)
    hits.steps += (ends[ends.length - 1] ?? start) - start
    const first = ends[0] ?? inside + 1
    if (ends.length > TABLE) return skipTable(text, ends[ends.length - 1] ?? first)
    if (cutsBefore(text, start) || isAttached(text, start)) return first
    this.#candidates(hits, start, ends, 0)
    for (let skip = 1, from = start; skip <= MOST_LETTER_TOKENS; skip++) {
      const before = lettersBefore(text, from)
      if (before === from || isAttached(text, before)) break
      ends.unshift(from - 1)
      this.#candidates(hits, before, ends, skip)
      from = before
    }
    return first
  }

  /** Ends of the tokens from `start` on; small letters stand behind a number once, and a second time it is prose. */
  #ends(text: string, start: number): number[] {
    const ends: number[] = []
    let i = start
    let small = 0
    while (ends.length <= TABLE) {
      const from = i
      let digits = 0
      while (i - from <= LONGEST && isAlnum(at(text, i))) if (isDigit(text.charCodeAt(i++))) digits++
      if (i === from || i - from > LONGEST) break
      if (digits === 0 && (!isLetterToken(text, from, i, at(text, from - 1)) || (has(text.charCodeAt(from), LOWER) && ++small > 1))) break
      ends.push(i)
      if (!separates(at(text, i)) || !isAlnum(at(text, i + 1))) break
      i++
    }
    return ends
  }

  #candidates(hits: Hits, start: number, ends: readonly number[], skip: number): void {
    const { text } = hits
    let compact = ''
    let from = start
    let singles = 0
    for (let k = 0; k < ends.length && k < MOST_TOKENS; k++) {
      const end = ends[k] ?? from
      if (end - from === 1 && ++singles > MOST_SINGLES) return
      compact += text.slice(from, end).toUpperCase()
      from = end + 1
      if (compact.length > LONGEST) return
      if (k < skip || compact.length < SHORTEST) continue
      if (isBracketed(text, end)) this.#ask(hits, start, end + BRACKETS, compact + text.charAt(end + 1).toUpperCase(), `${text.slice(start, end)} ${text.charAt(end + 1)}`)
      if (!goesOn(text, end) && !(k > 0 && isLonger(text, start, ends, k))) this.#ask(hits, start, end, compact)
    }
  }

  /** `bracketed` is how it is written without the brackets around its last character. */
  #ask(hits: Hits, start: number, end: number, compact: string, bracketed?: string): void {
    const digits = !NOT_DIGITS.test(compact)
    const rows = (digits ? this.#digits : this.#letters)[compact.length] ?? []
    hits.steps += rows.length
    let small: Small | undefined
    for (const { row, words, bonus } of rows) {
      const verdict = row.accepts(compact, digits)
      if (verdict === 'no' || (bracketed !== undefined && !row.brackets)) continue
      const written = bracketed ?? hits.text.slice(start, end)
      if (!row.raw(written) || (digits && row.timid && !hits.near(start, end, words))) continue
      small ??= digits ? 'none' : smallOf(written)
      const score = scoreOf(row, verdict, small, bonus)
      if (score > 0) hits.weigh(row.type, start, end, score, verdict, words)
    }
  }
}

/** Nothing where small letters are words; a name counts less where they could be. */
function scoreOf(row: NationalRow, verdict: 'shape' | 'checksum', small: Small, bonus: number): number {
  if (small === 'mixed') return 0
  if (verdict === 'checksum') return row.base + row.raise + bonus
  if (small === 'words' && row.base < SURE_SHAPE) return 0
  return row.base + (small === 'none' ? bonus : Math.min(bonus, NAMED_SMALL))
}

const BRACKETS = 3

/** Whether one character in brackets follows, and no word behind it. */
const isBracketed = (text: string, end: number): boolean => at(text, end) === 40 && isAlnum(at(text, end + 1)) && at(text, end + 2) === 41 && !cutsAfter(text, end + BRACKETS)

/** Whether the token before is glued on by a sign, so that this is the middle of something. */
function isAttached(text: string, start: number): boolean {
  const c = at(text, start - 1)
  return (c === 45 || c === 46 || c === 47) && has(at(text, start - 2), 1)
}

function goesOn(text: string, end: number): boolean {
  const c = at(text, end)
  return cutsAfter(text, end) || ((c === 45 || c === 46 || c === 47) && isDigit(at(text, end + 1)))
}

/** Length of the digits that end at `end`, or of those that begin at `start`; 0 where they are part of a word. */
function digitsBefore(text: string, end: number): number {
  let i = end
  while (end - i <= LONGEST && isDigit(at(text, i - 1))) i--
  return isAlnum(at(text, i - 1)) ? 0 : end - i
}
function digitsFrom(text: string, start: number): number {
  let i = start
  while (i - start <= LONGEST && isDigit(at(text, i))) i++
  return isAlnum(at(text, i)) ? 0 : i - start
}

/** Fewer digits than these next to a number are none of its groups. */
const GROUP = 3

/** Whether a number in groups goes on with a group like its own, as that of a card does, or with the cents of an amount. */
function isLonger(text: string, start: number, ends: readonly number[], k: number): boolean {
  const end = ends[k] ?? start
  if (!isDigit(at(text, start))) return false
  if (at(text, end) === 44) return digitsFrom(text, end + 1) === 2 && digitsBefore(text, end) === GROUP
  const last = digitsBefore(text, end)
  if (last >= GROUP && at(text, end) === 32 && at(text, end - last - 1) === 32 && digitsFrom(text, end + 1) === last) return true
  const first = digitsFrom(text, start)
  return first >= GROUP && at(text, start - 1) === 32 && at(text, start + first) === 32 && digitsBefore(text, start - 1) === first
}

const isLetter = (c: number): boolean => has(c, LETTER) || isForeignLetter(c)

/** Start of the letters that stand apart before `start`, or `start`. */
function lettersBefore(text: string, start: number): number {
  if (!separates(at(text, start - 1))) return start
  let i = start - 1
  while (start - i <= LONGEST_CAPITALS + 1 && isLetter(at(text, i - 1))) i--
  return i === start - 1 || cutsBefore(text, i) || !isLetterToken(text, i, start - 1, at(text, start - 1)) ? start : i
}

function skipTable(text: string, i: number): number {
  while (isAlnum(at(text, i)) || (separates(at(text, i)) && isDigit(at(text, i + 1)))) i++
  return i
}
