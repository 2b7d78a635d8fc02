import { foundFrom, type StreamDetector } from './lead.js'
import { inToken } from './merge.js'
import type { PiiSession } from './session.js'
import { isSpace, parted, Shape, standsAlone } from './shape.js'
import type { Finding } from './types.js'

/** Text in, text out: what comes out, in one, does not depend on the pieces that went in. */
export interface Channel {
  push(text: string): string
  /** The rest. */
  end(): string
  /** The rest where the answer broke off: what was not decided is dropped. */
  drop(): string
}

/** What redacting an answer takes. */
export interface RedactParts {
  readonly detector: StreamDetector
  readonly session: PiiSession | undefined
  /** Characters after a place that decide about it. */
  readonly reach: number
  /** Words alone may be a value: nothing passes unseen. */
  readonly wary: boolean
  /** A private key without its end is one. */
  readonly keys: boolean
  /** What stands in place of a value; `undefined` leaves it. */
  readonly replace: (finding: Finding, value: string) => string | undefined
}

/** Characters after a place that decide about it, at the least. */
export const REACH = 32
/** What was sent and still counts as context. */
const CONTEXT = 256
/** Undecided at the most. */
const MOST_HELD = 8_192
const SLACK = 512
const BEGIN = '-----BEGIN'
const END = '-----END'
const DASHES = '-----'
const PRIVATE = 'PRIVATE KEY'

/**
 * Redacts a text that comes in pieces. A place is decided when it is known what stands {@link REACH} characters after it, by the detector itself,
 * with what was sent before as context: so each decision depends on the text alone, and never on how it was cut.
 */
export class Redactor implements Channel {
  readonly #parts: RedactParts
  /** From the context on. */
  #text: string
  /** Up to where it is decided. */
  #done: number
  /** Up to where it was looked at. */
  #at: number
  /** A value goes over every place before this. */
  #wait = 0
  readonly #word = new Shape()
  readonly #next = new Shape()
  /** Since the last word. */
  #space = false
  #newLine = false
  /** Only plain words since `#done`. */
  #quiet = true
  /** Where the plain words begin that were decided but not given yet, or -1. */
  #plainFrom = -1
  /** Where `-----BEGIN` is, and where its end was seen. */
  #begun = -1
  #ended = -1
  /** A private key is being left out until its end. */
  #swallow = false

  constructor(parts: RedactParts, context = '') {
    this.#parts = parts
    this.#text = context
    this.#done = this.#at = context.length
  }

