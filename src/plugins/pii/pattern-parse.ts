/** Part of a pattern with how often it may stand. */
export interface Term {
  readonly min: number
  readonly max: number
  /** The characters of a single one, by ASCII code; the last for all others. Absent for a group and for an edge. */
  readonly set?: Uint8Array
  readonly group?: Group
  readonly refused?: string
}
export type Sequence = readonly Term[]
export interface Group {
  readonly alternatives: readonly Sequence[]
  readonly look: boolean
}

/** A pattern, and where it repeats without a bound. */
export interface Parsed {
  readonly alternatives: readonly Sequence[]
  readonly repetitions: readonly { readonly start: number; readonly end: number; readonly min: number }[]
  readonly refused: string | undefined
}

const LONGEST_SOURCE = 2000
const DEEPEST = 20
const OTHERS = ['é', '漢', '\u2003']

/** The characters that one atom matches: the engine itself is asked. */
function setOf(source: string, flags: string): Uint8Array {
  const one = new RegExp(`^(?:${source})$`, flags.replace(/[gym]/g, ''))
  const set = new Uint8Array(129)
  for (let c = 0; c < 128; c++) if (one.test(String.fromCharCode(c))) set[c] = 1
  if (OTHERS.some(other => one.test(other)) || /[^\0-\x7f]|\\[upP]/.test(source)) set[128] = 1
  return set
}

class Parser {
  readonly repetitions: { start: number; end: number; min: number }[] = []
  refused: string | undefined
  readonly #source: string
  readonly #flags: string
  #at = 0

  constructor(pattern: RegExp) {
    this.#source = pattern.source
    this.#flags = pattern.flags
  }

  alternatives(depth: number): Sequence[] {
    const all: Term[][] = [[]]
    if (depth > DEEPEST) this.refused = 'groups that are nested too deeply'
    while (this.#at < this.#source.length && this.refused === undefined) {
      const c = this.#source.charAt(this.#at)
      if (c === ')') break
      if (c === '|') {
        all.push([])
        this.#at++
        continue
      }
      all[all.length - 1]?.push(this.#term(c, depth))
    }
    return all
  }

  #term(c: string, depth: number): Term {
    const start = this.#at
    if (c === '(') return { group: this.#group(depth), ...this.#quantifier() }
    if (c === '^' || c === '$') {
      this.#at++
      return { min: 1, max: 1 }
    }
    if (c === '\\') return this.#escape(start)
    if (c === '[') this.#skipClass()
    else this.#at += (this.#source.codePointAt(start) ?? 0) > 0xffff ? 2 : 1
    return { set: setOf(this.#source.slice(start, this.#at), this.#flags), ...this.#quantifier() }
  }

  #group(depth: number): Group {
    const head = /^\((?:\?(?:[:=!]|<[=!]|<[^>]*>|[a-z-]*:))?/.exec(this.#source.slice(this.#at))?.[0] ?? '('
    this.#at += head.length
    const alternatives = this.alternatives(depth + 1)
    this.#at++
    return { alternatives, look: /^\(\?<?[=!]$/.test(head) }
  }

  #skipClass(): void {
    for (this.#at++; this.#at < this.#source.length && this.#source.charAt(this.#at) !== ']'; this.#at++) if (this.#source.charAt(this.#at) === '\\') this.#at++
    this.#at++
  }

  #escape(start: number): Term {
    const rest = this.#source.slice(start)
    if (/^\\[bB]/.test(rest)) {
      this.#at += 2
      return { min: 1, max: 1 }
    }
    if (/^\\(?:[1-9]|k<)/.test(rest)) {
      this.#at += 2
      return { min: 1, max: 1, refused: 'a back reference' }
    }
    this.#at += (/^\\(?:u\{[0-9a-f]+\}|u[0-9a-f]{4}|x[0-9a-f]{2}|[pP]\{[^}]*\}|c[a-z])/i.exec(rest)?.[0] ?? rest.slice(0, 2)).length
    return { set: setOf(this.#source.slice(start, this.#at), this.#flags), ...this.#quantifier() }
  }

  #quantifier(): { min: number; max: number } {
    const start = this.#at
    const found = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})/.exec(this.#source.slice(start, start + 24))
    if (found === null) return { min: 1, max: 1 }
    const [whole, sign, least, comma, most] = found
    const end = start + whole.length
    this.#at = this.#source.charAt(end) === '?' ? end + 1 : end
    const min = sign === undefined ? Number(least) : sign === '+' ? 1 : 0
    const max = sign === '?' ? 1 : sign !== undefined || (comma !== undefined && most === '') ? Infinity : comma === undefined ? min : Number(most)
    if (max === Infinity) this.repetitions.push({ start, end, min })
    return { min, max }
  }
}

/** Reads a pattern that the engine has taken already. */
export function parsePattern(pattern: RegExp): Parsed {
  if (pattern.source.length > LONGEST_SOURCE) return { alternatives: [], repetitions: [], refused: `more than ${LONGEST_SOURCE} characters` }
  if (pattern.flags.includes('v')) return { alternatives: [], repetitions: [], refused: 'the flag "v", which is not read here ("u" is)' }
  const parser = new Parser(pattern)
  const alternatives = parser.alternatives(0)
  return { alternatives, repetitions: parser.repetitions.sort((a, b) => a.start - b.start), refused: parser.refused }
}
