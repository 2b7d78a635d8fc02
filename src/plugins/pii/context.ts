import { at, isAlnum, isEscapedSpace, isForeignLetter } from './chars.js'
import type { Words } from './context-words.js'

const WORDS_BEFORE = 5
const REACH_BEFORE = 80
const REACH_AFTER = 24
const LINE = 300

/** What stands around a match. */
export interface Around {
  readonly before: boolean
  readonly after: boolean
  readonly against: boolean
}

const isLetterUnit = (c: number): boolean => isForeignLetter(c) || c >= 0x2e80 || (isAlnum(c) && c > 57)
const isUpperUnit = (c: number): boolean => c >= 65 && c <= 90

const SLOTS = 1_024
/** What passes always: a word of one letter, or one whose end is not ASCII. */
const ANY = SLOTS
const slot = (a: number, b: number): number => ((a | 32) * 37 + (b | 32)) % SLOTS

/** The last two letters of a word, as an index. */
function endingOf(text: string, from: number, to: number): number {
  if (to - from < 2) return ANY
  const a = text.charCodeAt(to - 2)
  const b = text.charCodeAt(to - 1)
  return a < 128 && b < 128 ? slot(a, b) : ANY
}

const ENDINGS = new WeakMap<Words, Uint8Array>()

/** The endings that `words` have: few of those of a text, so that most of its words are never cut out. */
function endingsOf(words: Words): Uint8Array {
  const known = ENDINGS.get(words)
  if (known !== undefined) return known
  const table = new Uint8Array(SLOTS + 1)
  table[ANY] = 1
  for (const word of words) table[endingOf(word, 0, word.length)] = 1
  ENDINGS.set(words, table)
  return table
}

const PHRASE = 4

/** Whether the last of the parts, of which `spans` has the edges, or up to four that follow each other, is one of `words`. */
function isOne(text: string, spans: readonly number[], words: Words): boolean {
  let phrase = ''
  for (let k = spans.length - 2; k >= Math.max(0, spans.length - 2 * PHRASE); k -= 2) {
    phrase = text.slice(spans[k], spans[k + 1]).toLowerCase() + phrase
    if (words.has(phrase)) return true
  }
  return false
}

/** Looks for telling words around places of one text; each look is bounded. */
export class Context {
  readonly #text: string
  #header: readonly string[] | undefined
  #headerEnd = -1
  #delimiter = ''

  constructor(text: string) {
    this.#text = text
  }

  around(start: number, end: number, words: Words, against: Words): Around {
    let { good, bad } = this.#before(start, words, against)
    if (!good || !bad) {
      const column = this.#column(start)
      if (column !== undefined) {
        const found = this.#judge(column, 0, column.length, words, against)
        good ||= found.good
        bad ||= found.bad
      }
    }
    return { before: good, after: !good && this.#after(end, words), against: bad }
  }

  /** The last words: from where the fifth of them begins. */
  #before(start: number, words: Words, against: Words) {
    const text = this.#text
    const limit = Math.max(0, start - REACH_BEFORE)
    let i = start - 1
    for (let count = 0; count < WORDS_BEFORE && i >= limit; count++) {
      while (i >= limit && !isToken(text.charCodeAt(i))) i--
      while (i >= limit && isToken(text.charCodeAt(i))) i--
    }
    return this.#judge(text, i + 1, start, words, against)
  }

  #after(end: number, words: Words): boolean {
    return this.#judge(this.#text, end, Math.min(this.#text.length, end + REACH_AFTER), words, words).good
  }

  /** Looks at each word, at the parts of `phoneNumber`, and at up to four that follow each other as one phrase. */
  #judge(text: string, start: number, end: number, words: Words, against: Words) {
    const endings = endingsOf(words)
    const endingsAgainst = endingsOf(against)
    let good = false
    let bad = false
    const spans: number[] = []
    let i = start
    while (i < end && !(good && bad)) {
      while (i < end && (!isLetterUnit(text.charCodeAt(i)) || isEscapedSpace(text, i))) i++
      const from = i
      i = partEnd(text, from, end)
      if (from === i) break
      spans.push(from, i)
      const ending = endingOf(text, from, i)
      good ||= endings[ending] === 1 && isOne(text, spans, words)
      bad ||= endingsAgainst[ending] === 1 && against.has(text.slice(from, i).toLowerCase())
    }
    return { good, bad }
  }

  /** The heading of the column that `start` stands in, where the text begins with a line of headings. */
  #column(start: number): string | undefined {
    this.#header ??= this.#readHeader()
    if (this.#header.length < 2 || start <= this.#headerEnd) return undefined
    const text = this.#text
    const delimiter = this.#delimiter.charCodeAt(0)
    let column = 0
    for (let i = start - 1; ; i--) {
      if (start - i > LINE) return undefined
      const c = at(text, i)
      if (c === 10 || c === -1) break
      if (c === delimiter) column++
    }
    return this.#header[column]
  }

  #readHeader(): readonly string[] {
    const text = this.#text
    let end = text.slice(0, LINE * 2).indexOf('\n')
    if (end < 0) return []
    let line = text.slice(0, end)
    if (line.startsWith('```')) {
      const next = text.slice(end + 1, end + 1 + LINE * 2).indexOf('\n')
      if (next < 0) return []
      line = text.slice(end + 1, end + 1 + next)
      end += 1 + next
    }
    this.#headerEnd = end
    this.#delimiter = [',', '\t', ';', '|'].find(mark => line.includes(mark)) ?? ''
    if (this.#delimiter === '') return []
    const cells = line.split(this.#delimiter)
    return cells.every(cell => cell.length <= 40 && !/[0-9.:!?]/.test(cell)) ? cells : []
  }
}

/** End of a word, or of the part of it before the next capital. */
function partEnd(text: string, from: number, end: number): number {
  let i = from
  while (i < end && isLetterUnit(text.charCodeAt(i)) && (i === from || !isUpperUnit(text.charCodeAt(i)) || isUpperUnit(text.charCodeAt(i - 1)))) i++
  return i
}

const isToken = (c: number): boolean => isAlnum(c) || c === 95 || c === 45 || c === 39 || isLetterUnit(c)
