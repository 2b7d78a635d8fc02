import { Buffer } from 'node:buffer'
import { connect, type OnReadOpts, type Socket } from 'node:net'
import type { Endpoint } from './endpoint.js'
import type { Origin, Pool } from './pool.js'

const IDLE_MS = 30_000
// The server's timer starts earlier than ours.
const EARLY_MS = 1_000
const KEEP_ALIVE_MS = 1_000
const MOST_IDLE = 256

/** Who uses a connection. */
export interface ConnectionUser {
  /** It may be written to. */
  ready(): void
  /** The first `length` bytes were read; lent until this returns. */
  arrived(bytes: Buffer, length: number): void
  /** It ended; without an error where the other side ended it in order. */
  lost(error: unknown): void
}

/** One socket from its dial to its close, for one user at a time. */
export class Connection {
  /** It had a user before. */
  reused = false
  /** While it is parked: when it is to be closed, on the clock of its pool. */
  parkedUntilMs = Infinity
  readonly origin: Origin
  readonly #pool: Pool
  readonly #buffer: Buffer
  #user: ConnectionUser | undefined
  #socket: Socket | undefined
  #idleMs = IDLE_MS
  #hint: string | undefined
  #over = false

  /** @param buffer where the reads of all sockets of a transport land: one after the other, each is used up at once. */
  constructor(pool: Pool, origin: Origin, buffer: Buffer, user: ConnectionUser) {
    this.#pool = pool
    this.origin = origin
    this.#buffer = buffer
    this.#user = user
    pool.connections.add(this)
  }

  dial(endpoint: Endpoint): void {
    const { host, port, secure, tunnel } = endpoint
    if (!secure && tunnel === undefined) {
      this.adopt(connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS, onread: this.onread }))
      this.ready()
      return
    }
    // TLS is not loaded for those who only talk to a server of their own.
    import('./secure.js').then(({ dialSecure }) => this.#over || dialSecure(this, endpoint)).catch((error: unknown) => this.lose(error))
  }

  /** For sockets that read straight into the shared buffer. */
  get onread(): OnReadOpts {
    return { buffer: this.#buffer, callback: (length, bytes) => this.read(bytes as Buffer, length) }
  }

  /** Makes `socket` the one of this connection; one it had before lives on below it. */
  adopt(socket: Socket): void {
    this.#socket = socket
    socket.on('error', error => this.lose(error))
    socket.on('end', () => this.#socket === socket && this.lose(undefined))
    socket.on('close', () => {
      if (this.#socket !== socket) return
      this.lose(undefined)
      this.#pool.closed(this)
    })
  }

  ready(): void {
    this.#user?.ready()
  }

  read(bytes: Buffer, length: number): boolean {
    // What comes while nobody asked belongs to nobody.
    if (this.#user === undefined) this.destroy()
    else this.#user.arrived(bytes, length)
    return true
  }

  /** One write: one packet where it fits.  */
  write(head: string, body: string | Uint8Array | undefined, bodyBytes: number): void {
    const socket = this.#socket
    if (socket === undefined) return
    if (body === undefined || (typeof body === 'string' && body.length === bodyBytes)) {
      socket.write(head + (body ?? ''), 'latin1')
      return
    }
    const whole = Buffer.allocUnsafe(head.length + bodyBytes)
    whole.write(head, 0, 'latin1')
    if (typeof body === 'string') whole.write(body, head.length, 'utf8')
    else whole.set(body, head.length)
    socket.write(whole)
  }

  /** Notes a `keep-alive: timeout=5` header. */
  hint(header: string): void {
    if (header === this.#hint) return
    this.#hint = header
    const seconds = /timeout=(\d{1,6})/i.exec(header)?.[1]
    if (seconds !== undefined) this.#idleMs = Math.min(IDLE_MS, Number(seconds) * 1000 - EARLY_MS)
  }

  pause(): void {
    this.#socket?.pause()
  }
  resume(): void {
    this.#socket?.resume()
  }

  /** The user has its answer: waits for the next one, or closes. */
  release(keep: boolean): void {
    const { idle } = this.origin
    const socket = this.#socket
    // A request that is not wholly sent would go on in front of the next one.
    if (this.#over || socket === undefined || !keep || socket.writableLength > 0 || this.#idleMs <= 0 || idle.length >= MOST_IDLE) return this.destroy()
    this.#user = undefined
    socket.unref()
    this.#pool.park(this, this.#idleMs)
  }

  /** Takes a parked connection for a user. */
  wake(user: ConnectionUser): void {
    this.#user = user
    this.reused = true
    this.#socket?.ref()
    user.ready()
  }

  /** Closes the socket at once, whatever it is doing. The user is not told. */
  destroy(): void {
    this.#user = undefined
    this.#leave()
    if (this.#socket === undefined) this.#pool.closed(this)
    else this.#socket.destroy()
  }

  lose(error: unknown): void {
    const user = this.#user
    this.destroy()
    user?.lost(error)
  }

  #leave(): void {
    if (this.#over) return
    this.#over = true
    const { idle } = this.origin
    const at = idle.lastIndexOf(this)
    if (at !== -1) idle.splice(at, 1)
  }
}
