import { GatewayError, verdict } from '../protocol/errors.js'
import { isContent, type ChatEvent, type FinishEvent } from '../protocol/events.js'
import type { AttemptEnd, Clock, Headers, Opened, Permit, Wire } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import type { AttemptReport } from '../protocol/result.js'
import { AttemptAbort } from './abort.js'
import type { Cancel } from './cancel.js'
import { AttemptContext, isOpened } from './context.js'
import type { Deadlines } from './deadlines.js'
import type { KeyLease } from './keypool.js'
import type { Live } from './live.js'
import { Watch } from './watch.js'

/** All that one upstream try needs. */
export interface AttemptSpec {
  readonly live: Live
  readonly request: UpstreamRequest
  readonly wire: Wire
  /** How far the answer is read before we commit to this upstream. */
  readonly commit: 'content' | 'finish'
  readonly deadlines: Deadlines
  readonly headers: Headers | undefined
  readonly clock: Clock
  readonly cancel: Cancel
  readonly callStartedMs: number
  readonly permits: readonly Permit[]
  readonly key: KeyLease | undefined
  onEnd(report: AttemptReport, attempt: Attempt): void
}

/** Is told the next events, nothing at the end, or a fault. */
export type Reader = (batch: readonly ChatEvent[] | undefined, fault?: GatewayError) => void

/** A report while it is written. */
type Draft = { -readonly [K in keyof AttemptReport]: AttemptReport[K] }

/**
 * One upstream try from permit to end. It is an object and not a generator: a generator that never started never runs its
 * `finally`, and would leak the permit and the socket.
 */
