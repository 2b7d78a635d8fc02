// Two providers in a process of their own. They write down every request that reached them: when it came, when it was over, and what they bill.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../src/index.js'
import { seededRandom } from '../../src/testing/index.js'
import { isRecord, type Asked } from '../loopback/dialect.js'
import { openaiWire } from '../loopback/openai.js'
import { LineFile } from './journal.js'
import { CALL_HEADER, monotonicMs, providerLogOf } from './world.js'

/** One request, at its end. */
export interface Served {
  readonly call: string
  readonly startMs: number
  readonly endMs: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** They bill what they wrote; a refusal, and an answer that never began, costs nothing. */
  readonly billed: boolean
  readonly whole: boolean
}
/** A request that came; one that has no end in the file was open when the run ended. */
export interface Came {
  readonly call: string
  readonly startMs: number
}
type Fate = 'answer' | 'limit' | 'failure' | 'cut' | 'stall'
interface Job {
  readonly asked: Asked
  readonly fate: Fate
  readonly tokens: number
  readonly pieces: number
  readonly paceMs: number
}

/** Twice what an estimate counts for a token. */
const TOKEN = 'lighted '
const STALL_MS = 60_000
const [folder = '', seed = '1'] = process.argv.slice(2)
const die = seededRandom(Number(seed))
const log = new LineFile(providerLogOf(folder))

function fateOf(random: Random): Fate {
  const drawn = random()
  return drawn < 0.01 ? 'limit' : drawn < 0.05 ? 'failure' : drawn < 0.1 ? 'cut' : drawn < 0.12 ? 'stall' : 'answer'
}

async function bodyOf(req: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk)
  const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
  return isRecord(body) ? body : {}
}

const usage = (input: number, output: number): object => ({ prompt_tokens: input, completion_tokens: output, total_tokens: input + output })
const common = (asked: Asked, object: string): object => ({ id: 'chatcmpl-chaos', object, created: Math.floor(Date.now() / 1_000), model: asked.model })

/** One answer under way. */
class Serving {
  readonly startMs = monotonicMs()
  readonly #call: string
  readonly #res: ServerResponse
  readonly #gone = new AbortController()
  #written = 0
  #input = 0
  #begun = false
  #over = false

  constructor(call: string, res: ServerResponse) {
    this.#call = call
    this.#res = res
    log.write({ call, startMs: this.startMs } satisfies Came)
    res.on('error', () => undefined)
    res.once('close', () => {
      this.#end(false)
      this.#gone.abort()
    })
  }

  async run({ asked, fate, tokens, pieces, paceMs }: Job): Promise<void> {
    this.#input = Math.max(1, Math.ceil(asked.promptLength / 4))
    if (fate === 'limit' || fate === 'failure') return this.#refuse(fate === 'limit' ? 429 : 500)
    if (!asked.stream) return this.#whole(asked, fate, tokens, pieces * paceMs)
    this.#res.writeHead(200, { 'content-type': 'text/event-stream' })
    const breakAt = fate === 'answer' ? Infinity : 1 + Math.floor(die() * (pieces - 1))
    for (let at = 0; at < pieces; at++) {
      await this.#wait(paceMs)
      if (at === breakAt) {
        if (fate === 'stall') await this.#wait(STALL_MS)
        return this.#cut()
      }
      const some = Math.floor((tokens * (at + 1)) / pieces) - Math.floor((tokens * at) / pieces)
      this.#begun = true
      this.#written += some
      this.#line(asked, [{ index: 0, delta: { role: 'assistant', content: TOKEN.repeat(some) }, finish_reason: null }])
    }
    this.#line(asked, [{ index: 0, delta: {}, finish_reason: 'stop' }])
    this.#res.write(`data: ${JSON.stringify({ ...common(asked, 'chat.completion.chunk'), choices: [], usage: usage(this.#input, this.#written) })}\n\n`)
    this.#end(true)
    this.#res.end('data: [DONE]\n\n')
  }

  async #whole(asked: Asked, fate: Fate, tokens: number, ms: number): Promise<void> {
    await this.#wait(fate === 'stall' ? STALL_MS : ms)
    if (fate !== 'answer') return this.#cut()
    this.#begun = true
    this.#written = tokens
    const text = JSON.stringify({ ...common(asked, 'chat.completion'), choices: [{ index: 0, message: { role: 'assistant', content: TOKEN.repeat(tokens) }, finish_reason: 'stop' }], usage: usage(this.#input, tokens) })
    this.#end(true)
    this.#res.writeHead(200, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) })
    this.#res.end(text)
  }

  #refuse(status: number): void {
    this.#end(false)
    this.#res.writeHead(status, { 'content-type': 'application/json', ...(status === 429 && { 'retry-after': '0' }) })
    this.#res.end(JSON.stringify(openaiWire.error(status, 'req_chaos')))
  }

  #cut(): void {
    this.#end(false)
    this.#res.destroy()
  }

  #line(asked: Asked, choices: readonly object[]): void {
    this.#res.write(`data: ${JSON.stringify({ ...common(asked, 'chat.completion.chunk'), choices })}\n\n`)
  }

  /** Written down before the last byte leaves: whoever reads that byte finds the answer over. */
  #end(whole: boolean): void {
    if (this.#over) return
    this.#over = true
    log.write({ call: this.#call, startMs: this.startMs, endMs: monotonicMs(), inputTokens: this.#input, outputTokens: this.#written, billed: this.#begun, whole } satisfies Served)
  }

  async #wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#gone.signal })
  }
}

async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const serving = new Serving(String(req.headers[CALL_HEADER] ?? ''), res)
  try {
    const body = await bodyOf(req)
    const asked = openaiWire.asked(body)
    if (asked === undefined) throw new Error('no request of this wire')
    const tokens = 1 + Math.floor(die() * (asked.maxWords ?? 100))
    const pieces = Math.min(tokens, 4 + Math.floor(die() * 6))
    await serving.run({ asked, fate: fateOf(die), tokens, pieces, paceMs: 250 + die() * 550 })
  } catch {
    res.destroy()
  }
}

const servers = await Promise.all([0, 1].map(() => new Promise<ReturnType<typeof createServer>>(resolve => {
  const server = createServer((req, res) => void serve(req, res))
  server.keepAliveTimeout = 30_000
  server.listen(0, '127.0.0.1', 2_048, () => resolve(server))
})))
process.on('disconnect', () => process.exit())
process.send?.(servers.map(server => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`))
