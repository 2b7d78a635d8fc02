import type { GatewayError } from '../protocol/errors.js'
import type { AbortLike } from '../protocol/ports.js'

type Listener = { handleEvent(): void }

/**
 * The end of one attempt, as transports hear of it. An `AbortController` costs more than the rest of an attempt together,
 * so a real signal is made only for upstreams that ask for one.
 */
export class AttemptAbort implements AbortLike {
  #reason: GatewayError | undefined
  #listener: Listener | undefined
  #others: Set<Listener> | undefined
  #controller: AbortController | undefined

  get aborted(): boolean {
    return this.#reason !== undefined
  }
  get reason(): GatewayError | undefined {
    return this.#reason
  }
  get signal(): AbortSignal {
    const controller = (this.#controller ??= new AbortController())
    if (this.#reason !== undefined) controller.abort(this.#reason)
    return controller.signal
  }

  abort(reason: GatewayError): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    const first = this.#listener
    const others = this.#others
    this.#listener = this.#others = undefined
    first?.handleEvent()
    others?.forEach(listener => listener.handleEvent())
    this.#controller?.abort(reason)
  }

  addEventListener(_type: 'abort', listener: Listener): void {
    if (this.#listener === undefined) this.#listener = listener
    else (this.#others ??= new Set()).add(listener)
  }

  removeEventListener(_type: 'abort', listener: Listener): void {
    if (this.#listener === listener) this.#listener = undefined
    else this.#others?.delete(listener)
  }
}
