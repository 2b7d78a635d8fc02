import { ALNUM, has } from './chars.js'
import { decodeRun, isEncoded } from './shadow-base64.js'
import { escaped, foldUnit } from './shadow-units.js'

/** Text with everything folded that hides a value, and where each unit of it came from. */
export interface Shadow {
  readonly text: string
  readonly starts: Int32Array
  readonly ends: Int32Array
}

const B64_LEAST = 32
const isB64 = (c: number): boolean => has(c, ALNUM) || c === 43 || c === 47 || c === 45 || c === 95

const FOREIGN = /[\u00a0-\uffff]/
const OPENINGS = ['%', '\\', '&']
const IN_B64: Uint8Array = Uint8Array.from({ length: 128 }, (_, c) => (isB64(c) ? 1 : 0))

/** Whether anything in the text would be read differently: each kind is sought by itself, because most texts have few of them. */
function needed(text: string): boolean {
  for (const opening of OPENINGS) {
    for (let i = text.indexOf(opening); i >= 0; i = text.indexOf(opening, i + 1)) if (escaped(text, i) !== undefined) return true
  }
  const first = text.search(FOREIGN)
  if (first >= 0) {
    for (let i = first; i < text.length; i++) {
      const c = text.charCodeAt(i)
      if (c >= 0xa0 && (foldUnit(c) !== c || escaped(text, i) !== undefined)) return true
    }
  }
  return holdsB64(text)
}

/** Whether a run of base64 reads as text. Looks at the last place that a run could begin with would have to reach: most of what lies before is never read. */
function holdsB64(text: string): boolean {
  let start = 0
  let read = 0
  for (let last = B64_LEAST - 1; last < text.length; last = start + B64_LEAST - 1) {
    let i = last
    while (i >= read) {
      const c = text.charCodeAt(i)
      if (c > 127 || IN_B64[c] === 0) break
      i--
    }
    if (i >= read) {
      start = i + 1
      read = last + 1
      continue
    }
    if (isEncoded(text, start)) return true
    start = read = runOfB64(text, last)
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

  /** Units that are read as they stand. */
  copy(text: string, from: number, to: number): void {
    const units = this.#units
    const starts = this.#starts
    const ends = this.#ends
    let length = this.#length
    for (let i = from; i < to; i++) {
      units[length] = text.charCodeAt(i)
      starts[length] = i
      ends[length++] = i + 1
    }
    this.#length = length
  }

  done(): Shadow {
    const text = new TextDecoder('utf-16le', { ignoreBOM: true }).decode(this.#units.subarray(0, this.#length))
    return { text, starts: this.#starts, ends: this.#ends }
  }
}

function runOfB64(text: string, start: number): number {
  let end = start
  for (; end < text.length; end++) {
    const c = text.charCodeAt(end)
    if (c > 127 || IN_B64[c] === 0) break
  }
  return end
}

/** What is neither base64 nor read differently. */
function runOfPlain(text: string, start: number): number {
  let end = start
  for (; end < text.length; end++) {
    const c = text.charCodeAt(end)
    if (c >= 0xa0 || c === 37 || c === 92 || c === 38 || IN_B64[c] === 1) break
  }
  return end
}

/** The shadow of `text`, or nothing where it would be the same. */
export function shadow(text: string): Shadow | undefined {
  if (!needed(text)) return undefined
  const builder = new Builder(text.length)
  let changed = false
  let i = 0
  while (i < text.length) {
    const plain = runOfPlain(text, i)
    const end = runOfB64(text, plain)
    if (end - plain < B64_LEAST) builder.copy(text, i, end)
    else {
      builder.copy(text, i, plain)
      const taken = decodeRun(text, plain, end, builder)
      changed ||= taken > 0
      builder.copy(text, plain + taken, end)
    }
    if (end > i) {
      i = end
      continue
    }
    const c = text.charCodeAt(i)
    const { unit, width } = escaped(text, i) ?? { unit: foldUnit(c), width: 1 }
    changed ||= unit !== c || width > 1
    if (unit !== -1) builder.put(unit, i, i + width)
    i += width
  }
  return changed ? builder.done() : undefined
}
