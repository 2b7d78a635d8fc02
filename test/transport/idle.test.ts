import { afterEach, describe, expect, it } from 'vitest'
import { httpTransport } from '../../src/transport/http.js'
import type { IdleClock } from '../../src/transport/pool.js'
import type { Transport } from '../../src/transport/types.js'
import { context, post, readText, scripted, until, type Loopback } from './server.js'

const open: { stop(): Promise<void> }[] = []
const keep = <T extends Loopback>(server: T): T => (open.push(server), server)
const made = (options: { readonly idle: IdleClock }): Transport => {
  const transport = httpTransport(options)
  open.push({ stop: () => transport.close() })
  return transport
}
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
const ask = async (transport: Transport, url: string) => readText((await transport.send(post(url), context())).body)

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.stop()
})

describe('a parked connection', () => {
  it('is given up after 30 s without use, a second before the server does, and never while it is used', async () => {
    let nowMs = 0
    const timers = new Set<{ readonly dueMs: number; readonly fn: () => void }>()
    const pass = (ms: number): void => {
      nowMs += ms
      for (const timer of [...timers]) if (timer.dueMs <= nowMs && timers.delete(timer)) timer.fn()
    }
    const idle = { now: () => nowMs, after: (ms: number, fn: () => void) => (timer => (timers.add(timer), { cancel: () => void timers.delete(timer) }))({ dueMs: nowMs + ms, fn }) }
    const server = keep(await scripted((socket, n) => n === 2 || socket.write(n === 0 ? OK : OK.replace('\r\n', '\r\nkeep-alive: timeout=7, max=100\r\n'))))
    const transport = made({ idle })
    await ask(transport, server.url)
    pass(29_999)
    expect([transport.sockets(), timers.size]).toEqual([1, 1])
    await ask(transport, server.url)
    expect(server.accepted()).toBe(1)
    pass(5_999)
    expect([transport.sockets(), timers.size]).toEqual([1, 1])
    pass(1)
    await until(() => transport.sockets() === 0 && server.sockets.size === 0)
    expect(timers.size).toBe(0)
    const used = ask(transport, server.url)
    await until(() => server.sockets.size === 1)
    pass(600_000)
    for (const socket of server.sockets) socket.write(OK)
    expect(await used).toBe('ok')
    await transport.close()
    expect(timers.size).toBe(0)
  })

  it('whose time was over while the process was busy is not asked', async () => {
    let nowMs = 0
    const server = keep(await scripted(socket => socket.write(OK)))
    const transport = made({ idle: { now: () => nowMs, after: () => ({ cancel: () => undefined }) } })
    await ask(transport, server.url)
    nowMs = 30_000
    expect(await ask(transport, server.url)).toBe('ok')
    expect(server.accepted()).toBe(2)
    await transport.close()
  })
})
