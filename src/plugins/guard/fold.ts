/** What is left out of a comparison: marks over Latin letters, and characters nobody sees. */
const UNSEEN = /[\u0300-\u036f\ufe00-\ufe0f\p{Cf}]/gu
const SPACE = /^[\s\u00a0]+$/u
const WORD = /[\p{L}\p{N}]/u
/** Scripts that put no space between words: there a word may begin anywhere. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u

/** One character as it is compared: no case, no accents, one kind of space; empty where it counts for nothing. */
export function foldChar(char: string): string {
  const unit = char.charCodeAt(0)
  if (unit < 0x80) {
    if (unit >= 65 && unit <= 90) return String.fromCharCode(unit + 32)
    return unit === 32 || (unit >= 9 && unit <= 13) ? ' ' : char
  }
  if (SPACE.test(char)) return ' '
  return char.normalize('NFKD').toLowerCase().normalize('NFKD').replace(UNSEEN, '')
}

/** A letter or digit that goes on a word. */
export function isWordUnit(unit: number): boolean {
  if (unit < 0x80) return (unit >= 97 && unit <= 122) || (unit >= 48 && unit <= 57)
  const char = String.fromCharCode(unit)
  return WORD.test(char) && !UNSPACED.test(char)
}

/** A whole text folded, runs of space as one. */
export function fold(text: string): string {
  let out = ''
  for (const char of text) {
    const folded = foldChar(char)
    if (folded !== ' ' || !out.endsWith(' ')) out += folded
  }
  return out.trim()
}
