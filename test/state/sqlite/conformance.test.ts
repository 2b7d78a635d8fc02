import { describe, expect, test } from 'vitest'
import { sqliteStore } from '../../../src/state/sqlite.js'
import { storeConformance } from '../../../src/testing/conformance/index.js'
import { ENGINES, OPENS_PATHS, WHY_SKIPPED } from './engine.js'

test('SQLite is there: better-sqlite3 where Node has none', ({ skip }) => {
  if (ENGINES.length === 0 && process.env['SALLYPORT_NEED_SQLITE'] !== '1') {
    console.warn(WHY_SKIPPED)
    skip(WHY_SKIPPED)
  }
  expect(ENGINES.length, WHY_SKIPPED).toBeGreaterThan(0)
})

describe.each(ENGINES)('the SQLite store is a store: $name', ({ open }) => {
  for (const check of storeConformance(clock => sqliteStore(open(':memory:'), { now: () => clock.now() }))) test(check.name, () => check.run())
})

describe.runIf(OPENS_PATHS)('the SQLite store that opens its own', () => {
  for (const check of storeConformance(clock => sqliteStore(':memory:', { now: () => clock.now() }))) test(check.name, () => check.run())
})
