import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { startProvider } from '../../scripts/loopback/index.js'
import { Gateway, openai, type CallRecord, type Plugin } from '../../src/index.js'
import { scripted, virtualClock } from '../../src/testing/index.js'
import { thrown, witness } from './support.js'

const ASK = { model: 'smart', messages: 'Hi' } as const

function scene(plugins: readonly Plugin[] = []) {
  const deployment = scripted({ id: 'd', answers: { chunks: ['a', 'b', 'c'], chunkMs: 10, latencyMs: 10 } })
  const clock = virtualClock()
  const written: CallRecord[] = []
  const gateway = new Gateway({ routes: { smart: deployment }, plugins, clock, log: records => void written.push(...records) })
  return { deployment, clock, gateway, written, nothingLeft: () => expect([deployment.open, clock.pending, gateway.health().calls]).toEqual([0, 0, 0]) }
}

describe('close()', () => {
  it('ends the calls that are open, whatever they wait for, and their records are written', async () => {
    const seen = witness()
    const { gateway, clock, written, nothingLeft } = scene([seen])
    const opening = gateway.stream(ASK)
    await clock.advance(10)
    const stream = await opening
    const reading = thrown(() => stream.result())
    const chat = thrown(() => gateway.chat(ASK))
    await clock.advance(5)
    await gateway.close()
    expect([(await reading).code, (await chat).code]).toEqual(['closed', 'closed'])
    expect(seen.records.map(({ code, outcome }) => [code, outcome])).toEqual([['closed', 'failure'], ['closed', 'failure']])
    expect(written.map(({ id }) => id).sort()).toEqual(seen.records.map(({ id }) => id).sort())
    expect(gateway.health().log.dropped).toBe(0)
    nothingLeft()
  })

  it('refuses later calls, of either kind, and twice is once', async () => {
    let closes = 0
    const { gateway, deployment } = scene([{ name: 'p', close: () => (closes++, Promise.resolve()) }])
    await Promise.all([gateway.close(), gateway.close()])
    await gateway.close()
    expect(closes).toBe(1)
    for (const late of [() => gateway.chat(ASK), () => gateway.stream(ASK)]) expect(await thrown(late)).toMatchObject({ code: 'closed', origin: 'caller' })
    expect(deployment.calls).toEqual([])
  })

  it('a plugin that fails to close keeps neither the others nor the sockets', async () => {
    const closed: string[] = []
    const { gateway } = scene([
      { name: 'sync', close: () => { throw new Error('private') } },
      { name: 'bad', close: () => Promise.reject(new Error('private')) },
      { name: 'good', close: () => Promise.resolve().then(() => void closed.push('good')) },
    ])
    await gateway.close().catch(() => undefined)
    expect(closed).toEqual(['good'])
  })

  it('leaving a block closes', async () => {
    const { gateway } = scene()
    await gateway[Symbol.asyncDispose]()
    expect((await thrown(() => gateway.chat(ASK))).code).toBe('closed')
  })

  it('closes the sockets, idle ones too', async () => {
    const server = await startProvider({ dialect: 'openai', paceMs: 0, words: 'Hello' })
    const gateway = new Gateway({ routes: { smart: openai('gpt-4.1', { apiKey: 'k', baseUrl: server.baseUrl }) } })
    await gateway.chat(ASK)
    expect(gateway.health().sockets).toBe(1)
    await gateway.close()
    expect(gateway.health().sockets).toBe(0)
    for (let round = 0; round < 100 && server.openSockets > 0; round++) await sleep(5)
    expect(server.openSockets).toBe(0)
    await server.stop()
  })
})

describe('flush()', () => {
  it('waits until everything is written, and the gateway goes on', async () => {
    const { gateway, clock, written } = scene()
    for (let call = 0; call < 3; call++) {
      const pending = gateway.chat(ASK)
      await clock.advance(100)
      await pending
    }
    await gateway.flush()
    expect(written).toHaveLength(3)
    const pending = gateway.chat(ASK)
    await clock.advance(100)
    expect((await pending).text).toBe('abc')
  })
})