export class Attempt {
  readonly live: Live
  readonly startedMs: number
  readonly #spec: AttemptSpec
  readonly #watch: Watch
  readonly #abort = new AttemptAbort()
  readonly #head: (readonly ChatEvent[])[] = []
  #opened: Opened | undefined
  #finish: FinishEvent | undefined
  #firstEventMs: number | undefined
  #responseId: string | undefined
  #arrived = 0
  #over = false
  #fault: GatewayError | undefined
  #off: (() => void) | undefined
  #done: Reader | undefined
  readonly #onBatch = (batch: readonly ChatEvent[] | undefined): void => {
    let taken: readonly ChatEvent[] | undefined
    try {
      taken = this.#took(batch)
    } catch (error) {
      return this.#onError(error)
    }
    this.#done?.(taken)
  }
  readonly #onError = (error: unknown): void => this.#done?.(undefined, this.#broke(error))
  #failRead: ((fault: GatewayError) => void) | undefined

  private constructor(spec: AttemptSpec) {
    this.#spec = spec
    this.live = spec.live
    this.startedMs = spec.clock.now()
    this.#watch = new Watch(spec.clock, spec.deadlines, fault => this.#fail(fault))
  }

  /** Opens the upstream and reads up to commit. Rejects with the fault, having ended itself. */
  static async open(spec: AttemptSpec): Promise<Attempt> {
    const attempt = new Attempt(spec)
    try {
      if (spec.cancel.reason !== undefined) throw spec.cancel.reason
      attempt.#off = spec.cancel.onCancel(reason => attempt.#fail(reason))
      attempt.#start()
      const opened = await attempt.#guard(spec.live.upstream.open('chat', spec.request, new AttemptContext(spec, attempt.#abort, attempt.#watch)))
      attempt.#opened = opened
      if (opened.warnings.length > 0) attempt.#head.push(opened.warnings.map(warning => ({ type: 'warning', warning })))
      while (!attempt.#committed) {
        const batch = attempt.#took(await attempt.#read(opened))
        if (batch === undefined) break
        attempt.#head.push(batch)
      }
      return attempt
    } catch (error) {
      throw attempt.#broke(error)
    }
  }

  get headers(): Headers {
    return this.#opened?.headers ?? {}
  }
  /** What was read before commit, in batches. */
  get head(): readonly (readonly ChatEvent[])[] {
    return this.#head
  }
  get finish(): FinishEvent | undefined {
    return this.#finish
  }
  /** From the start of the try to its first content, in milliseconds. */
  get firstEventMs(): number | undefined {
    return this.#firstEventMs
  }
  get request(): UpstreamRequest {
    return this.#spec.request
  }
  /** It goes on from what an earlier attempt wrote. */
  get continues(): boolean {
    return this.#spec.request.prefill === true
  }
  /** Content came, so the provider will bill it, finished or not. */
  get billed(): boolean {
    return this.#finish !== undefined || this.#firstEventMs !== undefined
  }
  /** Characters of output that arrived: what an answer that was cut is billed by. */
  get arrived(): number {
    return this.#arrived
  }

  /**
   * The next events: the head first, then what comes; nothing after `finish`. With a fault the attempt has ended itself.
   * Tells `done` and makes no promise, because this is the path of every chunk.
   */
  read(done: Reader): void {
    if (this.#fault !== undefined) return done(undefined, this.#fault)
    const head = this.#head.shift()
    const opened = this.#opened
    if (head !== undefined || this.#over || opened === undefined) return done(head)
    this.#done = done
    this.#read(opened).then(this.#onBatch, this.#onError)
  }

  /** Ends the try: whoever comes first. Releases the key, the permits, the timers and the socket. */
  end(outcome: AttemptEnd['outcome'], fault?: GatewayError): void {
    if (this.#over) return
    this.#over = true
    if (outcome !== 'success') this.#fault = fault ?? new GatewayError('aborted', 'The attempt was ended.', { origin: 'caller' })
    const { clock, key, permits, onEnd } = this.#spec
    const nowMs = clock.now()
    this.#watch.stop()
    this.#off?.()
    onEnd(this.#report(outcome, nowMs), this)
    key?.release(this.#keyFault(outcome), nowMs)
    if (permits.length > 0) this.#release(permits, outcome, nowMs)
    this.#opened?.close()
    if (this.#fault === undefined) return
    // An upstream that is still opening learns it from the signal.
    this.#abort.abort(this.#fault)
    this.#failRead?.(this.#fault)
  }

  get #committed(): boolean {
    return this.#finish !== undefined || (this.#spec.commit === 'content' && this.#firstEventMs !== undefined)
  }

  #start(): void {
    const { live, request, wire, deadlines } = this.#spec
    if (wire === 'json') return this.#watch.start(deadlines.answerMs, 'answer')
    const thinks = live.deployment.capabilities.reasoning === true || (request.reasoning !== undefined && request.reasoning.effort !== 'none')
    this.#watch.start(thinks ? deadlines.reasoningFirstEventMs : deadlines.firstEventMs, 'first-event')
  }

  /** One read with the deadlines on it. */
  #read(opened: Opened): Promise<readonly ChatEvent[] | undefined> {
    this.#watch.reading()
    return opened.prompt === true ? opened.read() : this.#guard(opened.read())
  }

  #took(batch: readonly ChatEvent[] | undefined): readonly ChatEvent[] | undefined {
    if (batch === undefined) {
      if (this.#finish === undefined) throw new GatewayError('malformed_response', 'The answer ended without a finish.', { origin: 'upstream' })
      this.end('success')
      return undefined
    }
    for (const event of batch) this.#see(event)
    this.#watch.away()
    // The socket goes back to the pool with the finish, not with the reader's next call.
    if (this.#finish !== undefined) this.end('success')
    return batch
  }

  #see(event: ChatEvent): void {
    switch (event.type) {
      case 'text-delta':
      case 'reasoning-delta':
      case 'refusal-delta':
        this.#arrived += event.text.length
        return this.#content()
      case 'tool-call-delta':
        this.#arrived += event.arguments.length
        return
      case 'start':
        this.#responseId ??= event.id
        return
      case 'finish':
        this.#finish = event
        return
      default:
        if (isContent(event)) this.#content()
    }
  }

  #content(): void {
    if (this.#firstEventMs !== undefined) return
    this.#firstEventMs = this.#spec.clock.now() - this.startedMs
    if (this.#spec.wire === 'stream') this.#watch.content()
  }

  /** Rejects with a deadline or an abort even where the upstream ignores its signal. */
  #guard<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#failRead = fault => {
        this.#failRead = undefined
        reject(fault)
      }
      const settle = (): void => {
        this.#failRead = undefined
      }
      work.finally(settle).then(value => {
        // The loser of the race must not stay open.
        if (this.#over && isOpened(value)) value.close()
        resolve(value)
      }, reject)
    })
  }

  #fail(fault: GatewayError): void {
    if (this.#failRead !== undefined) return this.#failRead(fault)
    const abandoned = fault.deadline === 'abandon'
    this.end(fault.code === 'timeout' && fault.deadline !== 'total' && !abandoned ? 'failure' : 'neutral', fault)
    // Nobody reads, so nobody would settle the call.
    if (abandoned) this.#spec.cancel.cancel(fault)
  }

  /** Ends the try with what went wrong. */
  #broke(error: unknown): GatewayError {
    const reason = this.#spec.cancel.reason
    const fault = reason ?? this.#fault ?? this.#faultOf(error)
    this.end(reason === undefined && fault.code !== 'aborted' ? 'failure' : 'neutral', fault)
    return fault
  }

  #faultOf(error: unknown): GatewayError {
    if (GatewayError.is(error)) return error
    const name = error instanceof Error ? error.name : typeof error
    return new GatewayError('upstream_error', `The upstream of "${this.live.deployment.id}" failed with a ${name} it should not throw.`, { origin: 'upstream' })
  }

  #keyFault(outcome: AttemptEnd['outcome']): GatewayError | undefined {
    const fault = outcome === 'failure' ? this.#fault : undefined
    return fault !== undefined && verdict(fault.code).blame === 'key' ? fault : undefined
  }

  #release(permits: readonly Permit[], outcome: AttemptEnd['outcome'], nowMs: number): void {
    const fault = this.#fault
    const usage = this.#finish?.usage
    const limits = this.#opened?.limits
    const end: AttemptEnd = { outcome, durationMs: nowMs - this.startedMs, ...(fault && { fault }), ...(usage && { usage }), ...(limits && { limits }) }
    for (const permit of permits) permit.release(end)
  }

  #report(outcome: AttemptEnd['outcome'], nowMs: number): AttemptReport {
    const { id, provider, model } = this.live.deployment
    const report: Draft = {
      deployment: id,
      provider,
      model,
      outcome: outcome === 'neutral' ? 'aborted' : outcome,
      startedMs: this.startedMs - this.#spec.callStartedMs,
      durationMs: nowMs - this.startedMs,
    }
    if (this.#firstEventMs !== undefined) report.firstEventMs = this.#firstEventMs
    if (this.#finish !== undefined) report.usage = this.#finish.usage
    if (this.#responseId !== undefined) report.responseId = this.#responseId
    if (this.#fault !== undefined) blame(report, this.#fault)
    return report
  }
}

function blame(report: Draft, fault: GatewayError): void {
  report.code = fault.code
  report.reason = fault.message
  if (fault.status !== undefined) report.status = fault.status
  if (fault.deadline !== undefined) report.deadline = fault.deadline
}
