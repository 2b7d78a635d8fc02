import { GatewayError } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { Clock, Store } from '../protocol/ports.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'
import { KeyCache } from './keys-cache.js'
import { idIn, isId, newId, newSecretPart, prefixOf, secretPartIn, unknownId, type Chance } from './keys-format.js'
import { held, NOBODY, PROOF, proven, type Held, type Proof } from './keys-proof.js'
import { publicKey, type KeyRecord, type VirtualKey } from './keys-record.js'
import { KeyShelf } from './keys-shelf.js'
import { checkSpec, checkUpdate, type KeyFields, type KeySpec, type KeyUpdate } from './keys-spec.js'
import { hexOf } from '../protocol/sha256.js'

const MAX_CACHE_MS = 5_000
const PAGE = 100
const MAX_PAGE = 1_000
const DRAWS = 4
const REFUSED = 'The key is not valid. Check that it is given whole, and that it was neither revoked, rotated nor expired.'
const OF_ROTATE = new Set(['overlapMs'])
const OF_LIST = new Set(['limit', 'after', 'team'])

/** What was done to a key; it never holds a secret or a hash. */
export interface KeyChange {
  readonly change: 'key_created' | 'key_rotated' | 'key_revoked' | 'key_updated'
  readonly id: string
  /** Epoch milliseconds. */
  readonly at: number
  /** The fields that an update set or removed. */
  readonly fields?: readonly string[]
}
/** Which keys to list. */
export interface KeyPage {
  readonly limit?: number
  /** The last id of the page before. */
  readonly after?: string
  readonly team?: string
}
/** A key with the secret that is shown this once. */
export type KeyWithSecret = VirtualKey & { readonly secret: string }

export interface VirtualKeysDeps extends Chance {
  readonly store: Store
  readonly clock: Clock
  /** Throws where budgets or limits of a key, given with all its fields, cannot be meant. */
  checkPolicies?(fields: KeyFields, where: string): void
  /** Hears of each change after it was stored; what it throws changes nothing. */
  onChange?(change: KeyChange): void
  /** How long what the store said is believed, in milliseconds: 0 to 5,000, the default. */
  readonly cacheMs?: number
  /** For tests that count the work. */
  readonly proof?: Proof
}

/**
 * Virtual keys in a store. A secret, `sp-<id>-<43 characters>`, is shown once; the store holds its SHA-256. Every method
 * throws `store_unavailable` where the store fails or holds what this version cannot read, and `invalid_request` where what it
 * was given cannot be meant. Changes hold at once here and within `cacheMs` in other processes; `KeyShelf` says what two
 * processes can do to each other's changes.
 */
