import { GatewayError } from '../protocol/errors.js'
import type { ChatEvent, Warning } from '../protocol/events.js'
import type { Clock, Decoder, Framing, Headers, Opened, RateLimits, Timer } from '../protocol/ports.js'
import { Content, type AnswerLimits } from './content.js'
import { abortFault } from './faults.js'
import type { ByteConsumer, ByteReader } from './types.js'

/** What an {@link Answer} is made of. */
export interface AnswerParts {
  readonly status: number
  readonly headers: Headers
  readonly warnings: readonly Warning[]
  /** Read only where somebody asks. */
  readonly rates: () => RateLimits | undefined
  readonly body: ByteReader
  readonly decoder: Decoder
  readonly bounds: AnswerLimits
  readonly clock: Clock
  readonly provider: string
  /** The dialect's own framing. */
  readonly framing: Framing | undefined
  /** What there is without one. */
  readonly sse: Framing
}

/** After a finish reason, usage and terminal may still come; not for longer than this. */
const GRACE_MS = 1_000
const DRAIN_MS = 250
const DRAIN_BYTES = 64 * 1024
/** Read while nobody waits for events; then the server is held back. */
const HIGH_WATER = 64 * 1024

type Done = (batch: readonly ChatEvent[] | undefined, fault?: GatewayError) => void

/** An answer with a good status. Events are made when bytes come, and wait for a reader up to a small mark. */
export class Answer implements Opened, ByteConsumer {
  readonly status: number
  readonly headers: Headers
  readonly warnings: readonly Warning[]
  readonly #parts: AnswerParts
  readonly #body: ByteReader
  readonly #decoder: Decoder
  readonly #content: Content
  #fault: GatewayError | undefined
  #graceEnd: number | undefined
  /** The answer is complete, closed or broken: no event follows the batch. */
  #over = false
  /** The body ended while some of it was still to be read. */
  #last: { readonly fault?: unknown } | undefined
  #done: Done | undefined
  #timer: Timer | undefined
  #flowing = false
  #pulling = false
  #paused = false
  #unread = 0
  #spare = DRAIN_BYTES

  constructor(parts: AnswerParts) {
    this.status = parts.status
    this.headers = parts.headers
    this.warnings = parts.warnings
    this.#parts = parts
    this.#body = parts.body
    this.#decoder = parts.decoder
    this.#content = new Content(parts)
  }

  get limits(): RateLimits | undefined {
    return this.#parts.rates()
  }

  get arrived(): number {
    return this.#content.partial
  }

  read(): Promise<readonly ChatEvent[] | undefined> {
    return new Promise((resolve, reject) => this.readInto((batch, fault) => (fault === undefined ? resolve(batch) : reject(fault))))
  }

  readInto(done: Done): void {
    this.#done = done
    this.#next()
  }

