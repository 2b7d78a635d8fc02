import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Secret } from '../../src/protocol/secret.js'
import { anthropicWire } from './anthropic.js'
import { isRecord, type Answer, type Asked, type Dialect } from './dialect.js'
import { Exchange } from './exchange.js'
import { planOf, type Fault } from './faults.js'
import { openaiWire } from './openai.js'

/** What a plan may look at. */
export interface PlanRequest {
  readonly body: unknown
  /** As they came, the credential among them: do not print. */
  readonly headers: IncomingHttpHeaders
  readonly path: string
}
/** What {@link startProvider} takes. */
export interface ProviderOptions {
  readonly dialect: 'openai' | 'anthropic'
  /** The answer, or how to find it. Default: sixty words. A request that ends with a beginning of it is answered with the rest. */
  readonly words?: string | ((request: PlanRequest) => string)
  /** From word to word, in milliseconds. Default: 2. */
  readonly paceMs?: number
  /** Default: the model asked for. */
  readonly model?: string
  /** The fault of each request; the first attempt is 1. */
  readonly plan?: (attempt: number, request: PlanRequest) => Fault | undefined
}
/** One request as it arrived. */
export interface LoopbackRequest {
  readonly attempt: number
  readonly path: string
  readonly body: unknown
  /** Credentials are replaced by `[secret]`. */
  readonly headers: Readonly<Record<string, string>>
  readonly credential?: Secret
  /** Epoch milliseconds. */
  readonly startedMs: number
  /** When the client closed the socket before the answer was whole, in epoch milliseconds. */
  readonly closedByClientMs?: number
}
/** A running server. */
export interface LoopbackProvider {
  /** Give it to a deployment of the dialect. */
  readonly baseUrl: string
  /** The last 10,000 requests. */
  readonly requests: readonly LoopbackRequest[]
  /** Sockets that are open, idle ones too. */
  readonly openSockets: number
  /** Requests whose answer is not over. */
  readonly openRequests: number
  /** Requests whose socket the client closed before the answer was whole. */
  readonly closedByClient: number
  /** Destroys every socket and waits for the server to end. Rejects with what a plan threw. */
  stop(): Promise<void>
}

const DEFAULT_WORDS =
  'The harbour wakes before the sun does. Lamps swing over wet stone while the first boats slide out past the wall, one after another, each with a gull or two behind it. By noon the nets are dry, the prices are known, and the old men on the long bench have already decided how the weather will turn out tomorrow.'
const MOST_REQUESTS = 10_000
const MOST_BYTES = 32 * 1024 * 1024
const CREDENTIALS = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'proxy-authorization', 'cookie']
const WIRES: Record<ProviderOptions['dialect'], Dialect> = { openai: openaiWire, anthropic: anthropicWire }

type Kept = { -readonly [K in keyof LoopbackRequest]: LoopbackRequest[K] }

async function bodyOf(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MOST_BYTES) return undefined
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

function masked(headers: IncomingHttpHeaders): { headers: Record<string, string>; credential?: Secret } {
  const out = Object.create(null) as Record<string, string>
  let credential: string | undefined
  for (const [name, value = ''] of Object.entries(headers)) {
    const secret = CREDENTIALS.includes(name)
    if (secret) credential ??= String(value).replace(/^bearer /i, '')
    out[name] = secret ? '[secret]' : String(value)
  }
  return { headers: out, ...(credential !== undefined && { credential: new Secret(credential) }) }
}

function splitWords(text: string): readonly string[] {
  return text.match(/\s*\S+|\s+/g) ?? []
}

class Provider implements LoopbackProvider {
  readonly requests: Kept[] = []
  readonly #options: ProviderOptions
  readonly #wire: Dialect
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #open = new Set<AbortController>()
  #failure: { readonly error: unknown } | undefined
  #attempts = 0
  #port = 0
  #closedByClient = 0
  #stopping: Promise<void> | undefined

