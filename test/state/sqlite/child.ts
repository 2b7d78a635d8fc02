import { once } from 'node:events'
import { sqliteStore } from '../../../src/state/sqlite.js'
import { ENGINES, realClock } from './engine.js'

/** A process of its own on a file: `tsx child.ts engine path task`. */
const [, , engine, path = '', task] = process.argv
const LIMIT = 600
const db = ENGINES.find(({ name }) => name === engine)?.open(path)
if (db === undefined) throw new Error(`no ${engine}`)
const store = sqliteStore(db, { busyTimeoutMs: 10_000 })
store.start({ clock: realClock })
const say = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`)

/** Claims against one limit until it is full; tells what was charged, and the most that was ever charged and held together. */
async function hammer(): Promise<void> {
  let charged = 0
  let most = 0
  let refused = 0
  const one = async (i: number) => {
    const verdict = await store.acquire([{ key: 'money', amount: 3, limit: LIMIT }, { key: 'rate', amount: 1, limit: 10_000, windowMs: 60_000 }], { ttlMs: 60_000 })
    if (!verdict.ok) return void refused++
    const amount = i % 4
    const standings = await store.settle(verdict.holdId, [{ key: 'money', amount: Math.min(amount, 3) }, { key: 'rate', amount: 1 }], [{ group: 'g', field: 'f', amount: 1 }])
    if (standings?.[0] === undefined) throw new Error('not settled')
    most = Math.max(most, standings[0].charged + standings[0].held)
    charged += Math.min(amount, 3)
  }
  for (let round = 0; round < 60; round++) await Promise.all(Array.from({ length: 5 }, (_, i) => one(round * 5 + i)))
  say({ charged, most, refused })
  await store.close?.()
  process.stdin.destroy()
}

/** Holds, settles one of two, tells so, and waits to be killed. */
async function hold(): Promise<void> {
  const claim = { key: 'money', amount: 100, limit: LIMIT }
  const [settled, left] = [await store.acquire([claim], { ttlMs: 500, owner: 'settled' }), await store.acquire([claim], { ttlMs: 500, owner: 'left', tallies: [{ group: 'g', field: 'left', amount: 100 }] })]
  if (!settled.ok || !left.ok) throw new Error('does not fit')
  await store.settle(settled.holdId, [{ key: 'money', amount: 7 }])
  await store.set('key', 'kept')
  say('held')
  setInterval(() => undefined, 1000)
}

say('ready')
await once(process.stdin, 'data')
await (task === 'hammer' ? hammer() : hold())
