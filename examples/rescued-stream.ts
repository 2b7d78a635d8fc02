// A stream is cut in the middle. With `restart` another deployment answers from the start; with `continue` it goes on.
import { Gateway, GatewayError, fallback } from 'sallyport'
import { scripted } from 'sallyport/testing'

const story = 'Once upon a time a stream was cut, and nobody who read it lost a word.'
const gateway = new Gateway({
  routes: {
    story: fallback(
      scripted({ id: 'fragile', answers: { text: story, chunkMs: 20, fail: 'cut', failAfter: 7 } }),
      scripted({ id: 'sturdy', capabilities: { prefill: true }, answers: { text: story, chunkMs: 20 } }),
    ),
  },
})

for (const recover of ['restart', 'continue'] as const) {
  console.log(`recover: '${recover}'`)
  const stream = await gateway.stream({ model: 'story', messages: 'Tell me a story.' }, { recover })
  for await (const event of stream) {
    if (event.type === 'text-delta') process.stdout.write(event.text)
    if (event.type === 'restart') process.stdout.write(`\n  [${event.reason}: forget that, here it is again]\n`)
    if (event.type === 'warning') process.stdout.write(' [seam] ')
  }
  const { text, deployment } = await stream.result()
  console.log(`\n  ${deployment} finished it, ${text === story ? 'whole' : 'broken'}`)
}

// Without either, what had come is in the error.
const stream = await gateway.stream({ model: 'story', messages: 'Tell me a story.' })
try {
  await stream.result()
} catch (error) {
  if (!GatewayError.is(error)) throw error
  console.log(`recover: 'error'\n  ${error.code} after: ${error.partial?.text}`)
}
await gateway.close()
