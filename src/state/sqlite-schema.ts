import { prepared, unavailable, type SqliteDatabase, type Statement } from './sqlite-driver.js'

const VERSION = 1
/** So long SQLite itself may wait for another process: the event loop stands still meanwhile. */
const BLOCK_MS = 1

// Texts are bytes (sqlite-text.ts). `due_ms`, `day` and `expires_ms` are when a row may be cleared away.
const TABLES = `
CREATE TABLE IF NOT EXISTS sallyport_meta (salt TEXT NOT NULL);
INSERT INTO sallyport_meta SELECT lower(hex(randomblob(8))) WHERE NOT EXISTS (SELECT 1 FROM sallyport_meta);
CREATE TABLE IF NOT EXISTS sallyport_values (key BLOB NOT NULL PRIMARY KEY, value TEXT NOT NULL, expires_ms INTEGER);
CREATE INDEX IF NOT EXISTS sallyport_values_end ON sallyport_values (expires_ms) WHERE expires_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS sallyport_counters (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, window_ms INTEGER, sum INTEGER NOT NULL, held INTEGER NOT NULL, due_ms INTEGER);
CREATE INDEX IF NOT EXISTS sallyport_counters_due ON sallyport_counters (due_ms) WHERE due_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS sallyport_entries (counter INTEGER NOT NULL, at_ms INTEGER NOT NULL, hold INTEGER NOT NULL, amount INTEGER NOT NULL, open INTEGER NOT NULL, PRIMARY KEY (counter, at_ms, hold)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sallyport_holds (id INTEGER PRIMARY KEY AUTOINCREMENT, expires_ms INTEGER NOT NULL, parts TEXT NOT NULL, owner BLOB, tallies TEXT);
CREATE INDEX IF NOT EXISTS sallyport_holds_end ON sallyport_holds (expires_ms);
CREATE TABLE IF NOT EXISTS sallyport_tallies (grp BLOB NOT NULL, field BLOB NOT NULL, sum INTEGER NOT NULL, day INTEGER NOT NULL, PRIMARY KEY (grp, field)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sallyport_tallies_day ON sallyport_tallies (day);
PRAGMA user_version = ${VERSION};
`

