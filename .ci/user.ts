import { fallback, Gateway, GatewayError, type ChatResult } from 'sallyport'
import { scripted } from 'sallyport/testing'

const down = scripted({ id: 'down', answers: { fail: { status: 503 } } })
const gateway = new Gateway({ routes: { smart: fallback(down, scripted('Hello')) }, retry: { attempts: 1 } })
const answer: ChatResult = await gateway.chat({ model: 'smart', messages: 'Say hello.' })
if (answer.text !== 'Hello') throw new Error(`got ${answer.text}`)
// @ts-expect-error the names of the routes are known to the compiler
const wrong: unknown = await gateway.chat({ model: 'smrat', messages: 'Hello' }).catch((error: unknown) => error)
if (!GatewayError.is(wrong)) throw new Error('a wrong model name must be a GatewayError')
console.log(answer.text, answer.attempts.length, wrong.code)
await gateway.close()
