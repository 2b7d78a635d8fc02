import type { EngineParts } from '../engine.js'
import type { CallOptions } from '../pipeline/call.js'
import { cancellable } from '../pipeline/cancellable.js'
import { GatewayError } from '../protocol/errors.js'
import type { Timer } from '../protocol/ports.js'
import type { ChatRequest, Message, ToolCall, ToolMessage } from '../protocol/request.js'
import type { ChatResult } from '../protocol/result.js'
import { Cancel } from '../resilience/cancel.js'
import { timeout } from '../resilience/deadlines.js'
import { Toolset, failed } from './execute.js'
import { distinctCalls } from './ids.js'
import { stepPart, type ToolRun, type ToolRunEnd, type ToolRunOptions, type ToolRunProgress, type ToolStep } from './options.js'
import { costOf, usageOf } from './sums.js'

const MAX_STEPS = 10
const NOT_RUN = 'Not run: the answer that asked for it was cut before its end.'

/** What a run is made of beside its request. */
export interface LoopParts extends Pick<EngineParts, 'clock' | 'router' | 'randomBytes'> {
  /** Runs that have not ended: `close()` of the gateway ends them. */
  readonly runs: Set<Cancel>
}

/** The state of one run: what is asked next, and whether it goes on. It asks nobody itself, so that chats and streams share it. */
export class Loop<Output> {
  readonly runId: string
  readonly #parts: LoopParts
  readonly #request: ChatRequest<string, Output>
  readonly #options: ToolRunOptions<Output>
  readonly #step: CallOptions
  readonly #tools: Toolset
  readonly #cancel = new Cancel()
  readonly #abort = new AbortController()
  readonly #totalMs: number | undefined
  readonly #startedMs: number
  readonly #timer: Timer | undefined
  readonly #steps: ToolStep<Output>[] = []
  #messages: readonly Message[]
  #stopped: ToolRunEnd = 'done'
  readonly #onAbort = (): void => this.cancel(new GatewayError('aborted', 'The caller aborted the run.', { origin: 'caller' }))

