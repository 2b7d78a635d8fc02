// Personal data is masked before it leaves, and back in the answer as it streams. Runs offline.
import { Gateway, GatewayError } from 'sallyport'
import { redactPii, type PiiReport } from 'sallyport/pii'
import { scripted } from 'sallyport/testing'

// The placeholder comes in pieces, as it does from a real model, and the model makes up an address of its own.
const upstream = scripted({ answers: { chunks: ['I will write to [EMA', 'IL', '_1] today', ', with a copy to sales@engines-of-babbage.co.uk', '. See https://tracker.test/?m=[EMAIL_1].'] } })

const counts = new Map<string, number>()
const pii = redactPii({
  restore: true,
  known: { PERSON: ['Ada Lovelace'] },
  onReport: ({ type, action }: PiiReport) => void counts.set(`${type} ${action}`, (counts.get(`${type} ${action}`) ?? 0) + 1),
})
const gateway = new Gateway({ routes: { smart: upstream }, plugins: [pii] })

const stream = await gateway.stream({ model: 'smart', messages: 'Write to ada@analytical-engines.co.uk.' }, { conversation: 'c-1' })
for await (const text of stream.textStream) console.log('streamed:', JSON.stringify(text))
console.log('the provider saw:', upstream.calls[0]?.request.messages[0]?.content)
console.log('found:', Object.fromEntries(counts))
console.log('the session:', JSON.stringify(pii.session({ conversation: 'c-1' })))

// The same conversation: the same placeholder, so the history that comes back is what the provider knows already.
const { message } = await stream.result()
await gateway.chat({ model: 'smart', messages: [{ role: 'user', content: 'Write to ada@analytical-engines.co.uk.' }, message, { role: 'user', content: 'And now?' }] }, { conversation: 'c-1' })
console.log('the provider saw:', upstream.calls[1]?.request.messages[1]?.content)

// To take a conversation elsewhere, it is sealed: for this key, this tenant and this conversation.
const key = new Uint8Array(32).fill(7)
const text = await pii.exportSession({ conversation: 'c-1' }, key)
console.log('sealed:', text?.slice(0, 2), 'and', (text?.length ?? 0) > 50)
pii.dispose({ conversation: 'c-1' })

const strict = new Gateway({ routes: { smart: upstream }, plugins: [redactPii({ actions: { EMAIL: 'block' } })] })
await strict.chat({ model: 'smart', messages: 'Write to ada@analytical-engines.co.uk.' }).catch((error: unknown) => console.log(GatewayError.is(error) ? `${error.code}: ${error.message}` : error))
await gateway.close()
await strict.close()
