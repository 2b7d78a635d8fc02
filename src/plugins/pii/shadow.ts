import { ALNUM, at, CLASS, has, HEX } from './chars.js'
import { decodeRun, isEncoded } from './shadow-base64.js'

/** Text with everything folded that hides a value, and where each unit of it came from. */
export interface Shadow {
  readonly text: string
  readonly starts: Int32Array
  readonly ends: Int32Array
}

const B64_LEAST = 32
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
function foldUnit(c: number): number {
  if (c < 0xa0) return c
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
function escaped(text: string, i: number): { unit: number; width: number } | undefined {
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

const isB64 = (c: number): boolean => has(c, ALNUM) || c === 43 || c === 47 || c === 45 || c === 95

const FOLDS: Uint8Array = Uint8Array.from({ length: 128 }, (_, c) => (c === 37 || c === 92 || c === 38 ? 2 : (CLASS[c] ?? 0) & ALNUM || c === 43 || c === 47 || c === 45 || c === 95 ? 1 : 0))

/** Whether anything in the text would be read differently. */
function needed(text: string): boolean {
  let run = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    const kind = c < 128 ? FOLDS[c] : 2
    if (kind === 1) {
      if (++run === B64_LEAST && isEncoded(text, i + 1 - B64_LEAST)) return true
      continue
    }
    run = 0
    if (kind === 2 && (escaped(text, i) !== undefined || foldUnit(c) !== c)) return true
  }
  return false
}

/** Collects units with their origin. */
class Builder {
  readonly #units: Uint16Array
  readonly #starts: Int32Array
  readonly #ends: Int32Array
  #length = 0

  constructor(size: number) {
    this.#units = new Uint16Array(size)
    this.#starts = new Int32Array(size)
    this.#ends = new Int32Array(size)
  }

  put(unit: number, start: number, end: number): void {
    this.#units[this.#length] = unit
    this.#starts[this.#length] = start
    this.#ends[this.#length++] = end
  }

  done(): Shadow {
    const text = new TextDecoder('utf-16le', { ignoreBOM: true }).decode(this.#units.subarray(0, this.#length))
    return { text, starts: this.#starts, ends: this.#ends }
  }
}

function runOfB64(text: string, start: number): number {
  let end = start
  while (end < text.length && isB64(text.charCodeAt(end))) end++
  return end
}

/** The shadow of `text`, or nothing where it would be the same. */
export function shadow(text: string): Shadow | undefined {
  if (!needed(text)) return undefined
  const builder = new Builder(text.length)
  let changed = false
  let i = 0
  while (i < text.length) {
    const c = text.charCodeAt(i)
    if (isB64(c)) {
      const end = runOfB64(text, i)
      const taken = end - i >= B64_LEAST ? decodeRun(text, i, end, builder) : 0
      changed ||= taken > 0
      for (let k = i + taken; k < end; k++) builder.put(text.charCodeAt(k), k, k + 1)
      i = end
      continue
    }
    const { unit, width } = escaped(text, i) ?? { unit: foldUnit(c), width: 1 }
    changed ||= unit !== c || width > 1
    if (unit !== -1) builder.put(unit, i, i + width)
    i += width
  }
  return changed ? builder.done() : undefined
}
