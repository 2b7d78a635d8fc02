import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll } from 'vitest'
import { anthropic, compatible, Gateway, GatewayError, type CallOptions, type ChatEvent, type ChatRequest, type ChatResult, type Deployment, type Quirks } from 'sallyport'

/** What a server sends: its body in the pieces in which it is written. */
export interface Sent {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly pieces: readonly (string | Uint8Array)[]
  /** The body never ends: the connection stays open behind it. */
  readonly open?: boolean
  /** The connection breaks behind it. */
  readonly broken?: boolean
  /** Called when the pieces are written. */
  readonly written?: () => void
}
/** What came of it. */
export interface Ended {
  readonly result: ChatResult
  readonly events: readonly ChatEvent[]
  /** Bodies of the requests that arrived. */
  readonly asked: readonly Record<string, unknown>[]
}
/** How it is asked for. */
export interface Asking extends Partial<Omit<ChatRequest, 'model'>> {
  readonly quirks?: Quirks | 'anthropic'
  readonly model?: string
  /** Asked for as one body; otherwise as a stream. */
  readonly whole?: boolean
  readonly call?: CallOptions
}

/** A server on loopback and a real gateway, for one file of tests. */
export class Play {
  closed = 0
  #server: Server | undefined
  #sent: Sent | undefined
  #asked: Record<string, unknown>[] = []

  constructor() {
    beforeAll(async () => {
      this.#server = createServer({ noDelay: true }, (req, res) => {
        const chunks: Buffer[] = []
        res.on('close', () => this.closed++)
        req.on('data', (chunk: Buffer) => chunks.push(chunk))
        req.on('end', () => {
          this.#asked.push(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>)
          void answer(res, this.#sent)
        })
      })
      await new Promise<void>(resolve => this.#server?.listen(0, '127.0.0.1', resolve))
    })
    afterAll(async () => {
      this.#server?.closeAllConnections()
      await new Promise(resolve => this.#server?.close(resolve))
    })
  }

  #deployment({ quirks, model = 'm1' }: Asking): Deployment {
    const { port } = this.#server?.address() as AddressInfo
    const baseUrl = `http://127.0.0.1:${port}/v1`
    return quirks === 'anthropic' ? anthropic(model, { baseUrl, apiKey: 'k' }) : compatible({ name: 'lab', baseUrl, ...(quirks !== undefined && { quirks }) }, model)
  }

  /** Sends and asks; rejects with the error of the call. */
  async ask(sent: Sent | string, asking: Asking = {}): Promise<Ended> {
    this.#sent = typeof sent === 'string' ? { pieces: [sent] } : sent
    this.#asked = []
    this.closed = 0
    const { whole, quirks: _, model: __, call, messages = 'Hello', ...request } = asking
    const gateway = new Gateway({ routes: { play: this.#deployment(asking) }, retry: { attempts: 1, maxAttempts: 1 } })
    const events: ChatEvent[] = []
    try {
      if (whole === true) return { result: await gateway.chat({ model: 'play', messages, ...request }, call), events, asked: this.#asked }
      const stream = await gateway.stream({ model: 'play', messages, ...request }, call)
      for await (const event of stream) events.push(event)
      return { result: await stream.result(), events, asked: this.#asked }
    } finally {
      await gateway.close()
    }
  }

  /** The error that asking ends in. */
  async fault(sent: Sent | string, asking: Asking = {}): Promise<GatewayError> {
    const error: unknown = await this.ask(sent, asking).then(() => undefined, (reason: unknown) => reason)
    if (GatewayError.is(error)) return error
    throw new Error('It did not fail with an error of ours.')
  }
}

async function answer(res: ServerResponse, sent: Sent | undefined): Promise<void> {
  if (sent === undefined) return void res.writeHead(500).end()
  const { status = 200, headers = { 'content-type': 'text/event-stream' }, pieces, open = false, broken = false } = sent
  res.writeHead(status, headers)
  res.flushHeaders()
  for (const piece of pieces) {
    res.write(piece)
    // The client reads in its own turn of the event loop, so each piece reaches it alone.
    await new Promise<void>(resolve => setImmediate(resolve))
  }
  sent.written?.()
  if (broken) res.destroy()
  else if (!open) res.end()
}

export const data = (value: unknown): string => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`
export const chunk = (delta: unknown, more: object = {}, choice: object = {}): Record<string, unknown> => ({ id: 'c1', model: 'm1', choices: [{ index: 0, delta, finish_reason: null, ...choice }], ...more })
export const end = (reason: string | null = 'stop'): Record<string, unknown> => chunk({}, {}, { finish_reason: reason })
/** A stream of chunks with all that belongs to one. */
export const stream = (...chunks: readonly unknown[]): string => [...chunks, end(), '[DONE]'].map(data).join('')
export const completion = (message: object, reason: string | null = 'stop', more: object = {}): string => JSON.stringify({ id: 'c1', model: 'm1', choices: [{ index: 0, message, finish_reason: reason }], ...more })
export const JSON_HEAD = { 'content-type': 'application/json' }
export const call = (fields: object): Record<string, unknown> => chunk({ tool_calls: [fields] })
