import { ALNUM, at, has, isAlnum, isDigit, LETTER, runEnd } from './chars.js'
import type { Hits } from './hits.js'
import { decodesToText } from './shadow-base64.js'
import { isOutgrown } from './secrets.js'
import { isDrawn, isDrawnUuid, isPassword, isPlaceholder, isToken, looksDrawn, valueEnd } from './secret-value.js'

const KEY = 48
const PASSWORD = /(?:passw(?:or)?d|passwd|pwd|passphrase|passcode|passwort|kennwort|contraseña|contrasena|senha|wachtwoord)(?:is)?$/
const TOKEN =
  /(?:secret|token|apikey|accesskey|secretkey|privatekey|authkey|signingkey|encryptionkey|masterkey|adminkey|writekey|accountkey|sharedkey|sharedaccesskey|servicekey|appkey|subscriptionkey|licensekey|hmackey|credentials?|authorization|bearer|auth|sas|^sig|webhooksecret|sessionid|cookie|keyvalue|pat)$|(?:apikey|secretkey|accesstoken|clientsecret|secretaccesskey|authtoken)/
const NEVER = /(?:hash|digest|checksum|md5|sha\d*|etag|integrity|commit|fingerprint|uuid|guid|id|name|type|url|uri|path|file|field|label|hint|policy|length|count|prefix|format|regex|pattern|header|expires?|version)$|^(?:public|csrf|xsrf|next|page|max|num|min)/

/** Of a UUID, only a key that leaves no doubt tells: most of them name things, and many a token is a place in a list. */
const OF_UUID = /(?:secret|(?:api|access|auth|app|secret|service|subscription|license|private|master|signing)key|[a-z]{2}token|authorization)$/
const OF_PLACE = /(?:page|sync|continuation|cancel|cancellation|idempotency|request|client|device|resume|operation|trace|correlation|registration|form|upload|push|state|lock|csrf|xsrf|forgery)token$/

const isKeyUnit = (c: number): boolean => isAlnum(c) || c === 95 || c === 45 || c === 46 || c >= 0xc0

/** The identifier before a `:` or `=`, lower-case and without separators. */
function keyBefore(text: string, sign: number): string {
  let i = sign - 1
  for (let skipped = 0; skipped < 3; skipped++) {
    const c = at(text, i)
    if (c === 32 || c === 34 || c === 39 || c === 93 || c === 58 || c === 63 || c === 92 || c === 42 || c === 96) i--
  }
  const end = i + 1
  if (!has(at(text, i), LETTER) && at(text, i) < 0xc0) return ''
  const limit = Math.max(0, end - KEY)
  while (i >= limit && isKeyUnit(text.charCodeAt(i))) i--
  return text.slice(i + 1, end).toLowerCase().replace(/[-_.]/g, '')
}

/** Skips what may stand between the sign and the value. */
function valueStart(text: string, sign: number): { start: number; quote: number } {
  let i = sign + 1
  const limit = i + 8
  while (i < limit && (at(text, i) === 32 || at(text, i) === 9 || at(text, i) === 61 || at(text, i) === 62 || at(text, i) === 126)) i++
  if (at(text, i) === 92 && at(text, i + 1) === 34) i++
  const c = at(text, i)
  const quote = c === 34 || c === 39 || c === 96 ? c : 0
  return { start: quote === 0 ? i : i + 1, quote }
}

/** `key: value` or `key=value` around the sign, where the key tells and the value does not read like words. Returns where the value ends, or `sign`. */
export function assignment(hits: Hits, sign: number): number {
  const { text } = hits
  hits.steps += 4
  const key = keyBefore(text, sign)
  if (key.length < 3) return sign
  const password = PASSWORD.test(key)
  if (!password && (!TOKEN.test(key) || NEVER.test(key))) return sign
  return judge(hits, sign, password, password || (OF_UUID.test(key) && !OF_PLACE.test(key)))
}

function judge(hits: Hits, sign: number, password: boolean, uuid: boolean): number {
  const { text } = hits
  const found = valueStart(text, sign)
  let { start } = found
  const scheme = /^(?:Bearer|Basic|Token|Bot|ApiKey) +/i.exec(text.slice(start, start + 16))
  if (scheme !== null) start += scheme[0].length
  const end = trimmedEnd(text, start, valueEnd(text, start, found.quote), found.quote)
  hits.steps += end - sign + KEY
  if (end <= start) return sign
  const value = text.slice(start, end)
  const next = at(text, end)
  const loose = found.quote !== 0 || !(next === 44 || next === 59 || next === 41 || next === 40 || next === 125)
  // What is cut off opens nothing.
  const good = password ? isPassword(value, loose) : isToken(value) && !text.startsWith('...', end)
  if (!good && !((uuid || scheme !== null) && isDrawnUuid(value))) return sign
  hits.add('SECRET', start, end, found.quote === 0 ? 0.75 : 0.85, 'key')
  return end
}

/** Without what belongs to the sentence or to the quotes. */
function trimmedEnd(text: string, start: number, end: number, quote: number): number {
  if (quote !== 0) return text.charCodeAt(end - 1) === 92 ? end - 1 : end
  while (end > start && '.,;:!?)]}\\'.includes(text.charAt(end - 1))) end--
  return end
}

const OPENS = /^(?:Bearer|Basic) +/

