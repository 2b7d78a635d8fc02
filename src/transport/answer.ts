import { GatewayError } from '../protocol/errors.js'
import type { ChatEvent, Warning } from '../protocol/events.js'
import { parseJson } from '../protocol/json.js'
import type { Clock, Decoder, Frame, Framing, Headers, Opened, RateLimits, Timer } from '../protocol/ports.js'
import { abortFault } from './faults.js'
import { sse } from './frames.js'
import { bodyKind, firstByte, hasMark } from './sniff.js'
import type { ByteConsumer, ByteReader } from './types.js'

/** Bounds of one answer, in bytes after decompression. */
export interface AnswerLimits {
  readonly jsonBytes: number
  readonly streamBytes: number
}
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
  /** The dialect's own framing; else server-sent events. */
  readonly framing: Framing | undefined
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
  readonly prompt = true
  readonly #parts: AnswerParts
  readonly #body: ByteReader
  readonly #decoder: Decoder
  #framing: ReturnType<Framing> | undefined
  #kind: 'json' | 'frames' | undefined
  #held: Uint8Array[] = []
  #size = 0
  #batch: ChatEvent[] = []
  #owned = false
  #fault: GatewayError | undefined
  #graceEnd: number | undefined
  /** The answer is complete, closed or broken: no event follows the batch. */
  #over = false
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
  }

  get limits(): RateLimits | undefined {
    return this.#parts.rates()
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
    try {
      this.#push(chunk)
    } catch (error) {
      this.#fail(error)
    }
    this.#next()
  }

  ended(): void {
    if (this.#over) return this.#stopTimer()
    try {
      this.#end()
    } catch (error) {
      this.#fail(error)
    }
    this.#next()
  }

  failed(error: unknown): void {
    // The answer itself is complete: how its connection ends no longer matters.
    if (this.#over || (this.#decoder.finishing && GatewayError.is(error) && error.code === 'malformed_response')) return this.ended()
    this.#fail(error)
    this.#next()
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#batch = []
    this.#stopTimer()
    this.#held = []
    this.#fault = abortFault()
    this.#body.cancel()
    this.#next()
  }

  /** Tells the reader that waits, or sees to it that more comes. */
  #next(): void {
    if (this.#done === undefined) return
    if (this.#over || this.#batch.length > 0) return this.#deliver(this.#done)
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
    const batch = this.#batch
    this.#done = undefined
    if (batch.length > 0) {
      if (!this.#over) this.#stopTimer()
      this.#batch = []
      this.#goOn()
      done(batch)
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
    this.#held = []
    this.#fault = GatewayError.is(error) ? error : this.#malformed(`could not be read (${error instanceof Error ? error.name : 'fault'})`)
    this.#body.cancel()
  }

  #malformed(what: string): GatewayError {
    return new GatewayError('malformed_response', `The answer of ${this.#parts.provider} ${what}.`, { origin: 'upstream', status: this.status })
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

  #push(chunk: Uint8Array): void {
    this.#size += chunk.length
    if (this.#kind === undefined && !this.#sniff(chunk)) return
    const { jsonBytes, streamBytes } = this.#parts.bounds
    if (this.#size > (this.#kind === 'json' ? jsonBytes : streamBytes)) throw this.#malformed('is longer than what is read')
    if (this.#kind === 'json') {
      this.#hold(chunk)
      return
    }
    for (const early of this.#held.splice(0)) this.#framing?.push(early)
    // A framing of the dialect's own may keep what it is given.
    this.#framing?.push(this.#parts.framing === undefined ? chunk : this.#kept(chunk))
    if (this.#decoder.done) this.#finish()
  }

  /** False while nothing but blanks came: some servers send them to keep the connection. */
  #sniff(chunk: Uint8Array): boolean {
    const first = firstByte(chunk)
    if (first === undefined) {
      if (hasMark(chunk)) this.#hold(chunk)
      if (this.#size > this.#parts.bounds.jsonBytes) throw this.#malformed('is nothing but blanks')
      return false
    }
    const { framing } = this.#parts
    const kind = bodyKind(first, this.headers['content-type'], framing !== undefined)
    if (kind === 'html') throw this.#malformed('is HTML, not what the API sends. Check baseUrl and the proxy settings')
    this.#kind = kind
    if (kind === 'frames') this.#framing = (framing ?? sse)(frame => this.#frame(frame))
    return true
  }

  #hold(chunk: Uint8Array): void {
    this.#held.push(this.#kept(chunk))
  }

  // What flows is lent for the moment, unless it is the last of all.
  #kept(chunk: Uint8Array): Uint8Array {
    return this.#flowing && this.#body.over !== true ? new Uint8Array(chunk) : chunk
  }

  #frame(frame: Frame): void {
    if (this.#decoder.done) return
    if (this.#graceEnd !== undefined) {
      this.#graceEnd = undefined
      this.#stopTimer()
    }
    this.#add(this.#decoder.frame(frame))
  }

  // The usual case, one frame at a time, costs no copy; a decoder's own array is never written to.
  #add(events: ChatEvent[]): void {
    if (this.#batch.length === 0) {
      this.#batch = events
      this.#owned = false
      return
    }
    if (!this.#owned) this.#batch = [...this.#batch]
    this.#owned = true
    for (const event of events) this.#batch.push(event)
  }

  #end(): void {
    if (this.#kind === undefined) throw this.#malformed('is empty')
    if (this.#kind === 'json') this.#batch = this.#decoder.json(this.#json())
    else {
      this.#framing?.end()
      if (!this.#decoder.done) this.#add(this.#decoder.end())
    }
    this.#over = true
    this.#stopTimer()
  }

  #json(): unknown {
    const text = textOf(this.#held.splice(0))
    try {
      return parseJson(text)
    } catch (error) {
      throw GatewayError.is(error) ? error : this.#malformed('is not JSON')
    }
  }

  /** The terminal came: what is left of the body is read to its end, so that the connection can be used again. */
  #finish(): void {
    this.#over = true
    this.#stopTimer()
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

// Without `stream` a decoder keeps nothing from call to call.
const WHOLE = new TextDecoder()

function textOf(chunks: readonly Uint8Array[]): string {
  const [only] = chunks
  if (chunks.length === 1 && only !== undefined) return WHOLE.decode(only)
  const decoder = new TextDecoder()
  let text = ''
  for (const chunk of chunks) text += decoder.decode(chunk, { stream: true })
  return text + decoder.decode()
}
