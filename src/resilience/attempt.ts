import { GatewayError, verdict } from '../protocol/errors.js'
import { isContent, type ChatEvent, type FinishEvent } from '../protocol/events.js'
import type { AttemptEnd, Headers, Note, Opened, Permit } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import type { AttemptReport } from '../protocol/result.js'
import { AttemptAbort } from './abort.js'
import { endOf, judged, reportOf } from './attempt-report.js'
import { thinks, type AttemptSpec } from './attempt-spec.js'
import type { Cancellable } from './cancel.js'
import { AttemptContext, isOpened } from './context.js'
import type { Live } from './live.js'
import { Watch } from './watch.js'

/** Is told the next events, nothing at the end, or a fault. */
export type Reader = (batch: readonly ChatEvent[] | undefined, fault?: GatewayError) => void

/**
 * One upstream try from permit to end. It is an object and not a generator: a generator that never started never runs its
 * `finally`, and would leak the permit and the socket.
 */
export class Attempt implements Cancellable {
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
  ended: AttemptEnd | undefined
  #fault: GatewayError | undefined
  /** Who waits for the next events. */
  #waiting: Reader | undefined
  /** Who waits for commit. */
  #resolve: ((attempt: Attempt) => void) | undefined
  #reject: ((fault: GatewayError) => void) | undefined
  readonly #onEvents = (batch: readonly ChatEvent[] | undefined, error?: unknown): void => this.#events(batch, error)
  readonly #onError = (error: unknown): void => this.#onEvents(undefined, error ?? new Error('no reason'))

  private constructor(spec: AttemptSpec) {
    this.#spec = spec
    this.live = spec.live
    this.startedMs = spec.clock.now()
    this.#watch = new Watch(spec.clock, spec.deadlines, this)
  }

