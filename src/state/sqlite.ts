import { GatewayError } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { Clock, Store } from '../protocol/ports.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'
import { chargesOf, checkClaims, checkCount, checkKey, checkLease, checkSpan, checkTallies, jsonOf } from './claims.js'
import { addTo } from './sqlite-counters.js'
import { isDatabase, opened, type SqliteDatabase } from './sqlite-driver.js'
import { acquire, renew, settle } from './sqlite-holds.js'
import { Line } from './sqlite-line.js'
import { setUp } from './sqlite-schema.js'
import { Sweep } from './sqlite-sweep.js'
import { addTallies, talliesBetween } from './sqlite-tallies.js'
import { bytesOf } from './sqlite-text.js'
import { get, scan, set } from './sqlite-values.js'

export type { SqliteDatabase } from './sqlite-driver.js'

export interface SqliteStoreOptions {
  /** How long a verb waits while another process writes, before `store_unavailable`. Default 2,000. */
  readonly busyTimeoutMs?: number
  /** How long a tally is kept after it was last added to, to a day more. Default 400 days. */
  readonly keepTalliesMs?: number
  /** Epoch milliseconds, for tests. Default: SQLite's own time. */
  readonly now?: () => number
}
/** A store in a file. Before `start`, which the gateway calls, a verb that finds the database locked does not wait. */
export type SqliteStore = Store & {
  start(parts: { readonly clock: Clock }): void
}

const OPTIONS = new Set(['busyTimeoutMs', 'keepTalliesMs', 'now'])
const DAY_MS = 86_400_000

/**
 * State in one SQLite file, shared by the processes of one machine. What was answered survives the end of the process and a power cut.
 *
 * With a path the store opens the file when it is first used, with `node:sqlite` (Node 22.13 or newer), and `close()` closes it; a file
 * it makes is for its owner only. An opened database stays open. Give it a connection and a file of its own: it sets `journal_mode`,
 * `synchronous`, `busy_timeout` and `user_version`. The file must be on a local disk.
 *
 * - Verbs of one turn share a transaction. SQLite works on the thread of the caller: an `fsync` a turn.
 * - Windows, periods and leases are measured on the machine's time, as SQLite reads it.
 * - Counters, windows and values that are over are deleted bit by bit, as others are written.
 *
 * @param pathOrDatabase a path, `':memory:'`, or an opened database of `better-sqlite3` or `node:sqlite`
 *
 * @example
 * const store = sqliteStore('./gateway.db')
 */
export function sqliteStore(pathOrDatabase: string | SqliteDatabase, options: SqliteStoreOptions = {}): SqliteStore {
  const { busyTimeoutMs, keepTalliesMs, now } = checked(options)
  const path = typeof pathOrDatabase === 'string' ? pathOrDatabase : undefined
  if (path === '' || path?.startsWith('file:') === true) throw wrong('takes the path of a file, not a URL')
  if (path === undefined && !isDatabase(pathOrDatabase)) throw wrong("takes a path, ':memory:', or an opened database of better-sqlite3 or node:sqlite")
  const database = pathOrDatabase as SqliteDatabase
  let own: SqliteDatabase | undefined
  const open = async () => {
    if (path === undefined) return setUp(database)
    own = await opened(path)
    try {
      return setUp(own)
    } catch (error) {
      own.close()
      own = undefined
      throw error
    }
  }
  const line = new Line({ open, now, busyTimeoutMs, sweep: new Sweep(keepTalliesMs).after })
  let closing: Promise<void> | undefined
  const close = async () => {
    await line.close()
    own?.close()
    own = undefined
  }
  return { ...verbs(line), start: ({ clock }) => line.start(clock), close: () => (closing ??= close()) }
}

/** What is wrong with an argument is said before the database is asked for anything. Of lists a copy waits: the caller may go on with its own. */
function verbs(line: Line): Store {
  return {
    get: async key => line.read(turn => get(turn, key)),
    set: async (key, value, { ttlMs } = {}) => {
      checkKey(key)
      if (ttlMs !== undefined) checkSpan(ttlMs, 'ttlMs')
      const text = jsonOf(value)
      return line.write(turn => set(turn, key, text, ttlMs))
    },
    delete: async key => line.write(turn => void turn.sql.delete.run(bytesOf(key))),
    add: async (key, amount) => {
      checkKey(key)
      checkCount(amount, 'The amount added to a counter')
      return line.write(turn => addTo(turn, key, amount))
    },
    scan: async (prefix, range = {}) => {
      if (range.limit !== undefined) checkCount(range.limit, 'The limit of a scan')
      return line.read(turn => scan(turn, prefix, range))
    },
    acquire: async (claims, lease) => {
      checkClaims(claims)
      checkLease(lease)
      const [asked, given] = [copied(claims), lease.tallies === undefined ? { ...lease } : { ...lease, tallies: copied(lease.tallies) }]
      return line.write(turn => acquire(turn, asked, given))
    },
    settle: async (holdId, charges, tallies = []) => {
      const used = chargesOf(charges)
      checkTallies(tallies)
      const added = copied(tallies)
      return line.write(turn => settle(turn, holdId, used, added))
    },
    renew: async (holdId, ttlMs) => {
      checkSpan(ttlMs, 'The lease of a hold')
      return line.write(turn => renew(turn, holdId, ttlMs))
    },
    tally: async tallies => {
      checkTallies(tallies)
      const added = copied(tallies)
      return line.write(turn => addTallies(turn, added))
    },
    tallies: async ({ start, end }) => line.read(turn => talliesBetween(turn, start, end)),
  }
}

const copied = <T extends object>(list: readonly T[]): readonly T[] => list.map(one => ({ ...one }))

function checked(options: SqliteStoreOptions): { readonly busyTimeoutMs: number; readonly keepTalliesMs: number; readonly now: (() => number) | undefined } {
  if (!isObject(options as unknown)) throw wrong('takes its options as an object')
  refuseUnknownKeys(options, OPTIONS, 'sqliteStore')
  const { busyTimeoutMs = 2_000, keepTalliesMs = 400 * DAY_MS, now } = options
  if (!Number.isFinite(busyTimeoutMs) || busyTimeoutMs < 0) throw wrong('needs milliseconds, 0 or more, as busyTimeoutMs')
  if (!Number.isFinite(keepTalliesMs) || keepTalliesMs <= 0) throw wrong('needs milliseconds above 0 as keepTalliesMs')
  if (now !== undefined && typeof now !== 'function') throw wrong('needs a function that gives epoch milliseconds as now')
  return { busyTimeoutMs, keepTalliesMs, now }
}

function wrong(what: string): GatewayError {
  return new GatewayError('invalid_config', `sqliteStore ${what}.`)
}
