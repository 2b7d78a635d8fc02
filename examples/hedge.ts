// One in five answers of the first deployment is very slow. After 60 ms the second is asked too; the first to answer wins.
import { Gateway, fallback } from 'sallyport'
import { scripted } from 'sallyport/testing'

const CALLS = 30
const price = { input: 1.25, output: 10 }

async function race(hedged: boolean): Promise<void> {
  const usual = scripted({ id: 'usual', price, answers: attempt => ({ text: 'Forty-two.', latencyMs: attempt % 5 === 0 ? 400 : 20 }) })
  const spare = scripted({ id: 'spare', price, answers: { text: 'Forty-two.', latencyMs: 30 } })
  // The share of calls that may be hedged; `hedge: true` is after the p95, for at most one call in twenty.
  const gateway = new Gateway({ routes: { smart: fallback(usual, spare) }, ...(hedged && { hedge: { afterMs: 60, budget: 0.25 } }) })
  const tookMs: number[] = []
  let won = 0
  for (let call = 0; call < CALLS; call++) {
    const { deployment, attempts, timings } = await gateway.chat({ model: 'smart', messages: 'How many?' })
    tookMs.push(timings.totalMs)
    if (deployment === 'spare') won++
    if (hedged && call === 4) for (const { deployment: who, outcome, durationMs } of attempts) console.log(`  ${who}: ${outcome} after ${Math.round(durationMs)} ms`)
  }
  const slowest = Math.max(...tookMs)
  console.log(`${hedged ? 'hedged' : 'alone'}: slowest of ${CALLS} calls ${Math.round(slowest)} ms; the spare one won ${won} and was asked ${spare.calls.length} times; still open: ${usual.open}`)
  await gateway.close()
}

await race(false)
await race(true)
