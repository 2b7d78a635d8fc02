import { gzipSync, brotliCompressSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Gateway, GatewayError, type GatewayOptions } from 'sallyport'
import { until } from '../transport/server.js'
import { KEY, OWN, type Row } from './deployments.js'
import { json, Played, TYPE } from './server.js'

let home: Played
let bombs: readonly (readonly [string, Buffer])[]
beforeAll(async () => {
  home = await Played.start()
  const whole = Buffer.alloc(40 * 1024 * 1024, 0x20)
  bombs = [['gzip', gzipSync(whole, { level: 9 })], ['br', brotliCompressSync(whole, { params: { 1: 1 } })]]
})
afterAll(() => home.stop())
beforeEach(() => void (home.arrived.length = 0))

const rows = OWN.map(row => [row.name, row] as const)
/** One for each way a stream is cut into frames. */
const FRAMINGS = ['openai', 'ollama', 'bedrock'].flatMap(name => rows.filter(([row]) => row === name))
const open = (row: Row): Gateway => new Gateway({ routes: { smart: row.make(home.url, KEY) }, retry: { attempts: 1 }, deadlines: { answerMs: 10_000, idleMs: 10_000 } } as GatewayOptions)
const ASK = { model: 'smart', messages: 'Hi' } as never

/** A chat that must end with a typed error, soon, leaving no socket. */
async function refused(row: Row, way: 'chat' | 'stream' = 'chat'): Promise<GatewayError> {
  const gateway = open(row)
  const error: unknown = await gateway[way](ASK).then(async answer => {
    if ('result' in answer) await (answer as { result(): Promise<unknown> }).result()
  }).then(() => undefined, (reason: unknown) => reason)
  const { calls } = gateway.health()
  await gateway.close()
  if (!GatewayError.is(error)) throw new Error(`not refused: ${String(error)}`)
  expect(calls).toBe(0)
  return error
}
/** Writes pieces until the other side has had enough; how many went. */
function flood(piece: string | Uint8Array, type: string, most: number, first?: string | Uint8Array): { written: number } {
  const told = { written: 0 }
  home.reply = (_, response) => {
    response.writeHead(200, { 'content-type': type })
    if (first !== undefined) response.write(first)
    const go = (): void => {
      while (!response.destroyed && told.written < most) {
        told.written += piece.length
        if (!response.write(piece)) return void response.once('drain', go)
      }
      if (!response.destroyed) response.end()
    }
    go()
  }
  return told
}

describe.each(rows)('%s', (_name, row) => {
  it('is not parsed at any depth', async () => {
    for (const body of [`${'['.repeat(50_000)}${']'.repeat(50_000)}`, `${'{"error":'.repeat(20_000)}1${'}'.repeat(20_000)}`]) {
      home.reply = (_, response) => json(response, 200, body)
      expect((await refused(row)).code).toBe('malformed_response')
      home.reply = (_, response) => json(response, 400, body)
      expect(['invalid_request', 'malformed_response', 'upstream_error']).toContain((await refused(row)).code)
    }
  })

  it('may send two hundred headers, and no more than 64 KiB of them', async () => {
    for (const headers of [Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`x-${at}`, '1'])), { 'x-long': 'a'.repeat(70_000) }]) {
      home.reply = (_, response) => json(response, 200, row.answer('x'), headers)
      expect(['malformed_response', 'network']).toContain((await refused(row)).code)
    }
  })

  it('may not say anything long in an error', async () => {
    home.reply = (_, response) => json(response, 500, { error: { message: 'x'.repeat(1_000_000), code: 'y'.repeat(1_000_000), type: 'z'.repeat(1_000_000) } })
    const error = await refused(row)
    expect(JSON.stringify(error).length).toBeLessThan(4_000)
    expect((error.upstream?.message ?? '').length).toBeLessThanOrEqual(2_000)
  })
})

describe.each(FRAMINGS)('%s, one of its framing,', (_name, row) => {
  it('is not unpacked without end', async () => {
    for (const [encoding, body] of bombs.slice(0, row.name === 'openai' ? 2 : 1)) {
      home.reply = (_, response) => void response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding }).end(body)
      const { code } = await refused(row)
      expect(code).toBe('malformed_response')
    }
  })

  it('ends at a line or an event that never ends', async () => {
    const piece = row.stream === 'sse' ? 'x'.repeat(65_536) : row.stream === 'lines' ? ' '.repeat(65_535) + 'x' : new Uint8Array(65_536).fill(0x7f)
    const told = flood(piece, TYPE[row.stream], 64 * 1024 * 1024, row.stream === 'sse' ? 'data: ' : undefined)
    expect((await refused(row, 'stream')).code).toBe('malformed_response')
    expect(told.written).toBeLessThan(24 * 1024 * 1024)
  })

  it('holds the server back while nobody reads', async () => {
    const told = flood(typeof row.more('') === 'string' ? String(row.more('x'.repeat(1_000))).repeat(8) : Buffer.concat(Array.from({ length: 8 }, () => row.more('x'.repeat(1_000)) as Uint8Array)), TYPE[row.stream], 512 * 1024 * 1024, row.opening('start'))
    const gateway = open(row)
    const stream = await gateway.stream(ASK)
    const reader = (stream as AsyncIterable<unknown>)[Symbol.asyncIterator]()
    await reader.next()
    let before = -1
    // Until the buffers of the system are full.
    await until(() => {
      const same = before === told.written && told.written > 0
      before = told.written
      return same
    }, 5_000)
    const held = told.written
    const memory = process.memoryUsage().arrayBuffers
    for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setImmediate(resolve))
    expect([told.written - held < 512 * 1024, held < 24 * 1024 * 1024, process.memoryUsage().arrayBuffers - memory < 8 * 1024 * 1024]).toEqual([true, true, true])
    await reader.return?.()
    await until(() => home.sockets.size === 0 || gateway.health().calls === 0)
    await gateway.close()
  })
})

it('arguments of a tool that never end, end with the stream', async () => {
  const piece = `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: 'x'.repeat(65_536) } }] } }] })}\n\n`
  const first = `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 't', arguments: '{"a":"' } }] } }] })}\n\n`
  const told = flood(piece, TYPE.sse, 1024 * 1024 * 1024, first)
  expect((await refused(OWN[0] as Row, 'stream')).code).toBe('malformed_response')
  expect(told.written).toBeLessThan(300 * 1024 * 1024)
})