  constructor(options: ProviderOptions) {
    this.#options = options
    this.#wire = WIRES[options.dialect]
    this.#server = createServer((req, res) => void this.#serve(req, res))
    this.#server.on('connection', socket => {
      if (this.#stopping !== undefined) return void socket.destroy()
      socket.setNoDelay(true)
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}/v1`
  }
  get openSockets(): number {
    return this.#sockets.size
  }
  get openRequests(): number {
    return this.#open.size
  }
  get closedByClient(): number {
    return this.#closedByClient
  }

  start(): Promise<this> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, '127.0.0.1', () => {
        this.#port = (this.#server.address() as AddressInfo).port
        resolve(this)
      })
    })
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const closed = [...this.#sockets].map(socket => new Promise(resolve => void socket.once('close', resolve)))
    const ended = new Promise(resolve => void this.#server.close(resolve))
    for (const open of this.#open) open.abort()
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all([ended, ...closed])
    if (this.#failure !== undefined) throw this.#failure.error
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const attempt = ++this.#attempts
    const gone = new AbortController()
    const state = { broken: false }
    const request: Kept = { attempt, path: req.url ?? '/', body: undefined, startedMs: Date.now(), ...masked(req.headers) }
    this.requests.push(request)
    if (this.requests.length > MOST_REQUESTS) this.requests.shift()
    this.#open.add(gone)
    res.once('close', () => {
      this.#open.delete(gone)
      if (!res.writableFinished && !state.broken && this.#stopping === undefined) {
        this.#closedByClient++
        request.closedByClientMs = Date.now()
      }
      gone.abort()
    })
    res.on('error', () => undefined)
    try {
      request.body = await bodyOf(req)
      await this.#answer(request, req.headers, new Exchange(res, gone.signal, () => (state.broken = true)))
    } catch (error) {
      if (gone.signal.aborted || !req.complete) return
      this.#failure ??= { error }
      state.broken = true
      res.destroy()
    }
  }

  async #answer({ attempt, path, body }: Kept, headers: IncomingHttpHeaders, exchange: Exchange): Promise<void> {
    const wire = this.#wire
    const requestId = `req_${attempt.toString(36).padStart(24, '0')}`
    // Limits on a refusal would tell a client when to come back, and that is the plan's to say.
    const common = Object.fromEntries(Object.entries(wire.headers(requestId)).filter(([name]) => !name.includes('ratelimit')))
    if (path.split('?')[0] !== `/v1${wire.path}`) return exchange.refuse({ status: 404, headers: {} }, wire.error(404, requestId, 'path'), common)
    const asked = isRecord(body) ? wire.asked(body) : undefined
    if (asked === undefined) return exchange.refuse({ status: 400, headers: {} }, wire.error(400, requestId, 'missing'), common)
    const plan = planOf(this.#options.plan?.(attempt, { body, headers, path }), asked.stream, asked.prefill !== undefined)
    if (plan.before !== undefined) return exchange.before(plan.before)
    if (plan.refusal !== undefined) {
      const { refusal } = plan
      // An error body under status 200 is the one of a broken server.
      return exchange.refuse(refusal, wire.error(refusal.status === 200 ? 500 : refusal.status, requestId, refusal.reason), common)
    }
    const { words = DEFAULT_WORDS } = this.#options
    const answer = this.#compose(asked, typeof words === 'string' ? words : words({ body, headers, path }), attempt, requestId)
    const paceMs = this.#options.paceMs ?? 2
    return asked.stream !== (plan.otherWire === true) ? exchange.stream(wire, answer, plan, paceMs) : exchange.json(wire, answer, plan, paceMs)
  }

  #compose(asked: Asked, text: string, attempt: number, requestId: string): Answer {
    const start = asked.prefill !== undefined && text.startsWith(asked.prefill) ? asked.prefill.length : 0
    const words = splitWords(text.slice(start))
    const most = asked.maxWords ?? words.length
    return {
      id: this.#wire.idOf(attempt),
      requestId,
      model: this.#options.model ?? asked.model,
      createdMs: Date.now(),
      words: words.slice(0, most),
      cutByLimit: words.length > most,
      inputTokens: Math.max(1, Math.ceil(asked.promptLength / 4)),
      usage: asked.usage,
    }
  }
}

/**
 * Starts a provider on 127.0.0.1, on a free port, that speaks the real wire of a dialect, and misbehaves as planned. Its
 * tokens are words. Stop it in the end.
 */
export function startProvider(options: ProviderOptions): Promise<LoopbackProvider> {
  if (!Object.hasOwn(WIRES, options.dialect)) return Promise.reject(new Error(`The loopback provider speaks ${Object.keys(WIRES).join(' and ')}.`))
  return new Provider(options).start()
}
