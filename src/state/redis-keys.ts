/** From here on, the order of UTF-8 and the order of JavaScript part, and a text may be none in UTF-8. */
const FIRST_ODD = 0xd7ff
const MARK = String.fromCharCode(FIRST_ODD)
const ODD = /[\ud7ff-\uffff]/g
const MARKED = /\ud7ff([^])/g
/** Sorts behind every text that `encoded` gives. */
const BEHIND = '\u{10ffff}'

/**
 * The text in letters whose bytes in UTF-8 sort as JavaScript sorts, no two alike, and with the same prefixes: each code unit from
 * U+D7FF on is a mark and a small letter.
 */
export function encoded(text: string): string {
  return text.replace(ODD, unit => MARK + String.fromCharCode(unit.charCodeAt(0) - FIRST_ODD + 1))
}

/** What `encoded` was given. */
export function decoded(text: string): string {
  return text.replace(MARKED, (_, letter: string) => String.fromCharCode(letter.charCodeAt(0) + FIRST_ODD - 1))
}

/** Bounds of a range by name, for ZRANGEBYLEX. */
export function lexRange(start: string, end: string | undefined, prefix = ''): readonly [min: string, max: string] {
  const from = encoded(start > prefix ? start : prefix)
  const behind = encoded(prefix) + BEHIND
  const to = end === undefined || encoded(end) > behind ? behind : encoded(end)
  return [`[${from}`, `(${to}`]
}

/** Names of the keys of one store: all in one slot of a cluster, by the hash tag. */
export class Keys {
  readonly version: string
  readonly instances: string
  readonly holds: string
  readonly values: string
  readonly valueEnds: string
  readonly groups: string
  readonly groupEnds: string
  readonly #base: string

  constructor(prefix: string) {
    const base = `{${prefix}}:`
    this.#base = base
    // The first key of each script: what lies before its name is what the names made inside a script begin with.
    this.version = `${base}version`
    this.instances = `${base}instances`
    this.holds = `${base}holds`
    this.values = `${base}values`
    this.valueEnds = `${base}values:ends`
    this.groups = `${base}groups`
    this.groupEnds = `${base}groups:ends`
  }

  hold(id: string): string {
    return `${this.#base}h:${encoded(id)}`
  }
  value(key: string): string {
    return `${this.#base}v:${encoded(key)}`
  }
  /** A counter, and the line of milliseconds of its window. */
  counter(id: string): readonly [counter: string, line: string] {
    return [`${this.#base}c:${encoded(id)}`, `${this.#base}w:${encoded(id)}`]
  }
  group(group: string): string {
    return `${this.#base}t:${encoded(group)}`
  }
}
