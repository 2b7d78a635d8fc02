import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { consoleSink, Gateway, GatewayError, jsonlSink, type CacheStore, type CallRecord, type GatewayOptions } from 'sallyport'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CANARIES, KEY, PERSON, ROWS, type Row } from './deployments.js'
import { json, Played, TYPE } from './server.js'

const ECHO = `Incorrect key ${KEY} for the prompt of ${PERSON.join(' and ')}`
const PROMPT = { system: `You help ${PERSON[0]}.`, messages: `My number is ${PERSON[1]}, my address ${PERSON[0]}.`, tools: [{ name: 'look', description: `looks at ${PERSON[1]}`, inputSchema: { type: 'object' } }] } as const

let server: Played
let secure: Played
let folder: string
const printed: string[] = []
beforeAll(async () => {
  ;[server, secure] = await Promise.all([Played.start(), Played.start(true)])
  folder = mkdtempSync(join(tmpdir(), 'canary-'))
})
afterAll(async () => {
  await Promise.all([server.stop(), secure.stop()])
  rmSync(folder, { recursive: true })
})
beforeEach(() => {
  printed.length = 0
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) vi.spyOn(console, method).mockImplementation((...args) => void printed.push(inspect(args, { depth: Infinity })))
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation(chunk => {
      printed.push(String(chunk))
      return true
    })
  }
})
afterEach(() => void vi.restoreAllMocks())

interface Failure {
  readonly name: string
  readonly url?: () => string
  readonly play?: (row: Row) => void
  readonly options?: Partial<GatewayOptions>
  readonly abort?: boolean
}
const says = (status: number, body: unknown, headers: Record<string, string> = {}) => () => {
  server.reply = (_, response) => json(response, status, body, headers)
}
const error = { error: { message: ECHO, type: ECHO, code: ECHO, param: ECHO, status: ECHO, details: [{ reason: ECHO }], failed_generation: ECHO }, message: ECHO, __type: ECHO }
const FAILURES: readonly Failure[] = [
  { name: '401', play: says(401, error, { 'x-request-id': ECHO, 'www-authenticate': ECHO }) },
  { name: '429', play: says(429, error, { 'retry-after': ECHO }) },
  { name: '500', play: says(500, error) },
  { name: '400', play: says(400, error) },
  { name: 'HTML', play: says(502, `<html><title>${ECHO}</title></html>`, { 'content-type': 'text/html' }) },
  { name: 'HTML with a 200', play: says(200, `<html>${ECHO}</html>`, { 'content-type': 'text/html' }) },
  { name: 'bad JSON', play: says(200, `{"choices":[{"message":{"content":"${ECHO}`) },
  { name: 'JSON of another kind', play: says(200, { [ECHO]: [ECHO] }) },
  { name: 'a redirect', play: () => void (server.reply = (_, response) => void response.writeHead(307, { location: `http://127.0.0.1:9/${encodeURIComponent(ECHO)}` }).end(ECHO)) },
  { name: 'a cut in the middle', play: ({ opening, stream }) => void (server.reply = (_, response) => void response.writeHead(200, { 'content-type': TYPE[stream] }).write(opening(ECHO), () => setImmediate(() => response.destroy()))) },
  { name: 'nonsense in the middle', play: ({ opening, stream }) => void (server.reply = (_, response) => void (response.writeHead(200, { 'content-type': TYPE[stream] }).write(opening(ECHO)), response.end(`data: {"error":{"message":"${ECHO}"\n\n`))) },
  { name: 'silence', play: () => void (server.reply = () => undefined), options: { deadlines: { answerMs: 25, firstEventMs: 25, idleMs: 25, totalMs: 60 } } },
  { name: 'an abort', play: () => void (server.reply = () => undefined), abort: true },
  { name: 'DNS', url: () => 'http://nowhere.invalid' },
  { name: 'TLS', url: () => secure.url },
  { name: 'a closed port', url: () => 'http://127.0.0.1:1' },
]

function shelf(): CacheStore & { readonly entries: Map<string, unknown> } {
  const entries = new Map<string, unknown>()
  return { entries, get: key => entries.get(key) as never, set: (key, value) => void entries.set(key, value), delete: key => void entries.delete(key), clear: () => entries.clear() }
}

