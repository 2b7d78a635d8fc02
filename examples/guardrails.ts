// Guards: what may be asked, how long it may be, and what an answer may not hold. A stream tells no part of it.
import { Gateway, GatewayError } from 'sallyport'
import { allowedTopics, blockList, maxPrompt, secretLeak, type GuardReport } from 'sallyport/guard'
import { scripted } from 'sallyport/testing'

const onReport = ({ guard, at, outcome, reason }: GuardReport): void => console.log(`  report: ${guard} (${at}) ${outcome}: ${reason}`)

// Stands for createDetector() of sallyport/pii.
const detector = {
  maxLength: 64,
  detect: (text: string) => [...text.matchAll(/\btok_[a-z0-9]{8,40}\b/g)].map(({ index, 0: { length } }) => ({ type: 'SECRET', start: index, end: index + length, score: 1, reason: 'prefix' })),
}

const gateway = new Gateway({
  routes: {
    smart: scripted('Bake it for forty minutes.'),
    careless: scripted({ answers: { chunks: ['Sure. I looked it up in the settings of the kitchen, and the token is tok', '_0a1b2c', '3d4e5f, as you asked.'] } }),
  },
  plugins: [
    maxPrompt({ characters: 2_000, onReport }),
    blockList({ words: ['project bluebird'], patterns: [{ pattern: /\bINT-\d{4,8}\b/, maxLength: 12 }], onReport }),
    // A classifier or another model in real life; it has two seconds, and a call it cannot judge is refused.
    allowedTopics(request => ({ allowed: !JSON.stringify(request.messages).includes('stocks'), reason: 'only cooking is talked about here' }), { timeoutMs: 2_000, onReport }),
    secretLeak({ detector, onReport }),
  ],
})

for (const messages of ['How long do I bake bread?', 'What of Project  BLUEBIRD?', 'See ticket INT-20311.', 'Which stocks do I buy?', 'x'.repeat(2_001)]) {
  try {
    console.log('answer:', (await gateway.chat({ model: 'smart', messages })).text)
  } catch (error) {
    if (!GatewayError.is(error)) throw error
    console.log(`${error.code}: ${error.message}`)
  }
}

const stream = await gateway.stream({ model: 'careless', messages: 'What is the token?' })
let told = ''
try {
  for await (const piece of stream.textStream) told += piece
} catch (error) {
  if (!GatewayError.is(error)) throw error
  console.log(`the reader had: ${told}`)
  console.log(`${error.code}: ${error.message}`)
}
await gateway.close()
