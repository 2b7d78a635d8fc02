import { callPart, validateBatch, type BatchInput, type BatchItem, type BatchOptions } from './batch-options.js'
import type { CallOptions } from './pipeline/call.js'
import { GatewayError } from './protocol/errors.js'
import { isObject } from './protocol/json.js'
import type { ChatResult } from './protocol/result.js'

const CONCURRENCY = 10
const NANOS_PER_DOLLAR = 1e9

type Ask<Request, Output> = (request: Request, options: CallOptions) => Promise<ChatResult<Output>>
type Source<Request> = { next(): IteratorResult<Request> | Promise<IteratorResult<Request>>; return?(): unknown }

/**
 * Asks for many answers, `concurrency` at once, and yields each as it ends; a failed item is an item, not an exception.
 *
 * The input is read lazily: at most `concurrency` calls run and at most `2 * concurrency` items are running or ended and
 * unread, so a slow reader stops the intake. Leaving the loop aborts what runs and closes the input. Rejects with
 * `invalid_request` for options it does not know or an input that throws (after what runs has ended; see `cause`), and with
 * `aborted` after `signal`.
 *
 * @example
 * for await (const item of gateway.batch(questions.map(messages => ({ model: 'smart', messages })), { concurrency: 50 })) {
 *   if (item.ok) console.log(item.index, item.result.text)
 *   else console.error(item.index, item.error.code)
 * }
 */
export async function* batch<Request, Output>(ask: Ask<Request, Output>, requests: BatchInput<Request>, options: BatchOptions<Request>): AsyncGenerator<BatchItem<Request, Output>, void, undefined> {
  validateBatch(options)
  const run = new Run(ask, sourceOf(requests), options)
  try {
    run.start()
    for (let item = await run.next(); item !== undefined; item = await run.next()) yield item
  } finally {
    await run.close()
  }
}