  /** Opens the upstream and reads up to commit. Rejects with the fault, having ended itself. */
  static open(spec: AttemptSpec): Promise<Attempt> {
    return new Promise((resolve, reject) => new Attempt(spec).#begin(resolve, reject))
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
  get note(): Note | undefined {
    return this.#spec.note
  }
  get request(): UpstreamRequest {
    return this.#spec.request
  }
  /** It goes on from what an earlier attempt wrote. */
  get continues(): boolean {
    return this.#spec.request.prefill === true
  }
  /** Content came, or a part of an answer in one piece, so the provider will bill it, finished or not. */
  get billed(): boolean {
    return this.#finish !== undefined || this.#firstEventMs !== undefined || this.#arrived > 0
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
    const opened = this.#opened
    if (this.#head.length > 0 || this.#over || opened === undefined) return done(this.#head.shift())
    this.#pull(opened, done)
  }

  /** Ends the try: whoever comes first. Releases the key, the permits, the timers and the socket. */
  end(outcome: AttemptEnd['outcome'], fault?: GatewayError): void {
    if (this.#over) return
    this.#over = true
    if (outcome !== 'success') this.#cut(fault)
    const { cancel, clock, key, permits, onEnd } = this.#spec
    const nowMs = clock.now()
    this.#watch.stop()
    cancel.remove(this)
    onEnd(this.#report(outcome, nowMs), this)
    key?.release(this.#keyFault(outcome), nowMs)
    if (permits.length > 0) this.#release(permits, outcome, nowMs)
    this.#opened?.close()
    if (this.#fault === undefined) return
    // An upstream that is still opening learns it from the signal.
    this.#abort.abort(this.#fault)
    this.#tell(this.#fault)
  }

  /** An answer in one piece was made before it was sent: it is paid for, whoever ends it on the way. */
  #cut(fault = new GatewayError('aborted', 'The attempt was ended.', { origin: 'caller' })): void {
    this.#fault = fault
    if (!this.billed) this.#arrived = this.#opened?.arrived ?? 0
  }

  cancelled(reason: GatewayError): void {
    this.#fail(reason)
  }

  /** A deadline passed. */
  passed(fault: GatewayError): void {
    this.#fail(fault)
  }

  /** Those who wait hear of the end, also where the upstream ignores its signal. */
  #tell(fault: GatewayError): void {
    const waiting = this.#waiting
    const reject = this.#reject
    this.#waiting = this.#resolve = this.#reject = undefined
    waiting?.(undefined, fault)
    reject?.(fault)
  }

  #begin(resolve: (attempt: Attempt) => void, reject: (fault: GatewayError) => void): void {
    const { cancel, live, op, request } = this.#spec
    this.#resolve = resolve
    this.#reject = reject
    if (cancel.reason !== undefined) return void this.#broke(cancel.reason)
    cancel.add(this)
    this.#start()
    try {
      live.upstream.open(op, request, new AttemptContext(this.#spec, this.#abort, this.#watch)).then(
        opened => this.#onOpened(opened),
        (error: unknown) => this.#over || this.#broke(error),
      )
    } catch (error) {
      this.#broke(error)
    }
  }

  #events(batch: readonly ChatEvent[] | undefined, error: unknown): void {
    const done = this.#waiting
    // Ended meanwhile: whoever waited was told.
    if (done === undefined) return
    this.#waiting = undefined
    let taken: readonly ChatEvent[] | undefined
    try {
      if (error !== undefined) throw error
      taken = this.#took(batch)
    } catch (cause) {
      return done(undefined, this.#broke(cause))
    }
    done(taken)
  }

  #onOpened(opened: Opened): void {
    // Ended while it opened: what came too late must not stay open.
    if (this.#over) return isOpened(opened) ? opened.close() : undefined
    this.#opened = opened
    if (opened.warnings.length > 0) this.#head.push(opened.warnings.map(warning => ({ type: 'warning', warning })))
    this.#pull(opened, this.#onHead)
  }

  readonly #onHead: Reader = (batch, fault) => {
    const opened = this.#opened
    // A fault was told by the end that it caused.
    if (fault !== undefined || opened === undefined) return
    if (batch !== undefined) this.#head.push(batch)
    if (batch !== undefined && !this.#committed) return this.#pull(opened, this.#onHead)
    const resolve = this.#resolve
    this.#resolve = this.#reject = undefined
    resolve?.(this)
  }

  get #committed(): boolean {
    return this.#finish !== undefined || (this.#spec.commit === 'content' && this.#firstEventMs !== undefined)
  }

  #start(): void {
    const { wire, deadlines } = this.#spec
    if (wire === 'json') return this.#watch.start(deadlines.answerMs, 'answer')
    this.#watch.start(thinks(this.#spec) ? deadlines.reasoningFirstEventMs : deadlines.firstEventMs, 'first-event')
  }

  /** One read with the deadlines on it. */
  #pull(opened: Opened, done: Reader): void {
    this.#waiting = done
    this.#watch.reading()
    if (opened.readInto !== undefined) opened.readInto(this.#onEvents)
    else opened.read().then(this.#onEvents, this.#onError)
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
    const firstEventMs = (this.#firstEventMs = this.#spec.clock.now() - this.startedMs)
    // On the JSON wire content is the end, which tells the permits itself.
    if (this.#spec.wire === 'stream') for (const permit of this.#spec.permits) permit.committed?.(firstEventMs)
    if (this.#spec.wire === 'stream') this.#watch.content()
  }

  #fail(fault: GatewayError): void {
    if (this.#over) return
    const abandoned = fault.deadline === 'abandon'
    const { reason } = this.#spec.cancel
    this.end(fault.code === 'timeout' && fault.deadline !== 'total' && !abandoned ? 'failure' : 'neutral', reason ?? fault)
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
    const end = (this.ended = endOf({ outcome: judged(outcome, this.#fault, this.#spec), durationMs: nowMs - this.startedMs, firstEventMs: this.#firstEventMs, fault: this.#fault, usage: this.#finish?.usage, limits: this.#opened?.limits }))
    for (const permit of permits) permit.release(end)
  }

  #report(outcome: AttemptEnd['outcome'], nowMs: number): AttemptReport {
    const { deployment } = this.live
    const { callStartedMs, note } = this.#spec
    return reportOf({ deployment, outcome, startedMs: this.startedMs - callStartedMs, durationMs: nowMs - this.startedMs, firstEventMs: this.#firstEventMs, usage: this.#finish?.usage, responseId: this.#responseId, note, fault: this.#fault })
  }
}
