import { GatewayError } from '../protocol/errors.js'

/** An opened database of `better-sqlite3` (`Database`) or `node:sqlite` (`DatabaseSync`). */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): object
  close(): unknown
}
/** What is written; numbers arrive as doubles, which the columns turn into integers. */
type Bound = number | string | Uint8Array | null
/** A prepared statement, as both drivers have it. */
export interface Statement {
  run(...values: Bound[]): { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint }
  get(...values: Bound[]): unknown
  all(...values: Bound[]): unknown[]
}

// By number, as node:sqlite gives them; better-sqlite3 gives the names.
const NAMES = 'OK ERROR INTERNAL PERM ABORT BUSY LOCKED NOMEM READONLY INTERRUPT IOERR CORRUPT NOTFOUND FULL CANTOPEN PROTOCOL EMPTY SCHEMA TOOBIG CONSTRAINT MISMATCH MISUSE NOLFS AUTH FORMAT RANGE NOTADB'.split(' ')
const ADVICE: readonly (readonly [start: string, advice: string])[] = [
  ['SQLITE_NOTADB', 'The file is no SQLite database: give the path of one, or of a file that is not there yet.'],
  ['SQLITE_READONLY', 'The database cannot be written: give this process the right to write the file and its folder.'],
  ['SQLITE_CANTOPEN', 'The file cannot be opened: make its folder, and give this process the right to write there.'],
  ['SQLITE_FULL', 'The disk is full.'],
  ['SQLITE_CORRUPT', 'The file is damaged: put a copy in its place.'],
]
const SQL = /^(SQLITE|ERR|E)_?[A-Z_0-9]+$/

/** SQLite's code, or that of the file system; '' where the error has none. */
function codeOf(error: unknown): string {
  const { code, errcode } = (typeof error === 'object' && error !== null ? error : {}) as { readonly code?: unknown; readonly errcode?: unknown }
  if (typeof errcode === 'number') return `SQLITE_${NAMES[errcode & 0xff] ?? errcode & 0xff}`
  return typeof code === 'string' && SQL.test(code) ? code : ''
}

/** Another connection is at work; a moment later all may be well. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|PROTOCOL)/.test(codeOf(error))
}

export function unavailable(message: string): GatewayError {
  return new GatewayError('store_unavailable', message, { origin: 'gateway' })
}

/** What a verb rejects with. Only the code goes out: messages of SQLite have paths and SQL in them. */
export function fault(error: unknown): GatewayError {
  if (GatewayError.is(error)) return error
  const code = codeOf(error)
  const advice = ADVICE.find(([start]) => code.startsWith(start))?.[1]
  return unavailable(`The SQLite store failed (${code === '' ? 'the database is not open' : code}).${advice === undefined ? '' : ` ${advice}`}`)
}

/** Of the right shape; what else it is shows when it is used. */
export function isDatabase(value: unknown): value is SqliteDatabase {
  const { exec, prepare, close } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  return typeof exec === 'function' && typeof prepare === 'function' && typeof close === 'function'
}

/** Prepares a statement that gives rows as objects with plain numbers, whatever the database was set to. */
export function prepared(db: SqliteDatabase, sql: string): Statement {
  const statement = db.prepare(sql) as Statement & { safeIntegers?(on: boolean): void; setReadBigInts?(on: boolean): void; setReturnArrays?(on: boolean): void }
  statement.safeIntegers?.(false)
  statement.setReadBigInts?.(false)
  statement.setReturnArrays?.(false)
  return statement
}

const NO_ENGINE = 'sqliteStore(path) needs node:sqlite, which this Node does not have. Use Node 22.13 or newer, or pass an opened better-sqlite3 database: sqliteStore(new Database(path)).'

/** Opens a file with `node:sqlite`. */
export async function opened(path: string): Promise<SqliteDatabase> {
  let sqlite: { readonly DatabaseSync: new (path: string) => SqliteDatabase }
  try {
    // @ts-expect-error The types are those of Node 20, which has no such module.
    sqlite = (await import('node:sqlite')) as typeof sqlite
  } catch {
    throw new GatewayError('invalid_config', NO_ENGINE)
  }
  if (path !== ':memory:') await made(path)
  return new sqlite.DatabaseSync(path)
}

/** Makes the file where it is missing: SQLite would let everybody read it. The files beside it take its mode. */
async function made(path: string): Promise<void> {
  const { open } = await import('node:fs/promises')
  try {
    await (await open(path, 'wx', 0o600)).close()
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}
