import { afterEach, expect, test } from 'vitest'
import { compatible, fallback, Gateway, type CallRecord } from '../../src/index.js'
import { scripted, until, type Loopback } from '../transport/server.js'

const PRICE = { input: 1, output: 2 }
const WHOLE = JSON.stringify({ id: 'c-1', object: 'chat.completion', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'The whole answer.' }, finish_reason: 'stop' }], usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 } })
const VECTORS = JSON.stringify({ object: 'list', data: [{ object: 'embedding', index: 0, embedding: [0.1, 0.2] }], model: 'm', usage: { prompt_tokens: 5, total_tokens: 5 } })
/** Characters of the prompt below, at four to a token. */
const PROMPT = 10
const open: { stop?(): Promise<void>; close?(): Promise<void> }[] = []
const keep = <T extends { stop?(): Promise<void>; close?(): Promise<void> }>(one: T): T => (open.push(one), one)
const head = (bytes: number): string => `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n`

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await (one.close?.() ?? one.stop?.())
})

async function scene(body: string, sent: string, then: 'cut' | 'hang') {
  const bad = keep(await scripted(socket => {
    socket.write(head(body.length) + sent)
    if (then === 'cut') setTimeout(() => socket.destroy(), 5)
  }))
  const good = keep(await scripted(socket => socket.write(head(body.length) + body)))
  const at = (name: string, { url }: Loopback) => compatible({ name, baseUrl: url }, 'm', { apiKey: 'k', price: PRICE, capabilities: { maxOutputTokens: 1_000 } })
  const records: CallRecord[] = []
  const gateway = keep(new Gateway({ routes: { one: at('bad', bad), two: fallback(at('bad', bad), at('good', good)) }, budgets: [{ of: {}, usd: 1, window: 'total' }], plugins: [{ name: 'seen', observe: record => void records.push(record) }], retry: { attempts: 1 } }))
  return { bad, gateway, records, spent: async () => (await gateway.spend({}))[0]?.nanos }
}
const request = (model: 'one' | 'two') => ({ model, messages: 'x'.repeat(4 * PROMPT), maxOutputTokens: 100 })
const partial = WHOLE.slice(0, 120)
/** 10 tokens of prompt and 30 of what had arrived. */
const CUT = PROMPT * 1_000 + 30 * 2_000

test('an answer in one piece that is cut on its way was made, and is paid for: it is in the sum, and in the budget', async () => {
  const { gateway, records, spent } = await scene(WHOLE, partial, 'cut')
  const { text, cost, attempts } = await gateway.chat(request('two'))
  expect([text, cost.nanos, cost.estimated]).toEqual(['The whole answer.', CUT + 13_000, true])
  expect(attempts.map(({ costNanos, usage }) => [costNanos, usage?.outputTokens])).toEqual([[CUT, 30], [13_000, 3]])
  expect([await spent(), records[0]?.costNanos]).toEqual([CUT + 13_000, CUT + 13_000])
})

test('so is one that the caller, or a deadline, ends on its way; not more than its bound', async () => {
  const { bad, gateway, records, spent } = await scene('y'.repeat(9_999), `{${' '.repeat(4_999)}`, 'hang')
  const abort = new AbortController()
  const asked = gateway.chat(request('one'), { signal: abort.signal })
  await until(() => bad.sockets.size === 1)
  setTimeout(() => abort.abort(), 30)
  await expect(asked).rejects.toMatchObject({ code: 'aborted' })
  await expect(gateway.chat(request('one'), { deadlines: { answerMs: 50 } })).rejects.toMatchObject({ code: 'timeout' })
  const one = PROMPT * 1_000 + 100 * 2_000
  expect(records.map(({ costNanos }) => costNanos)).toEqual([one, one])
  expect(await spent()).toBe(2 * one)
})

test('an answer of which nothing came, one that is whole and no answer, and a page of a proxy cost nothing', async () => {
  const wrong = JSON.stringify({ error: { message: 'overloaded', type: 'server_error' } })
  for (const [body, sent, then] of [[WHOLE, '', 'cut'], [WHOLE, '  \n ', 'cut'], [wrong, wrong, 'hang'], ['<html>', '<html>', 'hang'], ['<html> and more', '<html>', 'cut']] as const) {
    const { gateway, records, spent } = await scene(body, sent, then)
    await expect(gateway.chat(request('one'))).rejects.toMatchObject({ name: 'GatewayError' })
    expect([sent, records[0]?.costNanos, await spent()]).toEqual([sent, 0, 0])
  }
})

test('of embeddings that are cut what was asked is paid for, and no output', async () => {
  const { gateway } = await scene(VECTORS, VECTORS.slice(0, 40), 'cut')
  const { cost, attempts } = await gateway.embed({ model: 'two', input: 'x'.repeat(4 * PROMPT) })
  expect([cost.nanos, cost.estimated]).toEqual([PROMPT * 1_000 + 5_000, true])
  expect(attempts.map(({ costNanos }) => costNanos)).toEqual([PROMPT * 1_000, 5_000])
})

