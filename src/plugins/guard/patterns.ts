import { GatewayError } from '../../protocol/errors.js'
import { isObject } from '../../protocol/json.js'
import { refuseUnknownKeys } from '../../protocol/suggest.js'
import type { Rule, Scan } from './scan.js'

/** A pattern of a block list. */
export interface BlockPattern {
  /** Without anchors, lookaround, back-references and repeats of what repeats: checked at construction. */
  readonly pattern: RegExp
  /** The longest match in UTF-16 units, at most 1,024: how much of a stream is held back. */
  readonly maxLength: number
}

const MAX_LENGTH = 1_024
/** Ways to match from one place: what one character of a hostile text may cost. */
const MAX_WAYS = 1_000
const KNOWN = new Set(['pattern', 'maxLength'])

/** One repeat of a pattern, in the order they stand. */
const REPEAT = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})/

function boundsOf([whole, first, comma, second]: RegExpExecArray, maxLength: number): { readonly least: number; readonly most: number } {
  if (whole === '?') return { least: 0, most: 1 }
  if (first === undefined) return { least: whole === '+' ? 1 : 0, most: maxLength }
  const least = Number(first)
  const most = comma === undefined ? least : second === undefined || second === '' ? maxLength : Number(second)
  return { least, most: Math.min(most, Math.max(least, maxLength)) }
}

interface Group {
  /** It has repeats, or branches in a group inside. */
  repeats: boolean
  /** Its `|`. */
  branches: number
}

/** What makes a pattern one that a hostile text could make slow; nothing where it is sound. */
class Reading {
  readonly #source: string
  readonly #maxLength: number
  readonly #groups: Group[] = [{ repeats: false, branches: 0 }]
  #at = 0
  #ways = 1
  #closed: Group | undefined

  constructor(source: string, maxLength: number) {
    this.#source = source
    this.#maxLength = maxLength
  }

  problem(): string | undefined {
    while (this.#at < this.#source.length) {
      const wrong = this.#next()
      if (wrong !== undefined) return wrong
    }
    return this.#multiply(1 + this.#group.branches)
  }

