import { at, cutsAfter, cutsBefore, has, isAlnum, isDigit, UPPER } from './chars.js'
import type { Words } from './context-words.js'
import type { Hits } from './hits.js'
import { nationalIndex, type NationalRow } from './national/index.js'

const SHORTEST = 4
const LONGEST = 26
const MOST_TOKENS = 8
/** More tokens than any identifier has: a table of numbers. */
const TABLE = 12
/** A type that was asked for by its name needs less. */
const NAMED = 0.3
/** With more names than this, a name says no more than a country. */
const FEW = 5
const NOT_DIGITS = /\D/

const separates = (c: number): boolean => c === 32 || c === 45 || c === 46 || c === 47
const isLetterToken = (token: string): boolean => token.length <= 4 && !/[^A-Z]/.test(token)

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
    const before = lettersBefore(text, start)
    if (before < start) this.#candidates(hits, before, [start - 1, ...ends], 1)
    this.#candidates(hits, start, ends, 0)
    return first
  }

  /** Ends of the tokens from `start` on. */
  #ends(text: string, start: number): number[] {
    const ends: number[] = []
    let i = start
    while (ends.length <= TABLE) {
      const from = i
      let digits = 0
      while (i - from <= LONGEST && isAlnum(at(text, i))) if (isDigit(text.charCodeAt(i++))) digits++
      if (i === from || i - from > LONGEST) break
      if (digits === 0 && !isLetterToken(text.slice(from, i))) break
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
      if (end - from === 1 && ++singles > 2) return
      compact += text.slice(from, end).toUpperCase()
      from = end + 1
      if (compact.length > LONGEST) return
      if (k < skip || compact.length < SHORTEST || goesOn(text, end)) continue
      this.#ask(hits, start, end, compact)
    }
  }

  #ask(hits: Hits, start: number, end: number, compact: string): void {
    const digits = !NOT_DIGITS.test(compact)
    const rows = (digits ? this.#digits : this.#letters)[compact.length] ?? []
    hits.steps += rows.length
    for (const { row, words, bonus } of rows) {
      const verdict = row.accepts(compact, digits)
      if (verdict === 'no' || !row.raw(hits.text.slice(start, end))) continue
      hits.weigh(row.type, start, end, row.base + (verdict === 'checksum' ? row.raise : 0) + bonus, verdict, words)
    }
  }
}

/** Whether the token before is glued on by a sign, so that this is the middle of something. */
function isAttached(text: string, start: number): boolean {
  const c = at(text, start - 1)
  return (c === 45 || c === 46 || c === 47) && has(at(text, start - 2), 1)
}

function goesOn(text: string, end: number): boolean {
  const c = at(text, end)
  return cutsAfter(text, end) || ((c === 45 || c === 46 || c === 47) && isDigit(at(text, end + 1)))
}

/** Start of up to four capitals and one separator before `start`, or `start`. */
function lettersBefore(text: string, start: number): number {
  if (!separates(at(text, start - 1))) return start
  let i = start - 1
  while (start - i <= 5 && has(at(text, i - 1), UPPER)) i--
  return i === start - 1 || cutsBefore(text, i) ? start : i
}

function skipTable(text: string, i: number): number {
  while (isAlnum(at(text, i)) || (separates(at(text, i)) && isDigit(at(text, i + 1)))) i++
  return i
}
