import { ALNUM, CLASS, isDigit, LETTER } from './chars.js'
import { TOKENS } from './secrets-data.js'

/** What a place asks for; of the first two, which most places have, the number is whether the next place is inside a word. */
const NOTHING = 0
const IN_WORD = 1
/** A word that may be a token or says that one follows. */
export const WORD = 2
export const NUMBER = 3
/** A digit inside a word. */
export const INSIDE = 4
export const SIGN = 5
/** An escaped line end or tab. */
const ESCAPE = 6

const CODES = 128
/** Added to the index of a place inside a word. */
export const INSIDE_WORD = CODES * CODES

const codes = (marks: string): ReadonlySet<number> => new Set(Array.from(marks, mark => mark.charCodeAt(0)))
const ALWAYS = codes('@:=')
/** What `eyJ`, `Bearer` and `Basic` begin with, and the tokens. */
const OPENINGS = ['eyJ', 'bea', 'Bea', 'bas', 'Bas', ...TOKENS.map(({ prefix }) => prefix.slice(0, 3))]
const PAIRS = new Set(OPENINGS.map(opening => opening.slice(0, 2)))

const isAlnum = (c: number): boolean => ((CLASS[c] ?? 0) & ALNUM) !== 0

/** Whether a sign matters before `next`. */
function matters(c: number, next: number): boolean {
  switch (String.fromCharCode(c)) {
    case '-':
      // `-u` and `--user` of a command line.
      return next === c || next === 117
    case '+':
      return isDigit(next) || next === 40 || next === 32
    case '(':
      return isDigit(next)
    case '>':
      return isAlnum(next)
    default:
      return ALWAYS.has(c)
  }
}

function actionOf(inside: boolean, c: number, next: number): number {
  if (isDigit(c)) return inside ? INSIDE : NUMBER
  if (((CLASS[c] ?? 0) & LETTER) !== 0) return !inside && PAIRS.has(String.fromCharCode(c, next)) ? WORD : IN_WORD
  if (c === 92) return next === 110 || next === 114 || next === 116 ? ESCAPE : NOTHING
  return matters(c, next) ? SIGN : NOTHING
}

/** By whether the place is inside a word, its character, and the next: one look, and one branch that is nearly always the same. */
export const ACTIONS: Uint8Array = Uint8Array.from({ length: 2 * INSIDE_WORD }, (_, at) => actionOf(at >= INSIDE_WORD, (at >> 7) % CODES, at % CODES))

const SLOTS = 4_096
const slot = (a: number, b: number, c: number): number => (a ^ (b << 3) ^ (c << 6)) % SLOTS

function triples(): Uint8Array {
  const table = new Uint8Array(SLOTS)
  for (const opening of OPENINGS) {
    const third = opening.charCodeAt(2)
    // Behind the shortest openings stands anything.
    for (let c = opening.length > 2 ? third : 0; c <= (opening.length > 2 ? third : CODES - 1); c++) table[slot(opening.charCodeAt(0), opening.charCodeAt(1), c)] = 1
  }
  return table
}
const TRIPLES = triples()

/** Whether a token or a word before one may begin with these three: no more than a few words pass. */
export const opens = (a: number, b: number, c: number): boolean => TRIPLES[slot(a, b, c)] === 1