  constructor(parts: LoopParts, request: ChatRequest<string, Output>, options: ToolRunOptions<Output>) {
    const { clock, runs, randomBytes } = parts
    const { messages, tools } = request
    this.#parts = parts
    this.#request = request
    this.#options = options
    this.#step = stepPart(options)
    this.#messages = typeof messages === 'string' ? [{ role: 'user', content: messages }] : [...messages]
    this.#tools = new Toolset({ ...options, tools, clock, cancel: this.#cancel })
    this.runId = `run_${[...randomBytes(8)].map(byte => byte.toString(16).padStart(2, '0')).join('')}`
    this.#totalMs = totalMs(parts, request, this.#step)
    this.#startedMs = clock.now()
    this.#timer = this.#totalMs === undefined ? undefined : clock.after(this.#totalMs, () => this.#late())
    // A step that is late ends by its own deadline, which its record then tells.
    this.#cancel.onCancel(({ code }) => code === 'timeout' || this.#abort.abort())
    runs.add(this.#cancel)
    const { signal } = options
    if (signal?.aborted === true) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  cancel(reason: GatewayError): void {
    this.#cancel.cancel(reason)
  }

  /** The next step; throws where the run has ended. */
  next(): { readonly step: number; readonly asked: ChatRequest<string, Output>; readonly own: CallOptions } {
    const leftMs = this.#totalMs === undefined ? undefined : Math.ceil(this.#startedMs + this.#totalMs - this.#parts.clock.now())
    if (leftMs !== undefined && leftMs <= 0) this.#late()
    if (this.#cancel.reason !== undefined) throw this.#cancel.reason
    const step = this.#steps.length + 1
    const { toolChoice, ...request } = this.#request
    // A choice that is forced for ever has no end: once its tools have answered, the model chooses.
    const chosen = step > 1 && toolChoice !== undefined && toolChoice !== 'none' ? 'auto' : toolChoice
    const { deadlines, metadata, conversation = this.runId } = this.#step
    return {
      step,
      asked: { ...request, messages: step === 1 ? this.#request.messages : this.#messages, ...(chosen !== undefined && { toolChoice: chosen }) },
      own: { ...this.#step, conversation, signal: this.#abort.signal, ...(leftMs !== undefined && { deadlines: { ...deadlines, totalMs: leftMs } }), metadata: { ...metadata, toolRun: { id: this.runId, step } } },
    }
  }

  /** Runs the tools an answer asks for; true where the run ends with it. */
  async take(given: ChatResult<Output>, onResult: (call: ToolCall, result: ToolMessage) => void): Promise<boolean> {
    const answer = distinctCalls(given)
    const { toolCalls, finishReason, message } = answer
    const cut = finishReason === 'length' ? 'length' : finishReason === 'content-filter' ? 'content_filter' : undefined
    const before = [...this.#messages, message]
    const step = this.#steps.length + 1
    const left = cut === undefined && toolCalls.some(call => this.#tools.leaves(call))
    const toolResults = cut === undefined ? await this.#tools.run(toolCalls.filter(call => !this.#tools.leaves(call)), { step, messages: before }, onResult) : toolCalls.map(call => failed(call, NOT_RUN))
    if (this.#cancel.reason !== undefined) throw this.#cancel.reason
    this.#messages = [...before, ...toolResults]
    const taken: ToolStep<Output> = { ...answer, step, toolResults, messages: [...this.#messages] }
    this.#steps.push(taken)
    this.#tell(taken)
    const stopped = cut ?? (toolCalls.length === 0 ? 'done' : left ? 'tool_calls' : await this.#enough())
    if (stopped === undefined) return false
    this.#stopped = stopped
    return true
  }

  /** The step that was taken last. */
  get taken(): ToolStep<Output> {
    const last = this.#steps.at(-1)
    if (last === undefined) throw new GatewayError('invalid_request', 'The run has no step yet.')
    return last
  }

  result(): ToolRun<Output> {
    const { step: _step, toolResults: _results, ...answer } = this.taken
    return { ...answer, ...this.#progress(), stopped: this.#stopped }
  }

  /** An error as the caller of the run is to see it: a deadline is that of the run. */
  fault(error: unknown): unknown {
    const { reason } = this.#cancel
    if (reason !== undefined && !(GatewayError.is(error) && error.code === reason.code)) return reason
    if (!GatewayError.is(error) || error.code !== 'timeout' || error.deadline !== 'total') return error
    return error.with({ message: this.#timeout().message })
  }

  /** Lets go of everything. Idempotent. */
  close(): void {
    this.#timer?.cancel()
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#parts.runs.delete(this.#cancel)
  }

  /** Also the end of a run that nobody reads any more. */
  #late(): void {
    this.cancel(this.#timeout())
    this.close()
  }

  #timeout(): GatewayError {
    return timeout('total', this.#totalMs ?? 0)
  }

  #progress(): ToolRunProgress<Output> {
    return { runId: this.runId, steps: [...this.#steps], messages: [...this.#messages], usage: usageOf(this.#steps), cost: costOf(this.#steps) }
  }

  #tell(step: ToolStep<Output>): void {
    try {
      const told: unknown = this.#options.onStep?.(step)
      if (told instanceof Promise) told.catch(() => undefined)
    } catch {
      // A display that breaks is no reason to lose paid answers.
    }
  }

  /** Why no further step may be asked for. */
  async #enough(): Promise<ToolRunEnd | undefined> {
    const { stopWhen, maxSteps = MAX_STEPS, maxCostUsd } = this.#options
    if (stopWhen !== undefined && (await this.#asked(stopWhen))) return 'stop_when'
    if (this.#steps.length >= maxSteps) return 'max_steps'
    if (maxCostUsd === undefined) return undefined
    const { usd } = costOf(this.#steps)
    const expected = this.taken.cost.usd
    if (usd === null || expected === null) return 'unknown_cost'
    return usd + expected > maxCostUsd ? 'max_cost' : undefined
  }

  async #asked(stopWhen: NonNullable<ToolRunOptions<Output>['stopWhen']>): Promise<boolean> {
    try {
      return await cancellable(Promise.resolve().then(() => stopWhen(this.#progress())), this.#cancel)
    } catch (cause) {
      throw this.#cancel.reason ?? new GatewayError('invalid_request', 'options.stopWhen failed. See cause.', { cause })
    }
  }
}

/** How long the run may take; nothing where its first step will refuse the request. */
function totalMs({ router }: LoopParts, { model }: ChatRequest, { deadlines }: CallOptions): number | undefined {
  try {
    const ms = deadlines?.totalMs ?? router.resolve(model).settings.deadlines.totalMs
    return typeof ms === 'number' && ms >= 0 ? ms : undefined
  } catch {
    return undefined
  }
}
