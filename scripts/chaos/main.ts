// Processes that share a store, killed and cut off from it under load: prints what each promise measured, and exits with 1 where one did not hold.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Row } from './evidence.js'
import { judge } from './judge.js'
import { run, Started } from './run.js'
import type { Scene } from './world.js'

const quick = process.argv.includes('--quick')
const only = process.argv.find(word => word.startsWith('--only='))?.slice(7)
const keep = process.argv.includes('--keep')
const SEED = 20_261
const BOUND_MS = 230_000

const minute = new Date().getUTCMinutes()
// Half past in the one is full in the other.
const hours = minute >= 15 && minute < 45 ? 'UTC' : 'Asia/Kolkata'

const scenes: readonly Scene[] = [
  {
    name: 'Redis',
    processes: 4,
    callers: quick ? 400 : 1_000,
    loadMs: quick ? 24_000 : 44_000,
    users: quick ? 14 : 36,
    usd: quick ? { total: 1.5, rolling: 0.8, hour: 0.9, team: 0.5, key: 0.05 } : { total: 5, rolling: 1.8, hour: 3, team: 1.5, key: 0.12 },
    seed: SEED,
    hours,
  },
  { name: 'SQLite', processes: 2, callers: quick ? 150 : 300, loadMs: quick ? 20_000 : 26_000, users: quick ? 6 : 10, usd: quick ? { total: 0.7, rolling: 0.4, hour: 0.4, team: 0.3, key: 0.05 } : { total: 1.1, rolling: 0.5, hour: 0.7, team: 0.4, key: 0.05 }, seed: SEED + 1, hours },
]

const folder = mkdtempSync(join(tmpdir(), 'sallyport-chaos-'))
const started = new Started()
let ending: Promise<void> | undefined

function end(): Promise<void> {
  ending ??= started.end().then(() => {
    if (!keep) rmSync(folder, { recursive: true, force: true })
  })
  return ending
}

function leave(why: string): void {
  console.error(why)
  void end().then(() => process.exit(1))
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => leave(signal))
const bound = setTimeout(() => leave(`not within ${BOUND_MS / 1_000} s`), BOUND_MS)

const rows: (Row & { readonly store: string })[] = []
try {
  for (const scene of scenes) {
    if (only !== undefined && only !== scene.name.toLowerCase()) continue
    const startMs = performance.now()
    console.log(`\n${scene.name}, seed ${scene.seed}: ${scene.processes} processes, ${scene.callers} callers, ${scene.loadMs / 1_000} s of load`)
    const found = judge(await run(scene, join(folder, scene.name), started))
    for (const row of found) {
      rows.push({ ...row, store: scene.name })
      console.log(`${row.ok ? 'ok    ' : 'FAILED'}  ${row.promise}\n          ${row.measured}`)
    }
    await started.end()
    console.log(`        in ${((performance.now() - startMs) / 1_000).toFixed(0)} s`)
  }
} catch (error) {
  rows.push({ store: '', promise: 'the run', measured: String(error), ok: false })
  console.error(error)
} finally {
  clearTimeout(bound)
  await end()
}
console.log('\n| store | promise | measured | |\n|---|---|---|---|')
for (const { store, promise, measured, ok } of rows) console.log(`| ${store} | ${promise} | ${measured} | ${ok ? 'ok' : 'FAILED'} |`)
if (keep) console.log(`\nkept in ${folder}`)
if (rows.some(({ ok }) => !ok) || ending === undefined) process.exitCode = 1
