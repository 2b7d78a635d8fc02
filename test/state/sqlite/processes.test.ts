import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sqliteStore } from '../../../src/state/sqlite.js'
import { ENGINES, folder, realClock, WHY_SKIPPED } from './engine.js'

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url))

if (ENGINES.length === 0) test.skip(WHY_SKIPPED)

describe.each(ENGINES)('several processes, one file: $name', ({ name, open }) => {
  let files = folder()
  let children: ChildProcess[] = []
  beforeEach(() => {
    files = folder()
    children = []
  })
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
    files.remove()
  })

  /** Starts a child, which waits for `go`. */
  function child(task: string): { readonly process: ChildProcess; readonly line: () => Promise<unknown>; readonly go: () => void } {
    const process_ = spawn(process.execPath, ['--import', 'tsx', CHILD, name, files.path('state.db'), task], { stdio: 'pipe' })
    children.push(process_)
    let errors = ''
    process_.stderr.on('data', (data: Buffer) => (errors += data.toString()))
    const lines = createInterface(process_.stdout)[Symbol.asyncIterator]()
    const line = async () => {
      const { value, done } = await lines.next()
      if (done === true) throw new Error(errors)
      return JSON.parse(value) as unknown
    }
    return { process: process_, line, go: () => void process_.stdin.write('go') }
  }

  test('two that make the file at once and claim one limit never exceed it, and leave nothing held', async () => {
    const pair = [child('hammer'), child('hammer')]
    for (const { line } of pair) expect(await line()).toBe('ready')
    for (const { go } of pair) go()
    const reports = (await Promise.all(pair.map(({ line }) => line()))) as { charged: number; most: number; refused: number }[]
    const db = open(files.path('state.db'))
    const store = sqliteStore(db)
    const charged = reports.reduce((sum, report) => sum + report.charged, 0)
    const refused = reports.reduce((sum, report) => sum + report.refused, 0)
    for (const { most } of reports) expect(most).toBeLessThanOrEqual(600)
    expect(refused).toBeGreaterThan(0)
    expect(await store.add('money', 0)).toBe(charged)
    const settled = await store.acquire([{ key: 'money', amount: 0, limit: 1e9 }], { ttlMs: 1000 })
    expect(settled.ok && (await store.settle(settled.holdId, []))).toEqual([{ key: 'money', charged, held: 0 }])
    expect(await store.tallies({ start: 'g', end: 'h' })).toEqual([['g', 'f', 600 - refused]])
    db.close()
  })

  test('what was settled before a kill -9 is charged, and what was held lapses', async () => {
    const { process: process_, line, go } = child('hold')
    expect(await line()).toBe('ready')
    go()
    expect(await line()).toBe('held')
    const gone = once(process_, 'exit')
    process_.kill('SIGKILL')
    await gone
    const db = open(files.path('state.db'))
    const store = sqliteStore(db)
    store.start({ clock: realClock })
    expect(await store.get('key')).toBe('kept')
    expect(await store.add('money', 0)).toBe(107)
    await new Promise(resolve => setTimeout(resolve, 500))
    const verdict = await store.acquire([{ key: 'money', amount: 1, limit: 600 }], { ttlMs: 1000 })
    expect(verdict.lapsed).toEqual([{ holdId: expect.any(String) as string, owner: 'left' }])
    expect(await store.tallies({ start: 'g', end: 'h' })).toEqual([['g', 'left', 100]])
    expect(verdict.ok && (await store.settle(verdict.holdId, []))).toEqual([{ key: 'money', charged: 107, held: 0 }])
    await store.close?.()
    db.close()
  })
})
