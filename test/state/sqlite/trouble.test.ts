import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GatewayError } from '../../../src/protocol/errors.js'
import { sqliteStore, type SqliteDatabase, type SqliteStoreOptions } from '../../../src/state/sqlite.js'
import { ENGINES, folder, OPENS_PATHS, realClock } from './engine.js'

const LEASE = { ttlMs: 60_000 }
const MOST = Number.MAX_SAFE_INTEGER
let files = folder()
let dbs: SqliteDatabase[] = []
beforeEach(() => {
  files = folder()
})
afterEach(() => {
  for (const db of dbs) db.close()
  dbs = []
  files.remove()
})

async function refused(answer: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await answer.then(() => undefined, (caught: unknown) => caught)
  if (!GatewayError.is(error)) throw new Error(`expected a GatewayError, found ${String(error)}`)
  expect(error.message).not.toContain(files.path(''))
  expect(error.message).not.toMatch(/INSERT|SELECT|sallyport_/)
  expect(error.cause).toBeUndefined()
  return error
}

describe.each(ENGINES)('trouble with the file: $name', engine => {
  const open: typeof engine.open = (path, options) => {
    const db = engine.open(path, options)
    dbs.push(db)
    return db
  }

  test('a locked database is waited for without stopping the event loop, and given up in time', async () => {
    const path = files.path('a.db')
    const store = sqliteStore(open(path), { busyTimeoutMs: 300 })
    store.start({ clock: realClock })
    await store.set('a', 1)
    const other = open(path)
    other.exec('BEGIN IMMEDIATE')
    let [gapMs, last] = [0, performance.now()]
    const ticks = setInterval(() => {
      gapMs = Math.max(gapMs, performance.now() - last)
      last = performance.now()
    }, 2)
    const beganMs = performance.now()
    const asked = [store.add('n', 1), store.acquire([], LEASE), store.set('a', 2)].map(refused)
    expect(await store.get('a')).toBe(1)
    for (const error of await Promise.all(asked)) {
      expect(error.code).toBe('store_unavailable')
      expect(error.message).toContain('SQLITE_BUSY')
    }
    const tookMs = performance.now() - beganMs
    clearInterval(ticks)
    expect(tookMs).toBeGreaterThanOrEqual(290)
    expect(tookMs).toBeLessThan(600)
    expect(gapMs).toBeLessThan(150)
    const late = store.add('n', 1)
    await new Promise(resolve => setTimeout(resolve, 50))
    other.exec('COMMIT')
    expect(await late).toBe(1)
    expect(await store.get('a')).toBe(1)
  })

  test('without a clock a locked database is given up after a few tries', async () => {
    const path = files.path('a.db')
    const store = sqliteStore(open(path))
    await store.set('a', 1)
    const other = open(path)
    other.exec('BEGIN IMMEDIATE')
    expect((await refused(store.set('a', 2))).code).toBe('store_unavailable')
    other.exec('ROLLBACK')
    await store.set('a', 3)
    expect(await store.get('a')).toBe(3)
  })

  test('a database locked while it is set up for the first time is waited for', async () => {
    const path = files.path('a.db')
    const other = open(path)
    other.exec('CREATE TABLE theirs (x); BEGIN EXCLUSIVE')
    const store = sqliteStore(open(path))
    store.start({ clock: realClock })
    const done = Promise.all([store.set('a', 1), store.get('a')])
    await new Promise(resolve => setTimeout(resolve, 60))
    other.exec('COMMIT')
    await done
    expect(await store.get('a')).toBe(1)
  })

  test('verbs of one transaction fail alone', async () => {
    const store = sqliteStore(open(files.path('a.db')))
    await store.add('full', MOST)
    const held = await store.acquire([{ key: 'a', amount: 1, limit: 10 }], LEASE)
    const id = held.ok ? held.holdId : ''
    const done = await Promise.allSettled([
      store.add('a', 1),
      store.settle(id, [{ key: 'a', amount: 5 }, { key: 'full', amount: 1 }]),
      store.acquire([{ key: 'b', amount: 1, limit: MOST }, { key: 'full', amount: 1, limit: MOST }], LEASE),
      store.tally([{ group: 'g', field: 'f', amount: 1 }, { group: 'g', field: 'f', amount: MOST }]),
      store.add('a', 1),
    ])
    expect(done.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'])
    expect(await store.add('b', 0)).toBe(0)
    expect(await store.tallies({ start: 'g', end: 'h' })).toEqual([])
    expect(await store.settle(id, [])).toEqual([{ key: 'a', charged: 2, held: 0 }])
  })

  test('a disk that is full fails what does not fit, and nothing afterwards', async () => {
    const db = open(files.path('a.db'))
    const store = sqliteStore(db)
    await store.set('a', 1)
    db.exec('PRAGMA max_page_count = 40')
    const [big, small] = await Promise.allSettled([store.set('big', 'x'.repeat(1_000_000)), store.set('a', 2)])
    expect(big).toMatchObject({ status: 'rejected', reason: { code: 'store_unavailable' } })
    // One transaction: where SQLite ends it, its neighbours are told so.
    expect(await store.get('a')).toBe(small.status === 'fulfilled' ? 2 : 1)
    await store.set('a', 3)
    expect(await store.get('a')).toBe(3)
    expect(await store.get('big')).toBeUndefined()
  })

  test('what was answered survives a power cut: each commit is on the disk', async () => {
    const db = open(files.path('a.db'))
    await sqliteStore(db).set('a', 1)
    const asked = ['synchronous', 'journal_mode'].map(name => Object.values((db.prepare(`PRAGMA ${name}`) as { get(): object }).get()))
    expect(asked).toEqual([[2], ['wal']])
  })

  test('a file that cannot be written says so', async () => {
    const path = files.path('a.db')
    await sqliteStore(open(path)).set('a', 1)
    const store = sqliteStore(open(path, { readonly: true }))
    const error = await refused(store.set('a', 2))
    expect([error.code, error.message]).toEqual(['store_unavailable', expect.stringContaining('SQLITE_READONLY')])
  })

  test('a file that is no database, or one of a newer schema, is left as it is', async () => {
    const path = files.path('a.db')
    writeFileSync(path, 'this is a text, and no database at all. '.repeat(100))
    expect((await refused(sqliteStore(open(path)).get('a'))).message).toContain('SQLITE_NOTADB')
    expect(statSync(path).size).toBe(4000)
    const newer = open(files.path('b.db'))
    newer.exec('PRAGMA user_version = 2')
    const store = sqliteStore(newer)
    for (const error of [await refused(store.get('a')), await refused(store.set('a', 1))]) {
      expect(error.code).toBe('store_unavailable')
      expect(error.message).toContain('The schema of this file is newer')
    }
    expect(newer.prepare('SELECT count(*) AS n FROM sqlite_master') as { get(): unknown }).toSatisfy((statement: { get(): { n: number } }) => statement.get().n === 0)
  })

  test('after close verbs are refused, what was under way is done, and a database that was passed in stays open', async () => {
    const db = open(files.path('a.db'))
    const store = sqliteStore(db)
    const under = [store.set('a', 1), store.add('n', 1)]
    const closed = store.close?.()
    expect((await refused(store.get('a'))).code).toBe('store_unavailable')
    expect((await refused(store.add('n', 1))).code).toBe('store_unavailable')
    await closed
    await Promise.all(under)
    await store.close?.()
    expect(await sqliteStore(db).add('n', 0)).toBe(1)
  })

  test('a database that is closed behind the back is store_unavailable', async () => {
    const db = engine.open(files.path('a.db'))
    const store = sqliteStore(db)
    await store.set('a', 1)
    db.close()
    for (const answer of [store.get('a'), store.set('a', 2)]) expect((await refused(answer)).code).toBe('store_unavailable')
  })

  test('a hold of another file means nothing here', async () => {
    const [one, two] = [sqliteStore(open(files.path('a.db'))), sqliteStore(open(files.path('b.db')))]
    const held = await one.acquire([{ key: 'a', amount: 1, limit: 1 }], LEASE)
    await two.acquire([{ key: 'a', amount: 1, limit: 1 }], LEASE)
    const id = held.ok ? held.holdId : ''
    expect([await two.settle(id, []), await two.renew(id, 1), (await one.settle(id, []))?.length]).toEqual([undefined, false, 1])
  })
})

describe.runIf(OPENS_PATHS)('a path', () => {
  test('is opened when it is first used, for its owner only, and closed by close()', async () => {
    const path = files.path('a.db')
    const store = sqliteStore(path)
    expect(existsSync(path)).toBe(false)
    await store.set('a', 1)
    for (const name of ['', '-wal', '-shm']) expect(statSync(path + name).mode & 0o777).toBe(0o600)
    await store.close?.()
    expect(existsSync(`${path}-wal`)).toBe(false)
    chmodSync(path, 0o640)
    const again = sqliteStore(path)
    expect(await again.get('a')).toBe(1)
    expect(statSync(path).mode & 0o777).toBe(0o640)
    await again.close?.()
  })

  test('that cannot be opened is said with the code only, and tried again', async () => {
    const store = sqliteStore(files.path('none/a.db'))
    const error = await refused(store.get('a'))
    expect([error.code, error.message]).toEqual(['store_unavailable', expect.stringMatching(/ENOENT|SQLITE_CANTOPEN/)])
    await store.close?.()
  })
})

test.skipIf(OPENS_PATHS)('a path where Node has no SQLite says what to do', async () => {
  const error = await refused(sqliteStore(files.path('a.db')).get('a'))
  expect([error.code, error.message]).toEqual(['invalid_config', expect.stringMatching(/Node 22\.13.*better-sqlite3/)])
  expect(existsSync(files.path('a.db'))).toBe(false)
})

test('a mistake in the arguments is said at once', () => {
  const wrong: [unknown, unknown?][] = [[undefined], [{}], [5], [''], ['file:a.db'], [':memory:', { busyTimeout: 5 }], [':memory:', { busyTimeoutMs: -1 }], [':memory:', { keepTalliesMs: 0 }], [':memory:', { now: 5 }], [':memory:', null]]
  for (const [path, options] of wrong) expect(() => sqliteStore(path as string, options as SqliteStoreOptions)).toThrow(expect.objectContaining({ code: 'invalid_config' }) as Error)
  expect(() => sqliteStore('a.db', { busyTimeout: 5 } as SqliteStoreOptions)).toThrow(/busyTimeoutMs/)
})
