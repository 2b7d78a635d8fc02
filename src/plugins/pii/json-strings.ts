import type { Channel } from './redact.js'

const QUOTE = 34
const BACKSLASH = 92
const KEY_CHARS = 64
const SHORT: { readonly [char: string]: string | undefined } = { '"': '\\"', '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' }
const MEANT: { readonly [char: string]: string | undefined } = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** A text as the inside of a JSON string. By code unit, so that no cut makes a difference. */
function encoded(text: string): string {
  let out = ''
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code >= 32 && code !== QUOTE && code !== BACKSLASH) continue
    const char = text.charAt(at)
    out += text.slice(from, at) + (SHORT[char] ?? `\\u${code.toString(16).padStart(4, '0')}`)
    from = at + 1
  }
  return from === 0 ? text : out + text.slice(from)
}

/** JSON that comes in pieces: each string in it goes through a channel of its own, decoded and encoded again; all else stays as it is. */
export class JsonStrings implements Channel {
  readonly #open: (context: string) => Channel
  /** Of the string that is open. */
  #inner: Channel | undefined
  /** An escape that is not whole, without its backslash. */
  #escape: string | undefined
  /** The string read last, and the one that names what comes. */
  #last = ''
  #key = ''

  /** @param open makes the channel of a string, told what stands before it. */
  constructor(open: (context: string) => Channel) {
    this.#open = open
  }

  push(text: string): string {
    let out = ''
    for (let at = 0; at < text.length; ) {
      if (this.#inner === undefined) {
        const quote = text.indexOf('"', at)
        const end = quote < 0 ? text.length : quote
        this.#outside(text, at, end)
        out += text.slice(at, quote < 0 ? end : end + 1)
        if (quote >= 0) this.#start()
        at = end + 1
      } else if (this.#escape !== undefined) out += this.#escaped(text.charAt(at++))
      else {
        const end = plainEnd(text, at)
        out += this.#inside(text.slice(at, end))
        const code = end < text.length ? text.charCodeAt(end) : 0
        if (code === QUOTE) out += this.#close()
        else if (code === BACKSLASH) this.#escape = ''
        at = end + 1
      }
    }
    return out
  }

  end(): string {
    return this.#over(this.#inner?.end())
  }

  drop(): string {
    return this.#over(this.#inner?.drop())
  }

  #over(rest = ''): string {
    const out = encoded(rest) + (this.#escape === undefined ? '' : `\\${this.#escape}`)
    this.#inner = this.#escape = undefined
    return out
  }

  #start(): void {
    this.#last = ''
    this.#inner = this.#open(this.#key === '' ? '' : `${this.#key}: `)
  }

  #close(): string {
    const out = encoded(this.#inner?.end() ?? '')
    this.#inner = undefined
    return `${out}"`
  }

  #inside(decoded: string): string {
    if (decoded === '') return ''
    if (this.#last.length < KEY_CHARS) this.#last = (this.#last + decoded).slice(0, KEY_CHARS)
    return encoded(this.#inner?.push(decoded) ?? '')
  }

  #outside(text: string, from: number, to: number): void {
    for (let at = from; at < to; at++) {
      const char = text.charAt(at)
      if (char === ':') this.#key = this.#last
      else if (char === ',' || char === '}') this.#key = ''
    }
  }

  #escaped(char: string): string {
    const so = `${this.#escape ?? ''}${char}`
    if (so.startsWith('u') && so.length < 5 && /^u[0-9a-fA-F]*$/.test(so)) {
      this.#escape = so
      return ''
    }
    this.#escape = undefined
    if (!so.startsWith('u')) return this.#inside(MEANT[so] ?? so)
    // Not four digits: no JSON, left to whoever parses it.
    return this.#inside(/^u[0-9a-fA-F]{4}$/.test(so) ? String.fromCharCode(Number.parseInt(so.slice(1), 16)) : so)
  }
}

function plainEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE || code === BACKSLASH) return at
  }
  return text.length
}

/** A text that may be JSON: told by its first character. */
export class MaybeJson implements Channel {
  readonly #json: () => Channel
  readonly #plain: () => Channel
  #chosen: Channel | undefined

  constructor(json: () => Channel, plain: () => Channel) {
    this.#json = json
    this.#plain = plain
  }

  push(text: string): string {
    if (this.#chosen !== undefined) return this.#chosen.push(text)
    const start = text.trimStart()
    if (start === '') return text
    this.#chosen = '{["'.includes(start.charAt(0)) ? this.#json() : this.#plain()
    return text.slice(0, text.length - start.length) + this.#chosen.push(start)
  }
  end(): string {
    return this.#chosen?.end() ?? ''
  }
  drop(): string {
    return this.#chosen?.drop() ?? ''
  }
}
