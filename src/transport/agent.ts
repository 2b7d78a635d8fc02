import { Agent, request as plainRequest, type ClientRequest, type ClientRequestArgs } from 'node:http'
import { Agent as TlsAgentBase, request as tlsRequest, type RequestOptions } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Proxy } from './proxy.js'

/** A connection that is being made for a request; ended with it. */
export interface Dial {
  pending?: { destroy(): void }
}
/** Options that a request hands through to the agent. */
export interface DialOptions {
  readonly dial?: Dial
  readonly tunnel?: Proxy
}

const IDLE_MS = 30_000
// The server's timer starts earlier than ours.
const EARLY_MS = 1_000

/** The sockets of one transport, and what is known of each. */
export class Pool {
  readonly sockets = new Set<Duplex>()
  readonly #idleMs = new WeakMap<Duplex, number>()
  readonly #readAt = new WeakMap<Duplex, number>()

  add(socket: Duplex): void {
    this.sockets.add(socket)
    socket.once('close', () => this.sockets.delete(socket))
  }

  /** Notes a `keep-alive: timeout=5` header. */
  hint(socket: Duplex, header: string): void {
    const seconds = /timeout=(\d{1,6})/i.exec(header)?.[1]
    if (seconds !== undefined) this.#idleMs.set(socket, Math.min(IDLE_MS, Number(seconds) * 1000 - EARLY_MS))
  }

  /** Puts a socket aside; false where the server will close it too soon. */
  park(socket: Socket): boolean {
    const idleMs = this.#idleMs.get(socket) ?? IDLE_MS
    if (idleMs <= 0) return false
    socket.setKeepAlive(true, 1000)
    socket.unref()
    socket.setTimeout(idleMs)
    return true
  }

  wake(socket: Socket): void {
    socket.setTimeout(0)
    this.#readAt.set(socket, socket.bytesRead)
  }

  /** Some bytes came since the socket was taken again. */
  answered(socket: Socket): boolean {
    return socket.bytesRead !== (this.#readAt.get(socket) ?? socket.bytesRead)
  }

  /** Destroys all sockets and waits until they are closed. */
  async end(): Promise<void> {
    const open = [...this.sockets]
    await Promise.all(open.map(socket => new Promise<void>(resolve => {
      socket.once('close', resolve)
      socket.destroy()
    })))
  }
}

// Node's own names spell out every TLS option, on each request; ours never differ within one agent.
const nameOf = (options?: { readonly host?: string | null | undefined; readonly port?: number | string | null | undefined }) => `${options?.host ?? ''}:${options?.port ?? ''}`
const settings = (keepAlive: boolean) => ({ keepAlive, noDelay: true, scheduling: 'lifo' as const })

/** Keep-alive for plain connections. */
export class PlainAgent extends Agent {
  readonly #pool: Pool

  constructor(pool: Pool, keepAlive: boolean) {
    super(settings(keepAlive))
    this.#pool = pool
  }

  override createConnection(options: ClientRequestArgs & DialOptions): Duplex | null | undefined {
    return dialled(super.createConnection(options), this.#pool, options.dial)
  }
  override getName(options?: ClientRequestArgs): string {
    return nameOf(options)
  }
  override keepSocketAlive(socket: Socket): boolean {
    return this.#pool.park(socket)
  }
  override reuseSocket(socket: Socket, request: ClientRequest): void {
    super.reuseSocket(socket, request)
    this.#pool.wake(socket)
  }
}

/** Keep-alive for TLS, through a proxy where there is one. */
export class TlsAgent extends TlsAgentBase {
  readonly #pool: Pool

  constructor(pool: Pool, keepAlive: boolean) {
    super(settings(keepAlive))
    this.#pool = pool
  }

  override createConnection(options: RequestOptions & DialOptions, callback?: (error: Error | null, stream: Duplex) => void): Duplex | null | undefined {
    const { tunnel, dial } = options
    if (tunnel === undefined) return dialled(super.createConnection(options), this.#pool, dial)
    const done = (error: Error | null, socket?: Duplex) => {
      if (socket === undefined) callback?.(error, undefined as unknown as Duplex)
      else callback?.(null, dialled(super.createConnection({ ...options, socket } as RequestOptions), this.#pool, dial) as Duplex)
    }
    openTunnel(tunnel, `${options.host ?? ''}`, Number(options.port), this.#pool, dial, done)
    return undefined
  }
  override getName(options?: RequestOptions): string {
    return nameOf(options)
  }
  override keepSocketAlive(socket: Socket): boolean {
    return this.#pool.park(socket)
  }
  override reuseSocket(socket: Socket, request: ClientRequest): void {
    super.reuseSocket(socket, request)
    this.#pool.wake(socket)
  }
}

function dialled(socket: Duplex | null | undefined, pool: Pool, dial: Dial | undefined): Duplex | null | undefined {
  if (socket) {
    pool.add(socket)
    if (dial !== undefined) dial.pending = socket
  }
  return socket
}

/** Asks a proxy for a way to `host:port`. */
function openTunnel(proxy: Proxy, host: string, port: number, pool: Pool, dial: Dial | undefined, done: (error: Error | null, socket?: Duplex) => void): void {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const ask = (proxy.secure ? tlsRequest : plainRequest)({
    host: proxy.host,
    port: proxy.port,
    method: 'CONNECT',
    path: authority,
    agent: false,
    headers: { host: authority, ...(proxy.auth !== undefined && { 'proxy-authorization': proxy.auth }) },
  })
  let over = false
  const settle = (error: Error | null, socket?: Duplex) => {
    if (over) return
    over = true
    done(error, socket)
  }
  if (dial !== undefined) dial.pending = ask
  ask.once('socket', socket => pool.add(socket))
  ask.once('connect', (answer, socket, head) => {
    const status = answer.statusCode ?? 0
    if (status < 200 || status > 299) {
      socket.destroy()
      settle(refusal(`PROXY_STATUS_${status}`))
      return
    }
    if (head.length > 0) socket.unshift(head)
    // From here the TLS socket stands for it.
    pool.sockets.delete(socket)
    settle(null, socket)
  })
  ask.once('response', answer => {
    answer.destroy()
    settle(refusal('PROXY_NO_TUNNEL'))
  })
  ask.on('error', settle)
  ask.once('close', () => settle(refusal('PROXY_CLOSED')))
  ask.end()
}

function refusal(code: string): Error {
  return Object.assign(new Error('The proxy made no tunnel.'), { code })
}
