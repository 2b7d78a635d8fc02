import { ALNUM, at, CLASS, entropy, isAlnum, runEnd } from './chars.js'
import { isCounted, isMixedEnough, isWords, lookOf } from './secrets-drawn.js'

const WORDS = /example|placeholder|change[-_]?(?:me|this)|dummy|redacted|sample|insert|replace|\*{3}|\.{3}|…|^<|<[^<>]*>|\$\{|\$\(|\{\{|process\.env|environ|getenv|secrets\.|vault:|undefined|foobar|masked|hidden|fixme/i
/** Short enough to come up by itself if its case did not matter. */
const YOURS = /[Yy]our|YOUR/
const WHOLE = /^(?:[{[(].*|[$%@][{(].*|null|none|nil|true|false|required|optional|string|number|boolean)$/i
/** A variable of a shell, of a script or of a batch file. */
const VARIABLE = /^[$%@:&]{1,2}[a-z_][\w.]*%?$/i
const ROW = 6
/** Of these fewer are enough. */
const CROSSES = 4
/** Zeros in base64, as binary tokens begin with. */
const ZEROS = 12

/** What people write where a secret would stand. */
export function isPlaceholder(value: string): boolean {
  if (WORDS.test(value) || YOURS.test(value) || WHOLE.test(value)) return true
  if (VARIABLE.test(value)) return !isUnlikeNames(value)
  for (let i = 1, run = 1; i < value.length; i++) {
    const c = value.charCodeAt(i)
    run = c === value.charCodeAt(i - 1) ? run + 1 : 1
    if (run >= (c === 65 ? ZEROS : c === 88 || c === 120 ? CROSSES : ROW)) return true
  }
  return false
}

/** A name of three parts or more, each of which is a word or a number. */
const PARTS = /^(?:(?:[a-z]+|[A-Z]+|\d+)[_-]){2,}(?:[a-z]+|[A-Z]+|\d+)?$/

/** Whether what follows the prefix of an issuer was drawn: the cheap looks come first, for a text may hold the prefix everywhere. */
export function looksDrawn(text: string, start: number, end: number): boolean {
  const look = lookOf(text, start, end)
  // Letters alone come up where both cases are drawn from, or capitals with few digits.
  if (look.letters === 0 || (look.digits === 0 && look.uppers === 0) || isWords(look)) return false
  const value = text.slice(start, end)
  return isMixedEnough(value, look.hex) && !PARTS.test(value) && !isCounted(value, look.hex) && !isPlaceholder(value)
}

/** Whether letters of both cases stand as no name has them. */
function isUnlikeNames(value: string): boolean {
  const { letters, mixedCase, words } = lookOf(value, 0, value.length)
  return mixedCase && letters >= 6 && words < (letters < 20 ? -1 : -0.5)
}

/** How often the kind of character changes, of all places where it could: about 0.6 where characters are drawn, less in words. */
function changes(value: string): number {
  let count = 0
  for (let i = 1; i < value.length; i++) if (kind(value.charCodeAt(i)) !== kind(value.charCodeAt(i - 1))) count++
  return count / (value.length - 1)
}
const kind = (c: number): number => (c < 128 ? (CLASS[c] ?? 0) & 7 : 0)

const UUID = /^\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?$/i
const HEXADECIMAL = /^[0-9a-f]+$/i
const DATE = /^\d{1,4}[-./:]\d{1,2}[-./:]\d{1,4}(?:[T:.\dZ+-]*)$/
const PATH = /^(?:\.{0,2}\/|~\/|[a-z]:[\\/]|@?[a-z][\w-]*(?:\/[\w.@-]+)+$|[\w.-]*:\/\/|arn:|sha\d+[-:])/i
const NAME = /^[A-Za-z_$][\w$]*(?:[.:?!]+[A-Za-z_$][\w$]*)*[?!]?$/
const SEGMENT = /[A-Za-z0-9+/=]+/g

const count = (value: string, pattern: RegExp): number => value.replace(pattern, '').length

/** What is never a secret, whatever its key. */
function isOrdinary(value: string): boolean {
  return isPlaceholder(value) || UUID.test(value) || DATE.test(value) || (PATH.test(value) && !isUnlikeNames(value)) || /\s/.test(value)
}

/** A run that looks drawn: mixed kinds, often changing. */
export function isDrawn(value: string): boolean {
  return count(value, /[^A-Z]/g) >= 3 && count(value, /[^a-z]/g) >= 3 && count(value, /\D/g) >= 2 && changes(value) >= 0.42 && entropy(value) >= 3.8
}

/** Whether `value` reads like a password; `loose` where it stands in prose or in quotes. */
export function isPassword(value: string, loose: boolean): boolean {
  if (value.length < 6 || value.length > 128 || isOrdinary(value)) return false
  return /^\d+$/.test(value) ? loose : isMixed(value, loose)
}

function isMixed(value: string, loose: boolean): boolean {
  const digits = count(value, /\D/g)
  const signs = count(value, /[\w.:/()[\]-]/g)
  if (isCode(value, digits, signs, loose)) return false
  if (digits === 0) return (signs > 0 && loose && /[a-z]/i.test(value)) || (value.length >= 10 && isUnlikeNames(value))
  if (!/[a-z]/i.test(value) && signs === 0) return false
  if (NAME.test(value) && !loose) return value.length >= 8 && digits >= 2 && entropy(value) >= 2.8
  return true
}

function isCode(value: string, digits: number, signs: number, loose: boolean): boolean {
  if (/[()[\]{};]/.test(value) && (digits < 1 || !loose)) return true
  return /passw|pwd|secret|token/i.test(value) && signs < 1 && digits < 3
}

/** Whether `value` reads like a drawn key or token. */
export function isToken(value: string): boolean {
  if (value.length < 12 || value.length > 600 || isOrdinary(value) || isCounted(value) || /[()[\]{}`,;\\]/.test(value)) return false
  const look = lookOf(value, 0, value.length)
  if (look.digits === value.length || isWords(look) || !isMixedEnough(value, look.hex)) return false
  // Where letters are drawn from too, few digits come up now and then.
  return look.digits < 2 ? value.length >= 16 && isUnlikeNames(value) : hasDrawnPart(value)
}

function hasDrawnPart(value: string): boolean {
  if (HEXADECIMAL.test(value)) return value.length >= 16
  if (NAME.test(value) && changes(value) < 0.3 && !isUnlikeNames(value)) return false
  return (value.match(SEGMENT) ?? []).some(part => part.length >= 8 && /\d/.test(part) && /[a-z]/i.test(part) && changes(part) >= 0.18)
}

/** Whether `value` is a UUID that is not made up. */
export function isDrawnUuid(value: string): boolean {
  if (!UUID.test(value)) return false
  const digits = value.replace(/[{}-]/g, '').toLowerCase()
  return !isPlaceholder(digits) && !isCounted(digits, true) && isMixedEnough(digits, true)
}

const FIELD = 40

/** Whether the sign `c` before `start` parts fields (`&name=`, `;name=`), begins an entity, or ends the value. */
function endsField(text: string, start: number, c: number): boolean {
  const end = runEnd(text, start, start + FIELD, ALNUM, '_.-[]')
  const next = at(text, end)
  if (end > start) return next === 61 || (c === 38 && next === 59)
  return c !== 38 || next <= 32 || next === 38
}

/** A value without quotes ends at a space, a quote, `<` or `>`, at an `&`, comma or semicolon that is not within it, and before a further `=`. */
function endsBare(text: string, i: number, c: number): boolean {
  if (c <= 32 || c === 34 || c === 39 || c === 96 || c === 60 || c === 62) return true
  if (c === 61) return isAlnum(text.charCodeAt(i + 1))
  return (c === 38 || c === 44 || c === 59) && endsField(text, i + 1, c)
}

/** End of the part of a quoted or bare value that begins at `start`. */
export function valueEnd(text: string, start: number, quote: number): number {
  const limit = Math.min(text.length, start + 600)
  for (let i = start; i < limit; i++) {
    const c = text.charCodeAt(i)
    if (c === 10 || c === 13) return quote === 0 ? i : start
    if (quote !== 0 ? c === quote : endsBare(text, i, c)) return i
  }
  return quote === 0 ? limit : start
}
