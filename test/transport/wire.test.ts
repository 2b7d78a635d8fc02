import { createServer as createTlsServer } from 'node:https'
import { type Socket } from 'node:net'
import { createServer as createRawTlsServer } from 'node:tls'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { idleClock } from '../../src/platform/clock.js'
import { httpTransport } from '../../src/transport/http.js'
import type { ByteConsumer, Transport } from '../../src/transport/types.js'
import { selfSigned } from './certificate.js'
import { context, faultOf, httpServer, listen, post, rawServer, readText, scripted, until, type Loopback } from './server.js'

const open: { stop(): Promise<void> }[] = []
const keep = <T extends Loopback>(server: T): T => (open.push(server), server)
const made = (): Transport => {
  const transport = httpTransport({ idle: idleClock() })
  open.push({ stop: () => transport.close() })
  return transport
}
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
const ask = async (transport: Transport, url: string, body?: string) => readText((await transport.send(post(url, body), context())).body)
const tick = () => new Promise(resolve => setImmediate(resolve))

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const one of open.splice(0).reverse()) await one.stop()
})

describe('a connection', () => {
  it('is not used again when something followed the answer, at once or later', async () => {
    for (const laterMs of [undefined, 5]) {
      const evil = 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil'
      const server = keep(await scripted(socket => {
        if (laterMs === undefined) return void socket.write(OK + evil)
        socket.write(OK)
        setTimeout(() => socket.write(evil), laterMs)
      }))
      const transport = made()
      for (let i = 1; i <= 3; i++) {
        expect(await ask(transport, server.url)).toBe('ok')
        expect(server.accepted()).toBe(i)
        await until(() => transport.sockets() === 0)
      }
    }
  })

  it('is not used again when the server wants it closed, whatever framing the answer had', async () => {
    for (const text of ['HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok']) {
      const server = keep(await scripted(socket => socket.write(text)))
      const transport = made()
      expect(await ask(transport, server.url)).toBe('ok')
      await until(() => transport.sockets() === 0 && server.sockets.size === 0)
    }
  })

  it('is not used again when the answer came before the request was sent', async () => {
    const server = keep(await rawServer(socket => socket.once('data', () => (socket.pause(), socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n')))))
    const transport = made()
    const { status, body } = await transport.send(post(server.url, 'x'.repeat(32 * 1024 * 1024)), context())
    expect([status, await body.read()]).toEqual([413, undefined])
    await until(() => transport.sockets() === 0)
  })

  it('that the server closed in order while it was idle costs one more try, not the call', async () => {
    const server = keep(await scripted((socket, n) => (n === 1 ? socket.end() : socket.write(OK))))
    const transport = made()
    for (let i = 0; i < 2; i++) expect(await ask(transport, server.url)).toBe('ok')
    expect(server.accepted()).toBe(2)
  })

  it('that was used last is used first', async () => {
    const waiting: Socket[] = []
    const server = keep(await scripted(socket => void waiting.push(socket)))
    const transport = made()
    const two = [ask(transport, server.url), ask(transport, server.url)]
    await until(() => waiting.length === 2)
    for (const [i, socket] of waiting.entries()) {
      socket.write(OK)
      await two[i]
    }
    for (let i = 0; i < 2; i++) {
      const more = ask(transport, server.url)
      await until(() => waiting.length === 3 + i)
      expect(waiting.at(-1)).toBe(waiting[1])
      waiting.at(-1)?.write(OK)
      await more
    }
    expect(transport.sockets()).toBe(2)
  })

  it('is free for the next call when the consumer hears of the end', async () => {
    const server = keep(await httpServer((_, response) => response.end('ok')))
    const transport = made()
    const { body } = await transport.send(post(server.url), context())
    await new Promise<void>((resolve, reject) => {
      body.flow?.({ bytes: () => undefined, failed: reject, ended: () => void ask(transport, server.url).then(() => resolve(), reject) })
    })
    expect(server.accepted()).toBe(1)
  })

  it('carries bodies of any characters whole, whatever their size', async () => {
    const server = keep(await httpServer((request, response) => request.pipe(response)))
    const transport = made()
    for (const text of ['', 'plain', 'größe €', '😀'.repeat(50_000), 'x'.repeat(1_000_000)]) expect(await ask(transport, server.url, text)).toBe(text)
    const bytes = new Uint8Array([0, 255, 10, 13])
    const { body } = await transport.send({ ...post(server.url), body: bytes }, context())
    expect(new Uint8Array((await body.read()) ?? [])).toEqual(bytes)
    expect(server.accepted()).toBe(1)
  })
})

describe('a body that flows', () => {
  const consumer = (more: Partial<ByteConsumer> = {}) => {
    const seen = { text: '', calls: 0, ended: 0, faults: [] as unknown[] }
    const told: ByteConsumer = {
      bytes: chunk => ((seen.text += Buffer.from(chunk).toString('latin1')), seen.calls++),
      ended: () => seen.ended++,
      failed: fault => seen.faults.push(fault),
      ...more,
    }
    return { seen, told }
  }

  it('gives one call for all that one read of the socket brings, in order, and one end', async () => {
    const server = keep(await scripted(socket => socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${'3\r\nabc\r\n'.repeat(500)}0\r\n\r\n`)))
    const { body } = await made().send(post(server.url), context())
    const { seen, told } = consumer()
    body.flow?.(told)
    await until(() => seen.ended === 1)
    expect(seen).toEqual({ text: 'abc'.repeat(500), calls: expect.any(Number), ended: 1, faults: [] })
    expect(seen.calls).toBeLessThan(10)
  })

  it('stays with its own answer when many share the memory they are read into', async () => {
    const server = keep(await httpServer((request, response) => {
      let left = 20
      const timer = setInterval(() => {
        response.write(`${request.url};`)
        if (--left > 0) return
        clearInterval(timer)
        response.end()
      }, 1)
    }))
    const transport = made()
    const texts = await Promise.all(Array.from({ length: 30 }, (_, i) => ask(transport, `${server.url}/${i}`)))
    expect(texts).toEqual(texts.map((_, i) => `/${i};`.repeat(20)))
    const flowing = await Promise.all(Array.from({ length: 30 }, async (_, i) => {
      const { body } = await transport.send(post(`${server.url}/${i}`), context())
      const { seen, told } = consumer()
      body.flow?.(told)
      await until(() => seen.ended === 1)
      return seen.text
    }))
    expect(flowing).toEqual(texts)
  })

  it('has what came before anybody asked, whatever was read for others since', async () => {
    const server = keep(await httpServer((request, response) => response.end(request.url?.repeat(100))))
    const transport = made()
    const first = await transport.send(post(`${server.url}/first`), context())
    await until(() => first.body.over === true)
    expect(await ask(transport, `${server.url}/other`)).toBe('/other'.repeat(100))
    expect(await readText(first.body)).toBe('/first'.repeat(100))
  })

  it('holds the server back while it is paused, and goes on', async () => {
    let written = 0
    const server = keep(await httpServer((_, response) => {
      const block = Buffer.alloc(64 * 1024)
      const more = () => {
        while (written < 32 * 1024 * 1024) {
          written += block.length
          if (!response.write(block)) return void response.once('drain', more)
        }
        response.end()
      }
      more()
    }))
    const { body } = await made().send(post(server.url), context())
    let read = 0
    let ended = false
    body.flow?.({ bytes: chunk => ((read += chunk.length), body.pause?.()), ended: () => (ended = true), failed: () => undefined })
    await until(() => read > 0)
    await new Promise(resolve => setTimeout(resolve, 100))
    const before = read
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(read).toBe(before)
    expect(read).toBeLessThan(1024 * 1024)
    const on = setInterval(() => body.resume?.(), 0)
    await until(() => ended, 8000)
    clearInterval(on)
    expect(read).toBe(32 * 1024 * 1024)
  })

  it('tells nothing more to one who cancelled it inside the call', async () => {
    const server = keep(await httpServer((_, response) => response.end('ok')))
    const transport = made()
    for (const late of [false, true]) {
      const { body } = await transport.send(post(server.url), context())
      if (late) await until(() => body.over === true)
      const { seen, told } = consumer({ bytes: () => body.cancel() })
      body.flow?.(told)
      await tick()
      await tick()
      expect(seen).toMatchObject({ ended: 0, faults: [] })
    }
  })

  it('fails with the reason of an abort, and with a cut', async () => {
    const server = keep(await scripted(socket => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab')))
    const transport = made()
    for (const how of ['abort', 'cut'] as const) {
      const controller = new AbortController()
      const { body } = await transport.send(post(server.url), context(controller.signal))
      const { seen, told } = consumer()
      body.flow?.(told)
      if (how === 'abort') controller.abort()
      else for (const socket of server.sockets) socket.end()
      await until(() => seen.faults.length === 1)
      expect(seen).toMatchObject({ text: 'ab', ended: 0, faults: [{ code: how === 'abort' ? 'aborted' : 'malformed_response' }] })
      await until(() => transport.sockets() === 0)
    }
  })
})

describe('TLS', () => {
  it('keeps the connection, and takes up the session again on a new one', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    const names: (string | false | null | undefined)[] = []
    const reused: boolean[] = []
    let closing = false
    const tls = createTlsServer(selfSigned(), (_, response) => response.writeHead(200, closing ? { connection: 'close' } : {}).end('ok'))
    tls.on('secureConnection', socket => (names.push(socket.servername), reused.push(socket.isSessionReused())))
    const server = keep(await listen(tls))
    const transport = made()
    const url = `https://localhost:${server.port}`
    for (let i = 0; i < 3; i++) expect(await ask(transport, url)).toBe('ok')
    expect(server.accepted()).toBe(1)
    closing = true
    await ask(transport, url)
    await ask(transport, url)
    expect(reused).toEqual([false, true])
    await ask(transport, `https://127.0.0.1:${server.port}`)
    expect(names).toEqual(['localhost', 'localhost', false])
  })

  it('sends nothing to a server whose certificate is not good', async () => {
    let bytes = 0
    const server = keep(await listen(createRawTlsServer(selfSigned(), socket => socket.on('error', () => undefined).on('data', chunk => (bytes += chunk.length)))))
    const transport = made()
    expect(await faultOf(transport.send(post(`https://localhost:${server.port}`), context()))).toMatchObject({ code: 'network', cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } })
    await until(() => server.sockets.size === 0 && transport.sockets() === 0)
    expect(bytes).toBe(0)
  })

  it('is given up within 100 ms when the call is aborted inside the handshake', async () => {
    const server = keep(await rawServer(socket => socket.resume()))
    const transport = made()
    const controller = new AbortController()
    const fault = faultOf(transport.send(post(`https://localhost:${server.port}`), context(controller.signal)))
    await until(() => server.sockets.size === 1)
    controller.abort()
    expect((await fault).code).toBe('aborted')
    await until(() => server.sockets.size === 0, 100)
    expect(transport.sockets()).toBe(0)
  })

  it('opens nothing for a call that is aborted while TLS is loaded', async () => {
    const server = keep(await rawServer(() => undefined))
    const transport = made()
    const controller = new AbortController()
    const fault = faultOf(transport.send(post(`https://localhost:${server.port}`), context(controller.signal)))
    controller.abort()
    expect((await fault).code).toBe('aborted')
    await transport.close()
    await new Promise(resolve => setTimeout(resolve, 20))
    expect([server.accepted(), transport.sockets()]).toEqual([0, 0])
  })
})
