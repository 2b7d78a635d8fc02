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

/** The connections of one transport. */
export class Pool {
  /** Open, parked ones included. */
  readonly connections = new Set<Connection>()
  readonly #origins = new Map<string, Origin>()
  #emptied: (() => void) | undefined

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

  closed(connection: Connection): void {
    this.connections.delete(connection)
    if (this.connections.size === 0) this.#emptied?.()
  }

  /** Destroys all connections and waits until their sockets are closed. */
  async end(): Promise<void> {
    if (this.connections.size === 0) return
    await new Promise<void>(resolve => {
      this.#emptied = resolve
      for (const connection of [...this.connections]) connection.destroy()
    })
  }
}
