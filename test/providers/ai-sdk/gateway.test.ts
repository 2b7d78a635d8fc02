import { afterEach, expect, it } from 'vitest'
import { fallback, Gateway, type Deployment, type Group } from '../../../src/index.js'
import { fromAiSdk } from '../../../src/providers/ai-sdk/index.js'
import { scripted, virtualClock } from '../../../src/testing/index.js'
import { failure, finishOf, model } from './support.js'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})
function gatewayOf(route: Deployment | Group, more: object = {}): Gateway<{ smart: Deployment | Group }> {
  const gateway = new Gateway({ routes: { smart: route }, retry: { attempts: 1 }, ...more })
  ends.push(() => gateway.close())
  return gateway
}
const request = { model: 'smart', messages: 'Hi', maxOutputTokens: 5 } as const

it('a budget counts a model of the SDK by the price it is given, and refuses before it is asked', async () => {
  const made = model()
  const gateway = gatewayOf(fromAiSdk(made, { price: { input: 100_000, output: 100_000 } }), { budgets: [{ name: 'all', usd: 60, window: 'day' }] })
  expect((await gateway.chat(request)).cost).toMatchObject({ usd: 1.5 })
  await gateway.flush()
  const error = await failure(async () => {
    for (let call = 0; call < 60; call++) await gateway.chat(request)
  })
  expect(error.code).toBe('budget_exceeded')
  expect(made.asked.length).toBeLessThan(41)
})

it('a model that ignores its signal holds nothing past the deadline', async () => {
  const clock = virtualClock()
  const silent = model({ parts: [], end: 'hang' })
  const deaf = { ...silent, doGenerate: () => new Promise<never>(() => undefined) }
  const gateway = gatewayOf(fallback(fromAiSdk(deaf, { id: 'deaf' }), scripted({ id: 'backup', answers: 'Here' })), { clock, deadlines: { answerMs: 500, firstEventMs: 500, idleMs: 500, totalMs: 5000 } })
  const chat = gateway.chat(request)
  await clock.advance(1000)
  expect(await chat).toMatchObject({ text: 'Here', attempts: [{ deployment: 'deaf', code: 'timeout' }, { deployment: 'backup' }] })
  const stream = gateway.stream(request).then(opened => opened.result())
  await clock.advance(1000)
  expect(await stream).toMatchObject({ deployment: 'backup' })
  expect(silent.streams[0]?.cancelled).toBe(1)
  expect(gateway.health().calls).toBe(0)
})

it('a message of the model goes back to it with what it signed, and to another without', async () => {
  const content = [{ type: 'reasoning', text: 'hm', providerMetadata: { mine: { signature: 's' } } }, { type: 'text', text: 'Hello' }]
  const [signs, other] = [model({ content }), model({ modelId: 'other' })]
  const gateway = new Gateway({ routes: { signs: fromAiSdk(signs), other: fromAiSdk(other) } })
  ends.push(() => gateway.close())
  const { message } = await gateway.chat({ model: 'signs', messages: 'Hi' })
  const messages = [{ role: 'user', content: 'Hi' }, message, { role: 'user', content: 'And?' }] as const
  await gateway.chat({ model: 'signs', messages })
  const elsewhere = await gateway.chat({ model: 'other', messages })
  expect(signs.asked[1]?.['prompt']).toMatchObject([{}, { content: [{ type: 'reasoning', text: 'hm', providerOptions: { mine: { signature: 's' } } }, { type: 'text', text: 'Hello' }] }, {}])
  expect(other.asked[0]?.['prompt']).toMatchObject([{}, { content: [{ type: 'text', text: 'Hello' }] }, {}])
  expect(elsewhere.warnings).toMatchObject([{ code: 'dropped' }])
})

it('a failing model is left for another and comes back when it is well', async () => {
  let well = false
  const made = model()
  const flaky = { ...made, doGenerate: (options: never) => (well ? made.doGenerate(options) : Promise.reject(Object.assign(new Error('x'), { name: 'AI_APICallError', statusCode: 503 }))) }
  const gateway = gatewayOf(fallback(fromAiSdk(flaky, { id: 'sdk' }), scripted({ id: 'backup', answers: 'Backup' })))
  expect(await gateway.chat(request)).toMatchObject({ deployment: 'backup', attempts: [{ code: 'upstream_error' }, {}] })
  well = true
  expect(await gateway.chat(request)).toMatchObject({ deployment: 'sdk', finishReason: 'stop', usage: { inputTokens: 10, outputTokens: (finishOf('v3')['usage'] as { outputTokens: { total: number } }).outputTokens.total } })
})
