import { createServer as createTlsServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import { createServer as createRawTlsServer } from 'node:tls'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { idleClock } from '../../src/platform/clock.js'
import { httpTransport } from '../../src/transport/http.js'
import { proxyFor } from '../../src/transport/proxy.js'
import type { Transport } from '../../src/transport/types.js'
import { selfSigned } from './certificate.js'
import { context, faultOf, httpServer, listen, post, rawServer, readText, until, type Loopback } from './server.js'

const of = (url: string, vars: Record<string, string>) => proxyFor(new URL(url), name => vars[name])
const open: { stop(): Promise<void> }[] = []
const keep = <T extends Loopback>(server: T): T => (open.push(server), server)
const made = (vars: Record<string, string>): Transport => {
  const transport = httpTransport({ idle: idleClock(), env: name => vars[name] })
  open.push({ stop: () => transport.close() })
  return transport
}

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const one of open.splice(0).reverse()) await one.stop()
})

/** A proxy that only tunnels; `asked` holds the heads of what it was asked. */
async function tunnelling(reply = 'HTTP/1.1 200 Connection established\r\n\r\n'): Promise<Loopback & { asked: string[] }> {
  const asked: string[] = []
  const server = await rawServer((socket: Socket) => {
    socket.once('data', head => {
      asked.push(head.toString())
      const [, port = '0'] = /^CONNECT [^ ]*:(\d+)/.exec(head.toString()) ?? []
      if (reply === '') return
      if (!reply.includes(' 200 ')) return void socket.end(reply)
      const onward = connect(Number(port), '127.0.0.1', () => {
        socket.write(reply)
        socket.pipe(onward).pipe(socket)
      })
      onward.on('error', () => socket.destroy())
      socket.on('close', () => onward.destroy())
    })
  })
  return { ...server, asked }
}
const secure = () => listen(createTlsServer(selfSigned(), (request, response) => response.end(JSON.stringify({ path: request.url, headers: request.headers }))))

describe('the tunnel', () => {
  it('carries TLS calls over one kept connection; its credentials stay with the proxy', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    const server = keep(await secure())
    const proxy = keep(await tunnelling())
    const transport = made({ HTTPS_PROXY: `http://user:p%40ss@127.0.0.1:${proxy.port}` })
    for (let i = 0; i < 2; i++) {
      const { body } = await transport.send({ ...post(`https://localhost:${server.port}/v1`), headers: { authorization: 'Bearer key' } }, context())
      const text = await readText(body)
      expect(JSON.parse(text)).toMatchObject({ path: '/v1', headers: { authorization: 'Bearer key', host: `localhost:${server.port}` } })
      expect(text).not.toContain('proxy')
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(proxy.asked.length).toBe(1)
    expect(proxy.asked[0]).toContain(`CONNECT localhost:${server.port} HTTP/1.1`)
    expect(proxy.asked[0]?.toLowerCase()).toContain(`proxy-authorization: basic ${Buffer.from('user:p@ss').toString('base64')}`.toLowerCase())
    expect(proxy.asked[0]).not.toContain('Bearer key')
    expect(transport.sockets()).toBe(1)
    await transport.close()
    expect(transport.sockets()).toBe(0)
    await until(() => proxy.sockets.size === 0 && server.sockets.size === 0)
  })

  it('checks the certificate of the server behind the proxy', async () => {
    const server = keep(await secure())
    const proxy = keep(await tunnelling())
    for (const vars of [{}, { https_proxy: proxy.url }] as Record<string, string>[]) {
      const transport = made(vars)
      const fault = await faultOf(transport.send(post(`https://localhost:${server.port}`), context()))
      expect(fault).toMatchObject({ code: 'network', cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } })
      await until(() => transport.sockets() === 0)
    }
  })

  it('says that the proxy refused, and leaves nothing open', async () => {
    for (const reply of ['HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n', 'nonsense\r\n\r\n']) {
      const proxy = keep(await tunnelling(reply))
      const transport = made({ HTTPS_PROXY: `http://user:secret@127.0.0.1:${proxy.port}` })
      const fault = await faultOf(transport.send(post('https://api.example.com/x'), context()))
      expect(['network', 'malformed_response']).toContain(fault.code)
      if (reply.startsWith('HTTP')) expect(fault).toMatchObject({ code: 'network', cause: { code: 'PROXY_STATUS_407' } })
      expect(fault.message).not.toContain('secret')
      await until(() => transport.sockets() === 0)
    }
  })

  it('leads through a proxy that speaks TLS itself', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    const server = keep(await secure())
    const inner = keep(await tunnelling())
    const proxy = keep(await listen(createRawTlsServer(selfSigned(), socket => {
      const onward = connect(inner.port, '127.0.0.1')
      socket.on('error', () => undefined).on('close', () => onward.destroy())
      socket.pipe(onward.on('error', () => socket.destroy())).pipe(socket)
    })))
    const transport = made({ HTTPS_PROXY: `https://localhost:${proxy.port}` })
    for (let i = 0; i < 2; i++) expect(await readText((await transport.send(post(`https://localhost:${server.port}/v1`), context())).body)).toContain('"path":"/v1"')
    expect([inner.asked.length, transport.sockets()]).toEqual([1, 1])
    await transport.close()
    await until(() => proxy.sockets.size === 0 && server.sockets.size === 0)
  })

  it('is not made by a proxy that closes, or whose answer never ends', async () => {
    const replies: [(socket: Socket) => void, object][] = [
      [socket => socket.end(), { code: 'network', cause: { code: 'PROXY_CLOSED' } }],
      [socket => socket.write(`HTTP/1.1 200 OK\r\nx-a: ${'y'.repeat(70_000)}`), { code: 'malformed_response' }],
    ]
    for (const [reply, expected] of replies) {
      const proxy = keep(await rawServer(socket => socket.once('data', () => reply(socket))))
      const transport = made({ HTTPS_PROXY: proxy.url })
      expect(await faultOf(transport.send(post('https://api.example.com/x'), context()))).toMatchObject(expected)
      await until(() => transport.sockets() === 0)
    }
  })

  it('is given up within 100 ms when the call is aborted while the proxy is silent', async () => {
    const proxy = keep(await tunnelling(''))
    const transport = made({ HTTPS_PROXY: proxy.url })
    const controller = new AbortController()
    const fault = faultOf(transport.send(post('https://api.example.com'), context(controller.signal)))
    await until(() => proxy.asked.length === 1)
    controller.abort()
    expect((await fault).code).toBe('aborted')
    await until(() => proxy.sockets.size === 0, 100)
    expect(transport.sockets()).toBe(0)
  })

  it('is not used for the hosts of NO_PROXY', async () => {
    const server = keep(await httpServer((_, response) => response.end('direct')))
    const proxy = keep(await tunnelling())
    const transport = made({ HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' })
    expect(await readText((await transport.send(post(server.url), context())).body)).toBe('direct')
    expect(proxy.accepted()).toBe(0)
  })

  it('is not needed for plain calls, which name the whole URL', async () => {
    const seen: unknown[] = []
    const proxy = keep(await httpServer((request, response) => {
      seen.push(request.url, request.headers.host, request.headers['proxy-authorization'])
      response.end('by proxy')
    }))
    const transport = made({ http_proxy: `http://u:p@127.0.0.1:${proxy.port}` })
    expect(await readText((await transport.send(post('http://api.example.com/v1?a=b'), context())).body)).toBe('by proxy')
    expect(seen).toEqual(['http://api.example.com/v1?a=b', 'api.example.com', `Basic ${Buffer.from('u:p').toString('base64')}`])
  })
})

