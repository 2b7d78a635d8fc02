/** What a UTF-16 unit below 128 is, as bits. */
const DIGIT = 1
export const UPPER = 2
export const LOWER = 4
export const HEX = 8
export const LETTER = UPPER | LOWER
export const ALNUM = DIGIT | LETTER

function classes(): Uint8Array {
  const table = new Uint8Array(128)
  for (let c = 48; c < 58; c++) table[c] = DIGIT | HEX
  for (let c = 65; c < 91; c++) table[c] = c < 71 ? UPPER | HEX : UPPER
  for (let c = 97; c < 123; c++) table[c] = c < 103 ? LOWER | HEX : LOWER
  return table
}

/** Bits of every ASCII character. */
export const CLASS: Uint8Array = classes()

export const has = (c: number, bits: number): boolean => c < 128 && ((CLASS[c] ?? 0) & bits) !== 0
export const isDigit = (c: number): boolean => c >= 48 && c <= 57
export const isAlnum = (c: number): boolean => has(c, ALNUM)
/** A letter of a script that is written with spaces: such a letter beside a match means that it is part of a word. */
export const isForeignLetter = (c: number): boolean => c >= 0xc0 && c < 0x2000 && c !== 0xd7 && c !== 0xf7
export const isWord = (c: number): boolean => isAlnum(c) || isForeignLetter(c)
export const isSpace = (c: number): boolean => c === 32 || (c >= 9 && c <= 13) || c === 0xa0

/** The unit at `i`, or -1 outside the text, so that an edge is no special case. */
export const at = (text: string, i: number): number => (i >= 0 && i < text.length ? text.charCodeAt(i) : -1)

/** Whether the unit at `i` is the letter of an escaped line end or tab (`\\n`, `\\r`, `\\t`), which parts words in JSON and in code. */
export function isEscapedSpace(text: string, i: number): boolean {
  const c = at(text, i)
  return (c === 110 || c === 114 || c === 116) && at(text, i - 1) === 92
}

/** Whether a match that begins at `start` would begin inside a word. */
export function cutsBefore(text: string, start: number): boolean {
  const c = at(text, start - 1)
  return (isWord(c) && !isEscapedSpace(text, start - 1)) || c === 95
}
export const cutsAfter = (text: string, end: number): boolean => isWord(at(text, end)) || at(text, end) === 95

/** First index from `i` on, at most `limit`, whose unit has none of `bits` and is not in `more`. */
export function runEnd(text: string, i: number, limit: number, bits: number, more = ''): number {
  const end = Math.min(text.length, limit)
  while (i < end) {
    const c = text.charCodeAt(i)
    if (!has(c, bits) && (more === '' || !more.includes(text.charAt(i)))) break
    i++
  }
  return i
}

/** Luhn over the digits of `text`, whatever else stands between them. */
export function luhn(text: string, start: number, end: number): boolean {
  let sum = 0
  let double = false
  for (let i = end - 1; i >= start; i--) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) continue
    const value = double ? digit * 2 : digit
    sum += value > 9 ? value - 9 : value
    double = !double
  }
  return sum % 10 === 0
}

/** Bits of entropy per character. */
export function entropy(text: string): number {
  const seen = new Map<number, number>()
  for (let i = 0; i < text.length; i++) seen.set(text.charCodeAt(i), (seen.get(text.charCodeAt(i)) ?? 0) + 1)
  let bits = 0
  for (const count of seen.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}
