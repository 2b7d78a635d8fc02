// The smallest gateway: one route, one question.
import { Gateway } from 'sallyport'
import { scripted } from 'sallyport/testing'

// With a key: routes: { smart: openai('gpt-5.6') }
const gateway = new Gateway({ routes: { smart: scripted('Because air scatters blue light the most.') } })

const answer = await gateway.chat({ model: 'smart', messages: 'Why is the sky blue?' })
console.log(answer.text)
console.log(`answered by ${answer.deployment}, ${answer.usage.outputTokens} tokens, ${answer.finishReason}`)
await gateway.close()
