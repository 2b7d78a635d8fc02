import { GatewayError } from '../../protocol/errors.js'
import { headOf, saltFor, tokenOf, tokensIn } from './tokens.js'

/** More would be a leak of memory, or an attack on it. */
export const MOST_ENTRIES = 10_000
const KEY_CHARS = 4
const INSPECT = Symbol.for('nodejs.util.inspect.custom')
const SEPARATORS = /[\s.\-/()]/g

/** One value of a session that may go back. */
interface SessionEntry {
  readonly type: string
  readonly value: string
  readonly token: string
}
/** What a session is made of, for whoever keeps it encrypted. */
export interface SessionState {
  readonly salt: string
  readonly counters: readonly (readonly [type: string, minted: number])[]
  readonly entries: readonly SessionEntry[]
}

/** How a value reads whatever its spelling: two spellings of one address share a placeholder. */
export function normalised(type: string, value: string): string {
  if (type === 'SECRET') return value
  if (type !== 'EMAIL' && type !== 'URL' && /\d/.test(value)) return value.replace(SEPARATORS, '').toUpperCase()
  return value.trim().replace(/\s+/g, ' ').toLowerCase()
}

function letterOrDigit(text: string, at: number): boolean {
  return at >= 0 && at < text.length && /[\p{L}\p{N}_]/u.test(text.charAt(at))
}

/**
 * What stands for what in one conversation. Values are in memory only: printing a session, or making JSON of it, gives counts.
 */
export class PiiSession {
  /** By type and normalised value. */
  readonly #tokens = new Map<string, string>()
  /** Values by placeholder; those that never go back have none. */
  readonly #values = new Map<string, { readonly type: string; readonly value: string } | undefined>()
  readonly #counters = new Map<string, number>()
  /** Types by spelling, and the lengths of spellings by their first characters: what was found once is found everywhere. */
  readonly #spellings = new Map<string, string>()
  readonly #lengths = new Map<string, Set<number>>()
  readonly #starts = new Set<number>()
  /** Everything a placeholder of this session can begin with, up to its number. */
  readonly #heads = new Set<string>()
  /** Reasoning as the upstream wrote it, by what the caller was given: signatures hold for the former alone. */
  readonly #reasoning = new Map<string, string>()
  #salt = ''
  #unknown = 0
  #disposed = false

  /** Values with a placeholder. */
  get size(): number {
    return this.#values.size
  }
  /** Placeholders in answers that this session never gave out. They are left as they are. */
  get unknown(): number {
    return this.#unknown
  }
  /** @internal What {@link Candidate} asks. */
  get heads(): ReadonlySet<string> {
    return this.#heads
  }

