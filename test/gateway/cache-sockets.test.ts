import { afterEach, describe, expect, it } from 'vitest'
import { Gateway, type CallOptions, type GatewayError } from '../../src/index.js'
import { countedClock, expectNothingLeft } from '../compositions/left-behind.js'
import { deploymentAt, ORDERS, provider, TEXT, until } from '../compositions/support.js'
import { ask } from './cache-scene.js'
import { witness } from './support.js'

const open: Gateway[] = []
afterEach(async () => {
  for (const gateway of open.splice(0)) await gateway.close()
})

describe.each(ORDERS)('a cache before a real %s server', dialect => {
  async function scene(paceMs: number) {
    const server = await provider({ dialect, paceMs })
    const [clock, seen] = [countedClock(), witness()]
    const gateway = new Gateway({ routes: { smart: deploymentAt(server, dialect, 'd') }, clock, cache: true, plugins: [seen] })
    open.push(gateway as unknown as Gateway)
    const read = async (options: CallOptions = {}): Promise<string> => (await gateway.stream(ask(), options)).result().then(({ text }) => text)
    return { server, gateway, read, records: seen.records, nothingLeft: () => expectNothingLeft({ gateway, clock, providers: [server] }) }
  }

  it('fifty streams at once are one request, and the next is none', async () => {
    const { server, gateway, read, records, nothingLeft } = await scene(1)
    const texts = await Promise.all(Array.from({ length: 50 }, () => read()))
    expect(new Set(texts)).toEqual(new Set([TEXT]))
    expect((await gateway.chat(ask())).text).toBe(TEXT)
    expect(server.requests).toHaveLength(1)
    expect(records.filter(({ costNanos }) => costNanos !== 0)).toHaveLength(1)
    expect(new Set(records.map(({ usage }) => JSON.stringify(usage))).size).toBe(1)
    await nothingLeft()
  })

  it('the last reader who leaves closes the socket, the others do not', async () => {
    const { server, read, records, nothingLeft } = await scene(20)
    const aborts = Array.from({ length: 5 }, () => new AbortController())
    const reading = aborts.map(({ signal }) => read({ signal }).catch((error: unknown) => (error as GatewayError).code))
    await until(() => server.requests.length === 1)
    for (const abort of aborts.slice(1)) abort.abort()
    await until(() => records.length === 4)
    expect([server.closedByClient, server.openRequests]).toEqual([0, 1])
    aborts[0]?.abort()
    expect(await Promise.all(reading)).toEqual(reading.map(() => 'aborted'))
    await until(() => server.closedByClient === 1)
    expect(server.requests).toHaveLength(1)
    await nothingLeft()
  })
})
