import { GatewayError } from '../protocol/errors.js'
import { isObject, type Json } from '../protocol/json.js'
import { isId, prefixOf } from './keys-format.js'
import { fieldsOf, type KeyFields } from './keys-spec.js'

const VERSION = 1
const HEX = /^[0-9a-f]{64}$/

/** A virtual key, without its secret: frozen, to be shown and logged. All times are epoch milliseconds. */
export interface VirtualKey extends KeyFields {
  /** Ten characters, also the part of the secret after `sp-`. */
  readonly id: string
  /** `sp-<id>`: what a secret of this key begins with. */
  readonly prefix: string
  readonly createdAt: number
  readonly revokedAt?: number
  /** When it got the secret it has. */
  readonly rotatedAt?: number
  /** Until when the secret before that is valid, too. */
  readonly oldSecretUntil?: number
}

/** A key as it is stored. */
export interface KeyRecord extends KeyFields {
  readonly id: string
  /** SHA-256 of the secret part, in hexadecimal. */
  readonly hash: string
  /** The secret before, valid until a rotation's overlap ends. */
  readonly old?: { readonly hash: string; readonly untilMs: number }
  readonly createdAt: number
  readonly revokedAt?: number
  readonly rotatedAt?: number
}

export function toJson(record: KeyRecord): Json {
  return { version: VERSION, ...record }
}

function spoiled(id: string, why: string): GatewayError {
  return new GatewayError('store_unavailable', `The store holds something under "key:${nameable(id)}" that is no virtual key: ${why} Nobody else may write there; restore it, or delete it and create a new key.`)
}

function time(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function oldOf(value: unknown): KeyRecord['old'] {
  if (!isObject(value)) return undefined
  const { hash } = value
  const untilMs = time(value['untilMs'])
  return typeof hash === 'string' && HEX.test(hash) && untilMs !== undefined ? { hash, untilMs } : undefined
}

/** Reads what a store gave for an id. Throws `store_unavailable`, without repeating it, where it is not what we wrote. */
export function fromJson(id: string, value: unknown): KeyRecord {
  if (!isObject(value)) throw spoiled(id, 'it is no object.')
  const version = value['version']
  if (typeof version === 'number' && version > VERSION) {
    throw new GatewayError('store_unavailable', `The key ${nameable(id)} was written by a newer sallyport (version ${version} of the record, this one reads ${VERSION}). Update this process.`)
  }
  const { hash, old: oldValue } = value
  const createdAt = time(value['createdAt'])
  const old = oldOf(oldValue)
  const times = ['revokedAt', 'rotatedAt'].filter(name => value[name] !== undefined)
  if (version !== VERSION || value['id'] !== id || !isId(id)) throw spoiled(id, 'version and id are not those of this key.')
  if (typeof hash !== 'string' || !HEX.test(hash) || (oldValue !== undefined && old === undefined)) throw spoiled(id, 'a hash is none.')
  if (createdAt === undefined || times.some(name => time(value[name]) === undefined)) throw spoiled(id, 'a time is none.')
  const dates = Object.fromEntries(times.map(name => [name, value[name]])) as Pick<KeyRecord, 'revokedAt' | 'rotatedAt'>
  return { id, ...checkedFields(id, value), hash, ...(old && { old }), createdAt, ...dates }
}

function checkedFields(id: string, value: Record<string, unknown>): KeyFields {
  try {
    return fieldsOf(value)
  } catch (error) {
    throw spoiled(id, GatewayError.is(error) ? error.message : 'a field is not readable.')
  }
}

/** What stands behind `key:` in a store that others write to may be anything. */
function nameable(id: string): string {
  return isId(id) ? id : '…'
}

/** The part of a record that may be shown, frozen through and through. */
export function publicKey(record: KeyRecord): VirtualKey {
  const { id, hash: _hash, old, ...shown } = record
  return frozen({ id, prefix: prefixOf(id), ...shown, ...(old && { oldSecretUntil: old.untilMs }) })
}

function frozen<T extends object>(value: T): T {
  for (const inner of Object.values(value) as unknown[]) if (typeof inner === 'object' && inner !== null && !Object.isFrozen(inner)) frozen(inner)
  return Object.freeze(value)
}