const SQL = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  mark: 'SAVEPOINT sallyport_verb',
  keep: 'RELEASE sallyport_verb',
  undo: 'ROLLBACK TO sallyport_verb',
  // SQLite counts in whole milliseconds; a double of days is exact to a fiftieth of one.
  // SQLite knows whole milliseconds, rounded down: half a one more, so that what enters a window is rounded up, and no window is short of its length.
  now: "SELECT CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) + 0.5 AS ms",
  get: 'SELECT value, expires_ms AS endMs FROM sallyport_values WHERE key = ?',
  set: 'INSERT INTO sallyport_values (key, value, expires_ms) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_ms = excluded.expires_ms',
  delete: 'DELETE FROM sallyport_values WHERE key = ?',
  scan: 'SELECT key, value FROM sallyport_values WHERE key >= ? AND key < ? AND (expires_ms IS NULL OR expires_ms > ?) ORDER BY key LIMIT ?',
  sweepValues: 'DELETE FROM sallyport_values WHERE rowid IN (SELECT rowid FROM sallyport_values WHERE expires_ms <= ? LIMIT ?)',
  counter: 'SELECT id, sum, held, due_ms AS dueMs FROM sallyport_counters WHERE name = ?',
  newCounter: 'INSERT INTO sallyport_counters (name, window_ms, sum, held, due_ms) VALUES (?, ?, ?, ?, ?)',
  save: 'UPDATE sallyport_counters SET sum = ?, held = ? WHERE id = ?',
  postpone: 'UPDATE sallyport_counters SET due_ms = ? WHERE id = ?',
  dueCounters: 'SELECT id, window_ms AS windowMs, sum, held, due_ms AS dueMs FROM sallyport_counters WHERE due_ms <= ? ORDER BY due_ms LIMIT ?',
  dropCounter: 'DELETE FROM sallyport_counters WHERE id = ?',
  newEntry: 'INSERT INTO sallyport_entries (counter, at_ms, hold, amount, open) VALUES (?, ?, ?, ?, 1)',
  settleEntry: 'UPDATE sallyport_entries SET amount = ?, open = 0 WHERE counter = ? AND at_ms = ? AND hold = ? AND open = 1',
  entries: 'SELECT at_ms AS atMs, hold, amount FROM sallyport_entries WHERE counter = ? AND (at_ms, hold) > (?, ?) ORDER BY at_ms, hold LIMIT ?',
  gone: 'SELECT count(*) AS count, coalesce(sum(amount), 0) AS sum, coalesce(sum(amount * open), 0) AS held FROM sallyport_entries WHERE counter = ? AND at_ms <= ?',
  goneFirst: 'SELECT coalesce(sum(amount), 0) AS sum, coalesce(sum(amount * open), 0) AS held FROM (SELECT amount, open FROM sallyport_entries WHERE counter = ? AND at_ms <= ? ORDER BY at_ms, hold LIMIT ?)',
  dropGone: 'DELETE FROM sallyport_entries WHERE (counter, at_ms, hold) IN (SELECT counter, at_ms, hold FROM sallyport_entries WHERE counter = ? AND at_ms <= ? ORDER BY at_ms, hold LIMIT ?)',
  newHold: 'INSERT INTO sallyport_holds (expires_ms, parts, owner, tallies) VALUES (?, ?, ?, ?)',
  hold: 'SELECT id, parts, owner, tallies FROM sallyport_holds WHERE id = ? AND expires_ms > ?',
  lapsed: 'SELECT id, parts, owner, tallies FROM sallyport_holds WHERE expires_ms <= ? ORDER BY expires_ms, id LIMIT ?',
  dropHold: 'DELETE FROM sallyport_holds WHERE id = ?',
  renew: 'UPDATE sallyport_holds SET expires_ms = max(expires_ms, ?) WHERE id = ? AND expires_ms > ?',
  tally: 'SELECT sum, day FROM sallyport_tallies WHERE grp = ? AND field = ?',
  newTally: 'INSERT INTO sallyport_tallies (grp, field, sum, day) VALUES (?, ?, ?, ?)',
  addTally: 'UPDATE sallyport_tallies SET sum = ? WHERE grp = ? AND field = ?',
  moveTally: 'UPDATE sallyport_tallies SET sum = ?, day = ? WHERE grp = ? AND field = ?',
  tallies: 'SELECT grp, field, sum FROM sallyport_tallies WHERE grp >= ? AND grp < ? ORDER BY grp, field',
  sweepTallies: 'DELETE FROM sallyport_tallies WHERE (grp, field) IN (SELECT grp, field FROM sallyport_tallies WHERE day < ? LIMIT ?)',
}

/** Every statement, prepared once. */
export type Statements = Readonly<Record<keyof typeof SQL, Statement>>

/** A database that is ready. */
export interface Ready {
  readonly db: SqliteDatabase
  readonly sql: Statements
  /** Of this file alone: ids of holds of another one mean nothing here. */
  readonly salt: string
}

const versionOf = (db: SqliteDatabase) => Number((prepared(db, 'PRAGMA user_version').get() as { user_version: number }).user_version)

/** Sets up the connection, and the tables where they are missing. */
export function setUp(db: SqliteDatabase): Ready {
  db.exec(`PRAGMA busy_timeout = ${BLOCK_MS}`)
  const version = versionOf(db)
  // First: a file we do not understand is left as it is.
  if (version > VERSION) throw unavailable(`The schema of this file is newer (${version}) than this version of sallyport knows (${VERSION}). Update sallyport, or give the store a file of its own.`)
  // What was answered survives a power cut: NORMAL would lose the last charges.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  if (version < VERSION) makeTables(db)
  const sql = Object.fromEntries(Object.entries(SQL).map(([name, text]) => [name, prepared(db, text)])) as Statements
  const { salt } = prepared(db, 'SELECT salt FROM sallyport_meta').get() as { salt: string }
  return { db, sql, salt }
}

/** In one transaction; whoever comes second finds them. */
function makeTables(db: SqliteDatabase): void {
  db.exec(SQL.begin)
  try {
    if (versionOf(db) < VERSION) db.exec(TABLES)
    db.exec(SQL.commit)
  } catch (error) {
    db.exec(SQL.rollback)
    throw error
  }
}