  push(text: string): string {
    this.#text += text
    let out = ''
    const last = this.#text.length - this.#parts.reach
    while (this.#at <= last) {
      this.#skip(last)
      if (this.#at > last) break
      out += this.#look(this.#at)
      this.#at++
    }
    out += this.#settled()
    this.#trim()
    return out
  }

  end(): string {
    const { length } = this.#text
    let quiet = this.#quiet
    for (; this.#at < length; this.#at++) this.#see(this.#at)
    quiet &&= this.#quiet && this.#word.plain
    const rest = this.#swallow ? '' : quiet && !this.#parts.wary ? this.#text.slice(this.#done) : this.#rest(length)
    this.#done = length
    return rest
  }

  drop(): string {
    return ''
  }

  /** Small letters inside a word: nothing begins or ends at them. */
  #skip(last: number): void {
    const from = this.#at
    if (this.#space || from === 0 || this.#text.charCodeAt(from - 1) > 127) return
    const to = Math.min(last + 1, this.#done + MOST_HELD)
    let at = from
    while (at < to) {
      const code = this.#text.charCodeAt(at)
      if (code < 97 || code > 122) break
      at++
    }
    this.#word.addSmall(at - from)
    this.#at = Math.max(from, at)
  }

  #look(at: number): string {
    let out = ''
    if (at - this.#done >= MOST_HELD) out = this.#settled() + this.#force(at)
    if (this.#starts(at) && this.#mayCut(at)) out += this.#cut(at)
    this.#see(at)
    return out
  }

  /** Whether a word that may be cut off begins here. */
  #starts(at: number): boolean {
    const code = this.#text.charCodeAt(at)
    if (isSpace(code) || !(this.#space || standsAlone(code) || standsAlone(this.#text.charCodeAt(at - 1)))) return false
    return at > this.#done && at >= this.#wait && this.#begun < 0 && !this.#swallow
  }

  /** The plain words that were decided last: of a whole stretch of them in one piece. */
  #settled(): string {
    const from = this.#plainFrom
    this.#plainFrom = -1
    return from < 0 ? '' : this.#text.slice(from, this.#done)
  }

  /** Takes one character into account. */
  #see(at: number): void {
    const code = this.#text.charCodeAt(at)
    if (isSpace(code)) {
      this.#space = true
      this.#newLine ||= code === 10 || code === 13
      return
    }
    if (this.#space || standsAlone(code) || (at > 0 && standsAlone(this.#text.charCodeAt(at - 1)))) {
      this.#quiet &&= this.#word.plain
      this.#word.reset()
      this.#space = this.#newLine = false
    }
    this.#word.add(code)
    if (code === 45) this.#seeKey(at)
  }

  #seeKey(at: number): void {
    if (this.#begun < 0) {
      if (this.#text.startsWith(BEGIN, at)) this.#begun = at
    } else if (this.#ended < 0) {
      if (this.#text.startsWith(END, at)) this.#ended = at + END.length
    } else if (at >= this.#ended && this.#text.startsWith(DASHES, at)) {
      if (this.#swallow) this.#done = at + DASHES.length
      this.#swallow = false
      this.#begun = this.#ended = -1
    }
  }

  #mayCut(at: number): boolean {
    if (this.#word.key) return false
    if (this.#word.ordinary) return true
    this.#next.reset()
    for (let i = at; i < at + REACH && i < this.#text.length; i++) {
      const code = this.#text.charCodeAt(i)
      if (isSpace(code) || (i > at && standsAlone(code))) break
      this.#next.add(code)
    }
    return parted(this.#word, this.#next, this.#newLine)
  }

  /** Decides up to `at`, but not where a value goes over it. */
  #cut(at: number): string {
    let out = ''
    if (this.#quiet && this.#word.plain && !this.#parts.wary) {
      if (this.#plainFrom < 0) this.#plainFrom = this.#done
    } else {
      const decided = this.#decide(at, at + this.#parts.reach, false)
      if (decided === undefined) return ''
      out = this.#settled() + decided
    }
    this.#done = at
    this.#quiet = true
    return out
  }

  /** Too much is held: decides up to `at`, whatever goes over it. */
  #force(at: number): string {
    if (this.#swallow) {
      this.#done = at
      return ''
    }
    if (this.#privateKey()) {
      const out = this.#rest(at)
      this.#swallow = true
      this.#done = at
      return out
    }
    const out = this.#decide(at, at + this.#parts.reach, true) ?? ''
    this.#done = at
    this.#begun = this.#ended = -1
    return out
  }

  #privateKey(): boolean {
    return this.#parts.keys && this.#begun >= this.#done && this.#text.slice(this.#begun, this.#begun + 48).includes(PRIVATE)
  }

  /** All up to `to`, of which no more is to come; a private key that has no end goes, too. */
  #rest(to: number): string {
    if (!this.#privateKey()) return this.#decide(to, to, true) ?? ''
    const key = this.#begun
    const before = this.#decide(key, key, true) ?? ''
    const value = this.#text.slice(key, to)
    return before + (this.#parts.replace({ type: 'SECRET', start: key, end: to, score: 1, reason: 'unfinished key' }, value) ?? value)
  }

  #decide(to: number, seen: number, forced: boolean): string | undefined {
    const from = this.#context()
    const near = this.#text.slice(from, seen)
    const found: Finding[] = []
    for (const finding of foundFrom(this.#parts.detector, near, this.#done - from)) {
      const start = Math.max(finding.start + from, this.#done)
      const end = finding.end + from
      if (start >= to) break
      if (end <= this.#done || inToken(near, finding, this.#parts.session)) continue
      if (end > to && !forced) {
        this.#wait = end
        return undefined
      }
      found.push({ ...finding, start, end: Math.min(end, to) })
    }
    return this.#replaced(found, to)
  }

  #replaced(found: readonly Finding[], to: number): string {
    let out = ''
    let from = this.#done
    for (const finding of found) {
      const value = this.#text.slice(finding.start, finding.end)
      out += this.#text.slice(from, finding.start) + (this.#parts.replace(finding, value) ?? value)
      from = finding.end
    }
    return out + this.#text.slice(from, to)
  }

  /** Where the context begins: between words, by what was decided alone. */
  #context(): number {
    const least = Math.max(0, this.#done - CONTEXT)
    if (least === 0) return 0
    for (let at = least; at < this.#done; at++) if (isSpace(this.#text.charCodeAt(at))) return at
    return least
  }

  /** Lets go of what is decided and no context. */
  #trim(): void {
    if (this.#done - CONTEXT < SLACK) return
    const from = this.#context()
    this.#text = this.#text.slice(from)
    this.#done -= from
    this.#at -= from
    this.#wait = Math.max(0, this.#wait - from)
    if (this.#begun >= 0) this.#begun = Math.max(0, this.#begun - from)
    if (this.#ended >= 0) this.#ended = Math.max(0, this.#ended - from)
  }
}
