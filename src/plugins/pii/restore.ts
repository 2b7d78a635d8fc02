import { Places } from './places.js'
import type { Channel } from './redact.js'
import type { PiiSession } from './session.js'
import { Candidate } from './tokens.js'

/** Where values go back, beside plain text. */
export interface RestoreOptions {
  /** In URLs, targets of links and attributes of HTML. A prompt injection can make a model write a URL that carries a value out. Default: false. */
  readonly urls?: boolean
  /** In images of Markdown, which are fetched without a click. Default: false. */
  readonly images?: boolean
  /** In arguments of tool calls: what the model asks for is then done with the values. Default: false. */
  readonly toolCalls?: boolean
}

/**
 * Puts values back in place of their placeholders, in a text that comes in pieces. What may yet become a placeholder waits; all else goes on at once.
 */
export class Restorer implements Channel {
  readonly #session: PiiSession
  readonly #options: RestoreOptions
  readonly #places = new Places()
  #candidate: Candidate | undefined

  constructor(session: PiiSession, options: RestoreOptions) {
    this.#session = session
    this.#options = options
  }

  push(text: string): string {
    let out = ''
    for (let at = 0; at < text.length; ) {
      if (this.#candidate !== undefined) out += this.#add(text.charAt(at++))
      else {
        const open = text.indexOf('[', at)
        const end = open < 0 ? text.length : open
        out += this.#seen(text.slice(at, end))
        if (open >= 0) out += this.#first('[')
        at = end + 1
      }
    }
    return out
  }

  end(): string {
    return this.#giveUp()
  }

  /** What waits is the caller's to see: it is no value. */
  drop(): string {
    return this.#giveUp()
  }

  #add(char: string): string {
    const verdict = this.#candidate?.add(char, this.#session.heads)
    if (verdict === 'open') return ''
    if (this.#candidate === undefined || verdict === 'no') return this.#giveUp() + this.#first(char)
    const { token, raw } = this.#candidate
    this.#candidate = undefined
    return this.#seen(this.#valueFor(token) ?? raw)
  }

  #first(char: string): string {
    // One that no placeholder of the session begins with waits for nothing.
    if (char !== '[' || this.#session.heads.size === 0) return this.#seen(char)
    this.#candidate = new Candidate()
    return ''
  }

  #valueFor(token: string): string | undefined {
    if (!this.#session.has(token)) this.#session.countUnknown()
    const value = this.#session.valueOf(token)
    if (value === undefined) return undefined
    const { urls, images } = this.#options
    if ((this.#places.inUrl && urls !== true) || (this.#places.inImage && images !== true)) return undefined
    return value
  }

  #giveUp(): string {
    const raw = this.#candidate?.raw ?? ''
    this.#candidate = undefined
    return this.#seen(raw)
  }

  #seen(text: string): string {
    for (let at = 0; at < text.length; at++) this.#places.see(text.charCodeAt(at))
    return text
  }
}

/** One channel behind the other. */
export class Chain implements Channel {
  readonly #first: Channel
  readonly #second: Channel

  constructor(first: Channel, second: Channel) {
    this.#first = first
    this.#second = second
  }

  push(text: string): string {
    return this.#second.push(this.#first.push(text))
  }
  end(): string {
    return this.#second.push(this.#first.end()) + this.#second.end()
  }
  drop(): string {
    return this.#second.push(this.#first.drop()) + this.#second.drop()
  }
}
