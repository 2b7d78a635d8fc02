import { fallback, Gateway, GatewayError, type ChatResult } from 'sallyport'
import { auditLog } from 'sallyport/audit'
import { redisStore, type RedisStore } from 'sallyport/redis'
import { sqliteStore, type SqliteStore } from 'sallyport/sqlite'
import { scripted, verifyAudit } from 'sallyport/testing'

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
