import { ALNUM, at, entropy, has, HEX, isAlnum, isDigit, runEnd } from './chars.js'
import type { Hits } from './hits.js'
import { isPlaceholder, looksDrawn } from './secret-value.js'
import { TOKENS, type Alphabet, type TokenShape } from './secrets-data.js'

/** So much of a web token shows whether it is a placeholder. */
const SHOWN = 600
/** So much of a token shows whether it was drawn. */
const ENOUGH = 80
const EXTRA: { readonly [name in Alphabet]: string } = { W: '', U: '_', D: '_-', T: '_-.', B: '+/=_-', S: '_-/@', H: '', A: '', L: '' }

const slot = (a: number, b: number): number => ((a & 127) << 7) | (b & 127)

function table(): { gate: Uint8Array; rows: ReadonlyMap<number, readonly TokenShape[]> } {
  const gate = new Uint8Array(128 * 128)
  const rows = new Map<number, TokenShape[]>()
  for (const shape of TOKENS) {
    const key = slot(shape.prefix.charCodeAt(0), shape.prefix.charCodeAt(1))
    gate[key] = 1
    rows.set(key, [...(rows.get(key) ?? []), shape])
  }
  // The longest prefix is the one that is meant.
  for (const list of rows.values()) list.sort((a, b) => b.prefix.length - a.prefix.length)
  return { gate, rows }
}
const { gate: GATE, rows: ROWS } = table()

/** Longer runs are kept. */
const SHORT = 64

function runOf(hits: Hits, start: number, alphabet: Alphabet): number {
  const known = hits.runs.get(alphabet)
  if (known !== undefined && start >= known.start && start < known.end) return known.end
  const end = runEnd(hits.text, start, Infinity, alphabet === 'H' ? HEX : ALNUM, EXTRA[alphabet])
  hits.steps += end - start
  if (end - start > SHORT) hits.runs.set(alphabet, { start, end })
  return end
}

function fits(text: string, start: number, stop: number, alphabet: Alphabet): boolean {
  if (alphabet !== 'A' && alphabet !== 'L') return true
  const body = text.slice(start, stop)
  return alphabet === 'A' ? body === body.toUpperCase() : body === body.toLowerCase()
}

/** Where the part after the prefix ends, or -1 where it is none of that shape. */
function bodyEnd(hits: Hits, from: number, { alphabet, least, most }: TokenShape): number {
  const { text } = hits
  let stop = runOf(hits, from, alphabet)
  // A sign at the end belongs to the sentence, unless the token would be too short without it.
  while (stop > from + least && !isAlnum(text.charCodeAt(stop - 1)) && text.charCodeAt(stop - 1) !== 61) stop--
  const length = stop - from
  if (length < least || length > most || isAlnum(at(text, stop)) || !fits(text, from, stop, alphabet)) return -1
  return looksDrawn(text, from, Math.min(stop, from + ENOUGH)) ? stop : -1
}

/** A token with a known prefix that begins at `start`; returns where it ends, or `start`. */
export function token(hits: Hits, start: number): number {
  const { text } = hits
  const key = slot(text.charCodeAt(start), at(text, start + 1))
  // Behind a plus it is the middle of base64.
  if (GATE[key] === 0 || at(text, start - 1) === 43) return start
  for (const shape of ROWS.get(key) ?? []) {
    if (!text.startsWith(shape.prefix, start)) continue
    const stop = bodyEnd(hits, start + shape.prefix.length, shape)
    if (stop < 0) continue
    hits.add('SECRET', start, stop, 0.95, 'prefix')
    return stop
  }
  return start
}

const EXACT = TOKENS.filter(({ prefix, least, most }) => least === most && prefix.length >= 4)

/** Whether a run begins as the tokens of an issuer do that all have one length, and has another: it is part of something else. */
export const isOutgrown = (run: string): boolean => EXACT.some(({ prefix, least }) => run.length > prefix.length + least && run.startsWith(prefix))

const isB64 = (c: number): boolean => isAlnum(c) || c === 45 || c === 95

