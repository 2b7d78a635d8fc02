// Which one is cheaper depends on the request: one deployment has cheap prompts, the other has cheap answers.
import { Gateway, cheapest } from 'sallyport'
import { scripted } from 'sallyport/testing'

const answers = { text: 'An answer of some length.', usage: { inputTokens: 100, outputTokens: 400 } }
const reader = scripted({ id: 'cheap prompts', price: { input: 0.5, output: 20 }, answers })
const writer = scripted({ id: 'cheap answers', price: { input: 5, output: 5 }, answers })

const gateway = new Gateway({ routes: { text: cheapest(reader, writer) } })
const short = 'Write a story about a small door in a wall. '.repeat(9)
const long = `Summarise: ${'all work and no play '.repeat(1_000)}`

const asked = [
  // Answers are expected to be as long as the ones before them: 400 tokens until something was measured.
  { what: '100 tokens of prompt, an answer of any length', messages: short },
  { what: '5,000 tokens of prompt, an answer of any length', messages: long },
  { what: '100 tokens of prompt, an answer of ten at the most', messages: short, maxOutputTokens: 10 },
]
for (const { what, ...request } of asked) console.log(`${what}: ${(await gateway.chat({ model: 'text', ...request })).deployment}`)

const { deployment } = await gateway.chat({ model: 'text', messages: short }, { prefer: { ignore: ['cheap answers'] } })
console.log(`the first without "cheap answers": ${deployment}`)
await gateway.close()
