// A model of the AI SDK in a route, with a fallback, a price and a rescue. A real one comes from a package: anthropic('claude-sonnet-4-5') of @ai-sdk/anthropic.
import { fallback, Gateway } from 'sallyport'
import { fromAiSdk } from 'sallyport/ai-sdk'
import { scripted } from 'sallyport/testing'

const words = 'A parrot says what it was told, word for word.'.split(/(?<= )/)
let calls = 0

// What any @ai-sdk package gives, made by hand: the second stream is lost in the middle.
const parrot = {
  specificationVersion: 'v3',
  provider: 'mine',
  modelId: 'parrot',
  supportedUrls: {},
  doGenerate: () => Promise.reject(new Error('not in this example')),
  doStream: () => {
    const lost = ++calls === 2
    const said = lost ? words.slice(0, 4) : words
    const parts = [
      { type: 'stream-start', warnings: [] },
      { type: 'text-start', id: '1' },
      ...said.map(delta => ({ type: 'text-delta', id: '1', delta })),
      ...(lost ? [] : [{ type: 'text-end', id: '1' }, { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: { inputTokens: { total: 9 }, outputTokens: { total: words.length } } }]),
    ]
    const stream = new ReadableStream({ start: controller => (parts.forEach(part => void controller.enqueue(part)), controller.close()) })
    return Promise.resolve({ stream })
  },
} as const

const gateway = new Gateway({
  routes: {
    smart: fallback(
      fromAiSdk(parrot, { id: 'parrot', price: { input: 1, output: 5 } }),
      scripted({ id: 'backup', price: { input: 1, output: 5 }, capabilities: { prefill: true }, answers: words.join('') }),
    ),
  },
})

for (const what of ['whole', 'lost in the middle']) {
  const stream = await gateway.stream({ model: 'smart', messages: 'Speak.' }, { recover: 'continue' })
  for await (const event of stream) if (event.type === 'text-delta') process.stdout.write(event.text)
  const { deployment, cost } = await stream.result()
  console.log(`\n  ${what}: finished by ${deployment}, $${cost.usd}`)
}
await gateway.close()
