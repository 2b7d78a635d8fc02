import { assignment, blob, login, scheme } from './assignments.js'
import { card } from './card.js'
import { at, has, HEX, isAlnum, isForeignLetter } from './chars.js'
import { email } from './email.js'
import type { Hits } from './hits.js'
import { iban } from './iban.js'
import { colons, ip4 } from './ip.js'
import { phone } from './phone.js'
import type { Plan } from './plan.js'
import { isAttached, opensIban, opensPhone, tableEnd } from './scan-places.js'
import { ACTIONS, INSIDE, INSIDE_WORD, NUMBER, opens, SIGN, WORD } from './scan-table.js'
import { botToken, credentials, jwt, pem, token } from './secrets.js'
import { ssn } from './ssn.js'

/** The one pass over a text. Each place is read by few recognisers, each of which reads a bounded stretch or one that is not read again. */
export class Scan {
  readonly #hits: Hits
  readonly #text: string
  readonly #plan: Plan
  /** Where each kind of run was read up to. */
  #mail = 0
  #colon = 0
  #blob = 0
  #identifier = 0
  #table = 0

  constructor(hits: Hits, plan: Plan) {
    this.#hits = hits
    this.#text = hits.text
    this.#plan = plan
  }

  /** @param start is not inside a word; what stands before it is context. */
  run(start: number): void {
    const text = this.#text
    const { length } = text
    let inside = 0
    let c = at(text, start)
    for (let i = start; i < length; ) {
      let next = i + 1 < length ? text.charCodeAt(i + 1) : 0
      if (c > 127) inside = isForeignLetter(c) ? INSIDE_WORD : 0
      else {
        const action = ACTIONS[inside + (c << 7) + (next < 128 ? next : 0)] ?? 0
        if (action < WORD) inside = action << 14
        else {
          inside = action < SIGN ? INSIDE_WORD : 0
          const last = this.#act(action, i, c)
          if (last > i) {
            i = last
            next = at(text, i + 1)
          }
        }
      }
      i++
      c = next
    }
  }

  /** This and each of the following return the index of the last character that they have settled. */
  #act(action: number, i: number, c: number): number {
    switch (action) {
      case WORD:
        return this.#plan.secret ? this.#word(i, c) : i
      case NUMBER:
        return this.#number(i)
      case INSIDE:
        return this.#inside(i)
      case SIGN:
        return this.#sign(i, c)
      default:
        // The letter of an escaped line end is no part of the word behind it.
        return i + 1
    }
  }

  #word(i: number, c: number): number {
    if (!opens(c, at(this.#text, i + 1), at(this.#text, i + 2))) return i
    const end = token(this.#hits, i)
    return end > i ? end - 1 : Math.max(i, this.#keyword(i, c) - 1)
  }

  /** What begins with `eyJ`, `Bearer` or `Basic`. */
  #keyword(i: number, c: number): number {
    const text = this.#text
    if (c === 101) return text.startsWith('eyJ', i) ? jwt(this.#hits, i) : i
    if (c !== 66 && c !== 98) return i
    return text.startsWith('earer ', i + 1) || text.startsWith('asic ', i + 1) ? scheme(this.#hits, i) : i
  }

  /** A digit in the middle of a word. */
  #inside(i: number): number {
    if (this.#plan.iban && opensIban(this.#text, i)) {
      const end = iban(this.#hits, i - 2)
      if (end > i) return end - 1
    }
    if (this.#plan.secret && i >= this.#blob) this.#blob = blob(this.#hits, i, this.#blob)
    this.#identify(i)
    return i
  }

  #identify(i: number): void {
    const { identifiers } = this.#plan
    if (identifiers !== undefined && i >= this.#identifier) this.#identifier = identifiers.look(this.#hits, i, this.#identifier)
  }

  /** A digit at the beginning of a word. */
  #number(i: number): number {
    const plan = this.#plan
    const hits = this.#hits
    this.#identify(i)
    if (plan.secret) {
      const end = token(hits, i)
      if (end > i) return end - 1
      if (i >= this.#blob) this.#blob = blob(hits, i, this.#blob)
    }
    if (at(this.#text, i - 1) === 95) return i
    let end = i
    if (plan.ip) end = ip4(hits, i)
    if (end === i && !isAttached(this.#text, i)) end = this.#grouped(i)
    return end > i ? end - 1 : i
  }

  /** Cards, social security and telephone numbers; of those only cards where the number is one of a long row. */
  #grouped(i: number): number {
    const plan = this.#plan
    let end = plan.card ? card(this.#hits, i) : i
    if (end > i || i < this.#table) return end
    const table = tableEnd(this.#text, i)
    if (table > i) {
      this.#table = table
      return i
    }
    if (plan.ssn) end = ssn(this.#hits, i)
    return plan.phone && end === i ? phone(this.#hits, this.#plan.shape, i) : end
  }

  #sign(i: number, c: number): number {
    const plan = this.#plan
    const text = this.#text
    if (c === 64) {
      if (plan.email && i >= this.#mail) this.#mail = email(this.#hits, i, this.#mail)
    } else if (c === 58) {
      this.#colonAt(i)
    } else if (c === 45) {
      if (plan.secret) return this.#dash(i)
    } else if (c === 43 || c === 40) {
      if (plan.phone && opensPhone(text, i, c)) return Math.max(i, phone(this.#hits, this.#plan.shape, i) - 1)
    } else if (plan.secret && (c === 61 || isAlnum(at(text, i + 1)))) {
      // A closing bracket matters only where an element begins.
      assignment(this.#hits, i)
    }
    return i
  }

  #dash(i: number): number {
    if (this.#text.startsWith('--', i + 1)) return Math.max(i, pem(this.#hits, i) - 1)
    login(this.#hits, i)
    return i
  }

  #colonAt(i: number): void {
    const plan = this.#plan
    const text = this.#text
    const next = at(text, i + 1)
    if (plan.colons && i >= this.#colon && (next === 58 || has(next, HEX))) this.#colon = colons(this.#hits, i, this.#colon)
    if (next === 47 && at(text, i + 2) === 47) {
      if (!plan.secret && !plan.email) return
      const end = credentials(this.#hits, i)
      if (end > i) this.#mail = end
      return
    }
    if (!plan.secret) return
    if (next === 65) botToken(this.#hits, i)
    assignment(this.#hits, i)
  }
}