export class VirtualKeys {
  readonly #shelf: KeyShelf
  readonly #cache: KeyCache<Held>
  readonly #clock: Clock
  readonly #deps: VirtualKeysDeps
  readonly #proof: Proof
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(deps: VirtualKeysDeps) {
    const { store, clock, cacheMs = MAX_CACHE_MS, proof = PROOF } = deps
    if (!(cacheMs >= 0 && cacheMs <= MAX_CACHE_MS)) throw new GatewayError('invalid_config', `The cache of virtual keys may be 0 to ${MAX_CACHE_MS} ms old: a revoked key must not live on in it.`)
    this.#shelf = new KeyShelf(store)
    this.#clock = clock
    this.#deps = deps
    this.#proof = proof
    this.#cache = new KeyCache(
      async id => {
        const record = await this.#shelf.read(id)
        return record === undefined ? NOBODY : held(record)
      },
      holder => holder !== NOBODY,
      clock,
      cacheMs,
    )
  }

  /** Makes a key. The secret on the result is not to be had again. */
  async create(spec: KeySpec = {}): Promise<KeyWithSecret> {
    const nowMs = this.#clock.now()
    const fields = checkSpec(spec, 'keys.create', nowMs)
    this.#checkPolicies(fields, 'keys.create')
    const id = await this.#freeId()
    const { part, hash } = this.#newSecret()
    const record: KeyRecord = { id, ...fields, hash, createdAt: nowMs }
    await this.#written(record)
    this.#tell('key_created', id)
    return withSecret(record, part)
  }

  /**
   * Gives a key a new secret. The one before stays valid for `overlapMs` (default 0: ends at once), and any older one ends now:
   * at most two are valid. A revoked key is `invalid_request`.
   */
  async rotate(id: string, options: { readonly overlapMs?: number } = {}): Promise<KeyWithSecret> {
    if (!isObject(options)) throw bad('keys.rotate takes the id and { overlapMs }.')
    refuseUnknownKeys(options, OF_ROTATE, 'keys.rotate', 'invalid_request')
    const { overlapMs = 0 } = options
    if (typeof overlapMs !== 'number' || !(overlapMs >= 0 && overlapMs < Infinity)) throw bad('keys.rotate: overlapMs must be a number of milliseconds, 0 or more.')
    const { part, hash } = this.#newSecret()
    const { after } = await this.#change(id, 'keys.rotate', record => {
      refuseRevoked(record)
      const nowMs = this.#clock.now()
      const { old: _oldest, ...rest } = record
      return { ...rest, hash, rotatedAt: nowMs, ...(overlapMs > 0 && { old: { hash: record.hash, untilMs: nowMs + overlapMs } }) }
    })
    // Revoked by another process at the same moment: the new secret is worth nothing.
    refuseRevoked(after)
    this.#tell('key_rotated', id)
    return withSecret(after, part)
  }

  /** Ends a key for good. Revoking it again does nothing. */
  async revoke(id: string): Promise<VirtualKey> {
    const revokedAt = this.#clock.now()
    const { before, after } = await this.#change(id, 'keys.revoke', async record => {
      if (record.revokedAt !== undefined) return record
      await this.#shelf.noteRevoked(id, revokedAt)
      // Read again: what was changed while the note was written stays.
      const fresh = (await this.#shelf.read(id)) ?? record
      return { ...fresh, revokedAt: fresh.revokedAt ?? revokedAt }
    })
    if (before !== after) this.#tell('key_revoked', id)
    return publicKey(after)
  }

  /** Changes fields; one that is left out stays, `null` removes it. A revoked key stays revoked. */
  async update(id: string, changes: KeyUpdate): Promise<VirtualKey> {
    const { set, changed } = checkUpdate(changes, 'keys.update', this.#clock.now())
    const { before, after } = await this.#change(id, 'keys.update', record => {
      if (changed.length === 0) return record
      const kept = { ...record }
      for (const field of changed) delete kept[field]
      this.#checkPolicies({ ...kept, ...set }, 'keys.update')
      return { ...kept, ...set }
    })
    if (before !== after) this.#tell('key_updated', id, changed)
    return publicKey(after)
  }

  /** A key as the store holds it now. */
  async get(id: string): Promise<VirtualKey> {
    return publicKey(await this.#recordOf(id, 'keys.get'))
  }

  /**
   * Keys in the order of their ids: at most `limit` (default 100, at most 1,000), those after the id `after`. With `team`, the
   * keys of the others are read and left out. A page that is not full is the last.
   */
  async list(options: KeyPage = {}): Promise<readonly VirtualKey[]> {
    const { limit, team, ...from } = checkPage(options)
    let { after } = from
    const found: VirtualKey[] = []
    for (const size = team === undefined ? limit : MAX_PAGE; ; ) {
      const page = await this.#shelf.page(after, size)
      for (const record of page) if (found.length < limit && (team === undefined || record.team === team)) found.push(publicKey(record))
      after = page.at(-1)?.id
      if (found.length >= limit || page.length < size) return found
    }
  }

  /**
   * The key a secret belongs to: at once where it is known here, else after one read of the store, shared by all who wait for
   * it. What is wrong with a key is never told: whatever it is, it is the same `unauthenticated`, thrown or rejected.
   */
  authenticate(secret: string): VirtualKey | Promise<VirtualKey> {
    const id = idIn(secret)
    const holder = id === undefined ? NOBODY : this.#cache.find(id)
    if (id === undefined || holder !== undefined) return this.#admit(secret, holder ?? NOBODY)
    return this.#cache.load(id).then(loaded => this.#admit(secret, loaded))
  }

  #admit(secret: string, holder: Held): VirtualKey {
    const key = proven(this.#proof, secretPartIn(secret), holder, this.#clock.now())
    if (key === undefined) throw new GatewayError('unauthenticated', REFUSED, { origin: 'caller' })
    return key
  }

  #newSecret(): { readonly part: string; readonly hash: string } {
    const part = newSecretPart(this.#deps)
    return { part, hash: hexOf(this.#proof.digest(part)) }
  }

  async #freeId(): Promise<string> {
    for (let draw = 0; draw < DRAWS; draw++) {
      const id = newId(this.#deps)
      if ((await this.#shelf.read(id)) === undefined) return id
    }
    // Fifty bits do not meet by chance that often.
    throw new GatewayError('invalid_config', 'randomBytes gives the same bytes again and again: secrets made of them could be guessed. Give it a source of real chance.')
  }

  async #recordOf(id: string, where: string): Promise<KeyRecord> {
    const record = isId(id) ? await this.#shelf.read(id) : undefined
    if (record === undefined) throw unknownId(id, where)
    return record
  }

  /** One change after the other for each key of this process: of two at once, neither loses the other's fields. */
  async #change(id: string, where: string, change: (record: KeyRecord) => KeyRecord | Promise<KeyRecord>): Promise<{ before: KeyRecord; after: KeyRecord }> {
    const work = async (): Promise<{ before: KeyRecord; after: KeyRecord }> => {
      const before = await this.#recordOf(id, where)
      const after = await change(before)
      return { before, after: after === before ? before : await this.#written(after) }
    }
    const ahead = this.#turns.get(id)
    const mine = ahead === undefined ? work() : ahead.then(work, work)
    this.#turns.set(id, mine)
    try {
      return await mine
    } finally {
      if (this.#turns.get(id) === mine) this.#turns.delete(id)
    }
  }

  async #written(record: KeyRecord): Promise<KeyRecord> {
    try {
      return await this.#shelf.write(record)
    } finally {
      // Also where the store failed: it may have written all the same.
      this.#cache.drop(record.id)
    }
  }

  #checkPolicies(fields: KeyFields, where: string): void {
    if (fields.budgets === undefined && fields.limits === undefined) return
    // By name: a record holds the hash of its secret, too.
    const known = (['team', 'project', 'user', 'tags', 'budgets', 'limits'] as const).flatMap(name => (fields[name] === undefined ? [] : [[name, fields[name]]]))
    this.#deps.checkPolicies?.(Object.fromEntries(known) as KeyFields, where)
  }

  #tell(change: KeyChange['change'], id: string, fields?: readonly string[]): void {
    try {
      this.#deps.onChange?.({ change, id, at: this.#clock.now(), ...(fields && { fields }) })
    } catch {
      // The change is made: an error now would take the only sight of a secret from the caller.
    }
  }
}

function bad(message: string): GatewayError {
  return new GatewayError('invalid_request', message)
}

function checkPage(options: KeyPage): KeyPage & { readonly limit: number } {
  if (!isObject(options)) throw bad('keys.list takes { limit, after, team }.')
  refuseUnknownKeys(options, OF_LIST, 'keys.list', 'invalid_request')
  const { limit = PAGE, after, team }: KeyPage = options
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_PAGE) throw bad(`keys.list: limit must be a whole number from 1 to ${MAX_PAGE}. For more, ask again with after: the last id of the page before.`)
  if (after !== undefined && !isId(after)) throw unknownId(after, 'keys.list: after')
  if (team !== undefined && typeof team !== 'string') throw bad('keys.list: team must be the name of a team.')
  return { ...options, limit }
}

function refuseRevoked({ id, revokedAt }: KeyRecord): void {
  if (revokedAt !== undefined) throw bad(`keys.rotate: the key "${id}" is revoked, which is final. Create a new one.`)
}

function withSecret(record: KeyRecord, part: string): KeyWithSecret {
  return Object.freeze({ ...publicKey(record), secret: `${prefixOf(record.id)}-${part}` })
}
