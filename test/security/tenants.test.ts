import { afterAll, beforeAll, expect, it } from 'vitest'
import { inspect } from 'node:util'
import { Gateway, openai, type CacheStore, type CallRecord, type GatewayOptions } from 'sallyport'
import { blockList } from 'sallyport/guard'
import { KEY, OWN } from './deployments.js'
import { json, Played } from './server.js'

const TENANTS = 50
const CALLS = 1_000
const CANARY = /CANARY-(\d+)-/g
const canary = (tenant: number): string => `CANARY-${tenant}-`
const canariesIn = (value: unknown): string[] => [...new Set([...(typeof value === 'string' ? value : inspect(value, { depth: Infinity, maxStringLength: null, maxArrayLength: null })).matchAll(CANARY)].map(([, tenant]) => String(tenant)))]

let home: Played
beforeAll(async () => void (home = await Played.start()))
afterAll(() => home.stop())

/** Repeats what it was asked, as a chat or in pieces. */
function echo(): void {
  const [row] = OWN
  home.reply = ({ body }, response) => {
    const { messages, stream } = JSON.parse(body) as { messages: { content: string }[]; stream?: boolean }
    const text = `You said ${messages.at(-1)?.content ?? ''}`
    if (stream !== true) return json(response, 200, row?.answer(text))
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let at = 0; at < text.length; at += 7) response.write(row?.more(text.slice(at, at + 7)))
    response.end(`data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`)
  }
}

it('a thousand concurrent calls of fifty tenants keep apart: answers, streams, cache, records and conversations', { timeout: 20_000 }, async () => {
  echo()
  const records: CallRecord[] = []
  const entries = new Map<string, unknown>()
  const store: CacheStore = { get: key => entries.get(key) as never, set: (key, value) => void entries.set(key, value), delete: key => void entries.delete(key), clear: () => entries.clear() }
  const gateway = new Gateway({
    routes: { smart: openai('gpt-4.1', { apiKey: KEY, baseUrl: home.url, limits: { concurrency: 48 } }) },
    queue: { maxSize: 2_000, maxWaitMs: 60_000 }, cache: { store }, log: [{ name: 'own', content: true, write: (batch: readonly CallRecord[]) => void records.push(...batch) }],
    plugins: [blockList({ words: ['nothing of the kind'] })],
  } as unknown as GatewayOptions)
  const calls = Array.from({ length: CALLS }, async (_, at) => {
    const tenant = at % TENANTS
    // Every fourth question is the same for everybody but for whose it is; identical ones of one tenant may share a flight.
    const said = at % 4 === 0 ? canary(tenant) : `${canary(tenant)}${at}`
    const bound = { principal: { team: `team-${tenant}` }, conversation: `c-${tenant}`, metadata: { tenant } } as const
    const ask = { model: 'smart', messages: [{ role: 'user', content: said }] } as never
    if (at % 2 === 0) return { tenant, said, answer: await gateway.chat(ask, bound) }
    const stream = await gateway.stream(ask, bound)
    let text = ''
    for await (const piece of stream.textStream) text += piece
    expect(text).toBe(`You said ${said}`)
    return { tenant, said, answer: await stream.result() }
  })
  const answers = await Promise.all(calls)
  // The same question, word for word, by two tenants: whose answer it is decides.
  const same = await Promise.all([1, 2].map(tenant => gateway.chat({ model: 'smart', messages: 'The same question' } as never, { principal: { team: `team-${tenant}` } })))
  await gateway.flush()
  expect(same.map(({ cached }) => cached)).toEqual([false, false])
  for (const { tenant, said, answer } of answers) expect([answer.text, canariesIn(answer)]).toEqual([`You said ${said}`, [String(tenant)]])
  const own = records.filter(({ metadata }) => metadata !== undefined)
  expect(own).toHaveLength(CALLS)
  for (const record of own) expect([canariesIn(record), record.principal?.team, record.conversation]).toEqual([[String(record.metadata?.['tenant'])], `team-${String(record.metadata?.['tenant'])}`, `c-${String(record.metadata?.['tenant'])}`])
  expect(entries.size).toBeGreaterThan(TENANTS)
  for (const [key, value] of entries) expect([canariesIn(key), canariesIn(value).length <= 1]).toEqual([[], true])
  // What was sent upstream names no tenant beside its own.
  for (const { body } of home.arrived) expect(canariesIn(body).length).toBeLessThanOrEqual(1)
  expect(gateway.health().calls).toBe(0)
  await gateway.close()
  expect(canariesIn(inspect(gateway, { depth: Infinity, showHidden: true }))).toEqual([])
})
