import { request as plainRequest, type Agent, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { HttpCall } from '../protocol/ports.js'
import { decompressed, HttpBody, type BodyOwner } from './body.js'
import { Endpoints, type Endpoint } from './endpoint.js'
import { abortFault, closedFault, codeOf, configFault, networkFault } from './faults.js'
import { HeaderRecord, MAX_HEADER_BYTES, packing, unpacked } from './headers.js'
import type { Received, SendContext, Transport } from './types.js'

/** HTTP by Node's own client, over an agent of the caller's: it decides about sockets and proxies. */
export function agentTransport(agent: Agent): Transport {
  return new AgentTransport(agent)
}

class AgentTransport implements Transport {
  readonly active = new Set<Exchange>()
  readonly #agent: Agent
  readonly #endpoints = new Endpoints()
  #closed = false

  constructor(agent: Agent) {
    this.#agent = agent
  }

  send(call: HttpCall, ctx: SendContext): Promise<Received> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw closedFault()
      if (ctx.signal.aborted) throw abortFault(ctx.signal.reason)
      new Exchange(this.active, this.#agent, this.#endpoints.of(call.url), call, ctx, resolve, reject).start()
    })
  }

  close(): Promise<void> {
    this.#closed = true
    for (const exchange of [...this.active]) exchange.end(closedFault())
    return Promise.resolve()
  }

  sockets(): undefined {
    return undefined
  }
}

/** One request and its answer. */
class Exchange implements BodyOwner {
  readonly #active: Set<Exchange>
  readonly #agent: Agent
  readonly #endpoint: Endpoint
  readonly #call: HttpCall
  readonly #ctx: SendContext
  readonly #resolve: (received: Received) => void
  readonly #reject: (fault: unknown) => void
  #request: ClientRequest | undefined
  #body: HttpBody | undefined
  #over = false
  #again = false

  constructor(active: Set<Exchange>, agent: Agent, endpoint: Endpoint, call: HttpCall, ctx: SendContext, resolve: (received: Received) => void, reject: (fault: unknown) => void) {
    this.#active = active
    this.#agent = agent
    this.#endpoint = endpoint
    this.#call = call
    this.#ctx = ctx
    this.#resolve = resolve
    this.#reject = reject
    active.add(this)
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

  start(): void {
    let request: ClientRequest
    try {
      request = this.#open()
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
    this.#active.delete(this)
    this.#ctx.signal.removeEventListener('abort', this)
    if (destroy) this.#request?.destroy()
  }

  #open(): ClientRequest {
    const { secure, host, port, path, fixed } = this.#endpoint
    const { method, headers, body } = this.#call
    // A flat list goes to the wire as it is, without a pass through header objects.
    const list = [...fixed]
    for (const name of Object.keys(headers)) list.push(name, headers[name] ?? '')
    if (body !== undefined) list.push('content-length', String(Buffer.byteLength(body)))
    const options = { agent: this.#agent, method, host, port, path, headers: list, maxHeaderSize: MAX_HEADER_BYTES }
    return (secure ? tlsRequest : plainRequest)(options)
  }

  #onError(request: ClientRequest, error: unknown): void {
    if (this.#over || request !== this.#request) return
    if (this.#body !== undefined) return
    if (!this.#again && isStale(request, error)) {
      this.#again = true
      this.start()
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
      const record = new HeaderRecord(this.host)
      const raw = message.rawHeaders
      for (let i = 0; i + 1 < raw.length; i += 2) record.add((raw[i] ?? '').toLowerCase(), raw[i + 1] ?? '')
      const { headers } = record
      const packed = packing(headers['content-encoding'])
      this.#body = new HttpBody(packed === undefined ? message : decompressed(message, packed, this.host), this)
      this.#resolve({ status: message.statusCode ?? 0, headers: packed === undefined ? headers : unpacked(headers), body: this.#body })
    } catch (fault) {
      message.on('error', () => undefined)
      this.end(fault)
    }
  }
}

/** The request met a connection that the server had already given up. */
function isStale(request: ClientRequest, error: unknown): boolean {
  const code = codeOf(error)
  return request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')
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
