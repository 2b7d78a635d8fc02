import { GatewayError, verdict, type Deadline } from '../protocol/errors.js'
import { isContent, type ChatEvent, type FinishEvent } from '../protocol/events.js'
import type { Clock, Headers, OpenContext, Opened, Permit, Timer, Wire } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import type { AttemptReport } from '../protocol/result.js'
import { AttemptAbort } from './abort.js'
import type { Cancel } from './cancel.js'
import { timeout, type Deadlines } from './deadlines.js'
import type { KeyLease } from './keypool.js'
import type { Live } from './live.js'

/** All that one upstream try needs. */
export interface AttemptSpec {
  readonly live: Live
  readonly request: UpstreamRequest
  readonly wire: Wire
  /** How far the answer is read before we commit to this upstream. */
  readonly commit: 'content' | 'finish'
  readonly deadlines: Deadlines
  readonly headers?: Headers
  readonly clock: Clock
  readonly cancel: Cancel
  readonly callStartedMs: number
  readonly permits: readonly Permit[]
  readonly key: KeyLease | undefined
  onEnd(report: AttemptReport, attempt: Attempt): void
}

type Outcome = 'success' | 'failure' | 'neutral'

/**
 * One upstream try from permit to end. It is an object and not a generator: a generator that never started never runs its
 * `finally`, and would leak the permit and the socket.
 */
export class Attempt {
  readonly live: Live
  readonly startedMs: number
  /** What was read before commit, in batches. */
  #head: (readonly ChatEvent[])[] = []
  #opened: Opened | undefined
  #finish: FinishEvent | undefined
  #firstEventMs: number | undefined
  #startId: string | undefined
  /** Characters of output that arrived: what an answer that was cut is billed by. */
  #arrived = 0
  #report: AttemptReport | undefined
  #ended: GatewayError | undefined
  readonly #spec: AttemptSpec
  readonly #abort = new AttemptAbort()
  #off: () => void = () => undefined
  #timer: Timer | undefined
  #failRead: ((fault: GatewayError) => void) | undefined
  #activeMs: number
  #awayMs = 0

  private constructor(spec: AttemptSpec) {
    this.#spec = spec
    this.live = spec.live
    this.startedMs = this.#activeMs = spec.clock.now()
  }

  /** Opens the upstream and reads up to commit. Rejects with the fault, having ended itself. */
  static async open(spec: AttemptSpec): Promise<Attempt> {
    const attempt = new Attempt(spec)
    try {
      await attempt.#begin()
      return attempt
    } catch (error) {
      const fault = attempt.#faultOf(error)
      attempt.end(spec.cancel.reason === undefined ? 'failure' : 'neutral', fault)
      throw fault
    }
  }

  /** It goes on from what an earlier attempt wrote. */
  get continues(): boolean {
    return this.#spec.request.prefill === true
  }
  get headers(): Headers {
    return this.#opened?.headers ?? {}
  }
  get firstEventMs(): number | undefined {
    return this.#firstEventMs
  }
  get finish(): FinishEvent | undefined {
    return this.#finish
  }
  /** Content came, so the provider will bill it, finished or not. */
  get billed(): boolean {
    return this.#finish !== undefined || this.#firstEventMs !== undefined
  }
  get request(): UpstreamRequest {
    return this.#spec.request
  }
  /** Characters of output seen. */
  get arrived(): number {
    return this.#arrived
  }
  get head(): readonly (readonly ChatEvent[])[] {
    return this.#head
  }

