// Three ways to stop: a signal, leaving the loop, a deadline. The upstream is closed each time and nobody is blamed.
import { Gateway, GatewayError } from 'sallyport'
import { scripted } from 'sallyport/testing'

const endless = scripted({ id: 'endless', price: { input: 1, output: 1 }, answers: { chunks: Array.from({ length: 1_000 }, (_, at) => `${at} `), chunkMs: 10 } })
const gateway = new Gateway({ routes: { smart: endless } })
const ask = { model: 'smart', messages: 'Count.' } as const

const controller = new AbortController()
try {
  const stream = await gateway.stream(ask, { signal: controller.signal })
  setTimeout(() => controller.abort(), 50)
  for await (const text of stream.textStream) process.stdout.write(text)
} catch (error) {
  if (!GatewayError.is(error)) throw error
  console.log(`\nsignal: ${error.code}, ${error.partial?.text.length} characters had come`)
}

const left = await gateway.stream(ask)
for await (const text of left.textStream) if (text.startsWith('3')) break
console.log('break: still open upstream:', endless.open)

try {
  await gateway.chat(ask, { deadlines: { totalMs: 50 } })
} catch (error) {
  if (!GatewayError.is(error)) throw error
  console.log(`deadline: ${error.code} (${error.deadline}): ${error.message}`)
}
console.log('left over:', gateway.health().calls, 'calls,', endless.open, 'tries')
await gateway.close()
