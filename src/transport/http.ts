import { request as plainRequest, type Agent, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { HttpCall } from '../protocol/ports.js'
import { PlainAgent, Pool, TlsAgent, type Dial, type DialOptions } from './agent.js'
import { decompressed, HttpBody, type BodyOwner } from './body.js'
import { Endpoints, type Endpoint } from './endpoint.js'
import { abortFault, closedFault, codeOf, configFault, networkFault } from './faults.js'
import { givenAgent } from './given-agent.js'
import { HeaderRecord, MAX_HEADER_BYTES, unpacked } from './headers.js'
import type { Env, Received, SendContext, Transport } from './types.js'

/** Settings of the Node transport. */
export interface HttpTransportOptions {
  /** An `http.Agent` or `https.Agent` of the caller, in place of ours; it also decides about proxies. */
  readonly agent?: unknown
  /** Where `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are read. */
  readonly env?: Env
}

/** Keep-alive HTTP/1.1 over Node's own client. Sockets belong to this transport, none is opened before the first request. */
export function httpTransport(options: HttpTransportOptions = {}): Transport {
  return new HttpTransport(options)
}

class HttpTransport implements Transport {
  readonly active = new Set<Exchange>()
  readonly #pool = new Pool()
  readonly #given: Agent | undefined
  readonly #endpoints: Endpoints
  readonly #agents = new Map<string, Agent>()
  closed = false

  constructor({ agent, env }: HttpTransportOptions) {
    this.#given = givenAgent(agent)
    this.#endpoints = new Endpoints(agent === undefined ? env : undefined)
  }

  send(call: HttpCall, ctx: SendContext): Promise<Received> {
    return new Promise((resolve, reject) => {
      if (this.closed) throw closedFault()
      if (ctx.signal.aborted) throw abortFault(ctx.signal.reason)
      new Exchange(this, this.#endpoints.of(call.url), call, ctx, resolve, reject).start(false)
    })
  }

  /** @param fresh a connection that nobody used before. */
  agent(secure: boolean, fresh: boolean): Agent {
    if (this.#given !== undefined) return this.#given
    const key = `${secure}${fresh}`
    let agent = this.#agents.get(key)
    if (agent === undefined) {
      agent = secure ? new TlsAgent(this.#pool, !fresh) : new PlainAgent(this.#pool, !fresh)
      this.#agents.set(key, agent)
    }
    return agent
  }

  hint(message: IncomingMessage, keepAlive: string): void {
    this.#pool.hint(message.socket, keepAlive)
  }

  /** The request met a connection that the server had already given up. */
  isStale(request: ClientRequest, error: unknown): boolean {
    const code = codeOf(error)
    return request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE') && !(request.socket && this.#pool.answered(request.socket))
  }

  async close(): Promise<void> {
    this.closed = true
    for (const exchange of [...this.active]) exchange.end(closedFault())
    await this.#pool.end()
  }

  sockets(): number | undefined {
    return this.#given === undefined ? this.#pool.sockets.size : undefined
  }
}

/** One request and its answer. */
class Exchange implements BodyOwner {
  readonly #transport: HttpTransport
  readonly #endpoint: Endpoint
  readonly #call: HttpCall
  readonly #ctx: SendContext
  readonly #resolve: (received: Received) => void
  readonly #reject: (fault: unknown) => void
  #request: ClientRequest | undefined
  #dial: Dial = {}
  #body: HttpBody | undefined
  #over = false
  #again = false

  constructor(transport: HttpTransport, endpoint: Endpoint, call: HttpCall, ctx: SendContext, resolve: (received: Received) => void, reject: (fault: unknown) => void) {
    this.#transport = transport
    this.#endpoint = endpoint
    this.#call = call
    this.#ctx = ctx
    this.#resolve = resolve
    this.#reject = reject
    transport.active.add(this)
    ctx.signal.addEventListener('abort', this)
  }

  get host(): string {
    return this.#endpoint.label
  }

  onActivity(): void {
    this.#ctx.onActivity()
  }

  handleEvent(): void {
    this.end(abortFault(this.#ctx.signal.reason))
  }

  start(fresh: boolean): void {
    let request: ClientRequest
    try {
      request = this.#open(fresh)
    } catch (error) {
      this.end(unsendable(this.host, error))
      return
    }
    this.#request = request
    request.on('response', message => this.#onResponse(message))
    request.on('error', error => this.#onError(request, error))
    // A switch of protocols ends a request without any error.
    request.on('close', () => this.#body === undefined && this.#onError(request, undefined))
    request.end(this.#call.body)
  }

  /** Ends the exchange in whatever phase it is. */
  end(fault: unknown): void {
    if (this.#over) return
    const body = this.#body
    if (body !== undefined) {
      body.fail(abortFault(fault))
      return
    }
    this.onOver(true)
    this.#reject(fault)
  }

  onOver(destroy: boolean): void {
    if (this.#over) return
    this.#over = true
    this.#transport.active.delete(this)
    this.#ctx.signal.removeEventListener('abort', this)
    if (!destroy || this.#request === undefined) return
    // A request that waits for a tunnel does not know of the connection to the proxy.
    if (!this.#request.socket) this.#dial.pending?.destroy()
    this.#request.destroy()
  }

  #open(fresh: boolean): ClientRequest {
    const { secure, host, port, path, fixed, tunnel } = this.#endpoint
    const { method, headers, body } = this.#call
    // A flat list goes to the wire as it is, without a pass through header objects.
    const list = [...fixed]
    for (const name of Object.keys(headers)) list.push(name, headers[name] ?? '')
    if (body !== undefined) list.push('content-length', String(Buffer.byteLength(body)))
    this.#dial = {}
    const options: RequestOptions & DialOptions = {
      agent: this.#transport.agent(secure, fresh),
      method,
      host,
      port,
      path,
      headers: list,
      maxHeaderSize: MAX_HEADER_BYTES,
      dial: this.#dial,
      ...(tunnel !== undefined && { tunnel }),
    }
    return (secure ? tlsRequest : plainRequest)(options)
  }

  #onError(request: ClientRequest, error: unknown): void {
    if (this.#over || request !== this.#request) return
    if (this.#body !== undefined) return
    if (!this.#again && this.#transport.isStale(request, error)) {
      this.#again = true
      this.start(true)
      return
    }
    this.end(networkFault(this.host, error))
  }

  #onResponse(message: IncomingMessage): void {
    if (this.#over) {
      message.destroy()
      return
    }
    this.#ctx.onActivity()
    try {
      const headers = this.#headers(message)
      const source = decompressed(message, headers['content-encoding'], this.host)
      this.#body = new HttpBody(source, this)
      this.#resolve({ status: message.statusCode ?? 0, headers: source === message ? headers : unpacked(headers), body: this.#body })
    } catch (fault) {
      message.on('error', () => undefined)
      this.end(fault)
    }
  }

  #headers(message: IncomingMessage): Record<string, string> {
    const record = new HeaderRecord(this.host)
    const raw = message.rawHeaders
    for (let i = 0; i + 1 < raw.length; i += 2) record.add(raw[i] ?? '', raw[i + 1] ?? '')
    const keepAlive = record.headers['keep-alive']
    if (keepAlive !== undefined) this.#transport.hint(message, keepAlive)
    return record.headers
  }
}

function unsendable(host: string, error: unknown): unknown {
  const code = codeOf(error)
  if (code === 'ERR_INVALID_CHAR' || code === 'ERR_HTTP_INVALID_HEADER_VALUE' || code === 'ERR_INVALID_HTTP_TOKEN') {
    return configFault('A request header holds a character that HTTP does not allow. Check the key and the headers of the deployment.')
  }
  if (code === 'ERR_INVALID_PROTOCOL') return configFault(`The agent is not for the protocol of ${host}. Give an https.Agent for https:// and an http.Agent for http://.`)
  if (code === 'ERR_UNESCAPED_CHARACTERS') return configFault('The URL of a deployment holds a character that HTTP does not allow. Check baseUrl and the model name.')
  return networkFault(host, error)
}
