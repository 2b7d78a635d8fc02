import { base64 } from '../../protocol/canonical.js'
import { GatewayError } from '../../protocol/errors.js'
import { isObject, tryParseJson } from '../../protocol/json.js'
import { MOST_ENTRIES, PiiSession, type SessionState } from './session.js'

/** What a sealed session is bound to: it opens for the same tenant and conversation alone. */
export interface Seal {
  /** 32 bytes, or a key of WebCrypto for AES-GCM. */
  readonly key: Uint8Array | CryptoKey
  readonly tenant: string
  readonly conversation: string
}

const IV_BYTES = 12
const KEY_BYTES = 32
const TOKEN = /^\[[A-Z][A-Z_]{1,23}_[0-9]{1,6}\]$/

function bad(message: string): GatewayError {
  return new GatewayError('invalid_request', message)
}

async function keyOf(key: unknown): Promise<CryptoKey> {
  if (key instanceof CryptoKey) return key
  if (!(key instanceof Uint8Array) || key.length !== KEY_BYTES) throw bad(`The key of a session must be ${KEY_BYTES} bytes, or a CryptoKey for AES-GCM.`)
  return crypto.subtle.importKey('raw', Uint8Array.from(key), 'AES-GCM', false, ['encrypt', 'decrypt'])
}

/** Bytes of chance from WebCrypto, which makes keys of nothing else. */
async function freshIv(): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt'])
  return new Uint8Array(await crypto.subtle.exportKey('raw', key)).slice(0, IV_BYTES)
}

function parameters(iv: Uint8Array<ArrayBuffer>, { tenant, conversation }: Seal): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(JSON.stringify(['sallyport-pii-1', tenant, conversation])) }
}

/** A session as text that only the key opens. */
export async function sealed(session: PiiSession, seal: Seal): Promise<string> {
  const key = await keyOf(seal.key)
  const iv = await freshIv()
  const bytes = await crypto.subtle.encrypt(parameters(iv, seal), key, new TextEncoder().encode(JSON.stringify(session.state())))
  return `1.${base64(iv)}.${base64(new Uint8Array(bytes))}`
}

/** The session in a sealed text. Throws `invalid_request` where the key, the tenant or the conversation is another, or the text was changed. */
export async function opened(text: string, seal: Seal): Promise<PiiSession> {
  const key = await keyOf(seal.key)
  let plain: string
  try {
    const [version, iv = '', body = ''] = text.split('.')
    if (version !== '1') throw new TypeError('another version')
    plain = new TextDecoder().decode(await crypto.subtle.decrypt(parameters(bytesOf(iv), seal), key, bytesOf(body)))
  } catch {
    throw bad('The session cannot be opened: the key, the tenant or the conversation is another, or the text was changed.')
  }
  const state = tryParseJson(plain)
  if (!isState(state)) throw bad('The text holds no session.')
  return PiiSession.from(state)
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), char => char.charCodeAt(0))
}

function isState(value: unknown): value is SessionState {
  if (!isObject(value)) return false
  const { salt, counters, entries } = value
  if (typeof salt !== 'string' || !Array.isArray(counters) || !Array.isArray(entries) || entries.length > MOST_ENTRIES) return false
  return (
    counters.every(row => Array.isArray(row) && typeof row[0] === 'string' && Number.isSafeInteger(row[1])) &&
    entries.every(entry => isObject(entry) && typeof entry['type'] === 'string' && typeof entry['value'] === 'string' && typeof entry['token'] === 'string' && TOKEN.test(entry['token']))
  )
}