  /** The next events: the head first, then what comes; `undefined` after `finish`. Rejects with a fault, having ended itself. */
  async read(): Promise<readonly ChatEvent[] | undefined> {
    if (this.#ended !== undefined) throw this.#ended
    const head = this.#head.shift()
    if (head !== undefined) return head
    if (this.#report !== undefined) return undefined
    try {
      return await this.#next()
    } catch (error) {
      const fault = this.#faultOf(error)
      this.end(this.#spec.cancel.reason === undefined && fault.code !== 'aborted' ? 'failure' : 'neutral', fault)
      throw fault
    }
  }

  /** Ends the try: whoever comes first. Releases the key, the permits, the timers and the socket. */
  end(outcome: Outcome, fault?: GatewayError): void {
    if (this.#report !== undefined) return
    const { clock, permits, key, callStartedMs } = this.#spec
    const nowMs = clock.now()
    const { deployment } = this.live
    if (outcome !== 'success') this.#ended = fault ?? new GatewayError('aborted', 'The attempt was ended.', { origin: 'caller' })
    this.#timer?.cancel()
    this.#off()
    const usage = this.#finish?.usage
    this.#report = {
      deployment: deployment.id,
      provider: deployment.provider,
      model: deployment.model,
      outcome: outcome === 'neutral' ? 'aborted' : outcome,
      startedMs: this.startedMs - callStartedMs,
      durationMs: nowMs - this.startedMs,
      ...(fault !== undefined && faultFields(fault)),
      ...(this.#firstEventMs !== undefined && { firstEventMs: this.#firstEventMs }),
      ...(usage !== undefined && { usage }),
      ...(this.#startId !== undefined && { responseId: this.#startId }),
    }
    this.#spec.onEnd(this.#report, this)
    key?.release(outcome === 'failure' && fault !== undefined && verdict(fault.code).blame === 'key' ? fault : undefined, nowMs)
    const limits = this.#opened?.limits
    const ended = { outcome, durationMs: nowMs - this.startedMs, ...(fault !== undefined && { fault }), ...(usage !== undefined && { usage }), ...(limits !== undefined && { limits }) }
    for (const permit of permits) permit.release(ended)
    this.#opened?.close()
    // An upstream that is still opening learns it from the signal.
    if (this.#ended === undefined) return
    this.#abort.abort(this.#ended)
    this.#failRead?.(this.#ended)
  }

  async #begin(): Promise<void> {
    const { live, request, wire, deadlines, headers, clock, cancel, key } = this.#spec
    this.#off = cancel.onCancel(reason => this.#fail(reason))
    if (cancel.reason !== undefined) throw cancel.reason
    const thinks = live.deployment.capabilities.reasoning === true || (request.reasoning !== undefined && request.reasoning.effort !== 'none')
    const firstEventMs = thinks ? deadlines.reasoningFirstEventMs : deadlines.firstEventMs
    this.#timer = wire === 'json' ? this.#deadline(deadlines.answerMs, 'answer') : this.#deadline(firstEventMs, 'first-event')
    this.#opened = await this.#guard(live.upstream.open('chat', request, this.#context(wire, clock, key, headers)))
    if (this.#report !== undefined) this.#opened.close()
    if (this.#opened.warnings.length > 0) this.#head.push(this.#opened.warnings.map(warning => ({ type: 'warning', warning })))
    let batch: readonly ChatEvent[] | undefined
    do {
      batch = await this.#next()
      if (batch !== undefined) this.#head.push(batch)
    } while (batch !== undefined && !this.#committed())
  }

  #context(wire: Wire, clock: Clock, key: KeyLease | undefined, headers: Headers | undefined): OpenContext {
    const abort = this.#abort
    return {
      wire,
      get signal() {
        return abort.signal
      },
      abort,
      clock,
      onActivity: () => {
        this.#activeMs = clock.now()
      },
      ...(key?.secret !== undefined && { secret: key.secret }),
      ...(headers !== undefined && { headers }),
    }
  }

  #committed(): boolean {
    return this.#finish !== undefined || (this.#spec.commit === 'content' && this.#firstEventMs !== undefined)
  }

  /** One read with the deadlines on it. */
  async #next(): Promise<readonly ChatEvent[] | undefined> {
    const opened = this.#opened
    if (opened === undefined) return undefined
    this.#back()
    const batch = await this.#guard(opened.read())
    this.#awayMs = this.#activeMs
    if (batch === undefined) {
      if (this.#finish === undefined) throw new GatewayError('malformed_response', 'The answer ended without a finish.', { origin: 'upstream' })
      this.end('success')
      return undefined
    }
    for (const event of batch) this.#see(event)
    // The socket goes back to the pool with the finish, not with the reader's next call.
    if (this.#finish !== undefined) this.end('success')
    return batch
  }

  #see(event: ChatEvent): void {
    if (event.type === 'finish') this.#finish = event
    else if (event.type === 'start') this.#startId ??= event.id
    else if (isContent(event)) {
      if (this.#firstEventMs === undefined) this.#first()
      if ('text' in event) this.#arrived += event.text.length
    } else if (event.type === 'tool-call-delta') this.#arrived += event.arguments.length
  }

  #first(): void {
    this.#firstEventMs = this.#spec.clock.now() - this.startedMs
    if (this.#spec.wire === 'json') return
    this.#timer?.cancel()
    this.#timer = undefined
    this.#watch(this.#spec.deadlines.idleMs)
  }

  /** A reader came back: the idle clock runs from here, if it stood still. */
  #back(): void {
    if (this.#awayMs === 0 || this.#firstEventMs === undefined || this.#spec.wire === 'json') return
    this.#activeMs = this.#spec.clock.now()
    if (this.#timer === undefined) this.#watch(this.#spec.deadlines.idleMs)
  }

  /** One timer for both clocks: it looks again where it is due, instead of being set anew for each chunk. */
  #watch(ms: number): void {
    this.#timer = this.#spec.clock.after(ms, () => {
      this.#timer = undefined
      const { clock, deadlines } = this.#spec
      const reading = this.#failRead !== undefined
      const quietMs = clock.now() - (reading ? this.#activeMs : this.#awayMs)
      const boundMs = reading ? deadlines.idleMs : deadlines.abandonMs
      if (quietMs < boundMs) this.#watch(reading ? boundMs - quietMs : Math.min(deadlines.idleMs, boundMs - quietMs))
      else if (reading) this.#fail(timeout('idle', boundMs))
      else {
        this.end('neutral', timeout('abandon', boundMs))
        // Nobody reads, so nobody would settle the call.
        this.#spec.cancel.cancel(timeout('abandon', boundMs))
      }
    })
  }

  #deadline(ms: number, deadline: Deadline): Timer {
    return this.#spec.clock.after(ms, () => this.#fail(timeout(deadline, ms)))
  }

  #fail(fault: GatewayError): void {
    const failRead = this.#failRead
    // Without a pending read, nobody would end the attempt.
    if (failRead === undefined) this.end(fault.code === 'timeout' && fault.deadline !== 'total' ? 'failure' : 'neutral', fault)
    else failRead(fault)
  }

  /** Rejects with a deadline or an abort even where the upstream ignores its signal. */
  #guard<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = (): void => {
        this.#failRead = undefined
      }
      this.#failRead = fault => {
        settle()
        reject(fault)
      }
      work.then(
        value => {
          settle()
          // The loser of the race must not stay open.
          if (this.#report !== undefined && isOpened(value)) value.close()
          resolve(value)
        },
        (error: unknown) => {
          settle()
          reject(error as Error)
        },
      )
    })
  }

  #faultOf(error: unknown): GatewayError {
    if (this.#spec.cancel.reason !== undefined) return this.#spec.cancel.reason
    if (GatewayError.is(error)) return error
    const name = error instanceof Error ? error.name : typeof error
    return new GatewayError('upstream_error', `The upstream of "${this.live.deployment.id}" failed with a ${name} it should not throw.`, { origin: 'upstream' })
  }
}

function isOpened(value: unknown): value is Opened {
  return typeof value === 'object' && value !== null && 'close' in value && 'read' in value
}

function faultFields(fault: GatewayError): Pick<AttemptReport, 'code' | 'status' | 'deadline' | 'reason'> {
  return {
    code: fault.code,
    reason: fault.message,
    ...(fault.status !== undefined && { status: fault.status }),
    ...(fault.deadline !== undefined && { deadline: fault.deadline }),
  }
}
