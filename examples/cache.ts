// An identical call is answered again without asking anybody; identical calls at once share one flight.
import { Gateway } from 'sallyport'
import { scripted } from 'sallyport/testing'

const model = scripted({ id: 'model', price: { input: 1.25, output: 10 }, answers: { text: 'Because air scatters blue light the most.', latencyMs: 30 } })
const gateway = new Gateway({ routes: { smart: model }, cache: { ttlMs: 60_000 } })
const question = { model: 'smart', messages: 'Why is the sky blue?' } as const

for (const what of ['asked', 'again']) {
  const { cached, cost, timings } = await gateway.chat(question)
  console.log(`${what}: cached ${cached}, $${cost.usd}, saved $${cost.saved}, ${Math.round(timings.totalMs)} ms`)
}

// Another tenant is not given what this one paid for.
const other = await gateway.as({ principal: { team: 'other' } }).chat(question)
console.log(`another team: cached ${other.cached}`)

const fresh = await gateway.chat(question, { cache: 'refresh' })
console.log(`'refresh': cached ${fresh.cached}`)

const before = model.calls.length
const together = await Promise.all(Array.from({ length: 5 }, () => gateway.chat({ model: 'smart', messages: 'And at sunset?' })))
console.log(`five at once: ${together.map(({ cached }) => cached).join(', ')}; asked upstream: ${model.calls.length - before}`)
console.log('health:', gateway.health().cache)
await gateway.close()
