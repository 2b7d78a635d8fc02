import { GatewayError } from '../protocol/errors.js'
import { isContent, type ChatEvent } from '../protocol/events.js'
import { parseJson } from '../protocol/json.js'
import type { Decoder, Frame, Framing, Headers } from '../protocol/ports.js'
import { bodyKind, firstByte, hasMark } from './sniff.js'

/** Bounds of one answer, in bytes after decompression. */
export interface AnswerLimits {
  readonly jsonBytes: number
  readonly streamBytes: number
}
/** What {@link Content} is made of. */
export interface ContentParts {
  readonly status: number
  readonly headers: Headers
  readonly decoder: Decoder
  readonly bounds: AnswerLimits
  readonly provider: string
  /** The dialect's own framing. */
  readonly framing: Framing | undefined
  /** What there is without one. */
  readonly sse: Framing
}

const LF = 10
// Of one chunk: then it is read whole, so that a chunk of nothing but blank lines costs no more than another.
const MOST_PIECES = 16

/** The events of a body, whichever wire it turns out to be. Throws a `GatewayError`. */
export class Content {
  /** Frames so far. */
  frames = 0
  readonly #parts: ContentParts
  readonly #decoder: Decoder
  #framing: ReturnType<Framing> | undefined
  #kind: 'json' | 'frames' | undefined
  #held: Uint8Array[] = []
  #size = 0
  #batch: ChatEvent[] = []
  #owned = false
  #begun = false
  #rest: Uint8Array | undefined
  #ended = false

  constructor(parts: ContentParts) {
    this.#parts = parts
    this.#decoder = parts.decoder
  }

  /** Events that nobody took yet. */
  get waiting(): number {
    return this.#batch.length
  }

  /** Some of the last chunk is not read yet: it came behind the first content. */
  get behind(): boolean {
    return this.#rest !== undefined
  }

  /** Bytes of a body in one piece that is not whole yet. */
  get partial(): number {
    return this.#kind === 'json' && !this.#ended ? this.#size : 0
  }

  take(): ChatEvent[] {
    const batch = this.#batch
    this.#batch = []
    return batch
  }

  drop(): void {
    this.#held = []
    this.#rest = undefined
    this.#framing?.release?.()
    this.#framing = undefined
  }

  /** @param lent the bytes are somebody else's after this call. */
  push(chunk: Uint8Array, lent: boolean): void {
    this.goOn()
    this.#size += chunk.length
    if (this.#kind === undefined && !this.#sniff(chunk, lent)) return
    const { bounds, framing } = this.#parts
    if (this.#size > (this.#kind === 'json' ? bounds.jsonBytes : bounds.streamBytes)) throw this.malformed('is longer than what is read')
    if (this.#kind === 'json') return this.#hold(chunk, lent)
    if (this.#held.length > 0) for (const early of this.#held.splice(0)) this.#framing?.push(early)
    if (framing === undefined && !this.#begun) return this.#begin(chunk)
    // A framing of the dialect's own may keep what it is given.
    this.#framing?.push(lent && framing !== undefined ? new Uint8Array(chunk) : chunk)
  }

  /** Reads what is {@link behind}. */
  goOn(): void {
    const rest = this.#rest
    if (rest === undefined) return
    this.#rest = undefined
    this.#framing?.push(rest)
  }

  end(): void {
    this.#ended = true
    if (this.#kind === undefined) throw this.malformed('is empty')
    if (this.#kind === 'json') this.#whole()
    else this.#endFrames()
  }

  malformed(what: string): GatewayError {
    return new GatewayError('malformed_response', `The answer of ${this.#parts.provider} ${what}.`, { origin: 'upstream', status: this.#parts.status })
  }

  /** False while nothing but blanks came: some servers send them to keep the connection. */
  #sniff(chunk: Uint8Array, lent: boolean): boolean {
    const first = firstByte(chunk)
    const { framing, bounds, headers } = this.#parts
    if (first === undefined) {
      if (hasMark(chunk)) this.#hold(chunk, lent)
      if (this.#size > bounds.jsonBytes) throw this.malformed('is nothing but blanks')
      return false
    }
    const kind = bodyKind(first, headers['content-type'], framing !== undefined)
    if (kind === 'html') throw this.malformed('is HTML, not what the API sends. Check baseUrl and the proxy settings')
    this.#kind = kind
    if (kind === 'frames') this.#framing = (framing ?? this.#parts.sse)(frame => this.#frame(frame))
    return true
  }

  /** Up to the first content, an event at a time: its reader need not wait for all that came in the same packet. */
  #begin(chunk: Uint8Array): void {
    let at = 0
    for (let pieces = 1; at < chunk.length && !this.#begun; pieces++) {
      const end = pieces === MOST_PIECES ? chunk.length : eventEnd(chunk, at)
      this.#framing?.push(chunk.subarray(at, end))
      at = end
      this.#begun = this.#batch.some(isContent)
    }
    if (at < chunk.length && !this.#decoder.done) this.#rest = new Uint8Array(chunk.subarray(at))
  }

  #hold(chunk: Uint8Array, lent: boolean): void {
    this.#held.push(lent ? new Uint8Array(chunk) : chunk)
  }

  #frame(frame: Frame): void {
    if (this.#decoder.done) return
    this.frames++
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

  #whole(): void {
    const held = this.#held.splice(0)
    const { framing } = this.#parts
    let body: unknown
    try {
      body = parseJson(textOf(held))
    } catch (error) {
      if (GatewayError.is(error)) throw error
      if (framing === undefined) throw this.malformed('is not JSON')
      // Frames under the name of JSON: a dialect with a framing of its own may send several objects.
      this.#framing = framing(frame => this.#frame(frame))
      for (const chunk of held) this.#framing.push(chunk)
      return this.#endFrames()
    }
    this.#batch = this.#decoder.json(body)
  }

  #endFrames(): void {
    this.#framing?.end()
    if (!this.#decoder.done) this.#add(this.#decoder.end())
    this.drop()
  }
}

/** Behind the first blank line from `at` on. */
function eventEnd(chunk: Uint8Array, at: number): number {
  let line = chunk.indexOf(LF, at)
  while (line !== -1 && chunk[line + 1] !== LF) line = chunk.indexOf(LF, line + 1)
  return line === -1 ? chunk.length : line + 2
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
