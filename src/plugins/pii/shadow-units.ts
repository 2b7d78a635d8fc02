import { at, has, HEX } from './chars.js'

const ENTITIES = new Map([
  ['commat', 64],
  ['period', 46],
  ['hyphen', 45],
  ['dash', 45],
  ['nbsp', 32],
  ['amp', 38],
  ['colon', 58],
  ['plus', 43],
  ['lowbar', 95],
  ['sol', 47],
  ['quot', 34],
  ['lt', 60],
  ['gt', 62],
  ['apos', 39],
  ['equals', 61],
])

/** What a unit is read as: itself, another unit, or -1 where it is not seen. */
export function foldUnit(c: number): number {
  // Most alphabets, and the characters of East Asia: none of them is folded.
  if (c < 0xa0 || (c > 0xad && c < 0x660) || (c > 0x3000 && c < 0xfe00)) return c
  if (c >= 0xff01 && c <= 0xff5e) return c - 0xfee0
  if (UNSEEN.test(String.fromCharCode(c))) return -1
  if (SPACES.test(String.fromCharCode(c))) return 32
  return DASHES.test(String.fromCharCode(c)) ? 45 : foreignDigit(c)
}

const UNSEEN = /[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]/
const SPACES = /[\u00a0\u2000-\u200a\u202f\u205f\u3000]/
const DASHES = /[\u2010-\u2015\u2212\ufe58\ufe63]/

function foreignDigit(c: number): number {
  if (c >= 0x660 && c <= 0x669) return c - 0x660 + 48
  if (c >= 0x6f0 && c <= 0x6f9) return c - 0x6f0 + 48
  return c >= 0x966 && c <= 0x96f ? c - 0x966 + 48 : c
}

const value = (text: string, start: number, end: number, radix: number): number => parseInt(text.slice(start, end), radix)
function hex(text: string, start: number, count: number): boolean {
  for (let i = start; i < start + count; i++) if (!has(at(text, i), HEX)) return false
  return true
}

/** A character written in several: its unit and its width, or undefined. */
export function escaped(text: string, i: number): { unit: number; width: number } | undefined {
  const c = text.charCodeAt(i)
  if (c === 37) return percent(text, i)
  if (c === 92) return backslash(text, i)
  if (c === 38) return entity(text, i)
  // Mathematical digits, of which five sets follow each other.
  if (c === 0xd835 && at(text, i + 1) >= 0xdfce && at(text, i + 1) <= 0xdfff) return { unit: 48 + ((text.charCodeAt(i + 1) - 0xdfce) % 10), width: 2 }
  return undefined
}

function percent(text: string, i: number) {
  if (!hex(text, i + 1, 2)) return undefined
  if (text.startsWith('25', i + 1) && hex(text, i + 3, 2)) return decoded(value(text, i + 3, i + 5, 16), 5)
  return decoded(value(text, i + 1, i + 3, 16), 3)
}

const decoded = (unit: number, width: number) => (unit >= 32 && unit < 127 ? { unit, width } : undefined)

function backslash(text: string, i: number) {
  const next = at(text, i + 1)
  if (next === 117 && hex(text, i + 2, 4)) return unicode(value(text, i + 2, i + 6, 16), 6)
  return next === 120 && hex(text, i + 2, 2) ? decoded(value(text, i + 2, i + 4, 16), 4) : undefined
}

const unicode = (unit: number, width: number) => ({ unit: foldUnit(unit), width })

function entity(text: string, i: number) {
  const end = text.slice(i, i + 12).indexOf(';')
  if (end < 3) return undefined
  const name = text.slice(i + 1, i + end)
  const known = ENTITIES.get(name)
  if (known !== undefined) return { unit: known, width: end + 1 }
  if (!/^#(?:\d{1,5}|x[0-9a-f]{1,4})$/i.test(name)) return undefined
  const unit = /^#x/i.test(name) ? parseInt(name.slice(2), 16) : Number(name.slice(1))
  return unit <= 0xffff ? unicode(unit, end + 1) : undefined
}
