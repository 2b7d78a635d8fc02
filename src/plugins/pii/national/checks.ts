/** Whether a compact identifier (upper case, no separators, of the row's shape) holds by its own rule. */
export type Check = (compact: string) => boolean

/** Nine digits that pass every weighted sum and are nobody's. */
export const NOTHING = '000000000'

const ZERO = 48
const LETTER = 55

export const digit = (s: string, at: number): number => s.charCodeAt(at) - ZERO

/** Value in base 36: digits as they are, A = 10 to Z = 35. */
export function base36(s: string, at: number): number {
  const code = s.charCodeAt(at)
  return code < 65 ? code - ZERO : code - LETTER
}

/** The digits of a part as one number: exact up to 15 digits. */
export function number(s: string, from: number, to: number): number {
  let value = 0
  for (let i = from; i < to; i++) value = value * 10 + digit(s, i)
  return value
}

/** Sum of digit times weight, from `from` on, as many as there are weights. */
export function weighted(s: string, weights: readonly number[], from = 0): number {
  let sum = 0
  for (let i = 0; i < weights.length; i++) sum += digit(s, from + i) * (weights[i] as number)
  return sum
}

/** The weighted sum with the check digit itself has no remainder. */
export const noRemainder =
  (weights: readonly number[], modulus: number, from = 0): Check =>
  s =>
    weighted(s, weights, from) % modulus === 0

/** The character at `at` is that of `table` for the remainder of the weighted sum; a `?` in the table is never given out. */
export const byTable =
  (weights: readonly number[], table: string, from = 0, at = from + weights.length): Check =>
  s =>
    s.charCodeAt(at) === table.charCodeAt(weighted(s, weights, from) % table.length)

/** Luhn's sum from `from` to `to`, whose last digit is the check digit, with what a prefix that is not written adds. */
export function luhn(s: string, from = 0, to = s.length, added = 0): boolean {
  let sum = added
  for (let i = to - 1, twice = false; i >= from; i--, twice = !twice) {
    const value = digit(s, i) * (twice ? 2 : 1)
    sum += value > 9 ? value - 9 : value
  }
  return sum % 10 === 0
}

/** ISO 7064 MOD 11,10, the check digit last. */
export function mod11and10(s: string, from: number, to: number): boolean {
  let product = 10
  for (let i = from; i < to - 1; i++) {
    const sum = (product + digit(s, i)) % 10
    product = ((sum === 0 ? 10 : sum) * 2) % 11
  }
  return (product + digit(s, to - 1)) % 10 === 1
}

const TURNS = ['0123456789', '1576283094', '5803796142', '8916043527', '9453126870', '4286573901', '2793806415', '7046913258']

/** The product of two elements of the dihedral group of order ten. */
function dihedral(a: number, b: number): number {
  if (a < 5) return b < 5 ? (a + b) % 5 : ((a + b) % 5) + 5
  return b < 5 ? ((a - b) % 5) + 5 : (a - b + 5) % 5
}

/** Verhoeff's check over a whole number. */
export function verhoeff(s: string): boolean {
  let state = 0
  for (let i = s.length - 1, turn = 0; i >= 0; i--, turn = (turn + 1) % 8) state = dihedral(state, digit(TURNS[turn] as string, digit(s, i)))
  return state === 0
}

const ICAO = [7, 3, 1]

/** ICAO 9303: weights 7, 3, 1 over letters and digits, the check digit last. */
export function icao(s: string, from: number, to: number): boolean {
  let sum = 0
  for (let i = from; i < to - 1; i++) sum += base36(s, i) * (ICAO[(i - from) % 3] as number)
  return sum % 10 === digit(s, to - 1)
}

/** Sum of the digits of each product. */
export function crossSum(s: string, weights: readonly number[], from = 0): number {
  let sum = 0
  for (let i = 0; i < weights.length; i++) {
    const product = digit(s, from + i) * (weights[i] as number)
    sum += (product % 10) + Math.floor(product / 10)
  }
  return sum
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** A day of the calendar. The year has two digits or four; two say nothing of the century, and 00 may be a leap year. */
export function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1 || day > (DAYS[month - 1] as number)) return false
  return month !== 2 || day < 29 || (year % 4 === 0 && (year < 100 || year % 100 !== 0 || year % 400 === 0))
}

/** A date of six digits, the year first, from `from`. */
export const yymmdd = (s: string, from = 0): boolean => isDate(number(s, from, from + 2), number(s, from + 2, from + 4), number(s, from + 4, from + 6))

/** A date of six digits, the day first, from `from`. */
export const ddmmyy = (s: string, from = 0): boolean => isDate(number(s, from + 4, from + 6), number(s, from + 2, from + 4), number(s, from, from + 2))

/** Every digit of a part is the first one. */
export function allSame(s: string, from = 0, to = s.length): boolean {
  for (let i = from + 1; i < to; i++) if (s.charCodeAt(i) !== s.charCodeAt(from)) return false
  return true
}
