// Everybody is down for a second: calls wait, and are let in at a ramp. Who cannot wait long enough is told so at once.
import { Gateway, GatewayError, fallback } from 'sallyport'
import { scripted, type Script } from 'sallyport/testing'

let down = true
const answer = (): Script => (down ? { fail: { status: 503 } } : { text: 'Here again.', latencyMs: 40 })
const gateway = new Gateway({
  routes: {
    patient: { use: fallback(scripted({ id: 'a', answers: answer }), scripted({ id: 'b', answers: answer })), queue: { maxSize: 100, maxWaitMs: 10_000 } },
    hasty: { use: scripted({ id: 'c', answers: answer }), queue: { maxSize: 100, maxWaitMs: 100 } },
  },
  breaker: { failures: 2, probeIntervalMs: 400 },
  retry: { baseMs: 20, maxAttempts: 10 },
})

const startedMs = Date.now()
const since = (): string => `${((Date.now() - startedMs) / 1_000).toFixed(2)} s`
setTimeout(() => {
  down = false
  console.log(`${since()}: the providers are back`)
}, 1_000)

const patient = Array.from({ length: 8 }, async (_, at) => {
  const { deployment, attempts } = await gateway.chat({ model: 'patient', messages: 'Hello?' })
  const tries = attempts.filter(({ outcome }) => outcome !== 'skipped').length
  console.log(`${since()}: call ${at + 1} answered by ${deployment}, try ${tries}`)
})

try {
  await gateway.chat({ model: 'hasty', messages: 'Hello?' })
} catch (error) {
  if (!GatewayError.is(error)) throw error
  console.log(`${since()}: the hasty call: ${error.code}, try again in ${Math.ceil(error.retryAfterMs ?? 0)} ms`)
}
await Promise.all(patient)
console.log(`left over: ${gateway.health().calls} calls`)
await gateway.close()
