import { Agent } from 'node:http'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { idleClock } from '../../src/platform/clock.js'
import { GatewayError } from '../../src/protocol/errors.js'
import { httpTransport } from '../../src/transport/http.js'
import type { Transport } from '../../src/transport/types.js'
import { context, faultOf, httpServer, post, rawServer, readText, scripted, until, type Loopback } from './server.js'

const open: { stop(): Promise<void> }[] = []
const keep = <T extends Loopback>(server: T): T => (open.push(server), server)
const made = (options?: Partial<Parameters<typeof httpTransport>[0]>): Transport => {
  const transport = httpTransport({ idle: idleClock(), ...options })
  open.push({ stop: () => transport.close() })
  return transport
}

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.stop()
})

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

describe('connections', () => {
  it('uses one connection for calls that follow each other', async () => {
    const server = keep(await httpServer((_, response) => response.end('ok')))
    const transport = made()
    for (let i = 0; i < 5; i++) {
      const { status, body } = await transport.send(post(server.url), context())
      expect([status, await readText(body)]).toEqual([200, 'ok'])
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(server.accepted()).toBe(1)
    expect(transport.sockets()).toBe(1)
    await transport.close()
    expect([transport.sockets(), await until(() => server.sockets.size === 0)]).toEqual([0, undefined])
  })

  it('sends method, path, host, headers and the length of a body in bytes', async () => {
    const seen: unknown[] = []
    const server = keep(await httpServer((request, response) => {
      let text = ''
      request.on('data', chunk => (text += String(chunk)))
      request.on('end', () => {
        seen.push(request.method, request.url, request.headers, text)
        response.end()
      })
    }))
    const { body } = await made().send({ method: 'POST', url: `${server.url}/v1/x?y=1`, headers: { 'x-a': 'b' }, body: 'ä€' }, context())
    await readText(body)
    expect(seen).toEqual(['POST', '/v1/x?y=1', { host: `127.0.0.1:${server.port}`, 'x-a': 'b', 'content-length': '5', connection: 'keep-alive' }, 'ä€'])
  })

  it('asks once more, on a new connection, when the server had given up an idle one', async () => {
    const server = keep(await scripted((socket, n) => (n === 1 ? socket.resetAndDestroy() : socket.write(OK))))
    const transport = made()
    for (let i = 0; i < 2; i++) expect(await readText((await transport.send(post(server.url), context())).body)).toBe('ok')
    expect(server.accepted()).toBe(2)
  })

  it('does not ask a third time', async () => {
    let asked = 0
    const server = keep(await scripted((socket, n) => (asked++, n === 0 ? socket.write(OK) : socket.resetAndDestroy())))
    const transport = made()
    await readText((await transport.send(post(server.url), context())).body)
    expect(await faultOf(transport.send(post(server.url), context()))).toMatchObject({ code: 'network', origin: 'network' })
    expect(asked).toBe(3)
  })

  it('does not repeat a request whose answer had begun, nor one on a new connection', async () => {
    let asked = 0
    const server = keep(await scripted((socket, n) => {
      asked++
      if (n === 0) socket.write(OK)
      else if (n === 1) socket.write('HTTP/1.1 200 OK\r\ncont', () => setTimeout(() => socket.resetAndDestroy(), 20))
      else socket.resetAndDestroy()
    }))
    const transport = made()
    await readText((await transport.send(post(server.url), context())).body)
    for (const times of [2, 3]) {
      expect((await faultOf(transport.send(post(server.url), context()))).code).toBe('network')
      expect(asked).toBe(times)
    }
  })

  it('drops an idle connection before the server says it will', async () => {
    const server = keep(await httpServer((_, response) => response.setHeader('keep-alive', 'timeout=1').end('ok')))
    const transport = made()
    await readText((await transport.send(post(server.url), context())).body)
    await until(() => transport.sockets() === 0)
  })

  it('opens nothing for a signal that is already aborted, and nothing after close', async () => {
    const server = keep(await httpServer((_, response) => response.end('ok')))
    const transport = made()
    expect((await faultOf(transport.send(post(server.url), context(AbortSignal.abort())))).code).toBe('aborted')
    await transport.close()
    expect((await faultOf(transport.send(post(server.url), context()))).code).toBe('closed')
    expect(server.accepted()).toBe(0)
  })

  it('ends open answers on close', async () => {
    const server = keep(await httpServer((_, response) => response.write('x')))
    const transport = made()
    const silent = keep(await rawServer(() => undefined))
    const { body } = await transport.send(post(server.url), context())
    await body.read()
    const pending = [faultOf(body.read()), faultOf(transport.send(post(silent.url), context()))]
    await transport.close()
    expect((await Promise.all(pending)).map(fault => fault.code)).toEqual(['closed', 'closed'])
    expect(transport.sockets()).toBe(0)
  })

  it('uses the agent of the caller, and leaves it open', async () => {
    const server = keep(await httpServer((_, response) => response.end('ok')))
    const agent = new Agent({ keepAlive: true })
    const transport = made({ agent, env: () => 'http://127.0.0.1:1' })
    expect(await readText((await transport.send(post(server.url), context())).body)).toBe('ok')
    await transport.close()
    expect(transport.sockets()).toBeUndefined()
    await until(() => Object.keys(agent.freeSockets).length === 1)
    agent.destroy()
    expect(() => httpTransport({ agent: 'x', idle: idleClock() })).toThrow(expect.objectContaining({ code: 'invalid_config' }))
    expect(await faultOf(made({ agent }).send(post('https://127.0.0.1:1'), context()))).toMatchObject({ code: 'invalid_config', origin: 'caller' })
  })

  it('lets the process end while connections are idle, and not while they are used', async () => {
    let end: () => void = () => undefined
    const server = keep(await httpServer((_, response) => {
      response.write('x')
      end = () => response.end()
    }))
    const { body } = await made().send(post(server.url), context())
    // The server's side of the connection is held by this process too.
    const held = () => process.getActiveResourcesInfo().filter(name => name === 'TCPSocketWrap').length
    expect(held()).toBe(2)
    end()
    await readText(body)
    await until(() => held() === 1, 200)
  })
})

describe('abort', () => {
  const reason = new GatewayError('timeout', 'late', { deadline: 'answer' })

  it('closes the socket within 100 ms in every phase, with the reason of the signal', async () => {
    const phases: Record<string, (socket: Socket) => void> = {
      headers: () => undefined,
      'inside the headers': socket => socket.write('HTTP/1.1 200 OK\r\nx'),
      body: socket => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab'),
    }
    for (const [phase, act] of Object.entries(phases)) {
      const server = keep(await scripted(act))
      const transport = made()
      const controller = new AbortController()
      const sent = transport.send(post(server.url), context(controller.signal))
      let pending: Promise<unknown> = sent
      if (phase === 'body') {
        const { body } = await sent
        expect(new TextDecoder().decode(await body.read())).toBe('ab')
        pending = body.read()
      } else await until(() => server.sockets.size === 1)
      const fault = faultOf(pending)
      controller.abort(reason)
      expect(await fault, phase).toBe(reason)
      await until(() => server.sockets.size === 0, 100)
      expect(transport.sockets(), phase).toBe(0)
    }
  })

  it('leaves no connection behind when it comes in the tick of the request', async () => {
    const server = keep(await httpServer((_, response) => response.end('ok')))
    const transport = made()
    const controller = new AbortController()
    const fault = faultOf(transport.send(post(server.url), context(controller.signal)))
    controller.abort()
    expect((await fault).code).toBe('aborted')
    await until(() => transport.sockets() === 0, 100)
  })

  it('takes its listener off the signal at every end', async () => {
    let count = 0
    const { signal } = new AbortController()
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => (count++, add(...args))
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (count--, remove(...args))
    const good = keep(await httpServer((_, response) => response.end('ok')))
    const bad = keep(await scripted(socket => socket.resetAndDestroy()))
    const transport = made()
    await readText((await transport.send(post(good.url), context(signal))).body)
    await faultOf(transport.send(post(bad.url), context(signal)))
    ;(await transport.send(post(good.url), context(signal))).body.cancel()
    expect(count).toBe(0)
  })

  it('is what cancel does to the body', async () => {
    const server = keep(await httpServer((_, response) => response.write('x')))
    const transport = made()
    const { body } = await transport.send(post(server.url), context())
    await body.read()
    const fault = faultOf(body.read())
    body.cancel()
    body.cancel()
    expect((await fault).code).toBe('aborted')
    await until(() => server.sockets.size === 0, 100)
  })
})

describe('faults', () => {
  it('names the host and never the path, the query, a header or the body', async () => {
    const refused = keep(await rawServer(() => undefined))
    await refused.stop()
    const reset = keep(await scripted(socket => socket.resetAndDestroy()))
    const plain = keep(await scripted(socket => socket.end('220 smtp ready\r\n')))
    const cases = [
      { url: refused.url, code: 'network', cause: { code: 'ECONNREFUSED' } },
      { url: reset.url, code: 'network', cause: { code: 'ECONNRESET' } },
      { url: `https://127.0.0.1:${plain.port}`, code: 'network' },
      { url: plain.url, code: 'malformed_response' },
      { url: 'http://no-such-host.invalid', code: 'network' },
    ]
    for (const { url, ...expected } of cases) {
      const fault = await faultOf(made().send({ ...post(`${url}/secret-path?key=secret-query`, 'secret-body'), headers: { authorization: 'secret-key' } }, context()))
      expect(fault, url).toMatchObject({ ...expected, origin: 'network' })
      expect(fault.message).toContain(new URL(url).host)
      expect(JSON.stringify([fault.message, fault.cause, (fault as unknown as Error).stack])).not.toContain('secret')
    }
  })

  it('tells a body that is cut from one that has ended', async () => {
    const cuts: Record<string, string> = {
      'short of its length': 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab',
      'inside the chunks': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n',
    }
    for (const [what, text] of Object.entries(cuts)) {
      for (const end of ['end', 'resetAndDestroy'] as const) {
        const server = keep(await scripted(socket => socket.write(text, () => setTimeout(() => socket[end](), 10))))
        const { body } = await made().send(post(server.url), context())
        expect(new TextDecoder().decode(await body.read()), what).toBe('ab')
        expect(await faultOf(body.read()), `${what}, ${end}`).toMatchObject({ code: 'malformed_response', origin: 'network' })
      }
    }
    const server = keep(await scripted(socket => socket.end('HTTP/1.1 200 OK\r\n\r\nab')))
    expect(await readText((await made().send(post(server.url), context())).body)).toBe('ab')
  })

  it('does not hang on an answer that switches protocols or is empty', async () => {
    for (const text of ['HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n', '']) {
      const server = keep(await scripted(socket => socket.end(text)))
      expect((await faultOf(made().send(post(server.url), context()))).code).toBe('network')
    }
  })

  it('refuses what cannot be sent without showing it', async () => {
    const server = keep(await httpServer((_, response) => response.end()))
    const cases = [
      { ...post(server.url), headers: { authorization: 'Bearer secret\n' } },
      { ...post(server.url), headers: { 'secret name': 'x' } },
      post('secret://x'),
      post('not a secret url'),
    ]
    for (const call of cases) {
      const fault = await faultOf(made().send(call, context()))
      expect(fault).toMatchObject({ code: 'invalid_config', origin: 'caller' })
      expect(fault.message).not.toContain('secret')
    }
  })

  it('does not follow a redirect with the key of the request', async () => {
    let asked = 0
    const other = keep(await httpServer((_, response) => (asked++, response.end())))
    const server = keep(await httpServer((_, response) => response.writeHead(307, { location: other.url }).end()))
    const { status, headers, body } = await made().send(post(server.url), context())
    await readText(body)
    expect([status, headers['location'], asked]).toEqual([307, other.url, 0])
  })
})

describe('headers', () => {
  it('gives lower-case names on an object without prototype and joins several values', async () => {
    const server = keep(await httpServer((_, response) => response.writeHead(200, [['X-A', '1'], ['x-a', '2'], ['__proto__', 'p'], ['Set-Cookie', 'a'], ['Set-Cookie', 'b']].flat()).end()))
    const { headers } = await made().send(post(server.url), context())
    expect(Object.getPrototypeOf(headers)).toBeNull()
    expect(headers).toMatchObject({ 'x-a': '1, 2', 'set-cookie': 'a, b' })
    expect(Object.keys(headers)).toContain('__proto__')
  })

  it('refuses more than 200 headers or 64 KiB of them', async () => {
    const many = Array.from({ length: 201 }, (_, i) => `x-${i}: 1\r\n`).join('')
    const long = Array.from({ length: 70 }, (_, i) => `x-${i}: ${'y'.repeat(1000)}\r\n`).join('')
    for (const lines of [many, long]) {
      const server = keep(await scripted(socket => socket.write(`HTTP/1.1 200 OK\r\n${lines}content-length: 0\r\n\r\n`)))
      const transport = made()
      expect(await faultOf(transport.send(post(server.url), context()))).toMatchObject({ code: 'malformed_response' })
      await until(() => transport.sockets() === 0)
    }
  })
})