class Run<Request, Output> {
  readonly #ask: Ask<Request, Output>
  readonly #source: Source<Request>
  readonly #options: BatchOptions<Request>
  readonly #concurrency: number
  readonly #callOptions: CallOptions
  /** A signal for each running call: one for all, with a listener per call, makes Node warn of a leak. */
  readonly #running = new Set<AbortController>()
  /** Ended and unread. */
  readonly #ended: BatchItem<Request, Output>[] = []
  readonly #stops: (error: GatewayError) => boolean
  #taken = 0
  #done = 0
  #failed = 0
  #cached = 0
  #nanos: number | null = 0
  #pulling = false
  /** The source has nothing more to close. */
  #dry = false
  /** Nothing new is started. */
  #over = false
  /** Thrown when nothing runs and everything was read. */
  #fault: GatewayError | undefined
  #wake: (() => void) | undefined
  readonly #onAbort = (): void => {
    this.#break(new GatewayError('aborted', 'The caller aborted the batch.', { origin: 'caller' }))
    this.#abortAll()
  }
  readonly #onStep = (step: IteratorResult<Request>): void => {
    this.#pulling = false
    this.#take(step)
    this.#fill()
  }
  readonly #onSourceFault = (error: unknown): void => {
    this.#pulling = false
    this.#dry = true
    this.#break(ownFault('The input of the batch failed. See cause.', error))
  }

  constructor(ask: Ask<Request, Output>, source: Source<Request>, options: BatchOptions<Request>) {
    const { concurrency = CONCURRENCY, stopOn = [] } = options
    this.#ask = ask
    this.#source = source
    this.#options = options
    this.#concurrency = concurrency
    this.#stops = typeof stopOn === 'function' ? stopOn : ({ code }) => stopOn.includes(code)
    this.#callOptions = callPart(options)
  }

  start(): void {
    const { signal } = this.#options
    if (signal?.aborted === true) return this.#onAbort()
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#fill()
  }

  /** The next item that ended; `undefined` after the last. */
  async next(): Promise<BatchItem<Request, Output> | undefined> {
    for (;;) {
      const item = this.#ended.shift()
      if (item !== undefined) {
        this.#fill()
        return item
      }
      if (this.#over && this.#running.size === 0) {
        if (this.#fault !== undefined) throw this.#fault
        return undefined
      }
      await this.#change()
    }
  }

  /** Ends what runs and closes the input; resolves when nothing is left. */
  async close(): Promise<void> {
    this.#over = true
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#abortAll()
    while (this.#running.size > 0) await this.#change()
    if (this.#dry) return
    this.#dry = true
    const closing = (async () => this.#source.return?.())()
    // A source that is asked closes only after it has answered, which may be never.
    if (this.#pulling) return void closing.catch(() => undefined)
    await closing.catch((error: unknown) => {
      throw ownFault('The input of the batch could not be closed. See cause.', error)
    })
  }

  #change(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }

  #fill(): void {
    while (!this.#over && !this.#pulling && this.#running.size < this.#concurrency && this.#running.size + this.#ended.length < 2 * this.#concurrency) {
      try {
        const step = this.#source.next()
        if ('then' in step) {
          this.#pulling = true
          step.then(this.#onStep, this.#onSourceFault)
        } else this.#take(step)
      } catch (error) {
        this.#onSourceFault(error)
      }
    }
  }

  #take(step: IteratorResult<Request>): void {
    if (step.done === true) {
      this.#dry = true
      this.#end()
    } else if (!this.#over) void this.#one(step.value, this.#taken++)
  }

  async #one(request: Request, index: number): Promise<void> {
    const abort = new AbortController()
    this.#running.add(abort)
    let item: BatchItem<Request, Output>
    try {
      const options: CallOptions = { ...this.#callOptions, ...this.#options.each?.(request, index), signal: abort.signal }
      item = { index, request, ok: true, result: await this.#ask(request, options) }
    } catch (error) {
      item = { index, request, ok: false, error: GatewayError.is(error) ? error : ownFault('options.each failed for this item. See cause.', error) }
    }
    this.#running.delete(abort)
    this.#count(item)
    this.#ended.push(item)
    this.#fill()
    this.#tell()
    this.#wake?.()
  }

  #abortAll(): void {
    for (const abort of this.#running) abort.abort()
  }

  #count(item: BatchItem<Request, Output>): void {
    this.#done++
    if (item.ok) {
      const { cost, cached } = item.result as ChatResult<Output> & { readonly cached?: unknown }
      if (cached !== undefined && cached !== false) this.#cached++
      this.#nanos = this.#nanos === null || cost.nanos === null ? null : this.#nanos + cost.nanos
      return
    }
    this.#failed++
    if (this.#nanos !== null) for (const { costNanos = 0 } of item.error.attempts ?? []) this.#nanos += costNanos
    try {
      if (item.error.code === 'closed' || this.#stops(item.error)) this.#end()
    } catch (error) {
      this.#break(ownFault('options.stopOn failed. See cause.', error))
    }
  }

  #tell(): void {
    const { onProgress } = this.#options
    if (onProgress === undefined) return
    try {
      const costUsd = this.#nanos === null ? null : this.#nanos / NANOS_PER_DOLLAR
      const told: unknown = onProgress({ done: this.#done, failed: this.#failed, running: this.#running.size, costUsd, cached: this.#cached })
      if (told instanceof Promise) told.catch(() => undefined)
    } catch {
      // A display that breaks is no reason to lose paid answers.
    }
  }

  #end(): void {
    this.#over = true
    this.#wake?.()
  }

  #break(fault: GatewayError): void {
    this.#fault ??= fault
    this.#end()
  }
}

function ownFault(message: string, cause: unknown): GatewayError {
  return new GatewayError('invalid_request', message, { cause })
}

function sourceOf<Request>(requests: BatchInput<Request>): Source<Request> {
  const input = requests as unknown
  if (isObject(input) || Array.isArray(input)) {
    if (Symbol.asyncIterator in input) return (requests as AsyncIterable<Request>)[Symbol.asyncIterator]()
    if (Symbol.iterator in input) return (requests as Iterable<Request>)[Symbol.iterator]()
  }
  throw new GatewayError('invalid_request', "batch() takes a list, an iterable or an async iterable of requests: gateway.batch([{ model, messages: 'Hello' }]).")
}
