import { GatewayError } from '../protocol/errors.js'
import type { ChatEvent, Warning } from '../protocol/events.js'
import { parseJson } from '../protocol/json.js'
import type { Clock, Decoder, Frame, Framing, Headers, Opened, RateLimits } from '../protocol/ports.js'
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

/** An answer with a good status, read from its body on demand. */
export class Answer implements Opened, ByteConsumer {
  readonly status: number
  readonly headers: Headers
  readonly warnings: readonly Warning[]
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
  #over = false
  #resolve: ((batch: readonly ChatEvent[] | undefined) => void) | undefined
  #reject: ((fault: GatewayError) => void) | undefined

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
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#more()
    })
  }

  /** What the body brings, or its end. */
  bytes(chunk: Uint8Array | undefined): void {
    try {
      if (!this.#over) {
        if (chunk === undefined) this.#end()
        else this.#push(chunk)
      }
    } catch (error) {
      this.#fail(error)
    }
    this.#more()
  }

  failed(error: unknown): void {
    this.#fail(error)
    this.#more()
  }

  /** Tells the reader, or waits for more. */
  #more(): void {
    if (this.#over || this.#batch.length > 0) return this.#deliver()
    const body = this.#body
    if (!this.#decoder.finishing && body.readInto !== undefined) body.readInto(this)
    else (this.#decoder.finishing ? this.#graced() : body.read()).then(chunk => this.bytes(chunk), (error: unknown) => this.failed(error))
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#batch = []
    this.#held = []
    this.#fault = abortFault()
    this.#body.cancel()
  }

  // Events that came before a fault are delivered before it.
  #deliver(): void {
    const resolve = this.#resolve
    const reject = this.#reject
    this.#resolve = this.#reject = undefined
    const batch = this.#batch
    if (batch.length > 0) {
      this.#batch = []
      resolve?.(batch)
    } else if (this.#fault !== undefined) reject?.(this.#fault)
    else resolve?.(undefined)
  }

  #fail(error: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#held = []
    this.#fault = GatewayError.is(error) ? error : this.#malformed(`could not be read (${error instanceof Error ? error.name : 'fault'})`)
    this.#body.cancel()
  }

  #malformed(what: string): GatewayError {
    return new GatewayError('malformed_response', `The answer of ${this.#parts.provider} ${what}.`, { origin: 'upstream', status: this.status })
  }

  /** The next bytes, or the end where no frame comes in time or the connection breaks: the answer itself is complete. */
  #graced(): Promise<Uint8Array | undefined> {
    const { clock } = this.#parts
    // Counted from the last frame: comments that keep the connection alive must not keep the answer back.
    this.#graceEnd ??= clock.now() + GRACE_MS
    const left = Math.max(0, this.#graceEnd - clock.now())
    return new Promise((resolve, reject) => {
      const timer = clock.after(left, () => {
        resolve(undefined)
        this.#body.cancel()
      })
      this.#body.read().then(
        chunk => {
          timer.cancel()
          resolve(chunk)
        },
        (error: unknown) => {
          timer.cancel()
          if (GatewayError.is(error) && error.code === 'malformed_response') resolve(undefined)
          else reject(error)
        },
      )
    })
  }

  #push(chunk: Uint8Array): void {
    this.#size += chunk.length
    if (this.#kind === undefined && !this.#sniff(chunk)) return
    const { jsonBytes, streamBytes } = this.#parts.bounds
    if (this.#size > (this.#kind === 'json' ? jsonBytes : streamBytes)) throw this.#malformed('is longer than what is read')
    if (this.#kind === 'json') {
      this.#held.push(chunk)
      return
    }
    for (const early of this.#held.splice(0)) this.#framing?.push(early)
    this.#framing?.push(chunk)
    if (this.#decoder.done) this.#finish()
  }

  /** False while nothing but blanks came: some servers send them to keep the connection. */
  #sniff(chunk: Uint8Array): boolean {
    const first = firstByte(chunk)
    if (first === undefined) {
      if (hasMark(chunk)) this.#held.push(chunk)
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

  #frame(frame: Frame): void {
    if (this.#decoder.done) return
    this.#graceEnd = undefined
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
    const body = this.#body
    const timer = this.#parts.clock.after(DRAIN_MS, () => body.cancel())
    void drain(body).finally(() => timer.cancel())
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

async function drain(body: ByteReader): Promise<void> {
  let left = DRAIN_BYTES
  try {
    for (let chunk = await body.read(); chunk !== undefined; chunk = await body.read()) {
      left -= chunk.length
      if (left < 0) return body.cancel()
    }
  } catch {
    // The answer is complete; how its connection ends no longer matters.
  }
}
