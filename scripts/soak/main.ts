// A hundred thousand calls through one gateway with every gate on: prints what became of them in Markdown, and exits with 1 where a bar is missed.
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../src/testing/index.js'
import { ask } from './ask.js'
import { bars, held, WARM } from './bars.js'
import { makeWorld, type World } from './world.js'

const CALLS = 100_000
const AT_ONCE = 150
const BOUND_MS = 10 * 60_000
const EVERY = 10_000
/** Windows count by the millisecond and slide over a minute: the heap is weighed when they are empty. */
const WINDOW_MS = 61_000

function heapMb(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed / 2 ** 20
}

async function run(world: World): Promise<{ outcomes: Map<string, number>; heaps: number[]; tookMs: number }> {
  const die = seededRandom(2026)
  const outcomes = new Map<string, number>()
  const heaps: number[] = []
  const startedMs = performance.now()
  for (let round = 0; round < CALLS / EVERY && performance.now() - startedMs < BOUND_MS; round++) {
    let next = round * EVERY
    const worker = async (): Promise<void> => {
      while (next < (round + 1) * EVERY && performance.now() - startedMs < BOUND_MS) {
        const outcome = await ask(world, next++, die)
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    await world.gateway.flush()
    world.forget()
    console.error(`${(round + 1) * EVERY} calls, ${((performance.now() - startedMs) / 1_000).toFixed(0)} s, ${heapMb().toFixed(1)} MB`)
    if (round + 1 !== WARM && round + 1 !== CALLS / EVERY) continue
    await sleep(WINDOW_MS)
    world.gateway.health()
    heaps.push(heapMb())
  }
  return { outcomes, heaps, tookMs: performance.now() - startedMs }
}

const rejections: unknown[] = []
process.on('unhandledRejection', reason => void rejections.push(reason))

const world = await makeWorld()
const { outcomes, heaps, tookMs } = await run(world)
const calls = [...outcomes.values()].reduce((sum, count) => sum + count, 0)
const left = await held(world)
await world.stop()

console.log(`\n${calls.toLocaleString('en')} calls, ${AT_ONCE} at once, in ${(tookMs / 1_000).toFixed(0)} s\n\n| what became of it | calls | share |\n|---|---|---|`)
for (const [outcome, count] of [...outcomes].sort(([, one], [, other]) => other - one)) console.log(`| ${outcome} | ${count.toLocaleString('en')} | ${((100 * count) / calls).toFixed(2)} % |`)
console.log('\n| bar | measured | |\n|---|---|---|')
for (const { bar, measured, ok } of bars({ expected: CALLS, calls, outcomes, heaps, left, rejections: rejections.length, seen: world.seen })) {
  console.log(`| ${bar} | ${measured} | ${ok ? 'met' : 'MISSED'} |`)
  if (!ok) process.exitCode = 1
}
