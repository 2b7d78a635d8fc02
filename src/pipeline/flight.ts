import type { GatewayError } from '../protocol/errors.js'
import { verdict } from '../protocol/errors.js'
import type { ChatEvent, Usage } from '../protocol/events.js'
import type { UpstreamRequest } from '../protocol/request.js'
import type { Attempt, Reader } from '../resilience/attempt.js'
import type { Cancel } from '../resilience/cancel.js'
import type { Walk } from '../resilience/dispatch.js'
import type { Downgraded } from '../protocol/policy.js'
import type { Cost } from '../protocol/result.js'
import { billed } from './bill.js'
import type { Plan, Recover } from './call.js'
import type { Answered, Launched, Way } from './source.js'

/**
 * The upstream work of a call: its walk, the attempt that answers now, and what is done when a committed answer fails.
 */
export class Flight implements Launched {
  readonly cached = false
  readonly plan: Plan
  /** Ends the flight: the call's own, or one that identical calls share. */
  readonly #cancel: Cancel
  #bill: Cost | undefined
  readonly walk: Walk
  #attempt: Attempt | undefined
  #restarts = 0
  #recover: Recover
  /** The text a continuation goes on from; `undefined` once something else than text was written. */
  #written: string[] | undefined = []
  #trim = false
  #held = false

  constructor(plan: Plan, walk: Walk, cancel: Cancel) {
    this.plan = plan
    this.#cancel = cancel
    this.walk = walk
    this.#recover = plan.admitted.settings.recover
  }

  get answered(): Answered | undefined {
    const attempt = this.#attempt
    if (attempt === undefined) return undefined
    const { firstEventMs, startedMs, headers, note } = attempt
    const { id, provider, model } = attempt.live.deployment
    return { deployment: id, provider, model, headers, note, firstEventAtMs: firstEventMs === undefined ? undefined : startedMs + firstEventMs }
  }
  get way(): Way {
    return { attempts: this.walk.log.reports, excluded: this.plan.excluded, restarts: this.#restarts }
  }

  /** Of all attempts; asked for when the flight is over. */
  bill(): Cost {
    return (this.#bill ??= billed(this.walk.log, this.plan.purse?.onUnknownPrice))
  }

  get policed(): boolean {
    return this.plan.purse?.bound === true
  }
  get downgraded(): Downgraded | undefined {
    return this.plan.downgraded
  }

  /** Settles what was held; see {@link Source.close}. */
  close(): boolean | Promise<boolean> | undefined {
    return this.plan.purse?.close(this.plan.downgraded)
  }

  /** What the provider said of the answer, for those who keep it. */
  get usage(): Usage {
    return this.#attempt?.finish?.usage ?? {}
  }

  /** From here on a reader cannot take back what it was given: where a restart would be due, the fault is told. */
  holdToWhatWasSaid(): void {
    if (this.#recover === 'restart') this.#recover = 'error'
    this.#held = true
  }

  /** Walks the plan up to commit. */
  open(): Promise<void> {
    return this.walk.next().then(attempt => {
      this.#attempt = attempt
    })
  }

  /** Tells the next events of the answer, whoever gives it; nothing after `finish`. */
  read(done: Reader): void {
    const attempt = this.#attempt
    if (attempt === undefined) return done(undefined)
    if (this.#recover === 'error' && !this.#trim) return attempt.read(done)
    attempt.read((batch, fault) => {
      if (fault !== undefined) return void this.#rescue(attempt, fault).then(done, (error: unknown) => done(undefined, error as GatewayError))
      if (batch !== undefined && this.#recover === 'continue') this.#remember(batch)
      done(batch === undefined || !this.#trim ? batch : this.#trimmed(batch))
    })
  }

  /** Ends the upstream work without a verdict on anybody. */
  end(reason: GatewayError): void {
    this.#attempt?.end('neutral', reason)
  }

  async #rescue(attempt: Attempt, fault: GatewayError): Promise<readonly ChatEvent[]> {
    if (this.#recover === 'error' || this.#cancel.reason !== undefined || verdict(fault.code).next !== 'any') throw fault
    const prefill = this.#recover === 'continue' ? this.#prefill() : undefined
    if (this.#held && prefill === undefined) throw fault
    if (this.#held) this.walk.mustContinue()
    this.walk.failed(attempt, fault)
    if (!this.walk.hasNext) throw fault
    const next = await this.walk.next(prefill)
    this.#attempt = next
    if (next.continues && this.plan.admitted.request.prefill !== true) {
      this.#trim = /\s$/.test(this.#written?.join('') ?? '')
      const message = `The answer was cut (${fault.code}); "${next.live.deployment.id}" went on from there.`
      return [{ type: 'warning', warning: { code: 'changed', message } }]
    }
    this.#restarts++
    this.#written = []
    return [{ type: 'restart', attempt: this.#restarts + 1, reason: fault.code }]
  }

  /** The request that asks to go on, where all that was said so far is text. */
  #prefill(): UpstreamRequest | undefined {
    const { request } = this.plan.admitted
    const text = this.#written?.join('') ?? ''
    if (text.trim() === '' || request.prefill === true) return undefined
    return { ...request, messages: [...request.messages, { role: 'assistant', content: text }], prefill: true }
  }

  #remember(batch: readonly ChatEvent[]): void {
    for (const event of batch) {
      if (event.type === 'text-delta') this.#written?.push(event.text)
      else if (event.type === 'tool-call-start' || event.type === 'refusal-delta' || event.type === 'file') this.#written = undefined
    }
  }

  /** Providers take a prefill without its last blanks and may write them again. */
  #trimmed(batch: readonly ChatEvent[]): readonly ChatEvent[] {
    return batch.flatMap(event => {
      if (!this.#trim || event.type !== 'text-delta') return [event]
      const text = event.text.trimStart()
      this.#trim = text === ''
      return text === '' ? [] : [{ ...event, text }]
    })
  }
}
