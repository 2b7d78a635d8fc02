import { azure, fallback, gemini, Gateway, GatewayError, tool, type ChatResult } from 'sallyport'
import { fromAiSdk } from 'sallyport/ai-sdk'
import { auditLog } from 'sallyport/audit'
import { bedrock } from 'sallyport/bedrock'
import { redisStore, type RedisStore } from 'sallyport/redis'
import { sqliteStore, type SqliteStore } from 'sallyport/sqlite'
import { scripted, verifyAudit } from 'sallyport/testing'
import { vertex } from 'sallyport/vertex'

const down = scripted({ id: 'down', answers: { fail: { status: 503 } } })
const gateway = new Gateway({ routes: { smart: fallback(down, scripted('Hello')) }, retry: { attempts: 1 } })
const answer: ChatResult = await gateway.chat({ model: 'smart', messages: 'Say hello.' })
if (answer.text !== 'Hello') throw new Error(`got ${answer.text}`)
// @ts-expect-error the names of the routes are known to the compiler
const wrong: unknown = await gateway.chat({ model: 'smrat', messages: 'Hello' }).catch((error: unknown) => error)
if (!GatewayError.is(wrong)) throw new Error('a wrong model name must be a GatewayError')
console.log(answer.text, answer.attempts.length, wrong.code)
await gateway.close()

const governed = new Gateway({
  routes: { smart: { use: scripted({ price: { input: 5, output: 30 }, answers: 'Forty-two.' }), maxOutputTokens: 100 } },
  budgets: [{ of: { team: '*' }, usd: 0.02, window: 'day', zone: 'Europe/Berlin' }],
  limits: [{ of: { key: '*' }, requestsPerMinute: 1 }],
  audit: auditLog('audit.jsonl'),
})
const { secret } = await governed.keys.create({ team: 'search', models: ['smart'] })
const search = governed.as({ key: secret })
const first = await search.chat({ model: 'smart', messages: 'What is 6 times 7?' })
const second: unknown = await search.chat({ model: 'smart', messages: 'And 7 times 6?' }).catch((error: unknown) => error)
if (!GatewayError.is(second) || second.code !== 'limit_exceeded') throw new Error('the second call must be refused')
const [row] = await governed.spend({ by: 'team' })
if (row?.nanos !== first.cost.nanos) throw new Error(`spend() says ${row?.nanos}, the call ${first.cost.nanos}`)
await governed.close()
const { ok, lines } = await verifyAudit('audit.jsonl')
if (!ok || lines !== 5) throw new Error(`the audit log has ${lines} lines and is ${ok ? 'whole' : 'broken'}`)
const stores: readonly [(...from: Parameters<typeof redisStore>) => RedisStore, (...from: Parameters<typeof sqliteStore>) => SqliteStore] = [redisStore, sqliteStore]
console.log(row.usd, second.code, lines, stores.length)

const clouds = [azure('gpt', { resource: 'r', apiKey: 'k' }), gemini('gemini-3-pro'), vertex('gemini-3-pro', { project: 'p', location: 'global', auth: () => 'token' }), bedrock('eu.anthropic.claude-opus-5-v1:0', { region: 'eu-central-1' })]
const parrot = fromAiSdk({
  specificationVersion: 'v3',
  provider: 'parrot',
  modelId: 'one',
  supportedUrls: {},
  doGenerate: async () => ({ content: [{ type: 'text', text: 'Hello again' }], finishReason: { unified: 'stop', raw: 'stop' }, usage: { inputTokens: { total: 1 }, outputTokens: { total: 2 } }, warnings: [] }),
  doStream: async () => ({ stream: new ReadableStream() }),
})
const tools = new Gateway({ routes: { smart: scripted({ answers: [{ toolCalls: [{ name: 'add', input: { a: 2, b: 3 } }] }, 'Five.'] }), parrot, vectors: scripted({ answers: '', embed: {} }), ...Object.fromEntries(clouds.map((cloud, at) => [`cloud-${at}`, cloud])) } })
const add = tool({ name: 'add', inputSchema: { type: 'object' }, execute: input => String((input as { a: number; b: number }).a + (input as { a: number; b: number }).b) })
const run = await tools.runTools({ model: 'smart', messages: 'What is 2 and 3?', tools: [add] })
const { embeddings } = await tools.embed({ model: 'vectors', input: ['one', 'three'] })
const spoken = await tools.chat({ model: 'parrot', messages: 'Hello' })
if (run.text !== 'Five.' || run.steps.length !== 2 || embeddings.length !== 2 || spoken.text !== 'Hello again') throw new Error('tools, vectors or the parrot')
console.log(run.text, run.steps.length, embeddings[1]?.[0], spoken.text, tools.health().deployments.length)
await tools.close()
