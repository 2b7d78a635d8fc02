import type { GatewayError } from '../protocol/errors.js'

/**
 * Ends a flight once, from wherever the end comes: the caller's abort, the total deadline, `close()`. Lighter than an
 * `AbortController`, which each attempt has of its own.
 */
export class Cancel {
  #reason: GatewayError | undefined
  #listeners: Set<(reason: GatewayError) => void> | undefined

  get reason(): GatewayError | undefined {
    return this.#reason
  }

  cancel(reason: GatewayError): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    const listeners = this.#listeners
    this.#listeners = undefined
    listeners?.forEach(listener => listener(reason))
  }

  /** Calls `listener` at the end, or now if it has come; returns its removal. */
  onCancel(listener: (reason: GatewayError) => void): () => void {
    if (this.#reason !== undefined) {
      listener(this.#reason)
      return () => undefined
    }
    const listeners = (this.#listeners ??= new Set())
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  /** Listeners still attached: 0 once nothing waits. */
  get listening(): number {
    return this.#listeners?.size ?? 0
  }
}
