// Two gateways, as two processes would have them, share one budget. With REDIS_URL set it lies in Redis (npm install redis), else in memory.
import { Gateway, GatewayError, type Store } from 'sallyport'
import { memoryStore, scripted } from 'sallyport/testing'

interface Shared {
  /** One for each gateway: closing a gateway closes its store. */
  store(): Store
  close(): Promise<unknown>
}

/** What `redis` gives; by name, because this project does not install it. */
interface Client {
  connect(): Promise<Client>
  close(): Promise<unknown>
}

async function inRedis(url: string): Promise<Shared> {
  const [entry, driver] = ['sallyport/redis', 'redis']
  const { redisStore } = (await import(entry)) as { redisStore(client: Client, options: { prefix: string }): Store }
  const { createClient } = (await import(driver)) as { createClient(options: { url: string }): Client }
  const client = await createClient({ url }).connect()
  const prefix = `example-${Date.now()}`
  return { store: () => redisStore(client, { prefix }), close: () => client.close() }
}

function inMemory(): Shared {
  const after = (ms: number, fn: () => void) => {
    const timer = setTimeout(fn, ms)
    return { cancel: () => clearTimeout(timer) }
  }
  const store = memoryStore({ clock: { now: () => Date.now(), after } })
  return { store: () => store, close: () => Promise.resolve() }
}

const url = process.env['REDIS_URL']
console.log(url === undefined ? 'REDIS_URL is not set: both gateways share one store in memory' : 'both gateways share a store in Redis')
const { store, close } = url === undefined ? inMemory() : await inRedis(url)

const usage = { inputTokens: 100, outputTokens: 300 }
const gateways = ['one', 'two'].map(id => {
  const model = scripted({ id, price: { input: 5, output: 30 }, answers: { text: 'Fine.', latencyMs: 20, usage } })
  return new Gateway({ routes: { smart: model }, maxOutputTokens: 400, store: store(), budgets: [{ name: 'all', usd: 0.06, window: 'day' }] })
})

const asked = Array.from({ length: 10 }, (_, at) => gateways[at % 2]?.chat({ model: 'smart', messages: 'Hello' }))
const ends = await Promise.allSettled(asked)
const refused = ends.filter(end => end.status === 'rejected' && GatewayError.is(end.reason) && end.reason.code === 'budget_exceeded')
console.log(`10 calls at once: ${ends.length - refused.length} answered, ${refused.length} refused`)
for (const gateway of gateways) await gateway.flush()

// A key that one of them makes is good at the other.
const { secret } = (await gateways[0]?.keys.create({ team: 'search' })) ?? { secret: '' }
const answer = await gateways[1]?.as({ key: secret }).chat({ model: 'smart', messages: 'Hello' })
console.log(`with a key of the first gateway: ${answer?.text} (${answer?.deployment})`)
for (const { of, usd } of (await gateways[0]?.spend({ by: 'deployment' })) ?? []) console.log(`${of} spent $${usd}`)
for (const gateway of gateways) await gateway.close()
await close()