describe('proxy settings', () => {
  it('picks the proxy by the protocol of the target, lower-case names first', () => {
    const vars = { HTTPS_PROXY: 'http://a:1', HTTP_PROXY: 'b:2', https_proxy: 'https://c' }
    expect(of('https://x', vars)).toEqual({ secure: true, host: 'c', port: 443 })
    expect(of('http://x', vars)).toEqual({ secure: false, host: 'b', port: 2 })
    expect(of('https://x', {})).toBeUndefined()
    expect(of('https://x', { HTTPS_PROXY: ' ' })).toBeUndefined()
  })

  it('passes by the proxy for the hosts of NO_PROXY and for no others', () => {
    const rows: [string, string, boolean][] = [
      ['*', 'https://api.example.com', true],
      ['example.com', 'https://example.com', true],
      ['example.com', 'https://api.example.com', true],
      ['.example.com', 'https://api.example.com', true],
      ['*.example.com', 'https://api.example.com', true],
      ['EXAMPLE.com', 'https://API.example.COM', true],
      ['example.com', 'https://badexample.com', false],
      ['example.com', 'https://example.com.evil.test', false],
      ['example.com:8443', 'https://example.com:8443', true],
      ['example.com:8443', 'https://example.com', false],
      ['example.com:443', 'https://example.com', true],
      ['a.test, example.com', 'https://example.com', true],
      ['a.test example.com', 'https://example.com', true],
      ['localhost,127.0.0.1', 'http://127.0.0.1:8080', true],
      ['0.0.1', 'http://127.0.0.1', false],
      ['[::1]', 'http://[::1]:8080', true],
      ['[::1]:8080', 'http://[::1]:8080', true],
      ['::1', 'http://[::1]', true],
      ['10.0.0.0/8', 'http://10.1.2.3', true],
      ['10.0.0.0/8', 'http://11.1.2.3', false],
      ['10.0.0.0/99', 'http://10.1.2.3', false],
      ['fd00::/8', 'http://[fd12::1]', true],
      ['10.0.0.0/8', 'http://ten.example.com', false],
      ['', 'http://127.0.0.1', false],
      ['.', 'http://127.0.0.1', false],
      [',,', 'http://localhost', false],
    ]
    for (const [list, url, exempt] of rows) expect(of(url, { http_proxy: 'http://p', https_proxy: 'http://p', NO_PROXY: list }) === undefined, `${list} for ${url}`).toBe(exempt)
  })

  it('refuses settings it cannot use, without showing them', () => {
    for (const setting of ['socks5://secret:1', 'http://secret:b%ZZ@host', 'http://secret:99999']) {
      let message = ''
      try {
        of('https://x', { HTTPS_PROXY: setting })
      } catch (error) {
        message = String(error)
      }
      expect(message).toMatch(/HTTPS_PROXY/)
      expect(message).not.toContain('secret')
    }
  })
})
