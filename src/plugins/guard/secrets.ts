import type { Detector } from '../pii/types.js'
import type { Rule, Scan } from './scan.js'

/** What stands before a value is read with it. */
const LEFT = 256
/** What stands behind it may speak for it. */
const RIGHT = 32
/** What never ends is decided on all the same. */
const MAX_HELD = 8_192
const BEGIN = '-----BEGIN'
const END = '-----END'

/** What a detector finds of these types. */
export class Detected implements Rule {
  readonly #detector: Detector
  readonly #types: ReadonlySet<string>

  constructor(detector: Detector, types: ReadonlySet<string>) {
    this.#detector = detector
    this.#types = types
  }

  begin(): Scan {
    return new DetectorScan((text, until) => this.#find(text, until))
  }

  /** The type of the first value that begins before `until`. */
  #find(text: string, until: number): string | undefined {
    const findings: unknown = this.#detector.detect(text)
    if (!Array.isArray(findings)) throw new TypeError('the detector returned no list of findings')
    for (const { type, start } of findings as ReturnType<Detector['detect']>) if (this.#types.has(type) && start < until) return `something of the type ${type}`
    return undefined
  }
}

class DetectorScan implements Scan {
  readonly #find: (text: string, until: number) => string | undefined
  /** What was cleared last, as context, and all that was not. */
  #window = ''
  /** How much of the window is clear. */
  #cleared = 0
  /** Where in the text the window begins. */
  #base = 0

  constructor(find: (text: string, until: number) => string | undefined) {
    this.#find = find
  }

  get clear(): number {
    return this.#base + this.#cleared
  }

  push(piece: string): string | undefined {
    this.#window += piece
    const until = this.#until()
    if (until <= this.#cleared) return undefined
    const found = this.#find(this.#window, until)
    if (found !== undefined) return found
    this.#cleared = until
    // Cut where a word begins, so that the rest of one is not taken for the whole.
    const cut = until > LEFT ? this.#window.indexOf(' ', until - LEFT) + 1 : 0
    if (cut > 0 && cut <= until) this.#drop(cut)
    else if (until > 2 * MAX_HELD) this.#drop(until - LEFT)
    return undefined
  }

  end(): string | undefined {
    return this.#find(this.#window, this.#window.length)
  }

  #drop(count: number): void {
    this.#window = this.#window.slice(count)
    this.#base += count
    this.#cleared -= count
  }

  /** Up to here no word goes on, and what stands behind is known. */
  #until(): number {
    const text = this.#window
    let until = text.length - RIGHT
    while (until > this.#cleared && !isSpace(text.charCodeAt(until - 1))) until--
    const open = openKey(text, Math.max(0, this.#cleared - BEGIN.length))
    return Math.max(Math.min(until, open), this.#cleared, text.length - MAX_HELD)
  }
}

/** Where the first key begins that has not ended. */
function openKey(text: string, from: number): number {
  for (let begin = text.indexOf(BEGIN, from); begin >= 0; ) {
    const last = text.indexOf(END, begin)
    const end = last < 0 ? -1 : text.indexOf('-----', last + END.length)
    if (end < 0) return begin
    begin = text.indexOf(BEGIN, end)
  }
  return Infinity
}

function isSpace(unit: number): boolean {
  return unit === 32 || (unit >= 9 && unit <= 13)
}