/** An error in every way it may be printed, with all that it says it was caused by. */
function faces(error: unknown): string[] {
  const out: string[] = []
  for (let at: unknown = error; at !== undefined && at !== null && out.length < 60; at = (at as { cause?: unknown }).cause) out.push(String(at), String((at as Error).message), String((at as Error).stack), JSON.stringify(at), inspect(at, { depth: Infinity, maxArrayLength: null, maxStringLength: null }), inspect(at, { depth: 0 }))
  return out
}

function expectClean(texts: readonly string[], where: string): void {
  for (const text of texts) for (const canary of CANARIES) expect(text.includes(canary) ? `${where}: ${text}` : where).toBe(where)
}

describe.each(ROWS.map(row => [row.name, row] as const))('%s', (_name, row) => {
  it.each(FAILURES.map(failure => [failure.name, failure] as const))('that fails with %s tells nobody the key or the person', async (_what, failure) => {
    failure.play?.(row)
    server.arrived.length = 0
    const records: CallRecord[] = []
    const cache = shelf()
    const file = join(folder, `${row.name.replace(/\W/g, '')}-${failure.name.replace(/\W/g, '')}.jsonl`)
    const gateway = new Gateway({
      routes: { smart: row.make(failure.url?.() ?? server.url, KEY) }, retry: { attempts: 1 }, cache: { store: cache },
      log: [consoleSink(), jsonlSink(file), batch => void records.push(...batch)], ...failure.options,
    } as GatewayOptions)
    const errors: unknown[] = []
    for (const way of ['chat', 'stream'] as const) {
      const control = new AbortController()
      const before = server.arrived.length
      const call = gateway[way]({ model: 'smart', ...PROMPT } as never, { signal: control.signal, metadata: { ticket: 'T-1' } }).then(async answer => {
        if (way === 'stream') await (answer as unknown as { result(): Promise<unknown> }).result()
      })
      if (failure.abort === true) void vi.waitUntil(() => server.arrived.length > before, { interval: 1 }).then(() => control.abort())
      errors.push(await call.then(() => undefined, (reason: unknown) => reason))
    }
    const health = gateway.health()
    await gateway.close()
    // They were there to be told.
    if (failure.url === undefined) for (const canary of row.name === 'bedrock, signed' ? PERSON : CANARIES) expect(server.everything).toContain(canary)
    expect(errors.map(one => GatewayError.is(one))).toEqual([true, true])
    expectClean(errors.flatMap(faces), 'error')
    expect(records).toHaveLength(2)
    expectClean(records.flatMap(record => [JSON.stringify(record), inspect(record, { depth: Infinity })]), 'record')
    expectClean([inspect(health, { depth: Infinity }), JSON.stringify(health)], 'health')
    expectClean([inspect(cache.entries, { depth: Infinity }), JSON.stringify([...cache.entries])], 'cache')
    expectClean([inspect(gateway, { depth: Infinity, showHidden: true })], 'gateway')
    expectClean([readFileSync(file, 'utf8')], 'file')
    expect(printed.length).toBeGreaterThan(0)
    expectClean(printed, 'console')
  })

  it('that answers keeps the key and the prompt out of the cache, the records and the gateway', async () => {
    server.reply = (_, response) => json(response, 200, row.answer('All is well.'))
    const records: CallRecord[] = []
    const cache = shelf()
    const gateway = new Gateway({ routes: { smart: row.make(server.url, KEY) }, cache: { store: cache }, log: [consoleSink(), batch => void records.push(...batch)] } as GatewayOptions)
    const answer = await gateway.chat({ model: 'smart', ...PROMPT } as never)
    expect(answer.text).toBe('All is well.')
    await gateway.flush()
    expect(cache.entries.size).toBe(1)
    expectClean([inspect(cache.entries, { depth: Infinity }), inspect(answer, { depth: Infinity }), inspect(records, { depth: Infinity }), inspect(gateway.health(), { depth: Infinity }), ...printed], 'kept')
    await gateway.close()
    expectClean([inspect(gateway, { depth: Infinity, showHidden: true })], 'gateway')
  })
})