/** What follows `Bearer ` or `Basic ` at `start`. */
export function scheme(hits: Hits, start: number): number {
  const { text } = hits
  const open = OPENS.exec(text.slice(start, start + 12))
  if (open === null) return start
  const from = start + open[0].length
  const end = runEnd(text, from, from + 600, ALNUM, '-._~+/=')
  hits.steps += end - start
  const value = text.slice(from, end)
  const good = open[0].startsWith('Ba') ? value.length >= 12 && value.length % 4 === 0 && /[A-Z]/.test(value) && /[a-z]/.test(value) && /\d|=$/.test(value) && !isPlaceholder(value) : value.length >= 16 && (isToken(value) || isDrawnUuid(value))
  if (!good) return start
  hits.add('SECRET', from, end, 0.85, 'key')
  return end
}

const LOGIN = /-(?:u|-user|-proxy-user)[ =]{0,3}["']?[\w.@+{}-]{1,80}["']?:["']?([^\s"'`]{3,200})/y
const CLIENT = /\b(?:curl|wget|https?)\b/
const CLIENT_REACH = 300

/** The password of a login that a command line gives to an HTTP client (`-u name:password`), by the dash at `start`. */
export function login(hits: Hits, start: number): void {
  const { text } = hits
  const before = at(text, start - 1)
  if (before !== 32 && before !== 10 && before !== 9) return
  LOGIN.lastIndex = start
  const value = LOGIN.exec(text)?.[1]
  hits.steps += CLIENT_REACH
  // Other programs take a user and a group there, and manuals say `-u user:password`.
  if (value === undefined || !isPassword(value, true) || !CLIENT.test(text.slice(Math.max(0, start - CLIENT_REACH), start))) return
  hits.add('SECRET', LOGIN.lastIndex - value.length, LOGIN.lastIndex, 0.85, 'key')
}

/** What says that the characters stand for content, not for a secret. */
const OF_CONTENT = /sha-?\d|md5|integrity|hash|digest|checksum|base64,|public|csrf|xsrf|authenticity|signature|identity|nonce|\bh1:/i

/** The key of what names something. */
const OF_NAME = /(?:\b[iI][dD]|_id|_ID|[a-z]I[dD])["'\s]*[:=]\s*["']?$/
/** A public address of two networks, and binary data that begins with a length, such as a public key of SSH. */
const PUBLIC = /^(?:[13][1-9A-HJ-NP-Za-km-z]{25,33}$|Qm[1-9A-HJ-NP-Za-km-z]{44}$|AAAA)/
const LINK = 200

/** Whether the run at `start` is part of a link: there, what is drawn names something. */
function isInLink(text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - LINK), start)
  const scheme = before.lastIndexOf('://')
  return scheme >= 0 && !/[\s"'<>`]/.test(before.slice(scheme))
}

const isBlob = (c: number): boolean => has(c, ALNUM) || c === 43 || c === 47 || c === 95 || c === 45 || c === 126
const LEAST = 28
const MOST = 100

/** A run of drawn characters without anything that says what it is. Returns where the run ends, so that it is read once. */
export function blob(hits: Hits, inside: number, floor: number): number {
  const { text } = hits
  let start = inside
  while (start > floor && isBlob(text.charCodeAt(start - 1))) start--
  let end = inside
  while (end < text.length && isBlob(text.charCodeAt(end))) end++
  hits.steps += end - start
  const client = clientSecretEnd(text, start)
  if (client > start) {
    hits.add('SECRET', start, client, 0.9, 'shape')
    return Math.max(end, client)
  }
  if (end - start >= LEAST && end - start <= MOST && isBare(text, start, end)) hits.add('SECRET', start, end, 0.55, 'entropy')
  return end
}

/** Whether the run looks drawn, stands for nothing else, and is whole. */
function isBare(text: string, start: number, end: number): boolean {
  const value = text.slice(start, end)
  // A segment has to look drawn by itself: names made of many short parts do so as a whole.
  const drawn = value.split(/[-_/~]/).filter(segment => segment.length >= 20 && isDrawn(segment))
  if (drawn.length === 0 && !(value.length === 40 && isDrawn(value) && !/[-_~]/.test(value))) return false
  if (isPlaceholder(value) || isCut(text, start, end) || isOutgrown(value) || PUBLIC.test(value)) return false
  if (OF_CONTENT.test(text.slice(Math.max(0, start - 60), start + 8)) || OF_NAME.test(text.slice(Math.max(0, start - 24), start)) || isInLink(text, start)) return false
  return !decodesToText(text, start, end) && !drawn.some(segment => decodesToText(segment, 0, segment.length))
}

/** Whether dots say that there is more of it. */
const isCut = (text: string, start: number, end: number): boolean => text.startsWith('...', end) || text.startsWith('…', end) || text.startsWith('...', start - 3) || text.startsWith('…', start - 1)

const CLIENT_LEAST = 31
const CLIENT_MOST = 34

/** The one issuer whose mark (`8Q~`) stands behind three drawn characters, at `start`; dots may follow. */
function clientSecretEnd(text: string, start: number): number {
  if (!isDigit(at(text, start + 3)) || at(text, start + 4) !== 81 || at(text, start + 5) !== 126) return start
  const from = start + 6
  let end = runEnd(text, from, from + CLIENT_MOST + 2, ALNUM, '_~.-')
  while (end > from + CLIENT_LEAST && at(text, end - 1) === 46) end--
  return end - from >= CLIENT_LEAST && end - from <= CLIENT_MOST && looksDrawn(text, from, end) ? end : start
}
