import { GatewayError } from '../protocol/errors.js'
import { numberAt, type Json } from '../protocol/json.js'
import type { Store } from '../protocol/ports.js'
import { fromJson, toJson, type KeyRecord } from './keys-record.js'

const KEY = 'key:'
const REVOKED = 'key-revoked:'
const MAX_SAID = 500

/**
 * Keys in a store that others write to, too. A read and the write after it are two steps, so of two processes that change
 * one key at once the later write wins: a change of a field may be lost, and so may a rotation (its new secret then does not
 * work: rotate again). What is not lost is a revocation. It is noted under a key of its own, before the record is written,
 * and that note is never taken back; every other writer looks for it after its own write, and writes the revocation again
 * where it was in its way. Two things this does not cover: the moment between those two writes, and a process that dies in
 * it; the next change of the key makes good for that.
 */
export class KeyShelf {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async read(id: string): Promise<KeyRecord | undefined> {
    const value = await asked(() => this.#store.get(KEY + id))
    // Some stores say null for what they do not hold.
    return value === undefined || value === null ? undefined : fromJson(id, value)
  }

  /** Writes a record that was read just before; gives what the store holds then: the same, or revoked meanwhile. */
  async write(record: KeyRecord): Promise<KeyRecord> {
    await this.#set(KEY + record.id, toJson(record))
    if (record.revokedAt !== undefined) return record
    const note = await asked(() => this.#store.get(REVOKED + record.id))
    if (note === undefined || note === null) return record
    // A note that cannot be read is one all the same.
    const revoked = { ...record, revokedAt: numberAt(note, 'revokedAt') ?? record.createdAt }
    await this.#set(KEY + record.id, toJson(revoked))
    return revoked
  }

  /** Notes that a key is revoked, for good. */
  async noteRevoked(id: string, revokedAt: number): Promise<void> {
    await this.#set(REVOKED + id, { version: 1, revokedAt })
  }

  /** The next records in order of their ids, after `after`. */
  async page(after: string | undefined, limit: number): Promise<KeyRecord[]> {
    // An id with one character more comes right after it.
    const found = await asked(() => this.#store.scan(KEY, { ...(after !== undefined && { start: `${KEY}${after}0` }), limit }))
    return found.map(([key, value]) => fromJson(key.slice(KEY.length), value))
  }

  async #set(key: string, value: Json): Promise<void> {
    await asked(() => this.#store.set(key, value))
  }
}

/** What the store said, without what it was asked to write: some clients repeat that. */
function scrubbed(error: unknown): string {
  const said = error instanceof Error ? `${error.name}: ${error.message}` : typeof error
  return said.slice(0, MAX_SAID).replace(/[0-9a-f]{16,}/gi, '…')
}

/** Whatever a store throws is trouble of the store, and none of the caller's. */
async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (GatewayError.is(error) && error.code === 'store_unavailable') throw error
    throw new GatewayError('store_unavailable', 'The store of the virtual keys did not do what it was asked. Look at the cause, and try again.', { cause: new Error(scrubbed(error)) })
  }
}