  /** @internal Placeholders in texts that are not ours: new ones will look different. */
  heed(texts: readonly string[]): void {
    const foreign = texts.flatMap(tokensIn).filter(token => !this.#values.has(token))
    if (foreign.length === 0) return
    const ours = this.#salt === '' ? foreign : foreign.filter(token => token.includes(`_${this.#salt}_`))
    if (ours.length > 0) this.#salt = saltFor([...foreign, ...this.#values.keys()])
  }

  /** @internal The placeholder of a value, the same each time. */
  mint(type: string, value: string, reversible: boolean): string {
    if (this.#disposed) throw new GatewayError('refused', 'The session of this conversation was disposed. Start another conversation.')
    const key = `${type}\0${normalised(type, value)}`
    const known = this.#tokens.get(key)
    if (known !== undefined) return known
    this.#room(this.#values.size)
    const number = (this.#counters.get(type) ?? 0) + 1
    const head = headOf(type, this.#salt)
    const token = `${head}${number}]`
    this.#counters.set(type, number)
    this.#tokens.set(key, token)
    this.#values.set(token, reversible ? { type, value } : undefined)
    for (let at = 1; at <= head.length; at++) this.#heads.add(head.slice(0, at))
    return token
  }

  /** @internal Remembers how a value was spelt. */
  learn(type: string, value: string): void {
    if (value.length < KEY_CHARS || this.#spellings.has(value)) return
    this.#room(this.#spellings.size)
    this.#spellings.set(value, type)
    const start = value.slice(0, KEY_CHARS)
    const lengths = this.#lengths.get(start) ?? new Set()
    this.#lengths.set(start, lengths.add(value.length))
    this.#starts.add(value.charCodeAt(0))
  }

  /** @internal Where a text holds what was found before, even where nothing else tells it. Linear in the text. */
  spelt(text: string): readonly { readonly type: string; readonly start: number; readonly end: number }[] {
    const found: { type: string; start: number; end: number }[] = []
    if (this.#spellings.size === 0) return found
    for (let at = 0; at + KEY_CHARS <= text.length; at++) {
      if (!this.#starts.has(text.charCodeAt(at))) continue
      const lengths = this.#lengths.get(text.slice(at, at + KEY_CHARS))
      if (lengths === undefined || (letterOrDigit(text, at) && letterOrDigit(text, at - 1))) continue
      const end = this.#longest(text, at, lengths)
      if (end === undefined) continue
      found.push({ type: this.#spellings.get(text.slice(at, end)) ?? '', start: at, end })
      at = end - 1
    }
    return found
  }

  #longest(text: string, at: number, lengths: ReadonlySet<number>): number | undefined {
    let best: number | undefined
    for (const length of lengths) {
      const end = at + length
      if (end <= (best ?? 0) || !this.#spellings.has(text.slice(at, end))) continue
      if (!letterOrDigit(text, end - 1) || !letterOrDigit(text, end)) best = end
    }
    return best
  }

  /** Whether a placeholder, in any tolerated spelling, is one of this session. */
  has(spelling: string): boolean {
    return this.#values.has(tokenOf(spelling))
  }

  /** The value behind a placeholder as it is written, where it may go back. */
  valueOf(token: string): string | undefined {
    return this.#values.get(token)?.value
  }

  /** @internal */
  countUnknown(): void {
    this.#unknown++
  }

  /** @internal */
  keepReasoning(given: string, raw: string): void {
    if (given === raw || given.length > 65_536) return
    this.#reasoning.set(given, raw)
    const [oldest] = this.#reasoning.keys()
    if (this.#reasoning.size > 64 && oldest !== undefined) this.#reasoning.delete(oldest)
  }

  /** @internal */
  rawReasoning(given: string): string | undefined {
    return this.#reasoning.get(given)
  }

  /** @internal What of it can be taken elsewhere: never a value that does not go back. */
  state(): SessionState {
    const entries = [...this.#values].flatMap(([token, entry]) => (entry === undefined ? [] : [{ ...entry, token }]))
    return { salt: this.#salt, counters: [...this.#counters], entries }
  }

  /** @internal */
  static from({ salt, counters, entries }: SessionState): PiiSession {
    const session = new PiiSession()
    session.#salt = salt
    for (const [type, minted] of counters) session.#counters.set(type, minted)
    for (const { type, value, token } of entries) {
      session.#tokens.set(`${type}\0${normalised(type, value)}`, token)
      session.#values.set(token, { type, value })
      session.learn(type, value)
      for (let at = 1; at <= token.lastIndexOf('_') + 1; at++) session.#heads.add(token.slice(0, at))
    }
    return session
  }

  /** Forgets everything. A call that uses it after this is refused. */
  dispose(): void {
    this.#disposed = true
    for (const store of [this.#tokens, this.#values, this.#counters, this.#spellings, this.#lengths, this.#starts, this.#heads, this.#reasoning]) store.clear()
  }

  toJSON(): Record<string, unknown> {
    return { placeholders: this.#values.size, unknown: this.#unknown, types: Object.fromEntries(this.#counters) }
  }

  [INSPECT](): string {
    return `PiiSession ${JSON.stringify(this)}`
  }

  #room(size: number): void {
    if (size >= MOST_ENTRIES) throw new GatewayError('refused', `The conversation holds more than ${MOST_ENTRIES} different values to mask. Start another one, or ask for fewer types.`, { origin: 'caller' })
  }
}
