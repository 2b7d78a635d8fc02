// Each deployment is tried, then calls go where the first event comes soonest; when that one slows down, they leave it.
import { Gateway, fastest } from 'sallyport'
import { scripted } from 'sallyport/testing'

let slowedDown = false
const near = scripted({ id: 'near', answers: () => ({ text: 'Quick.', latencyMs: slowedDown ? 150 : 10 }) })
const far = scripted({ id: 'far', answers: { text: 'From afar.', latencyMs: 60 } })
const slow = scripted({ id: 'slow', answers: { text: 'At last.', latencyMs: 120 } })

const gateway = new Gateway({ routes: { quick: fastest(slow, far, near) } })

async function ask(count: number): Promise<string> {
  const took: string[] = []
  for (let call = 0; call < count; call++) {
    const { deployment, timings } = await gateway.chat({ model: 'quick', messages: 'Hello' })
    took.push(`${deployment} ${Math.round(timings.totalMs)} ms`)
  }
  return took.join(', ')
}

console.log(`at first: ${await ask(6)}`)
slowedDown = true
console.log(`"near" slows down: ${await ask(12)}`)
console.log(`at once: ${(await Promise.all([ask(1), ask(1), ask(1), ask(1)])).join(', ')}`)
await gateway.close()
