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
    let good = false
    let bad = false
    let one = ''
    let two = ''
    let three = ''
    let i = start
    while (i < end) {
      while (i < end && (!isLetterUnit(text.charCodeAt(i)) || isEscapedSpace(text, i))) i++
      const from = i
      i = partEnd(text, from, end)
      if (from === i) break
      const word = text.slice(from, i).toLowerCase()
      good ||= words.has(word) || words.has(one + word) || words.has(two + word) || words.has(three + word)
      bad ||= against.has(word)
      three = two + word
      two = one + word
      one = word
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
