import { fold, foldChar, isWordUnit } from './fold.js'
import type { Rule, Scan } from './scan.js'

/** A state of the automaton: a beginning of some phrase. */
interface Node {
  readonly next: Map<number, Node>
  readonly depth: number
  /** The longest shorter beginning that the same text ends with. */
  fall: Node | undefined
  /** A phrase ends here. */
  ends: boolean
  /** The next node down the chain of `fall` where a phrase ends. */
  also: Node | undefined
}

const FOUND = 'a word or phrase of the block list'

function node(depth: number): Node {
  return { next: new Map(), depth, fall: undefined, ends: false, also: undefined }
}

function step(root: Node, from: Node, unit: number): Node {
  let at: Node | undefined = from
  while (at !== undefined) {
    const next = at.next.get(unit)
    if (next !== undefined) return next
    at = at.fall
  }
  return root
}

function build(phrases: readonly string[]): Node {
  const root = node(0)
  for (const phrase of phrases) {
    let at = root
    for (let i = 0; i < phrase.length; i++) {
      const unit = phrase.charCodeAt(i)
      let next = at.next.get(unit)
      if (next === undefined) at.next.set(unit, (next = node(i + 1)))
      at = next
    }
    at.ends = true
  }
  const line: Node[] = [root]
  for (let head = 0; head < line.length; head++) {
    const at = line[head] ?? root
    for (const [unit, next] of at.next) {
      next.fall = at.fall === undefined ? root : step(root, at.fall, unit)
      next.also = next.fall.ends ? next.fall : next.fall.also
      line.push(next)
    }
  }
  return root
}

/** Phrases, whole words of them, in one pass over the text. */
export class Words implements Rule {
  readonly #root: Node
  readonly #longest: number

  /** @param phrases none of which folds to nothing. */
  constructor(phrases: readonly string[]) {
    const folded = phrases.map(fold)
    this.#root = build(folded)
    this.#longest = folded.reduce((most, { length }) => Math.max(most, length), 0)
  }

  begin(): Scan {
    return new WordScan(this.#root, this.#longest)
  }
}

class WordScan implements Scan {
  readonly #root: Node
  readonly #keep: number
  #at: Node
  /** Characters of the text so far. */
  #read = 0
  /** Half of a character that a piece was cut in. */
  #half = ''
  /** The last folded units, and where in the text each began. */
  #units: number[] = []
  #starts: number[] = []
  /** A phrase ends with a letter or digit: it counts unless another follows. */
  #pending = false

  constructor(root: Node, longest: number) {
    this.#root = root
    this.#at = root
    this.#keep = longest + 2
  }

  get clear(): number {
    const { depth } = this.#at
    return depth === 0 ? this.#read - this.#half.length : (this.#starts.at(-depth) ?? 0)
  }

  push(piece: string): string | undefined {
    const text = this.#half + piece
    const last = text.charCodeAt(text.length - 1)
    const cut = last >= 0xd800 && last <= 0xdbff ? text.length - 1 : text.length
    let at = this.#read - this.#half.length
    this.#half = text.slice(cut)
    this.#read += piece.length
    for (const char of cut === text.length ? text : text.slice(0, cut)) {
      const folded = foldChar(char)
      if (folded !== '' && this.#takes(folded, at)) return FOUND
      at += char.length
    }
    return undefined
  }

  end(): string | undefined {
    return this.#pending ? FOUND : undefined
  }

  #takes(folded: string, at: number): boolean {
    if (folded === ' ' && this.#units.at(-1) === 32) return false
    for (let i = 0; i < folded.length; i++) if (this.#take(folded.charCodeAt(i), at)) return true
    return false
  }

  #take(unit: number, at: number): boolean {
    const inWord = isWordUnit(unit)
    if (this.#pending && !inWord) return true
    this.#pending = false
    this.#units.push(unit)
    this.#starts.push(at)
    if (this.#units.length > 2 * this.#keep) {
      this.#units = this.#units.slice(-this.#keep)
      this.#starts = this.#starts.slice(-this.#keep)
    }
    this.#at = step(this.#root, this.#at, unit)
    for (let end = this.#at.ends ? this.#at : this.#at.also; end !== undefined; end = end.also) {
      if (!this.#begins(end.depth)) continue
      if (!inWord) return true
      this.#pending = true
    }
    return false
  }

  /** The phrase of this length does not begin inside a word. */
  #begins(length: number): boolean {
    const first = this.#units.at(-length)
    const before = this.#units.at(-length - 1)
    return before === undefined || first === undefined || this.#units.length <= length || !isWordUnit(before) || !isWordUnit(first)
  }
}
