// The cheaper one depends on the request: one deployment has cheap prompts, the other has cheap answers.
import { Gateway, cheapest } from 'sallyport'
import { scripted } from 'sallyport/testing'

const reader = scripted({ id: 'cheap prompts', price: { input: 0.5, output: 20 }, answers: { text: 'A summary.', usage: { inputTokens: 5_000, outputTokens: 50 } } })
const writer = scripted({ id: 'cheap answers', price: { input: 5, output: 5 }, answers: { text: 'A long story.', usage: { inputTokens: 50, outputTokens: 3_000 } } })

const gateway = new Gateway({ routes: { text: cheapest(reader, writer) } })

const asked = [
  { what: 'summarise a long text', messages: `Summarise: ${'all work and no play '.repeat(1_000)}`, maxOutputTokens: 50 },
  { what: 'write a long text', messages: 'Write a story.', maxOutputTokens: 3_000 },
]
for (const { what, messages, maxOutputTokens } of asked) {
  const { deployment, cost } = await gateway.chat({ model: 'text', messages, maxOutputTokens })
  console.log(`${what}: ${deployment}, $${cost.usd}`)
}
const { deployment } = await gateway.chat({ model: 'text', messages: 'Write a story.', maxOutputTokens: 3_000 }, { prefer: { ignore: ['cheap answers'] } })
console.log(`the same without the cheap answers: ${deployment}`)
await gateway.close()
