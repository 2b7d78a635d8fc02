import { GatewayError } from '../protocol/errors.js'
import type { ChatEvent } from '../protocol/events.js'
import type { Headers, OpenContext, Opened, Timer, Wire } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'

/** What happens at one moment of an answer; the time counts from the headers. Nothing comes after `fault` and `never`. */
export type Moment =
  | { readonly atMs: number; readonly events: readonly ChatEvent[] }
  | { readonly atMs: number; readonly fault: GatewayError }
  | { readonly never: true }

/** A rendered script: what one try will see. */
export interface Play {
  /** Milliseconds before the headers; `Infinity` is never. */
  readonly latencyMs: number
  /** What `open` rejects with, in place of the headers. */
  readonly refusal?: GatewayError
  readonly moments: readonly Moment[]
}

/** What became of one try of a scripted deployment. The object is live. */
export interface ScriptedCall {
  readonly request: UpstreamRequest
  readonly wire: Wire
  /** On the clock of the try. */
  readonly startedMs: number
  /** The caller ended it before its end, by the signal or by `close()`. */
  readonly aborted: boolean
  /** Nothing is left of it: it finished, failed, or was ended. */
  readonly closed: boolean
}

const HEADERS: Headers = Object.freeze(Object.assign(Object.create(null) as Record<string, string>, { 'x-scripted': '1' }))

/** One try: plays a script on the clock of the try, holding one listener and at most one timer until it is over. */
export class Playback implements Opened {
  readonly status = 200
  readonly headers = HEADERS
  readonly warnings = []
  readonly request: UpstreamRequest
  readonly wire: Wire
  readonly startedMs: number
  readonly #ctx: OpenContext
  readonly #onEnd: () => void
  #moments: readonly Moment[] = []
  #at = 0
  #openedMs = 0
  #waiting: { readonly timer: Timer | undefined; readonly reject: (reason: unknown) => void } | undefined
  // What every later read gets: the fault it ended with, or nothing more after the finish.
  #over: { readonly reason?: unknown } | undefined
  #aborted = false
  readonly #onAbort = () => this.#stop(this.#ctx.signal.reason)

  constructor(request: UpstreamRequest, ctx: OpenContext, onEnd: () => void) {
    this.request = request
    this.wire = ctx.wire
    this.startedMs = ctx.clock.now()
    this.#ctx = ctx
    this.#onEnd = onEnd
    if (ctx.signal.aborted) this.#stop(ctx.signal.reason)
    else ctx.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get aborted(): boolean {
    return this.#aborted
  }

  get closed(): boolean {
    return this.#over !== undefined
  }

  /** @param render gives the script; what it throws ends the try. */
  async open(render: () => Play): Promise<Opened> {
    try {
      this.#check()
      const play = render()
      await this.#wait(play.latencyMs)
      if (play.refusal !== undefined) throw play.refusal
      this.#moments = play.moments
      this.#openedMs = this.#ctx.clock.now()
      return this
    } catch (reason) {
      this.#end({ reason })
      throw reason
    }
  }

  async read(): Promise<readonly ChatEvent[] | undefined> {
    if (this.#over !== undefined) {
      this.#check()
      return undefined
    }
    if (this.#waiting !== undefined) throw new GatewayError('invalid_request', 'Read one batch at a time: a read is still waiting.')
    const moment = this.#moments[this.#at++]
    if (moment === undefined || 'never' in moment) return this.#wait(Infinity).then(() => undefined)
    await this.#wait(this.#openedMs + moment.atMs - this.#ctx.clock.now())
    if ('fault' in moment) {
      this.#end({ reason: moment.fault })
      throw moment.fault
    }
    if (moment.events.at(-1)?.type === 'finish') this.#end({})
    this.#ctx.onActivity()
    return moment.events
  }

  close(): void {
    this.#stop(new GatewayError('aborted', 'The answer was closed before its end.'))
  }

  #stop(reason: unknown): void {
    if (this.#over !== undefined) return
    this.#aborted = true
    this.#end({ reason })
  }

  #end(over: { readonly reason?: unknown }): void {
    if (this.#over !== undefined) return
    this.#over = over
    this.#ctx.signal.removeEventListener('abort', this.#onAbort)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.timer?.cancel()
    waiting?.reject(over.reason)
    this.#onEnd()
  }

  #check(): void {
    if (this.#over !== undefined && 'reason' in this.#over) throw this.#over.reason
  }

  #wait(ms: number): Promise<void> {
    if (ms <= 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const fired = () => {
        this.#waiting = undefined
        resolve()
      }
      this.#waiting = { timer: ms === Infinity ? undefined : this.#ctx.clock.after(ms, fired), reject }
    })
  }
}
