import { GatewayError } from '../protocol/errors.js'
import { isObject, type Json } from '../protocol/json.js'
import type { Claim, ClaimVerdict, Clock, Lapsed, Lease, Standing, Store, Tally } from '../protocol/ports.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'
import { chargesOf, checkClaims, checkCount, checkKey, checkLease, checkSpan, checkTallies, counterId, jsonOf, needsOf, passed } from './claims.js'
import { unavailable, wireOf, type RedisClient } from './redis-client.js'
import { decoded, encoded, Keys, lexRange } from './redis-keys.js'
import { Link } from './redis-link.js'

export type { RedisClient }

export interface RedisStoreOptions {
  /** Begins each key of the store, as the hash tag `{prefix}`: the store lives in one slot of a cluster. Default `sallyport`. */
  readonly prefix?: string
  /** Longest wait for an answer, once the store was started with a clock. Default 2,000. */
  readonly timeoutMs?: number
  /** How long the sums of a group are kept after the last one was added. Default 400 days. */
  readonly keepTalliesMs?: number
  /** For tests: epoch milliseconds to go by instead of the server's own time. */
  readonly now?: () => number
}

/** A {@link Store} on Redis or Valkey. */
export type RedisStore = Store & {
  /** Gives it the clock that its `timeoutMs` is measured on; a gateway does so. Before, it waits as long as its client does. */
  start(parts: { readonly clock: Clock }): void
}

const OPTIONS = new Set(['prefix', 'timeoutMs', 'keepTalliesMs', 'now'])
const DAY_MS = 86_400_000
const MAX_PREFIX = 128
/** Past it the oldest settle that was not answered is forgotten: sent again, it finds its hold gone. */
const MOST_UNHEARD = 10_000
/** What one script reads at most: index entries of a scan, groups, and fields of groups before the last one. */
const PAGE = { values: '500', groups: '500', fields: '5000' } as const

type Range = Parameters<Store['scan']>[1]
type Charges = Parameters<Store['settle']>[1]

class ServerStore {
  readonly #link: Link
  readonly #keys: Keys
  readonly #keep: string
  #holds = 0
  #settles = 0
  /** Marks of settles that were not answered, by hold. */
  readonly #unheard = new Map<string, number>()

  constructor(link: Link, keys: Keys, keepTalliesMs: number) {
    this.#link = link
    this.#keys = keys
    this.#keep = String(Math.ceil(keepTalliesMs))
  }

  async get(key: string): Promise<Json | undefined> {
    const [text] = await this.#run('get', [this.#keys.value(key)], [])
    return text === undefined ? undefined : parsed(text)
  }

  async set(key: string, value: Json, ttlMs: number | undefined): Promise<void> {
    checkKey(key)
    if (ttlMs !== undefined) checkSpan(ttlMs, 'ttlMs')
    const { values, valueEnds } = this.#keys
    await this.#run('set', [this.#keys.value(key), values, valueEnds], [encoded(key), jsonOf(value), ttlMs === undefined ? '' : whole(ttlMs)])
  }

  async delete(key: string): Promise<void> {
    await this.#run('delete', [this.#keys.value(key), this.#keys.values, this.#keys.valueEnds], [encoded(key)])
  }

  async add(key: string, amount: number): Promise<number> {
    checkKey(key)
    checkCount(amount, 'The amount added to a counter')
    const [counter] = this.#keys.counter(counterId(key))
    const [sum] = done(await this.#run('add', [counter], [encoded(key), String(amount)]))
    return Number(sum)
  }

  async scan(prefix: string, { start = '', end, limit = Infinity }: NonNullable<Range> = {}): Promise<[string, Json][]> {
    if (limit !== Infinity) checkCount(limit, 'The limit of a scan')
    const [from, to] = lexRange(start, end, prefix)
    const found: [string, Json][] = []
    let min = from
    while (found.length < limit) {
      const most = String(Math.min(limit - found.length, Number(PAGE.values)))
      const [next = '', ...pairs] = await this.#run('scan', [this.#keys.values, this.#keys.valueEnds], [min, to, most])
      for (let at = 0; at < pairs.length; at += 2) found.push([decoded(pairs[at] ?? ''), parsed(pairs[at + 1] ?? 'null')])
      if (next === '') break
      min = next
    }
    return found
  }

  async acquire(claims: readonly Claim[], lease: Lease): Promise<ClaimVerdict> {
    checkClaims(claims)
    checkLease(lease)
    const giveBack = (id: string): void => void this.#settle(id, [], [], ++this.#settles).catch(() => undefined)
    return this.#link.within(
      () => this.#acquire(claims, lease, giveBack),
      verdict => {
        if (verdict.ok) giveBack(verdict.holdId)
      },
    )
  }

