import { afterEach, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import { fetchTransport, type Fetch } from '../../src/transport/fetch.js'
import { context, faultOf, httpServer, post, rawServer, readText, until, type Loopback } from './server.js'

const open: { stop(): Promise<void> }[] = []
const keep = <T extends Loopback>(server: T): T => (open.push(server), server)
const real: Fetch = (url, init) => globalThis.fetch(url, init)

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.stop()
})

describe('the transport over fetch', () => {
  it('sends the call and gives status, headers and body', async () => {
    const server = keep(await httpServer((request, response) => {
      response.writeHead(418, { 'X-Seen': `${request.method} ${request.headers['content-type']}` })
      request.pipe(response)
    }))
    const ctx = context()
    const { status, headers, body } = await fetchTransport(real).send(post(server.url, 'größe'), ctx)
    expect([status, headers['x-seen'], Object.getPrototypeOf(headers)]).toEqual([418, 'POST application/json', null])
    expect(await readText(body)).toBe('größe')
    expect(await body.read()).toBeUndefined()
    expect(ctx.activity).toBe(2)
  })

  it('closes the socket within 100 ms when it is aborted, cancelled or closed, with the reason', async () => {
    const reason = new GatewayError('timeout', 'late')
    for (const how of ['abort', 'cancel', 'close'] as const) {
      let closed = false
      const server = keep(await httpServer((_, response) => {
        response.on('close', () => (closed = true))
        response.write('x')
      }))
      const controller = new AbortController()
      const transport = fetchTransport(real)
      const { body } = await transport.send(post(server.url), context(controller.signal))
      await body.read()
      const fault = faultOf(body.read())
      if (how === 'abort') controller.abort(reason)
      else if (how === 'cancel') body.cancel()
      else await transport.close()
      expect((await fault).code).toBe({ abort: 'timeout', cancel: 'aborted', close: 'closed' }[how])
      expect((await faultOf(body.read())).code).toBe((await fault).code)
      // Not the count of sockets: Node's fetch opens an idle one in place of the one it closed.
      await until(() => closed, 100)
      if (how === 'close') expect((await faultOf(transport.send(post(server.url), context()))).code).toBe('closed')
    }
  })

  it('gives up a fetch that does not heed the signal, and its late body', async () => {
    let answer: (response: Response) => void = () => undefined
    let cancelled = 0
    const deaf: Fetch = () => new Promise(resolve => (answer = resolve))
    const controller = new AbortController()
    const fault = faultOf(fetchTransport(deaf).send(post('http://x'), context(controller.signal)))
    controller.abort()
    expect((await fault).code).toBe('aborted')
    answer(new Response(new ReadableStream({ cancel: () => void cancelled++ })))
    await until(() => cancelled === 1)
  })

  it('names the host and nothing else of a call that failed', async () => {
    const server = keep(await rawServer(socket => socket.on('data', () => socket.resetAndDestroy())))
    const gone = keep(await rawServer(() => undefined))
    await gone.stop()
    const odd: Fetch = () => Promise.reject(new TypeError('secret'))
    const sync: Fetch = () => {
      throw new Error('secret')
    }
    for (const [url, fetch] of [[server.url, real], [gone.url, real], ['http://a.test', odd], ['http://a.test', sync]] as const) {
      const fault = await faultOf(fetchTransport(fetch).send(post(`${url}/secret?secret`), context()))
      expect(fault).toMatchObject({ code: 'network', origin: 'network' })
      expect(fault.message).toContain(new URL(url).host)
      expect(JSON.stringify([fault.message, fault.stack, fault.cause])).not.toContain('secret')
    }
    expect((await faultOf(fetchTransport(real).send(post('secret'), context()))).code).toBe('invalid_config')
    expect(() => fetchTransport('x' as unknown as Fetch)).toThrow(expect.objectContaining({ code: 'invalid_config' }))
  })

  it('tells a body that is cut', async () => {
    const server = keep(await httpServer((_, response) => {
      response.write('ab')
      setTimeout(() => response.destroy(), 20)
    }))
    const { body } = await fetchTransport(real).send(post(server.url), context())
    expect(await faultOf(readText(body))).toMatchObject({ code: 'malformed_response', origin: 'network' })
  })

  it('follows no redirect, neither one it sees nor one that is hidden', async () => {
    let asked = 0
    const other = keep(await httpServer((_, response) => (asked++, response.end())))
    const server = keep(await httpServer((_, response) => response.writeHead(302, { location: other.url }).end()))
    expect((await fetchTransport(real).send(post(server.url), context())).status).toBe(302)
    const hidden: Fetch = () => Promise.resolve(Object.defineProperties(new Response(), { type: { value: 'opaqueredirect' }, status: { value: 0 } }))
    expect(await faultOf(fetchTransport(hidden).send(post('http://x'), context()))).toMatchObject({ code: 'upstream_error', origin: 'upstream' })
    expect(asked).toBe(0)
  })

  it('does not say that a body is packed which fetch has unpacked, and bounds the headers', async () => {
    const packed: Fetch = () => Promise.resolve(new Response('ok', { headers: { 'content-encoding': 'gzip', 'content-length': '99', 'x-a': 'b' } }))
    const { headers } = await fetchTransport(packed).send(post('http://x'), context())
    expect({ ...headers }).toEqual({ 'content-type': 'text/plain;charset=UTF-8', 'x-a': 'b' })
    const many: Fetch = () => Promise.resolve(new Response('ok', { headers: Array.from({ length: 201 }, (_, i): [string, string] => [`x-${i}`, '1']) }))
    expect((await faultOf(fetchTransport(many).send(post('http://x'), context()))).code).toBe('malformed_response')
  })

  it('leaves no listener on the signal', async () => {
    const { signal } = new AbortController()
    let count = 0
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => (count++, add(...args))
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (count--, remove(...args))
    const good: Fetch = () => Promise.resolve(new Response('ok'))
    const empty: Fetch = () => Promise.resolve(new Response(null))
    const bad: Fetch = () => Promise.reject(new TypeError('no'))
    await readText((await fetchTransport(good).send(post('http://x'), context(signal))).body)
    await readText((await fetchTransport(empty).send(post('http://x'), context(signal))).body)
    ;(await fetchTransport(good).send(post('http://x'), context(signal))).body.cancel()
    await faultOf(fetchTransport(bad).send(post('http://x'), context(signal)))
    expect(count).toBe(0)
  })
})
