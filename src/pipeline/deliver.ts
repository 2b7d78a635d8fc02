import { Collector, messageOf } from '../protocol/collect.js'
import { GatewayError } from '../protocol/errors.js'
import type { ChatEvent } from '../protocol/events.js'
import type { ChatResult } from '../protocol/result.js'
import type { Reader } from '../resilience/attempt.js'
import type { Cancellable } from '../resilience/cancel.js'
import type { Admitted, Call, CallEnd } from './call.js'
import { judge } from './judge.js'
import type { Keepsake } from './keepsake.js'
import { asGatewayError, endOf, type Counted, type Known, type Settled } from './settle.js'
import type { Source } from './source.js'

type Draft<T> = { -readonly [K in keyof T]: T[K] }

export type Settle = (call: Call, end: CallEnd, known: Known) => Settled

/**
 * One loop over the events of an answer, on their way to the caller: hooks, the fold, and the end. What ends is the stream,
 * not the promise, so settling belongs here: once, by the finish, a fault, or whoever leaves first.
 */
export class Delivery implements Cancellable {
  readonly #admitted: Admitted
  readonly #source: Source
  readonly #settle: Settle
  readonly #keepsake: Keepsake
  /** What the caller got, and what the upstream sent: the same fold where no hook stands between. */
  readonly #seen = new Collector()
  readonly #raw: Collector
  readonly #counted: Counted | undefined
  #settled: Settled | undefined
  /** Made once, however often it is asked for. */
  #answer: ChatResult | undefined
  #reading = false
  #fault: GatewayError | undefined
  #done: Reader | undefined
  readonly #onRead: Reader = (batch, fault) => this.#arrived(batch, fault ?? this.call.cancel.reason)

  constructor(admitted: Admitted, source: Source, settle: Settle, keepsake: Keepsake, keepRaw = false, counted?: Counted) {
    this.#counted = counted
    this.#keepsake = keepsake
    this.#admitted = admitted
    this.#source = source
    this.#settle = settle
    // What the upstream sent is kept apart only where a record will show it.
    this.#raw = admitted.hooks.watches && keepRaw ? new Collector() : this.#seen
    admitted.call.cancel.add(this)
  }

