import { base64 } from '../protocol/canonical.js'
import { GatewayError } from '../protocol/errors.js'
import { quoted } from '../protocol/suggest.js'

const ID_CHARS = 10
const SECRET_BYTES = 32
const SECRET_CHARS = 43
/** Longer than any key; such a text is not looked at. */
const MAX_GIVEN = 200
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const ID = /^[a-z2-7]{10}$/
const WHOLE = /^sp-([a-z2-7]{10})-[A-Za-z0-9_-]{43}$/
const NEARLY = /^(?:sp-)?([a-z2-7]{10})(?:-|$)/i
const SECRET_AT = 'sp-'.length + ID_CHARS + 1

/** Bytes that nobody can guess. */
export interface Chance {
  randomBytes(length: number): Uint8Array
}

function drawn(chance: Chance, length: number): Uint8Array {
  const bytes = chance.randomBytes(length)
  if (bytes?.length !== length) throw new GatewayError('invalid_config', `randomBytes(${length}) must give a Uint8Array of ${length} bytes that nobody can guess.`)
  return bytes
}

/** Ten characters with five bits each. */
export function newId(chance: Chance): string {
  return Array.from(drawn(chance, ID_CHARS), byte => ALPHABET[byte & 31]).join('')
}

/** The part of a key that nobody may know: 32 bytes in base64url. */
export function newSecretPart(chance: Chance): string {
  return base64(drawn(chance, SECRET_BYTES)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** What a key is recognised by, in logs and lists. */
export function prefixOf(id: string): string {
  return `sp-${id}`
}

/** The id inside a whole key; `undefined` where the text cannot be one. */
export function idIn(given: unknown): string | undefined {
  return typeof given === 'string' && given.length <= MAX_GIVEN ? WHOLE.exec(given)?.[1] : undefined
}

/** What stands where the secret part of a key stands: bounded, also of a text that is no key. */
export function secretPartIn(given: unknown): string {
  return typeof given === 'string' ? given.slice(SECRET_AT, SECRET_AT + SECRET_CHARS) : ''
}

export function isId(id: unknown): id is string {
  return typeof id === 'string' && ID.test(id)
}

/** For an id that is none, or that nobody has. What was given is repeated only as far as it is an id: it may be a secret. */
export function unknownId(given: unknown, where: string): GatewayError {
  if (isId(given)) return new GatewayError('invalid_request', `${where}: no key has the id ${quoted(given)}. keys.list() gives the ids there are.`)
  const near = typeof given === 'string' ? NEARLY.exec(given)?.[1]?.toLowerCase() : undefined
  const hint = near === undefined ? 'It is what stands between "sp-" and the next "-" of a key.' : `Did you mean "${near}"?`
  return new GatewayError('invalid_request', `${where} takes the id of a key: ${ID_CHARS} characters of a-z and 2-7. ${hint}`)
}
