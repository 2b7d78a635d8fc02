import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { compatible, Gateway } from '../../src/index.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void

const ROUNDS = 5
const CALLS = 40
const answer = JSON.stringify({ id: 'x', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 1 } })
const fetch = (): Promise<Response> => Promise.resolve(new Response(answer, { headers: { 'content-type': 'application/json' } }))

/** Bytes that are left of a call after small collections alone, in the best of a few rounds. */
async function left(call: () => Promise<unknown>): Promise<number> {
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < 3; i++) collect({ type: 'minor' })
    const before = getHeapStatistics().used_heap_size
    for (let i = 0; i < CALLS; i++) await call()
    for (let i = 0; i < 3; i++) collect({ type: 'minor' })
    rounds.push((getHeapStatistics().used_heap_size - before) / CALLS)
  }
  return Math.min(...rounds)
}

it('lets go of a finished call with the next small collection: what a function in the old space reaches would wait for a full one', async () => {
  const bare = await left(async () => (await fetch()).text())
  const gateway = new Gateway({ fetch, routes: { one: compatible({ name: 'lab', baseUrl: 'http://127.0.0.1:1/v1' }, 'm', { apiKey: 'k' }) } })
  const ours = await left(() => gateway.chat({ model: 'one', messages: 'hi' }))
  // 0.9 kB on Node 20; one such function for each attempt makes it 7.5.
  expect(ours - bare).toBeLessThan(3_000)
  await gateway.close()
})
