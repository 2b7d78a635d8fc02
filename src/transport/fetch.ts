import { GatewayError } from '../protocol/errors.js'
import type { HttpCall } from '../protocol/ports.js'
import { abortFault, closedFault, codeOf, configFault, cutFault, networkFault } from './faults.js'
import { HeaderRecord, unpacked } from './headers.js'
import type { ByteReader, Received, SendContext, Transport } from './types.js'

/** The part of the global `fetch` that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** The transport for everywhere but Node, and for a `fetch` of the caller's. It decides about proxies and sockets. */
export function fetchTransport(fetch: Fetch): Transport {
  return new FetchTransport(fetch)
}

class FetchTransport implements Transport {
  readonly #fetch: Fetch
  readonly #active = new Set<Exchange>()
  #closed = false

  constructor(fetch: Fetch) {
    if (typeof fetch !== 'function') throw configFault('fetch must be a function like the global fetch.')
    this.#fetch = fetch
  }

  async send(call: HttpCall, ctx: SendContext): Promise<Received> {
    if (this.#closed) throw closedFault()
    if (ctx.signal.aborted) throw abortFault(ctx.signal.reason)
    const exchange = new Exchange(hostOf(call.url), ctx, this.#active)
    try {
      return await exchange.run(this.#fetch, call)
    } catch (error) {
      throw exchange.fault(error)
    }
  }

  close(): Promise<void> {
    this.#closed = true
    for (const exchange of [...this.#active]) exchange.end(closedFault())
    return Promise.resolve()
  }

  sockets(): number | undefined {
    return undefined
  }
}

function hostOf(text: string): string {
  try {
    return new URL(text).host
  } catch {
    throw configFault('The URL of a deployment is not a URL. Check baseUrl.')
  }
}

/** One request and its answer; also the reader of its body. */
class Exchange implements ByteReader {
  readonly #host: string
  readonly #ctx: SendContext
  readonly #active: Set<Exchange>
  readonly #abort = new AbortController()
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  #over = false
  #ended: GatewayError | undefined
  #reject: ((fault: GatewayError) => void) | undefined

  constructor(host: string, ctx: SendContext, active: Set<Exchange>) {
    this.#host = host
    this.#ctx = ctx
    this.#active = active
    active.add(this)
    ctx.signal.addEventListener('abort', this)
  }

  handleEvent(): void {
    this.end(abortFault(this.#ctx.signal.reason))
  }

  async run(fetch: Fetch, { url, method, headers, body }: HttpCall): Promise<Received> {
    const asked = fetch(url, { method, headers: { ...headers }, redirect: 'manual', signal: this.#abort.signal, ...(body !== undefined && { body: body as BodyInit }) })
    // A fetch that does not heed the signal may still answer: its body is given up.
    asked.then(response => {
      if (this.#ended !== undefined) response.body?.cancel().catch(() => undefined)
    }, () => undefined)
    const response = await this.#unlessEnded(asked)
    this.#ctx.onActivity()
    if (response.type === 'opaqueredirect') throw new GatewayError('upstream_error', `${this.#host} answered with a redirect, which is not followed. Set baseUrl to where it leads.`, { origin: 'upstream' })
    const record = new HeaderRecord(this.#host)
    response.headers.forEach((value, name) => record.add(name, value))
    if (response.body === null) this.#finish()
    else this.#reader = response.body.getReader()
    return { status: response.status, headers: record.headers['content-encoding'] === undefined ? record.headers : unpacked(record.headers), body: this }
  }

  async read(): Promise<Uint8Array | undefined> {
    const reader = this.#reader
    if (this.#ended !== undefined) throw this.#ended
    if (this.#over || reader === undefined) return undefined
    try {
      const { done, value } = await this.#unlessEnded(reader.read())
      if (done) {
        this.#finish()
        return undefined
      }
      this.#ctx.onActivity()
      return value
    } catch (error) {
      if (GatewayError.is(error)) throw error
      const fault = cutFault(this.#host, error)
      this.end(fault)
      throw fault
    }
  }

  cancel(): void {
    this.end(abortFault())
  }

  /** Ends the exchange; what is pending rejects with the fault. */
  end(fault: GatewayError): void {
    if (this.#over) return
    this.#ended = fault
    this.#finish()
    this.#reject?.(fault)
    // Abort first: a body that was cancelled no longer listens to the signal, and its socket stays.
    this.#abort.abort(fault)
    this.#reader?.cancel().catch(() => undefined)
  }

  /** What a failed `run` rejects with. */
  fault(error: unknown): GatewayError {
    const fault = this.#ended ?? (GatewayError.is(error) ? error : networkFault(this.#host, codeOf(error) === undefined && error instanceof Error ? error.cause : error))
    this.end(fault)
    return fault
  }

  #finish(): void {
    this.#over = true
    this.#active.delete(this)
    this.#ctx.signal.removeEventListener('abort', this)
  }

  #unlessEnded<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject
      promise.then(resolve, reject)
    })
  }
}