  async settle(holdId: string, charges: Charges, tallies: readonly Tally[] = []): Promise<readonly Standing[] | undefined> {
    const used = [...chargesOf(charges)]
    checkTallies(tallies)
    const mark = this.#unheard.get(holdId) ?? ++this.#settles
    if (this.#unheard.size >= MOST_UNHEARD) for (const oldest of this.#unheard.keys()) {
      this.#unheard.delete(oldest)
      break
    }
    this.#unheard.set(holdId, mark)
    const standings = await this.#link.within(() => this.#settle(holdId, used, tallies, mark))
    this.#unheard.delete(holdId)
    return standings
  }

  async renew(holdId: string, ttlMs: number): Promise<boolean> {
    checkSpan(ttlMs, 'The lease of a hold')
    const [status] = await this.#run('renew', [this.#keys.holds], [encoded(holdId), whole(ttlMs)])
    return status === 'ok'
  }

  async tally(tallies: readonly Tally[]): Promise<void> {
    checkTallies(tallies)
    done(await this.#run('tally', this.#groupKeys(tallies), [talliesText(tallies), this.#keep]))
  }

  async tallies(start: string, end: string): Promise<[string, string, number][]> {
    const [from, to] = lexRange(start, end)
    const found: [string, string, number][] = []
    for (let min = from; min !== ''; ) {
      const [next = '', ...rest] = await this.#run('tallies', [this.#keys.groups, this.#keys.groupEnds], [min, to, PAGE.groups, PAGE.fields])
      for (let at = 0; at < rest.length; ) {
        const group = decoded(rest[at] ?? '')
        const after = at + 2 + 2 * Number(rest[at + 1])
        const sums: [string, string, number][] = []
        for (at += 2; at < after; at += 2) sums.push([group, decoded(rest[at] ?? ''), Number(rest[at + 1])])
        found.push(...sums.sort(([, a], [, b]) => (a < b ? -1 : 1)))
      }
      min = next
    }
    return found
  }

  async #acquire(claims: readonly Claim[], { ttlMs, owner, tallies = [] }: Lease, giveBack: (id: string) => void): Promise<ClaimVerdict> {
    const id = `hold_${await this.#link.instance()}_${++this.#holds}`
    const { holds } = this.#keys
    const counters = claims.flatMap(({ key, windowMs, periods }) => (periods === undefined ? this.#keys.counter(counterId(key, windowMs)) : []))
    const args = [id, claimsText(claims), whole(ttlMs), owner === undefined ? '' : `=${encoded(owner)}`, talliesText(tallies), this.#keep]
    const reply = await this.#link.run('acquire', [holds, this.#keys.hold(id), ...counters], args, () => giveBack(id))
    if (reply[0] === 'apart') {
      needsOf(claims, Number(reply[1]))
      throw unavailable('The claims of a hold have no period at the time of the store.')
    }
    const [key = '', wait = '', ...told] = done(reply)
    const verdict: ClaimVerdict = reply[0] === 'ok' ? { ok: true, holdId: id } : wait === '' ? { ok: false, key: decoded(key) } : { ok: false, key: decoded(key), retryAfterMs: Number(wait) }
    return told.length === 0 ? verdict : { ...verdict, lapsed: lapsedOf(told) }
  }

  async #settle(holdId: string, used: readonly (readonly [string, number])[], tallies: readonly Tally[], mark: number): Promise<readonly Standing[] | undefined> {
    const others = used.map(([key]) => this.#keys.counter(counterId(key))[0])
    const keys = [this.#keys.holds, this.#keys.hold(holdId), ...others, ...(tallies.length === 0 ? [] : this.#groupKeys(tallies))]
    const charges = JSON.stringify(used.map(([key, amount]) => [encoded(key), amount]))
    const reply = await this.#link.run('settle', keys, [encoded(holdId), charges, talliesText(tallies), this.#keep, `${await this.#link.instance()}_${mark}`])
    return reply[0] === 'none' ? undefined : standingsOf(done(reply))
  }

  #groupKeys(tallies: readonly Tally[]): string[] {
    return [this.#keys.groups, this.#keys.groupEnds, ...new Set(tallies.map(({ group }) => this.#keys.group(group)))]
  }

  #run(...args: Parameters<Link['run']>): Promise<string[]> {
    return this.#link.within(() => this.#link.run(...args))
  }
}

/** Milliseconds as the scripts count them: on a clock of whole ones, a span is over with the first at or behind its end. */
function whole(ms: number): string {
  return String(Math.ceil(ms))
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    // The engine's own sentence would repeat the value.
    throw unavailable('Redis keeps a value that is no JSON under a key of the store: give redisStore a prefix of its own.')
  }
}

function claimsText(claims: readonly Claim[]): string {
  return JSON.stringify(
    claims.map(({ key, amount, limit, windowMs, periods, onLapsed }) => [encoded(key), amount, limit, windowMs === undefined ? false : String(windowMs), windowMs === undefined ? false : Math.ceil(windowMs), periods ?? false, onLapsed === 'release']),
  )
}

function talliesText(tallies: readonly Tally[]): string {
  return JSON.stringify(tallies.map(({ group, field, amount }) => [encoded(group), encoded(field), amount]))
}

/** What comes behind the status; throws where a sum would no longer be exact. */
function done([status, ...rest]: readonly string[]): string[] {
  if (status === 'passed') throw passed(decoded(rest[0] ?? ''))
  return rest
}

function lapsedOf(told: readonly string[]): Lapsed[] {
  const lapsed: Lapsed[] = []
  for (let at = 0; at < told.length; at += 2) {
    const holdId = decoded(told[at] ?? '')
    const owner = told[at + 1] ?? ''
    lapsed.push(owner === '' ? { holdId } : { holdId, owner: decoded(owner.slice(1)) })
  }
  return lapsed
}

function standingsOf(texts: readonly string[]): Standing[] {
  const standings: Standing[] = []
  for (let at = 0; at < texts.length; at += 5) {
    const [key = '', windowMs = '', period = '', charged, held] = texts.slice(at, at + 5)
    standings.push({ key: decoded(key), ...(windowMs !== '' && { windowMs: Number(windowMs) }), ...(period !== '' && { period: Number(period) }), charged: Number(charged), held: Number(held) })
  }
  return standings
}

function checked(options: RedisStoreOptions): Required<Omit<RedisStoreOptions, 'now'>> {
  const given: unknown = options
  if (!isObject(given)) throw new GatewayError('invalid_config', 'redisStore() takes a client and an object of options.')
  refuseUnknownKeys(given, OPTIONS, 'redisStore')
  const { prefix = 'sallyport', timeoutMs = 2_000, keepTalliesMs = 400 * DAY_MS, now } = options
  if (typeof prefix !== 'string' || prefix === '' || prefix.length > MAX_PREFIX || /[{}]/.test(prefix)) throw new GatewayError('invalid_config', `redisStore: prefix must be a text of 1 to ${MAX_PREFIX} characters without braces.`)
  for (const [name, ms] of Object.entries({ timeoutMs, keepTalliesMs })) if (!Number.isFinite(ms) || ms <= 0) throw new GatewayError('invalid_config', `redisStore: ${name} must be milliseconds above 0.`)
  if (now !== undefined && typeof now !== 'function') throw new GatewayError('invalid_config', 'redisStore: now must be a function that gives epoch milliseconds.')
  return { prefix, timeoutMs, keepTalliesMs }
}

/**
 * Shared state of many processes, on Redis or Valkey. Each verb is one script and one round trip, on the server's own clock; the first use
 * asks once more, for the version of the schema. A server or a client that fails, or does not answer in time, is `store_unavailable`.
 *
 * The client is yours: connect it, and close it after the store. The server must not evict (`maxmemory-policy noeviction`).
 *
 * @example
 * const client = await createClient({ url: 'redis://localhost:6379' }).connect()
 * const store = redisStore(client)
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): RedisStore {
  const { prefix, timeoutMs, keepTalliesMs } = checked(options)
  const keys = new Keys(encoded(prefix))
  const link = new Link(wireOf(client), keys, timeoutMs, options.now)
  const store = new ServerStore(link, keys, keepTalliesMs)
  return {
    start: ({ clock }) => link.start(clock),
    get: key => store.get(key),
    set: (key, value, { ttlMs } = {}) => store.set(key, value, ttlMs),
    delete: key => store.delete(key),
    add: (key, amount) => store.add(key, amount),
    scan: (prefix, range) => store.scan(prefix, range),
    acquire: (claims, lease) => store.acquire(claims, lease),
    settle: (holdId, charges, tallies) => store.settle(holdId, charges, tallies),
    renew: (holdId, ttlMs) => store.renew(holdId, ttlMs),
    tally: tallies => store.tally(tallies),
    tallies: ({ start, end }) => store.tallies(start, end),
    close: async () => link.close(),
  }
}
