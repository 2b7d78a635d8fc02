import { GatewayError } from '../protocol/errors.js'
import type { ChatEvent } from '../protocol/events.js'
import type { ChatResult } from '../protocol/result.js'
import type { Reader } from '../resilience/attempt.js'
import type { Delivery } from './deliver.js'
import { toResponse, type ResponseFormat } from './response.js'

/**
 * A stream that has committed to an upstream. It can be read once: as events, as text, as a `Response`, or by `result()`,
 * which reads it to the end where nobody else does. Leaving a loop early closes the upstream's socket.
 */
export class ChatStream<Output = unknown> implements AsyncIterable<ChatEvent> {
  readonly #delivery: Delivery
  #reader: string | undefined
  #waiting: { resolve(): void; reject(error: unknown): void }[] = []
  #over: { readonly error?: unknown } | undefined

  constructor(delivery: Delivery) {
    this.#delivery = delivery
  }

  /** Id of the call, as in its record. */
  get id(): string {
    return this.#delivery.call.id
  }

  [Symbol.asyncIterator](): AsyncIterator<ChatEvent, undefined> {
    this.#take('events')
    return this.#iterate(event => event)
  }

  /**
   * The text alone. Text that was given out cannot be taken back: where `recover: 'restart'` would start over, this ends
   * with the error, and `'continue'` goes on.
   */
  get textStream(): AsyncIterable<string> {
    return {
      [Symbol.asyncIterator]: (): AsyncIterator<string, undefined> => {
        this.#take('textStream')
        this.#delivery.holdToWhatWasSaid()
        return this.#iterate(event => (event.type === 'text-delta' ? event.text : undefined))
      },
    }
  }

  /** The whole answer. Waits for the reader where there is one, reads to the end where there is none. */
  async result(): Promise<ChatResult<Output>> {
    if (this.#reader === undefined) {
      this.#take('result()')
      await this.#drain()
    } else if (this.#over === undefined) {
      await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    }
    if (this.#over?.error !== undefined) throw this.#over.error
    return (await this.#delivery.result()) as ChatResult<Output>
  }

  /** Ends the stream; what was used is booked. */
  cancel(): void {
    const reason = new GatewayError('aborted', 'The stream was cancelled.', { origin: 'caller' })
    this.#delivery.cancel(reason)
    this.#finish(this.#delivery.fault)
  }

  /** The rest of the stream as a web `Response`: `events` (our events as SSE), `openai` (chunks of that dialect as SSE) or `text`. */
  toResponse(options: { readonly format: ResponseFormat } = { format: 'events' }): Response {
    const { format } = options
    const read = (): AsyncIterator<ChatEvent, undefined> => {
      this.#take('toResponse()')
      if (format !== 'events') this.#delivery.holdToWhatWasSaid()
      return this.#iterate(event => event)
    }
    return toResponse(read, this.id, format)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel()
    return Promise.resolve()
  }

  #take(reader: string): void {
    if (this.#reader !== undefined) {
      throw new GatewayError('invalid_request', `This stream is being read by ${this.#reader}; ${reader} cannot read it too. Read it once and keep what you need.`)
    }
    this.#reader = reader
  }

  #iterate<T>(pick: (event: ChatEvent) => T | undefined): AsyncIterator<T, undefined> {
    let batch: readonly ChatEvent[] = []
    let at = 0
    const nextInBatch = (): T | undefined => {
      while (at < batch.length) {
        const event = batch[at++]
        const value = event === undefined ? undefined : pick(event)
        if (value !== undefined) return value
      }
      return undefined
    }
    // Kept between reads: a closure for each chunk would be garbage for each chunk.
    let resolve: ((result: IteratorResult<T, undefined>) => void) | undefined
    let reject: ((error: unknown) => void) | undefined
    const onRead: Reader = (more, fault) => {
      if (fault !== undefined) {
        this.#finish(fault)
        return reject?.(fault)
      }
      if (more === undefined) {
        this.#finish()
        return resolve?.({ done: true, value: undefined })
      }
      batch = more
      at = 0
      const value = nextInBatch()
      if (value === undefined) this.#delivery.read(onRead)
      else resolve?.({ done: false, value })
    }
    const read = (resolved: (result: IteratorResult<T, undefined>) => void, rejected: (error: unknown) => void): void => {
      resolve = resolved
      reject = rejected
      this.#delivery.read(onRead)
    }
    return {
      next: () => {
        const value = nextInBatch()
        return value === undefined ? new Promise(read) : Promise.resolve({ done: false, value })
      },
      return: () => {
        batch = []
        this.#delivery.cancel()
        this.#finish(this.#delivery.fault)
        return Promise.resolve({ done: true, value: undefined })
      },
    }
  }

  async #drain(): Promise<void> {
    try {
      while ((await this.#delivery.pull()) !== undefined);
      this.#finish()
    } catch (error) {
      this.#finish(error)
    }
  }

  #finish(error?: unknown): void {
    if (this.#over !== undefined) return
    this.#over = error === undefined ? {} : { error }
    for (const { resolve, reject } of this.#waiting) {
      if (error === undefined) resolve()
      else reject(error)
    }
    this.#waiting = []
  }
}
