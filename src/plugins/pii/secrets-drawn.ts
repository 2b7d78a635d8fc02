import { ALNUM, entropy, has, HEX, isDigit, LETTER, UPPER } from './chars.js'

/** What the characters of a value say about whether they were drawn. */
export interface Look {
  readonly digits: number
  readonly letters: number
  readonly uppers: number
  readonly mixedCase: boolean
  /** Of letters and digits there are only hexadecimal ones. */
  readonly hex: boolean
  /** Evidence per letter, in half bits, that they spell names: below 0 where they are drawn. */
  readonly words: number
}

/** Log of how much more often a letter stands in English text than in a drawn one: half bits above -6, `a` to `z`. */
const LETTERS = '83569447802658850778525040'
/** The same for two letters in a row, as names are written: lower-lower, lower-upper, upper-lower, upper-upper. */
const CASES = [3, -3, -2, -5]

export function lookOf(text: string, start: number, end: number): Look {
  let digits = 0
  let letters = 0
  let uppers = 0
  let hex = true
  let words = 0
  let cases = 0
  let before = -1
  for (let i = start; i < end; i++) {
    const c = text.charCodeAt(i)
    if (isDigit(c)) digits++
    else if (has(c, ALNUM) && !has(c, HEX)) hex = false
    if (!has(c, LETTER)) {
      before = -1
      continue
    }
    const upper = has(c, UPPER) ? 1 : 0
    letters++
    uppers += upper
    words += LETTERS.charCodeAt((c | 32) - 97) - 54
    if (before >= 0) cases += CASES[2 * before + upper] ?? 0
    before = upper
  }
  const mixedCase = uppers > 0 && uppers < letters
  return { digits, letters, uppers, mixedCase, hex, words: letters === 0 ? 0 : (words + (mixedCase ? cases : 0)) / letters }
}

/** Whether the letters spell names, which have next to no digits; letters of one case alone say less. */
export function isWords({ digits, letters, mixedCase, hex, words }: Look): boolean {
  return !hex && digits * 8 < letters && words > (mixedCase ? 0.75 : 0.6)
}

/**
 * Entropy that 99.9 % of drawn values of that length exceed: over 16 characters for hexadecimal ones, else over 32, the fewest that an
 * issuer draws from. Both curves lie below the measured quantile at every length from 8 to 100. Long hexadecimal ones may be put together
 * with numbers, which have less.
 */
function leastEntropy(length: number, hex: boolean): number {
  return hex ? Math.min(3, 4 - 32 / length) : 5 - 9 / Math.sqrt(length)
}

const ROW = 6
/** Keys as they lie side by side. */
const KEYBOARD = /qwerty|asdfgh|zxcvbn|1q2w3e/i

/** Whether six characters count up or down, or every other one does, as in made-up tokens (`abcdef`, `987654`, `a1b2c3d4`). */
export function isCounted(value: string, hex = false): boolean {
  // With sixteen characters a short row comes up by itself.
  const row = hex ? ROW + 1 : ROW
  let up = 1
  let down = 1
  let crossed = 1
  for (let i = 1; i < value.length; i++) {
    const step = value.charCodeAt(i) - value.charCodeAt(i - 1)
    up = step === 1 ? up + 1 : 1
    down = step === -1 ? down + 1 : 1
    crossed = i > 1 && value.charCodeAt(i) - value.charCodeAt(i - 2) === 1 ? crossed + 1 : 1
    if (up >= row || down >= row || crossed >= row) return true
  }
  return KEYBOARD.test(value)
}

/** Whether a value is one part over and over. */
function isPeriodic(value: string): boolean {
  // A value that is shifted by its period is itself.
  const at = `${value}${value.slice(0, -1)}`.indexOf(value, 1)
  return at > 0 && at <= value.length / 2
}

/** Whether the characters are as mixed as drawn ones are. */
export function isMixedEnough(value: string, hex: boolean): boolean {
  return entropy(value) >= leastEntropy(value.length, hex) && !isPeriodic(value)
}
