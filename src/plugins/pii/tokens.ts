/** Longest type, and longest number, of a placeholder. */
const MOST_TYPE = 24
const MOST_DIGITS = 6
const SALT = 4
const EXACT = /^\[[A-Z][A-Z_]{1,23}_[0-9]{1,6}\]$/
/** Anything that reads as a placeholder, as tolerant as restoring is; every part is bounded. */
const LIKE = /\[[A-Za-z](?:[A-Za-z]|\\?_| ){1,46}[0-9]{1,6}\]/g

/** The placeholder that a spelling stands for: whatever its case, with an escaped underscore, or a space in place of it. */
export function tokenOf(spelling: string): string {
  return spelling.toUpperCase().replaceAll('\\_', '_').replaceAll(' ', '_')
}

/** Every placeholder that a text holds, whoever wrote it. */
export function tokensIn(text: string): readonly string[] {
  if (!text.includes('[')) return []
  return [...text.matchAll(LIKE)].map(([found]) => tokenOf(found)).filter(token => EXACT.test(token))
}

/** What stands before the number, such as `[EMAIL_`. */
export function headOf(type: string, salt: string): string {
  return salt === '' ? `[${type}_` : `[${type.slice(0, MOST_TYPE - SALT - 1)}_${salt}_`
}

/** Letters that no placeholder of the given ones has: a text that names `[EMAIL_1]` shall not be taken for ours. */
export function saltFor(foreign: readonly string[]): string {
  let hash = 0x811c9dc5
  for (const token of foreign) for (let at = 0; at < token.length; at++) hash = Math.imul(hash ^ token.charCodeAt(at), 0x01000193)
  for (;;) {
    let salt = ''
    for (let rest = hash >>> 0; salt.length < SALT; rest = Math.floor(rest / 26)) salt += String.fromCharCode(65 + (rest % 26))
    if (!foreign.some(token => token.includes(`_${salt}_`))) return salt
    hash = Math.imul(hash, 0x01000193) + 1
  }
}

/** One character more of what may become a placeholder. */
export class Candidate {
  /** As it stands. */
  raw = '['
  /** As it would be written. */
  #plain = '['
  #digits = 0
  #escaped = false

  /** `open`: may go on; `whole`: `token` is one; `no`: this character does not belong. */
  add(char: string, heads: ReadonlySet<string>): 'open' | 'whole' | 'no' {
    const verdict = this.#add(char, heads)
    if (verdict !== 'no') this.raw += char
    return verdict
  }

  get token(): string {
    return this.#plain
  }

  #add(char: string, heads: ReadonlySet<string>): 'open' | 'whole' | 'no' {
    if (this.#escaped && char !== '_') return 'no'
    const code = char.charCodeAt(0)
    if (code >= 48 && code <= 57) {
      // The last head of all has nothing but numbers after it.
      if ((this.#digits === 0 && !heads.has(this.#plain)) || this.#digits === MOST_DIGITS) return 'no'
      this.#digits++
      this.#plain += char
      return 'open'
    }
    if (this.#digits > 0) {
      if (char !== ']') return 'no'
      this.#plain += char
      return 'whole'
    }
    if (char === '\\') {
      this.#escaped = true
      return heads.has(`${this.#plain}_`) ? 'open' : 'no'
    }
    this.#escaped = false
    const next = this.#plain + (char === ' ' ? '_' : char.toUpperCase())
    if (!heads.has(next)) return 'no'
    this.#plain = next
    return 'open'
  }
}
