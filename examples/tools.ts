// A tool loop: `result.message` and one message per result go back, until the model has what it needs.
import { Gateway, type Message } from 'sallyport'
import { scripted } from 'sallyport/testing'

const gateway = new Gateway({
  routes: {
    smart: scripted({
      answers: [{ toolCalls: [{ name: 'weather', input: { city: 'Rome' } }, { name: 'weather', input: { city: 'Oslo' } }] }, 'Rome has 21 degrees, Oslo 4.'],
    }),
  },
})

const tools = [{ name: 'weather', description: 'The weather of a city.', inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } }]
const weather = (input: unknown): string => {
  const { city } = input as { city: string }
  return JSON.stringify({ city, degrees: city === 'Rome' ? 21 : 4 })
}

const messages: Message[] = [{ role: 'user', content: 'Where is it warmer, Rome or Oslo?' }]
for (let turn = 0; turn < 5; turn++) {
  const answer = await gateway.chat({ model: 'smart', messages, tools })
  messages.push(answer.message)
  if (answer.toolCalls.length === 0) {
    console.log(answer.text)
    break
  }
  for (const { id, name, input } of answer.toolCalls) {
    console.log(`the model calls ${name}(${JSON.stringify(input)})`)
    messages.push({ role: 'tool', toolCallId: id, content: weather(input) })
  }
}
await gateway.close()
