import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../../../src/protocol/ports.js'
import type { SqliteDatabase } from '../../../src/state/sqlite.js'

/** A driver the tests run on. */
export interface Engine {
  readonly name: string
  open(path: string, options?: { readonly readonly?: boolean }): SqliteDatabase
}

const PACKAGE = fileURLToPath(new URL('../../sqlite/package.json', import.meta.url))
const require = createRequire(import.meta.url)

function ofNode(): Engine | undefined {
  if (!isBuiltin('node:sqlite')) return undefined
  const { DatabaseSync } = require('node:sqlite') as { DatabaseSync: new (path: string, options: object) => SqliteDatabase }
  return { name: 'node:sqlite', open: (path, { readonly = false } = {}) => new DatabaseSync(path, { readOnly: readonly }) }
}

/** Compiled for one version of Node; another one cannot load it. */
function ofPackage(): Engine | undefined {
  try {
    const Database = createRequire(PACKAGE)('better-sqlite3') as new (path: string, options: object) => SqliteDatabase
    new Database(':memory:', {}).close()
    return { name: 'better-sqlite3', open: (path, { readonly = false } = {}) => new Database(path, { readonly }) }
  } catch (error) {
    if (!existsSync(PACKAGE)) throw error
    return undefined
  }
}

/** What is there of both. */
export const ENGINES: readonly Engine[] = [ofNode(), ofPackage()].filter(engine => engine !== undefined)
/** `sqliteStore(path)` can open a file. */
export const OPENS_PATHS = isBuiltin('node:sqlite')
export const WHY_SKIPPED = 'no SQLite here: npm ci --prefix test/sqlite installs better-sqlite3, and Node 22.13 has node:sqlite'

/** A folder of its own; in memory where a test writes much and asks nothing of the disk. */
export function folder(inMemory = false): { readonly path: (name: string) => string; remove(): void } {
  const at = mkdtempSync(join(inMemory && existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sallyport-sqlite-'))
  return { path: name => join(at, name), remove: () => rmSync(at, { recursive: true, force: true }) }
}

/** Time as it is, for what stands before a lock. */
export const realClock: Clock = {
  now: () => Date.now(),
  after: (ms, fn) => {
    const timer = setTimeout(fn, ms)
    return { cancel: () => clearTimeout(timer) }
  },
}
