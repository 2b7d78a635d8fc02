import { at, isDigit } from './chars.js'

const MOST_DIGITS = 17
const MOST_GROUPS = 7
const NBSP = 0xa0
const between = (c: number): boolean => c === 32 || (c >= 45 && c <= 47) || c === 40 || c === 41 || c === NBSP

/** The digit groups of something that may be a telephone number; read anew for each place, so that nothing is made for those that are none. */
export class PhoneShape {
  start = 0
  plus = false
  /** Index of the group that stands in brackets, or -1. */
  bracket = -1
  count = 0
  digits = 0
  readonly starts = new Int32Array(MOST_GROUPS)
  readonly lengths = new Int32Array(MOST_GROUPS)
  /** End after each group, with the bracket that closes it. */
  readonly ends = new Int32Array(MOST_GROUPS)
  /** After each group but the last: a space, or the one sign that is not a space. */
  readonly separators = new Uint8Array(MOST_GROUPS)
  #next = 0
  #closed = -1
  #opened = false

  /** Reads groups from `start`, which is a digit, a plus or an opening bracket; bounded. */
  read(text: string, start: number): void {
    this.start = start
    this.bracket = -1
    this.count = 0
    this.digits = 0
    let i = start
    this.plus = at(text, i) === 43
    if (this.plus) i += at(text, i + 1) === 32 ? 2 : 1
    if (at(text, i) === 40) {
      this.bracket = 0
      i++
    }
    while (this.count < MOST_GROUPS && i !== -1) i = this.#group(text, i)
    // A bracket around more than the first group is no area code: the digit behind it is tried by itself.
    if (at(text, start) === 40 && (this.count === 0 || at(text, (this.ends[0] ?? 1) - 1) !== 41)) this.count = 0
  }

  /** Reads one group; returns where the next begins, or -1. */
  #group(text: string, from: number): number {
    let i = from
    while (i - from <= MOST_DIGITS && isDigit(at(text, i))) i++
    if (i === from || this.digits + i - from > MOST_DIGITS) return -1
    const index = this.count++
    this.digits += i - from
    this.starts[index] = from
    this.lengths[index] = i - from
    this.#separator(text, i, index)
    this.ends[index] = this.#closed !== -1 && this.bracket === index ? this.#closed : i
    if (this.#next === i || !isDigit(at(text, this.#next))) return -1
    if (this.#opened) this.bracket = this.count
    return this.#next
  }

  /** Consumes up to four separators: a bracket may open once and close once, and one other sign may stand. */
  #separator(text: string, from: number, index: number): void {
    let sign = 32
    let spaces = 0
    let i = from
    this.#opened = false
    this.#closed = -1
    for (; i < from + 4; i++) {
      const c = at(text, i)
      if (!between(c)) break
      if (c === 40) {
        if (this.#opened) break
        this.#opened = true
      } else if (c === 41) {
        if (this.#closed !== -1) break
        this.#closed = i + 1
      } else if (c === 32 || c === NBSP) {
        if (++spaces > 2) break
      } else if (sign !== 32) break
      else sign = c
    }
    this.#next = i
    this.separators[index] = sign
  }
}
