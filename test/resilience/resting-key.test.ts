import { expect, test } from 'vitest'
import { Gateway, fallback, openai } from '../../src/index.js'
import { scripted, seededRandom, virtualClock } from '../../src/testing/index.js'

const answer = () => Response.json({ id: 'r', object: 'chat.completion', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } })
const limited = (seconds: number) => Response.json({ error: { message: 'slow down', type: 'requests' } }, { status: 429, headers: { 'retry-after': String(seconds) } })

async function scene(replies: (() => Response)[], others: ReturnType<typeof scripted>[] = []) {
  const clock = virtualClock()
  const asked: number[] = []
  const fetch = async (): Promise<Response> => {
    asked.push(clock.now())
    return (replies.shift() ?? answer)()
  }
  const gateway = new Gateway({ routes: { smart: fallback(openai('m', { apiKey: 'k' }), ...others) }, fetch, clock, random: seededRandom(3) })
  const chat = () => gateway.chat({ model: 'smart', messages: 'Hi' }, { retry: { attempts: 3 } })
  // The adapter is loaded with the first call, in real time.
  replies.unshift(answer)
  await chat()
  asked.length = 0
  return { clock, asked, gateway, chat }
}

test('a second call does not fail, and does not knock, while the only key rests for two seconds', async () => {
  const { clock, asked, gateway, chat } = await scene([() => limited(2)])
  const first = chat()
  await clock.advance(500)
  const second = chat()
  await clock.advance(10_000)
  expect((await first).text).toBe('Hello.')
  expect((await second).text).toBe('Hello.')
  const [start = 0, ...later] = asked
  for (const at of later) expect(at - start).toBeGreaterThanOrEqual(2_000)
  expect([clock.pending, gateway.health().calls, gateway.health().deployments[0]?.keys.inFlight]).toEqual([0, 0, 0])
})

test('a call with somebody else to ask does not wait for a key that rests', async () => {
  const { clock, asked, chat } = await scene([() => limited(5)], [scripted('Backup.')])
  const first = chat()
  await clock.advance(100)
  const second = chat()
  await clock.advance(100)
  expect((await second).text).toBe('Backup.')
  expect(asked.length).toBe(1)
  await clock.advance(10_000)
  await first
})

test('a key that rests for longer than the cap is told, with the time, and not waited for', async () => {
  const { clock, asked, chat } = await scene([() => limited(60)])
  const first = chat().catch((error: unknown) => error)
  await clock.advance(1_000)
  await first
  const second = await chat().catch((error: unknown) => error)
  expect(second).toMatchObject({ code: 'rate_limited', retryAfterMs: 59_000 })
  expect(asked.length).toBe(1)
  expect(clock.pending).toBe(0)
})
