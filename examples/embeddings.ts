// Finds the nearest of some texts. Asks nobody: with a key, put openai('text-embedding-3-small') in place of the scripted model.
import { Gateway } from 'sallyport'
import { scripted } from 'sallyport/testing'

const WORDS = ['door', 'gate', 'fort', 'bread', 'butter', 'jam']
const model = scripted({
  id: 'toy-embeddings',
  price: { input: 0.02, output: 0 },
  answers: '',
  // A toy: one place for each word it knows.
  embed: { maxInputs: 2, vector: text => WORDS.map(word => Number(text.toLowerCase().includes(word))) },
})
const gateway = new Gateway({ routes: { vectors: model } })

const texts = ['A sally port is a door of a fort.', 'Bread with butter and jam.', 'A gate in the wall of a fort.']
const { embeddings, usage, cost, attempts } = await gateway.embed({ model: 'vectors', input: texts, inputType: 'document' })
const { embeddings: [question = new Float32Array()] } = await gateway.embed({ model: 'vectors', input: 'Where is the door of the fort?', inputType: 'query' })

const cosine = (a: Float32Array, b: Float32Array): number => {
  let [dot, aa, bb] = [0, 0, 0]
  for (const [at, x] of a.entries()) {
    const y = b[at] ?? 0
    dot += x * y
    aa += x * x
    bb += y * y
  }
  return aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb)
}
const ranked = texts.map((text, at) => ({ text, score: cosine(question, embeddings[at] ?? new Float32Array()) })).sort((a, b) => b.score - a.score)
for (const { text, score } of ranked) console.log(score.toFixed(2), text)
console.log(`${attempts.length} requests of at most two texts, ${usage.inputTokens} tokens, $${cost.usd}`)
await gateway.close()
