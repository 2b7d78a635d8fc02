import type { GatewayError } from '../protocol/errors.js'

/** Is told when a flight is ended. An object and not a function, so that a call makes no closure for it. */
export interface Cancellable {
  cancelled(reason: GatewayError): void
}

/**
 * Ends a flight once, from wherever the end comes: the caller's abort, the total deadline, `close()`. Lighter than an
 * `AbortController`, which each attempt has of its own.
 */
export class Cancel {
  #reason: GatewayError | undefined
  readonly #listeners: Cancellable[] = []

  get reason(): GatewayError | undefined {
    return this.#reason
  }

  cancel(reason: GatewayError): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    for (const listener of this.#listeners.splice(0)) listener.cancelled(reason)
  }

  /** Tells `listener` at the end, or now if it has come. */
  add(listener: Cancellable): void {
    if (this.#reason === undefined) this.#listeners.push(listener)
    else listener.cancelled(this.#reason)
  }

  remove(listener: Cancellable): void {
    // Those that came last leave first.
    const at = this.#listeners.lastIndexOf(listener)
    if (at >= 0) this.#listeners.splice(at, 1)
  }

  /** {@link add} for a function; returns its removal. */
  onCancel(listener: (reason: GatewayError) => void): () => void {
    const own: Cancellable = { cancelled: listener }
    this.add(own)
    return () => this.remove(own)
  }

  /** Listeners still attached: 0 once nothing waits. */
  get listening(): number {
    return this.#listeners.length
  }
}
