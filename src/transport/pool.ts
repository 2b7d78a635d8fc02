import type { Timer } from '../protocol/ports.js'
import type { Connection } from './connection.js'
import type { Endpoint } from './endpoint.js'

/** What the connections to one place share. */
export interface Origin {
  /** Parked connections, the last used last. */
  readonly idle: Connection[]
  /** For the next TLS handshake. */
  session?: Buffer | undefined
}

const MOST_ORIGINS = 256

/** Time for what is parked: its timers keep no process alive. */
export interface IdleClock {
  /** Milliseconds since any instant; never goes back. */
  now(): number
  after(ms: number, fn: () => void): Timer
}

/** The connections of one transport. */
export class Pool {
  /** Open, parked ones included. */
  readonly connections = new Set<Connection>()
  readonly #origins = new Map<string, Origin>()
  #emptied: (() => void) | undefined
  /** One for all that are parked: a timer for each would be set and cleared at each call. */
  #sweep: Timer | undefined
  #sweepAtMs = Infinity
  readonly #clock: IdleClock

  constructor(clock: IdleClock) {
    this.#clock = clock
  }

  origin({ key }: Endpoint): Origin {
    const known = this.#origins.get(key)
    if (known !== undefined) return known
    // The parked connections of one that is forgotten close by themselves.
    if (this.#origins.size >= MOST_ORIGINS) for (const oldest of this.#origins.keys()) {
      this.#origins.delete(oldest)
      break
    }
    const made: Origin = { idle: [] }
    this.#origins.set(key, made)
    return made
  }

  /** Keeps a connection for the next request, for so long at most. */
  park(connection: Connection, idleMs: number): void {
    const untilMs = this.#clock.now() + idleMs
    connection.parkedUntilMs = untilMs
    connection.origin.idle.push(connection)
    if (untilMs < this.#sweepAtMs) this.#arm(untilMs, idleMs)
  }

  /** A parked connection whose time is not over; it may be late where the process was busy. */
  take({ idle }: Origin): Connection | undefined {
    for (let last = idle.pop(); last !== undefined; last = idle.pop()) {
      if (this.#clock.now() < last.parkedUntilMs) {
        last.parkedUntilMs = Infinity
        return last
      }
      last.destroy()
    }
    return undefined
  }

  closed(connection: Connection): void {
    this.connections.delete(connection)
    if (this.connections.size > 0) return
    this.#rest()
    this.#emptied?.()
  }

  /** Destroys all connections and waits until their sockets are closed. */
  async end(): Promise<void> {
    if (this.connections.size === 0) return
    await new Promise<void>(resolve => {
      this.#emptied = resolve
      for (const connection of [...this.connections]) connection.destroy()
    })
  }

  #arm(atMs: number, inMs: number): void {
    this.#sweep?.cancel()
    this.#sweepAtMs = atMs
    this.#sweep = this.#clock.after(inMs, () => this.#close())
  }

  #close(): void {
    this.#rest()
    const nowMs = this.#clock.now()
    let soonestMs = Infinity
    for (const connection of [...this.connections]) {
      if (connection.parkedUntilMs <= nowMs) connection.destroy()
      else soonestMs = Math.min(soonestMs, connection.parkedUntilMs)
    }
    if (soonestMs < Infinity) this.#arm(soonestMs, soonestMs - nowMs)
  }

  #rest(): void {
    this.#sweep?.cancel()
    this.#sweep = undefined
    this.#sweepAtMs = Infinity
  }
}
