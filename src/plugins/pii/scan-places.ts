import { at, has, isAlnum, isDigit, isEscapedSpace, isWord, LETTER } from './chars.js'

/** Whether the digit at `i` is the first of two behind the two letters that a word begins with. */
export function opensIban(text: string, i: number): boolean {
  if (!has(at(text, i - 1), LETTER) || !has(at(text, i - 2), LETTER) || !isDigit(at(text, i + 1)) || isEscapedSpace(text, i - 2)) return false
  const before = at(text, i - 3)
  return !isWord(before) || isEscapedSpace(text, i - 3)
}

/** Whether a sign or a bracket may begin a telephone number. */
export function opensPhone(text: string, i: number, c: number): boolean {
  const next = at(text, i + 1)
  return (isDigit(next) || (c === 43 && (next === 40 || next === 32))) && !isAlnum(at(text, i - 1))
}

const MOST_GROUPS = 12

/** End of a row of more numbers than any one is written in, or `start`. */
export function tableEnd(text: string, start: number): number {
  let i = start
  let groups = 0
  while (isDigit(at(text, i))) {
    while (isDigit(at(text, i))) i++
    groups++
    if (at(text, i) !== 32) break
    i++
  }
  return groups > MOST_GROUPS ? i : start
}

const ATTACHED_REACH = 12

/** Whether the number is the later part of something that is glued together with signs, such as a date, a version or an id. */
export function isAttached(text: string, start: number): boolean {
  const c = at(text, start - 1)
  // A dot before a digit is that of a fraction, whatever stands before it.
  if (c === 46) return true
  if (c !== 45 && c !== 47) return false
  for (let i = start - 2; i >= start - 2 - ATTACHED_REACH; i--) {
    const before = at(text, i)
    if (isDigit(before)) return true
    if (!isAlnum(before)) return false
  }
  return true
}
