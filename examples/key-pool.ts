// Several keys of one deployment: a key that is refused rests, and the next one is asked at once.
import { Gateway, openai } from 'sallyport'

const working = new Set(['key-b', 'key-c'])
const asked: string[] = []

// A stand-in for the network; leave `fetch` out to use Node's own HTTP.
const fakeServer: typeof fetch = (input, init) => {
  const key = new Request(input, init).headers.get('authorization')?.replace('Bearer ', '') ?? ''
  asked.push(key)
  if (!working.has(key)) return Promise.resolve(Response.json({ error: { message: 'Incorrect API key provided.', code: 'invalid_api_key' } }, { status: 401 }))
  const choices = [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }]
  return Promise.resolve(Response.json({ id: 'x', model: 'gpt-5.6', choices, usage: { prompt_tokens: 3, completion_tokens: 2 } }))
}

const gateway = new Gateway({ routes: { smart: openai('gpt-5.6', { apiKey: ['key-a', 'key-b', 'key-c'] }) }, fetch: fakeServer })

for (let call = 1; call <= 3; call++) {
  const { attempts } = await gateway.chat({ model: 'smart', messages: 'Hi' })
  console.log(`call ${call}: ${attempts.map(({ outcome, code }) => code ?? outcome).join(', ')}`)
}
console.log('asked with', asked.join(', '))
console.log('keys:', gateway.health().deployments[0]?.keys)
await gateway.close()
