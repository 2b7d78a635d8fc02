// 2,000 questions, 40 at once, with a bar that also reads well in a log file.
import { Gateway, type BatchProgress } from 'sallyport'
import { scripted } from 'sallyport/testing'

const TOTAL = 2_000
const price = { input: 0.25, output: 2 }
const model = scripted({ price, answers: attempt => (attempt % 400 === 0 ? { fail: { status: 400 } } : { text: 'Forty-two.', latencyMs: attempt % 20 }) })
const gateway = new Gateway({ routes: { smart: model } })

// Made one by one, as there is room: the list is never in memory.
function* questions() {
  for (let at = 1; at <= TOTAL; at++) yield { model: 'smart', messages: `What is ${at} times ${at}?` } as const
}

function bar({ done, failed, running, costUsd }: BatchProgress): string {
  const share = done / TOTAL
  const filled = Math.round(share * 30)
  const cost = costUsd === null ? 'cost unknown' : `$${costUsd.toFixed(4)}`
  return `[${'#'.repeat(filled)}${'.'.repeat(30 - filled)}] ${Math.floor(share * 100)}%  ${done} done, ${failed} failed, ${running} running, ${cost}`
}

let shownTenths = 0
function show(progress: BatchProgress): void {
  if (process.stdout.isTTY) return void process.stdout.write(`\r${bar(progress)}\u001b[K${progress.done === TOTAL ? '\n' : ''}`)
  // Without a terminal a line for each tenth is enough.
  const tenths = Math.floor((progress.done / TOTAL) * 10)
  if (tenths === shownTenths) return
  shownTenths = tenths
  console.log(bar(progress))
}

const failed: number[] = []
let words = 0
for await (const item of gateway.batch(questions(), { concurrency: 40, onProgress: show, stopOn: ['credential_rejected', 'quota_exhausted'] })) {
  if (item.ok) words += item.result.text.split(' ').length
  else failed.push(item.index)
}
console.log(`${words} words; to ask again: items ${failed.sort((a, b) => a - b).join(', ')}`)
await gateway.close()