  bytes(chunk: Uint8Array): void {
    if (this.#over) return this.#drained(chunk.length)
    if (this.#done === undefined) this.#ahead(chunk.length)
    const { frames } = this.#content
    try {
      // What flows is lent for the moment, unless it is the last of all.
      this.#content.push(chunk, this.#flowing && this.#body.over !== true)
      if (this.#decoder.done) this.#finish()
    } catch (error) {
      this.#fail(error)
    }
    // Binary frames know no comments: a part of one is what is waited for.
    if (this.#graceEnd !== undefined && (this.#parts.framing !== undefined || this.#content.frames !== frames)) this.#anew()
    this.#next()
  }

  ended(): void {
    if (this.#over) return this.#stopTimer()
    if (this.#content.behind) return void (this.#last = {})
    try {
      this.#content.end()
      this.#over = true
      this.#stopTimer()
    } catch (error) {
      this.#fail(error)
    }
    this.#next()
  }

  failed(error: unknown): void {
    // The answer itself is complete: how its connection ends no longer matters.
    if (this.#over || (this.#decoder.finishing && GatewayError.is(error) && error.code === 'malformed_response')) return this.ended()
    if (this.#content.behind) return void (this.#last = { fault: error })
    this.#fail(error)
    this.#next()
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#content.take()
    this.#content.drop()
    this.#stopTimer()
    this.#fault = abortFault()
    this.#body.cancel()
    this.#next()
  }

  /** Tells the reader that waits, or sees to it that more comes. */
  #next(): void {
    if (this.#done === undefined) return
    if (this.#over || this.#content.waiting > 0) return this.#deliver(this.#done)
    if (this.#content.behind) return this.#catchUp()
    this.#goOn()
    if (this.#decoder.finishing) this.#grace()
    const body = this.#body
    if (body.flow === undefined) {
      if (!this.#pulling) this.#pull(body)
    } else if (!this.#flowing) {
      this.#flowing = true
      body.flow(this)
    }
  }

  /** Reads what came with the first content, and hears of the end that followed it. */
  #catchUp(): void {
    try {
      this.#content.goOn()
      if (this.#decoder.done) this.#finish()
    } catch (error) {
      this.#fail(error)
    }
    const last = this.#last
    this.#last = undefined
    if (last !== undefined) {
      if (last.fault === undefined) this.ended()
      else this.failed(last.fault)
    }
    this.#next()
  }

  #pull(body: ByteReader): void {
    this.#pulling = true
    body.read().then(
      chunk => {
        this.#pulling = false
        if (chunk === undefined) this.ended()
        else this.bytes(chunk)
      },
      (error: unknown) => {
        this.#pulling = false
        this.failed(error)
      },
    )
  }

  // Events that came before a fault are delivered before it.
  #deliver(done: Done): void {
    this.#done = undefined
    if (this.#content.waiting > 0) {
      if (!this.#over) this.#stopTimer()
      this.#goOn()
      done(this.#content.take())
    } else if (this.#fault !== undefined) done(undefined, this.#fault)
    else done(undefined)
  }

  #ahead(bytes: number): void {
    this.#unread += bytes
    if (this.#unread < HIGH_WATER || this.#paused) return
    this.#paused = true
    this.#body.pause?.()
  }

  #goOn(): void {
    this.#unread = 0
    if (!this.#paused) return
    this.#paused = false
    this.#body.resume?.()
  }

  #stopTimer(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #fail(error: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#stopTimer()
    this.#content.drop()
    this.#fault = GatewayError.is(error) ? error : this.#content.malformed(`could not be read (${error instanceof Error ? error.name : 'fault'})`)
    this.#body.cancel()
  }

  /** Waits a moment for what follows a finish reason, then takes the answer for complete. */
  #grace(): void {
    if (this.#timer !== undefined) return
    const { clock } = this.#parts
    // Counted from the last frame: comments that keep the connection alive must not keep the answer back.
    this.#graceEnd ??= clock.now() + GRACE_MS
    this.#timer = clock.after(Math.max(0, this.#graceEnd - clock.now()), () => {
      this.#timer = undefined
      this.ended()
      this.#body.cancel()
    })
  }

  #anew(): void {
    this.#graceEnd = undefined
    if (!this.#over) this.#stopTimer()
  }

  /** The terminal came: what is left of the body is read to its end, so that the connection can be used again. */
  #finish(): void {
    this.#over = true
    this.#stopTimer()
    this.#content.drop()
    const body = this.#body
    if (body.over === true) return
    this.#timer = this.#parts.clock.after(DRAIN_MS, () => body.cancel())
    this.#goOn()
    if (!this.#flowing) this.#drain(body)
  }

  #drain(body: ByteReader): void {
    body.read().then(
      chunk => {
        if (chunk === undefined) return this.#stopTimer()
        this.#drained(chunk.length)
        if (this.#spare >= 0) this.#drain(body)
      },
      () => this.#stopTimer(),
    )
  }

  #drained(bytes: number): void {
    this.#spare -= bytes
    if (this.#spare >= 0) return
    this.#stopTimer()
    this.#body.cancel()
  }
}
