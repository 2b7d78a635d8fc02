import { isSpace, isWord } from './chars.js'
import type { Hits } from './hits.js'

class Node {
  readonly next = new Map<number, Node>()
  type: string | undefined
}

const fold = (c: number): number => (c < 128 ? (c >= 65 && c <= 90 ? c + 32 : c) : String.fromCharCode(c).toLowerCase().charCodeAt(0))
/** Scripts written without spaces have no edge of a word. */
const joins = (c: number): boolean => isWord(c) && c < 0x2e80

/** The user's own values, found exactly but for case and the width of spaces. */
export class Known {
  readonly maxLength: number
  readonly #root = new Node()

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    let longest = 0
    for (const [type, list] of values) {
      for (const value of list) {
        for (const form of new Set([value, value.normalize('NFC'), value.normalize('NFD')])) this.#insert(type, form.trim())
        longest = Math.max(longest, value.length)
      }
    }
    this.maxLength = longest
  }

  #insert(type: string, value: string): void {
    let node = this.#root
    for (let i = 0; i < value.length; i++) {
      const space = isSpace(value.charCodeAt(i))
      if (space && isSpace(value.charCodeAt(i - 1))) continue
      const key = space ? 32 : fold(value.charCodeAt(i))
      let next = node.next.get(key)
      if (next === undefined) node.next.set(key, (next = new Node()))
      node = next
    }
    node.type ??= type
  }

  /** Adds every value that stands in the text on its own. */
  scan(hits: Hits): void {
    const { text } = hits
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i)
      if (isSpace(c) || (joins(c) && i > 0 && joins(text.charCodeAt(i - 1)))) continue
      const node = this.#root.next.get(fold(c))
      if (node !== undefined) this.#walk(hits, i, node)
    }
  }

  /** The longest value that begins at `start`. */
  #walk(hits: Hits, start: number, first: Node): void {
    const { text } = hits
    let node: Node | undefined = first
    let type: string | undefined
    let end = start
    let i = start + 1
    for (;;) {
      if (node.type !== undefined && !(joins(text.charCodeAt(i - 1)) && i < text.length && joins(text.charCodeAt(i)))) {
        type = node.type
        end = i
      }
      if (i >= text.length) break
      const space = isSpace(text.charCodeAt(i))
      node = node.next.get(space ? 32 : fold(text.charCodeAt(i)))
      if (node === undefined) break
      i++
      for (let more = 0; space && more < 8 && i < text.length && isSpace(text.charCodeAt(i)); more++) i++
    }
    hits.steps += i - start
    if (type !== undefined) hits.add(type, start, end, 1, 'known')
  }
}