  /** Counts the ways there are to match from one place. */
  #multiply(by: number): string | undefined {
    this.#ways *= by
    return this.#ways > MAX_WAYS ? `may match in more than ${MAX_WAYS.toLocaleString('en')} ways from one place: bound its repeats, such as {1,16}, and give single words as words` : undefined
  }

  #next(): string | undefined {
    const char = this.#source[this.#at] ?? ''
    const closed = this.#closed
    this.#closed = undefined
    switch (char) {
      case '\\':
        return this.#escape()
      case '[':
        return this.#class()
      case '(':
        return this.#open()
      case ')':
        return this.#close()
      case '|':
        this.#group.branches++
        this.#at++
        return undefined
      case '^':
      case '$':
        return 'has an anchor, which means nothing in a stream: use \\b'
      case '*':
      case '+':
      case '?':
      case '{':
        return this.#repeat(closed)
      default:
        this.#at++
        return undefined
    }
  }

  get #group(): Group {
    return this.#groups.at(-1) ?? { repeats: false, branches: 0 }
  }

  #close(): string | undefined {
    this.#at++
    const closed = this.#groups.pop()
    if (closed === undefined) return undefined
    this.#closed = closed
    this.#group.repeats ||= closed.repeats
    const wrong = this.#multiply(1 + closed.branches)
    if (closed.branches > 0) this.#group.repeats = true
    return wrong
  }

  #escape(): string | undefined {
    const next = this.#source[this.#at + 1] ?? ''
    this.#at += 2
    return (next >= '1' && next <= '9') || next === 'k' ? 'has a back-reference' : undefined
  }

  #class(): undefined {
    for (this.#at++; this.#at < this.#source.length && this.#source[this.#at] !== ']'; this.#at++) if (this.#source[this.#at] === '\\') this.#at++
    this.#at++
  }

  #open(): string | undefined {
    this.#groups.push({ repeats: false, branches: 0 })
    const head = this.#source.slice(this.#at + 1, this.#at + 4)
    if (/^\?(?:[=!]|<[=!])/.test(head)) return 'looks ahead or behind'
    this.#at += head.startsWith('?') ? 2 : 1
    return undefined
  }

  #repeat(closed: Group | undefined): string | undefined {
    const found = REPEAT.exec(this.#source.slice(this.#at, this.#at + 24))
    if (found === null) {
      this.#at++
      return undefined
    }
    this.#at += found[0].length
    if (this.#source[this.#at] === '?') this.#at++
    const { least, most } = boundsOf(found, this.#maxLength)
    if (most > 1 && (closed?.repeats === true || (closed?.branches ?? 0) > 0)) return 'repeats a group that has repeats or branches inside'
    this.#group.repeats = true
    return this.#multiply(Math.max(1, most - least + 1))
  }
}

/** Checks a pattern and gives it ready for use. Throws `invalid_config`. */
export function checkedPattern(given: unknown, where: string): BlockPattern {
  const bad = (what: string): GatewayError => new GatewayError('invalid_config', `${where} ${what}.`)
  if (!isObject(given)) throw bad('must be { pattern, maxLength }')
  refuseUnknownKeys(given, KNOWN, where)
  const { pattern, maxLength } = given
  if (!(pattern instanceof RegExp)) throw bad('needs a pattern: a RegExp')
  if (typeof maxLength !== 'number' || !Number.isSafeInteger(maxLength) || maxLength < 1 || maxLength > MAX_LENGTH) throw bad(`needs maxLength, the length of its longest match: a whole number from 1 to ${MAX_LENGTH}`)
  if (pattern.flags.includes('v')) throw bad('has the flag v: use u')
  const problem = new Reading(pattern.source, maxLength).problem()
  if (problem !== undefined) throw bad(`${problem}, so a hostile text could make it slow`)
  if (new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).test('')) throw bad('matches the empty text')
  return { pattern: new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}g`), maxLength }
}

/** One pattern over a text that comes in pieces. */
export class Pattern implements Rule {
  readonly #pattern: BlockPattern

  constructor(pattern: BlockPattern) {
    this.#pattern = pattern
  }

  begin(): Scan {
    return new PatternScan(this.#pattern)
  }
}

const FOUND = 'a pattern of the block list'

class PatternScan implements Scan {
  readonly #pattern: RegExp
  readonly #keep: number
  /** The end of the text: what a match may still begin in, and one character before it. */
  #window = ''
  #read = 0
  /** Something stood before the window: a match at its very start was looked for when it was there. */
  #cut = false

  constructor({ pattern, maxLength }: BlockPattern) {
    this.#pattern = pattern
    this.#keep = maxLength
  }

  get clear(): number {
    return Math.max(0, this.#read - this.#keep)
  }

  push(piece: string): string | undefined {
    // Cut, so that what one place may cost does not grow with the text.
    const slice = 2 * this.#keep + 64
    for (let from = 0; from < piece.length; from += slice) {
      this.#window += piece.slice(from, from + slice)
      // The last character is context: a word may go on behind it.
      if (this.#matches(this.#window.length - 1)) return FOUND
      this.#cut ||= this.#window.length > this.#keep + 2
      this.#window = this.#window.slice(-this.#keep - 2)
    }
    this.#read += piece.length
    return undefined
  }

  end(): string | undefined {
    return this.#matches(this.#window.length) ? FOUND : undefined
  }

  #matches(until: number): boolean {
    const pattern = this.#pattern
    pattern.lastIndex = 0
    for (let found = pattern.exec(this.#window); found !== null; found = pattern.exec(this.#window)) {
      if (pattern.lastIndex <= until && (found.index > 0 || !this.#cut)) return true
      pattern.lastIndex = found.index + 1
    }
    return false
  }
}
