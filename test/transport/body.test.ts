import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, constants, createGzip } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { idleClock } from '../../src/platform/clock.js'
import { httpTransport } from '../../src/transport/http.js'
import type { Transport } from '../../src/transport/types.js'
import { context, faultOf, httpServer, post, readText, until, type Loopback } from './server.js'

const open: { stop(): Promise<void> }[] = []
const keep = <T extends Loopback>(server: T): T => (open.push(server), server)
const made = (): Transport => {
  const transport = httpTransport({ idle: idleClock() })
  open.push({ stop: () => transport.close() })
  return transport
}

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.stop()
})

describe('backpressure', () => {
  it('holds a fast server back while nobody reads', async () => {
    let written = 0
    const server = keep(await httpServer((_, response) => {
      const block = Buffer.alloc(64 * 1024)
      const more = () => {
        while (written < 64 * 1024 * 1024) {
          written += block.length
          if (!response.write(block)) {
            response.once('drain', more)
            return
          }
        }
        response.end()
      }
      more()
    }))
    const { body } = await made().send(post(server.url), context())
    // The kernel lets its buffers grow in steps, with pauses between.
    let before = -1
    let since = performance.now()
    await until(() => {
      if (written !== before) since = performance.now()
      before = written
      return performance.now() - since > 400
    })
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(written).toBe(before)
    // What the kernel holds on both sides, and a few marks; not the body.
    expect(written).toBeLessThan(16 * 1024 * 1024)
    let read = 0
    for (let chunk = await body.read(); chunk !== undefined; chunk = await body.read()) read += chunk.length
    expect(read).toBe(64 * 1024 * 1024)
  })

  it('gives chunks that wait together', async () => {
    let written = false
    const server = keep(await httpServer((_, response) => {
      for (let i = 0; i < 50; i++) response.write('x')
      response.end(() => (written = true))
    }))
    const ctx = context()
    const { body } = await made().send(post(server.url), ctx)
    await until(() => written && body.over === true)
    expect(ctx.activity).toBeGreaterThan(0)
    expect((await body.read())?.length).toBe(50)
    expect(await body.read()).toBeUndefined()
    expect(await body.read()).toBeUndefined()
  })

  it('reports bytes as they come, the headers first', async () => {
    let write: (text: string) => void = () => undefined
    const server = keep(await httpServer((_, response) => {
      response.flushHeaders()
      write = text => void response.write(text)
    }))
    const ctx = context()
    await made().send(post(server.url), ctx)
    expect(ctx.activity).toBe(1)
    write(': ping\n\n')
    await until(() => ctx.activity === 2)
  })
})

describe('content-encoding', () => {
  const text = 'data: größe\n\n'.repeat(1000)
  const packed: Record<string, [string, Uint8Array]> = {
    gzip: ['gzip', gzipSync(text)],
    'x-gzip': ['X-Gzip', gzipSync(text)],
    deflate: ['deflate', deflateSync(text)],
    'deflate without its header': ['deflate', deflateRawSync(text)],
    br: ['br', brotliCompressSync(text)],
    identity: ['identity', Buffer.from(text)],
  }

  it.each(Object.keys(packed))('undoes %s, also in pieces, and says no more that it was there', async name => {
    const [encoding, bytes] = packed[name] ?? ['', Buffer.alloc(0)]
    const server = keep(await httpServer((_, response) => {
      response.setHeader('content-encoding', encoding)
      response.write(bytes.subarray(0, 1))
      setTimeout(() => response.end(bytes.subarray(1)), 5)
    }))
    const transport = made()
    const { headers, body } = await transport.send(post(server.url), context())
    expect(await readText(body)).toBe(text)
    if (name !== 'identity') expect(headers['content-encoding']).toBeUndefined()
    await readText((await transport.send(post(server.url), context())).body)
    expect(server.accepted()).toBe(1)
  })

  it('gives events of a packed stream when they come, not at its end', async () => {
    const server = keep(await httpServer((_, response) => {
      response.setHeader('content-encoding', 'gzip')
      const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH })
      gzip.pipe(response)
      gzip.write('data: 1\n\n')
    }))
    const { body } = await made().send(post(server.url), context())
    expect(new TextDecoder().decode(await body.read())).toBe('data: 1\n\n')
    body.cancel()
    await until(() => server.sockets.size === 0, 100)
  })

  it('unpacks a bomb no further than it is read', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024))
    const server = keep(await httpServer((_, response) => response.setHeader('content-encoding', 'gzip').write(bomb)))
    const { body } = await made().send(post(server.url), context())
    const before = process.memoryUsage().arrayBuffers
    let read = 0
    while (read < 1024 * 1024) read += (await body.read())?.length ?? 0
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024)
    body.cancel()
    await until(() => server.sockets.size === 0, 100)
  })

  it('takes a packed body that is cut, broken or packed in an unknown way for malformed', async () => {
    const whole = gzipSync(Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251)))
    const cases: [string, Uint8Array][] = [
      ['gzip', whole.subarray(0, whole.length - 12)],
      ['gzip', Buffer.from('plain text')],
      ['deflate', Buffer.from('\xff\xff\xff plain')],
      ['zstd', whole],
    ]
    for (const [encoding, bytes] of cases) {
      const server = keep(await httpServer((_, response) => response.setHeader('content-encoding', encoding).end(bytes)))
      const transport = made()
      const fault = await faultOf(transport.send(post(server.url), context()).then(({ body }) => readText(body)))
      expect(fault, encoding).toMatchObject({ code: 'malformed_response', origin: 'network' })
    }
  })

  it('takes an empty body for empty', async () => {
    for (const encoding of ['gzip', 'deflate', 'br']) {
      const server = keep(await httpServer((_, response) => response.setHeader('content-encoding', encoding).end()))
      const { body } = await made().send(post(server.url), context())
      expect(await body.read(), encoding).toBeUndefined()
    }
  })

  it('tells a connection that broke inside a packed body', async () => {
    const bytes = gzipSync(Buffer.from(Array.from({ length: 90_000 }, () => Math.floor(Math.random() * 256))))
    const server = keep(await httpServer((_, response) => {
      response.setHeader('content-encoding', 'gzip')
      response.write(bytes.subarray(0, 50_000))
      setTimeout(() => response.destroy(), 20)
    }))
    const { body } = await made().send(post(server.url), context())
    expect(await faultOf(readText(body))).toMatchObject({ code: 'malformed_response' })
  })
})