  /** A reader that waits hears of it from its read; without one, nobody else would settle the call. */
  cancelled(reason: GatewayError): void {
    if (!this.#reading) this.#fail(reason)
  }

  get call(): Call {
    return this.#admitted.call
  }
  /** How the answer ended early, with what had arrived; nothing where the whole answer came. */
  get fault(): GatewayError | undefined {
    return this.#fault ?? (this.#settled === undefined ? this.call.cancel.reason : undefined)
  }

  /** See {@link Source.holdToWhatWasSaid}. */
  holdToWhatWasSaid(): void {
    this.#source.holdToWhatWasSaid()
  }

  /** Tells the next events for the caller, never an empty list; nothing at the end; or the fault, which carries what had arrived. */
  read(done: Reader): void {
    if (this.#fault !== undefined || this.#settled !== undefined) return done(undefined, this.#fault)
    this.#reading = true
    this.#done = done
    this.#source.read(this.#onRead)
  }

  /** {@link read} for those who wait. */
  pull(): Promise<readonly ChatEvent[] | undefined> {
    return new Promise((resolve, reject) => this.read((batch, fault) => (fault === undefined ? resolve(batch) : reject(fault))))
  }

  /** Reads to the end. */
  async drain(): Promise<void> {
    do await this.pull()
    while (this.#settled === undefined)
  }

  /** Reads to the end and gives the result. */
  async result(): Promise<ChatResult> {
    while (this.#settled === undefined) await this.pull()
    if (this.#fault !== undefined) throw this.#fault
    return (this.#answer ??= this.#admitted.output === undefined ? this.#result(undefined) : this.#result(await this.#output()))
  }

  /** The caller left: ends the upstream, books what was used. */
  cancel(reason = new GatewayError('aborted', 'The reader left the stream before its end.', { origin: 'caller' })): void {
    if (this.#settled !== undefined) return
    this.#source.end(reason)
    // Ends what the flight may be about to open, too.
    this.call.cancel.cancel(reason)
  }

  #arrived(batch: readonly ChatEvent[] | undefined, fault: GatewayError | undefined): void {
    this.#reading = false
    const done = this.#done
    let given: readonly ChatEvent[] = []
    try {
      if (fault !== undefined) throw fault
      if (batch !== undefined) given = this.#pass(batch)
      // Over with the finish: a reader may never ask for what comes after it.
      if (batch === undefined || batch.at(-1)?.type === 'finish') this.#end({ outcome: 'success' })
    } catch (error) {
      given = this.#fail(error)
    }
    if (given.length > 0 || done === undefined) done?.(given)
    // A hook may hold everything back, any number of times: not on this stack.
    else queueMicrotask(() => this.read(done))
  }

  #pass(batch: readonly ChatEvent[]): readonly ChatEvent[] {
    if (this.#raw !== this.#seen) for (const event of batch) this.#raw.add(event)
    const out = this.#admitted.hooks.watches ? this.#hooked(batch) : batch
    for (const event of out) this.#seen.add(event)
    return out
  }

  /** What hooks hold back comes before the finish; a restart voids it. */
  #hooked(batch: readonly ChatEvent[]): readonly ChatEvent[] {
    const { hooks } = this.#admitted
    if (batch[0]?.type === 'restart') hooks.flush('restart')
    const last = batch.at(-1)
    if (last?.type !== 'finish') return hooks.events(batch)
    return [...hooks.events(batch.slice(0, -1)), ...hooks.flush('finish'), ...hooks.events([last])]
  }

  /** Ends the call with a fault; gives what the hooks let go of. */
  #fail(error: unknown): readonly ChatEvent[] {
    if (this.#settled !== undefined) return []
    const fault = asGatewayError(this.#admitted.call.cancel.reason ?? error)
    this.#source.end(fault)
    const held = this.#heldBack(fault)
    for (const event of held) this.#seen.add(event)
    const end = endOf(fault)
    this.#fault = fault.with({ partial: this.#seen.partial(), attempts: this.#source.way.attempts })
    this.#end(end)
    this.#fault = this.#fault.with({ attempts: [...this.#source.way.attempts] })
    return held
  }

  #heldBack(fault: GatewayError): readonly ChatEvent[] {
    try {
      return this.#admitted.hooks.flush(fault.code === 'aborted' ? 'aborted' : 'error')
    } catch {
      // The hook that refused the call may refuse again; there is nothing more to give.
      return []
    }
  }

  #end(end: CallEnd): void {
    if (this.#settled !== undefined) return
    this.call.cancel.remove(this)
    this.#keepsake.keep(this.call.kind, this, this.#admitted.request, this.#seen.chars)
    this.#settled = this.#settle(this.#admitted.call, end, { admitted: this.#admitted, source: this.#source, collected: () => this.#raw.result(), counted: this.#counted })
  }

  #result(output: unknown): ChatResult {
    const { call } = this.#admitted
    const { answered, way, cached } = this.#source
    const settled = this.#settled
    const seen = this.#seen.result()
    const { finish } = seen
    if (answered === undefined || settled === undefined || finish === undefined) throw new GatewayError('malformed_response', 'The answer ended without a finish.')
    const { deployment, provider, model, headers, note } = answered
    const timings: Draft<ChatResult['timings']> = { startedAt: call.startedMs, totalMs: settled.totalMs }
    if (settled.firstEventMs !== undefined) timings.firstEventMs = settled.firstEventMs
    const response: Draft<ChatResult['response']> = { headers }
    if (seen.id !== undefined) response.id = seen.id
    const result: Draft<ChatResult> = {
      id: call.id,
      text: seen.text,
      reasoning: seen.reasoning,
      toolCalls: seen.toolCalls,
      message: messageOf(seen, { provider, model, deployment }),
      output,
      finishReason: finish.finishReason,
      usage: finish.usage,
      cost: settled.cost,
      cached,
      provider,
      model: seen.model ?? model,
      deployment,
      attempts: way.attempts,
      warnings: seen.warnings,
      timings,
      files: seen.files,
      response,
      providerMetadata: seen.providerMetadata,
    }
    if (note?.variant !== undefined) result.variant = note.variant
    if (this.#source.downgraded !== undefined) result.downgraded = this.#source.downgraded
    if (seen.refusal !== undefined) result.refusal = seen.refusal
    if (finish.rawFinishReason !== undefined) result.rawFinishReason = finish.rawFinishReason
    if (seen.logprobs !== undefined) result.logprobs = seen.logprobs
    return result
  }

  /** The parsed answer; `undefined` where the model called tools or refused instead of answering. */
  async #output(): Promise<unknown> {
    const { output } = this.#admitted
    const seen = this.#seen.result()
    if (output === undefined || seen.toolCalls.length > 0 || seen.refusal !== undefined || seen.finish?.finishReason === 'content-filter') return undefined
    const judged = await judge(seen.text, output)
    if (judged.ok) return judged.value
    this.#source.refused?.()
    throw new GatewayError('output_invalid', `The answer does not match "output": ${judged.issues}.`, { origin: 'upstream', partial: this.#seen.partial(), attempts: [...this.#source.way.attempts] })
  }
}
