/** What a word is made of, in bits. */
const DIGIT = 1
const LETTER = 2
const LOWER = 4
/** Something that ordinary words do not have. */
const ODD = 8
/** The last character says that a value follows. */
const KEY = 16
/** May stand behind what says so. */
const CLOSER = 32
const LONG_WORD = 20
const SHORT_WORD = 6
const PLACE = 3
const PLAIN_MARKS = new Set(Array.from('.,;!?\'"()*’‘“”…', mark => mark.charCodeAt(0)))
const CLOSERS = new Set(Array.from('"\'`*)', mark => mark.charCodeAt(0)))

function isDigit(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 0xff10 && code <= 0xff19) || (code >= 0x660 && code <= 0x669) || (code >= 0x6f0 && code <= 0x6f9) || (code >= 0x966 && code <= 0x96f)
}

/** Scripts that are written without spaces: each character is a word of its own. */
export function standsAlone(code: number): boolean {
  // Most characters, told first.
  if (code < 0x0e01) return false
  return (code >= 0x2e80 && code <= 0x9fff) || (code >= 0xf900 && code <= 0xfaff) || (code >= 0xff01 && code <= 0xff0f) || (code >= 0x0e01 && code <= 0x0e5b)
}

export function isSpace(code: number): boolean {
  if (code > 32 && code < 0xa0) return false
  return code === 32 || (code >= 9 && code <= 13) || code === 0xa0 || (code >= 0x2000 && code <= 0x200a) || code === 0x2028 || code === 0x2029 || code === 0x202f || code === 0x3000
}

/** The kind of one character. */
function kindOf(code: number): number {
  if (isDigit(code)) return DIGIT
  if (code >= 97 && code <= 122) return LETTER | LOWER
  if (code >= 65 && code <= 90) return LETTER
  if (standsAlone(code)) return LETTER | LOWER
  if (code < 0xc0) return PLAIN_MARKS.has(code) ? 0 : ODD
  // Letters of other alphabets; whether they are small does not matter here.
  if (code < 0x2000 && code !== 0xd7 && code !== 0xf7) return LETTER | LOWER
  return PLAIN_MARKS.has(code) ? 0 : ODD
}

/** {@link kindOf} of ASCII. */
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => kindOf(code) | (code === 58 || code === 61 ? KEY : 0) | (CLOSERS.has(code) ? CLOSER : 0))

/** What one word looks like, told character by character. */
export class Shape {
  #bits = 0
  #length = 0

  reset(): void {
    this.#bits = this.#length = 0
  }

  add(code: number): void {
    this.#length++
    const kind = code < 128 ? (KINDS[code] ?? 0) : kindOf(code) | (code === 0xff1a ? KEY : 0)
    this.#bits = (kind & CLOSER) === 0 ? (this.#bits & ~KEY) | kind : this.#bits | kind
  }

  /** So many small ASCII letters at once. */
  addSmall(count: number): void {
    if (count === 0) return
    this.#length += count
    this.#bits = (this.#bits & ~KEY) | LETTER | LOWER
  }

  /** Goes on with nothing, whatever comes next, unless it is a key: too long to stand before the digits of a plate. */
  get ordinary(): boolean {
    return (this.#bits & (DIGIT | LETTER)) === LETTER && this.#length > SHORT_WORD
  }
  /** Number-like: some digit in it. */
  get number(): boolean {
    return (this.#bits & DIGIT) !== 0
  }
  /** Separator-like: neither letter nor digit. */
  get separator(): boolean {
    return (this.#bits & (DIGIT | LETTER)) === 0
  }
  /** A short word in capitals, as IBANs have between their digits. */
  get capitals(): boolean {
    return (this.#bits & (DIGIT | LOWER)) === 0 && (this.#bits & LETTER) !== 0 && this.#length <= SHORT_WORD
  }
  /** A short word, as number plates have before their digits, in either case. */
  get short(): boolean {
    return (this.#bits & DIGIT) === 0 && (this.#bits & LETTER) !== 0 && this.#length <= SHORT_WORD
  }
  /** A value follows. */
  get key(): boolean {
    return (this.#bits & KEY) !== 0
  }
  /** A word such as prose is made of: no pattern fits it. Up to three capitals may be the place in front of letters and digits. */
  get plain(): boolean {
    return (this.#bits & (DIGIT | ODD)) === 0 && this.#length <= LONG_WORD && !(this.capitals && this.#length <= PLACE)
  }
}

/** True where nothing that is one value can go from a word to the next. */
export function parted(left: Shape, right: Shape, newLine: boolean): boolean {
  if (left.key) return false
  if (newLine) return !(left.number && right.number)
  if ((left.number || left.separator) && (right.number || right.separator)) return false
  return !((left.number && right.capitals) || (left.short && right.number))
}