/** A JSON web token (three parts) or its encrypted form (five) that begins with `eyJ` at `start`. */
export function jwt(hits: Hits, start: number): number {
  const { text } = hits
  let i = start
  let parts = 0
  let second = 0
  while (parts < 5) {
    const from = i
    while (i < text.length && isB64(text.charCodeAt(i))) i++
    if (i === from && parts !== 1 && parts !== 2) break
    if (parts === 1) second = i - from
    parts++
    if (at(text, i) !== 46) break
    i++
  }
  hits.steps += i - start
  while (i > start && text.charCodeAt(i - 1) === 46) i--
  if (parts < 3 || second < 8 || i - start < 40 || isPlaceholder(text.slice(start, start + SHOWN))) return start
  hits.add('SECRET', start, i, 0.95, 'shape')
  return i
}

const PEM = '-----BEGIN '
const inPem = (c: number): boolean => isAlnum(c) || c === 43 || c === 47 || c === 61 || c === 10 || c === 13 || c === 32 || c === 9 || c === 92 || c === 58 || c === 44 || c === 45

/** End of the lines of a certificate or public key from `start` on, or `start` where they are not whole: they are no secret. */
function publicEnd(hits: Hits, start: number): number {
  const end = runEnd(hits.text, start, Infinity, ALNUM, '+/=\r\n\\')
  hits.steps += end - start
  return hits.text.startsWith('-----END ', end) ? end : start
}

/** A private key in PEM that begins with the dashes at `start`; one without an end goes on as long as its lines do. */
export function pem(hits: Hits, start: number): number {
  const { text } = hits
  if (!text.startsWith(PEM, start)) return start
  const head = text.indexOf('-----', start + PEM.length)
  const label = text.slice(start + PEM.length, Math.min(head, start + 60))
  if (head < 0 || head - start > 60) return start + 5
  if (!label.includes('PRIVATE KEY')) return publicEnd(hits, head + 5)
  let i = head + 5
  while (i < text.length && inPem(text.charCodeAt(i)) && !text.startsWith('-----', i)) i++
  hits.steps += i - start
  if (text.startsWith('-----END ', i)) {
    const close = text.slice(i + 9, i + 80).indexOf('-----')
    if (close >= 0) i += 14 + close
  } else while (i > head + 5 && !isAlnum(text.charCodeAt(i - 1)) && text.charCodeAt(i - 1) !== 61) i--
  if (i - head < 64 || isPlaceholder(text.slice(head + 5, head + 105).replace(/[\s-]/g, ''))) return head
  hits.add('SECRET', start, i, 0.97, 'shape')
  return i
}

const stopsUser = (c: number): boolean => c <= 32 || c === 47 || c === 63 || c === 35 || c === 34 || c === 39 || c === 60 || c === 62 || c === 96 || c === 92

/** User and password of an address whose `://` begins at `colon`; returns where the host begins, so that no e-mail address is seen in them. */
export function credentials(hits: Hits, colon: number): number {
  const { text } = hits
  const from = colon + 3
  const limit = Math.min(text.length, from + 256)
  let first = -1
  let sign = -1
  let i = from
  for (; i < limit && !stopsUser(text.charCodeAt(i)); i++) {
    const c = text.charCodeAt(i)
    if (c === 58 && first < 0) first = i
    else if (c === 64) sign = i
  }
  hits.steps += i - from
  if (sign < 0) return colon
  const alone = first < 0 || first > sign
  const start = alone ? from : first + 1
  const value = text.slice(start, sign)
  if (alone ? isKey(value) : value.length >= 4 && !isPlaceholder(value) && !USUAL.test(value)) hits.add('SECRET', start, sign, alone ? 0.8 : 0.9, 'url')
  return sign + 1
}

const USUAL = /^(?:pass(?:word|wd)?|pwd|secret|token|user|postgres|root|admin|guest)$/i
const isKey = (user: string): boolean => user.length >= 20 && entropy(user) > 3.2 && /\d/.test(user) && !isPlaceholder(user)

/** `123456789:AA...`, as one messenger's bots have it; `colon` stands before the second part. */
export function botToken(hits: Hits, colon: number): void {
  const { text } = hits
  if (!text.startsWith('AA', colon + 1)) return
  let start = colon
  while (start > 0 && colon - start < 11 && isDigit(text.charCodeAt(start - 1))) start--
  const stop = runEnd(text, colon + 1, colon + 60, ALNUM, '_-')
  hits.steps += stop - start
  if (colon - start >= 8 && colon - start <= 10 && stop - colon >= 33 && stop - colon <= 37 && !has(at(text, start - 1), ALNUM)) hits.add('SECRET', start, stop, 0.9, 'shape')
}
