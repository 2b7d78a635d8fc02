import type { ChatStream } from '../pipeline/stream.js'
import { validateRequest } from '../pipeline/validate.js'
import { GatewayError } from '../protocol/errors.js'
import type { ChatRequest } from '../protocol/request.js'
import { Loop, type LoopParts } from './loop.js'
import { validateRun, type Asker, type ToolRun, type ToolRunEvent, type ToolRunOptions } from './options.js'
import { during } from './during.js'

/** Starts a run whose steps stream; resolves when its first step has committed to an upstream. */
export async function streamTools<Output>(asker: Asker<unknown>, parts: LoopParts, request: ChatRequest<string, Output>, options: ToolRunOptions<Output>): Promise<ToolStream<Output>> {
  validateRun(options)
  validateRequest(request)
  const loop = new Loop<Output>(parts, request, options)
  const ask = async (): Promise<ChatStream<Output>> => {
    const { asked, own } = loop.next()
    return (await asker.stream<Output>(asked, own)) as ChatStream<Output>
  }
  try {
    return new ToolStream<Output>(loop, ask, await ask())
  } catch (error) {
    loop.close()
    throw loop.fault(error)
  }
}

/**
 * A run of tools as it happens. It can be read once, by `for await` or by `result()`, which reads it to the end where nobody else does.
 * Leaving the loop early, `cancel()`, and the signal of the run end everything: the upstream's socket, and the tools through their signal.
 *
 * @example
 * const run = await gateway.streamTools({ model: 'smart', messages: 'Is it warm in Rome?', tools: [weather] })
 * for await (const event of run) {
 *   if (event.type === 'text-delta') process.stdout.write(event.text)
 *   if (event.type === 'tool-result') console.log(event.name, event.message.content)
 * }
 * console.log((await run.result()).cost.usd)
 */
export class ToolStream<Output = unknown> implements AsyncIterable<ToolRunEvent<Output>> {
  readonly #loop: Loop<Output>
  readonly #ask: () => Promise<ChatStream<Output>>
  #first: ChatStream<Output> | undefined
  #read = false
  #over: { readonly error?: unknown } | undefined
  #waiting: (() => void)[] = []

  constructor(loop: Loop<Output>, ask: () => Promise<ChatStream<Output>>, first: ChatStream<Output>) {
    this.#loop = loop
    this.#ask = ask
    this.#first = first
  }

  /** As in `metadata.toolRun.id` of the record of each step. */
  get runId(): string {
    return this.#loop.runId
  }

  [Symbol.asyncIterator](): AsyncIterator<ToolRunEvent<Output>, undefined> {
    if (this.#read) throw new GatewayError('invalid_request', 'This run is being read already. Read it once and keep what you need.')
    this.#read = true
    const events = this.#events()
    return {
      next: () => events.next(),
      return: async () => {
        // First: a generator that waits for a tool hears of nothing before the tool has ended.
        if (this.#over === undefined) this.#end(left())
        await events.return(undefined)
        return { done: true, value: undefined }
      },
    }
  }

  /** How the run ended. Waits for the reader where there is one, reads to the end where there is none. */
  async result(): Promise<ToolRun<Output>> {
    if (!this.#read) for await (const _ of this);
    else if (this.#over === undefined) await new Promise<void>(resolve => this.#waiting.push(resolve))
    if (this.#over?.error !== undefined) throw this.#over.error
    return this.#loop.result()
  }

  /** Ends the run; what was used is booked. */
  cancel(): void {
    if (this.#over === undefined) this.#end(new GatewayError('aborted', 'The run was cancelled.', { origin: 'caller' }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel()
    return Promise.resolve()
  }

  /** By the caller, at once: whoever reads hears of it from what it waits for. */
  #end(reason: GatewayError): void {
    this.#loop.cancel(reason)
    this.#settle({ error: reason })
  }

  async *#events(): AsyncGenerator<ToolRunEvent<Output>, undefined> {
    try {
      for (let step = 1; ; step++) {
        const stream = this.#first ?? (await this.#ask())
        this.#first = undefined
        yield { type: 'step-start', step }
        yield* stream
        const answer = await stream.result()
        let over = false
        yield* during<ToolRunEvent<Output>>(async tell => {
          over = await this.#loop.take(answer, ({ name }, message) => tell({ type: 'tool-result', step, name, message }))
        })
        yield { type: 'step-finish', step: this.#loop.taken }
        if (over) return this.#settle({})
      }
    } catch (error) {
      const fault = this.#loop.fault(error)
      this.#settle({ error: fault })
      throw fault
    } finally {
      if (this.#over === undefined) this.#end(left())
    }
  }

  #settle(over: { readonly error?: unknown }): undefined {
    this.#loop.close()
    if (this.#over !== undefined) return
    this.#over = over
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

function left(): GatewayError {
  return new GatewayError('aborted', 'The reader left the run before its end.', { origin: 'caller' })
}
