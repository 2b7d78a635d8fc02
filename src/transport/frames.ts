import { createParser } from 'eventsource-parser'
import type { GatewayError } from '../protocol/errors.js'
import { isObject, tryParseJson } from '../protocol/json.js'
import type { Frame, Framing } from '../protocol/ports.js'
import { malformed } from './faults.js'

/** Bounds of an event stream, in bytes of a line and characters of an event. */
export interface FrameLimits {
  readonly lineBytes: number
  readonly eventChars: number
}

// A picture comes in one line: a megabyte and more.
const LIMITS: FrameLimits = { lineBytes: 16 * 1024 * 1024, eventChars: 16 * 1024 * 1024 }
// What is parsed in one go stays far below the limits, so that they hold inside a large chunk too.
const SLICE = 256 * 1024
const BOM = 0xef
// An error is shorter than this.
const STRAY_CHARS = 64 * 1024

// Without `stream` a decoder keeps nothing from call to call, so all may share it.
const WHOLE = new TextDecoder('utf-8', { ignoreBOM: true })

/** UTF-8 in pieces. A stream decoder is half as fast as a plain one, and needed only where a character is cut or the text begins. */
class Utf8Text {
  #decoder: TextDecoder | undefined
  #begun = false
  #cut = false

  decode(chunk: Uint8Array): string {
    const last = chunk[chunk.length - 1]
    if (last === undefined) return ''
    const cut = last > 0x7f
    const whole = !this.#cut && !cut && (this.#begun || chunk[0] !== BOM)
    if (!whole) this.#decoder ??= new TextDecoder('utf-8', { ignoreBOM: this.#begun })
    this.#cut = cut
    this.#begun = true
    return whole || this.#decoder === undefined ? WHOLE.decode(chunk) : this.#decoder.decode(chunk, { stream: true })
  }

  end(): string {
    return this.#decoder?.decode() ?? ''
  }
}

/** Readers that wait for their next stream, at the most. */
const MOST_IDLE = 64

/**
 * Reads one event stream after another. A class, and used again: the engine forgets the fast code of functions that live and die
 * with each stream, and of the parser's there is no other kind.
 */
class SseReader {
  readonly #limits: FrameLimits
  readonly #idle: SseReader[]
  readonly #parser: ReturnType<typeof createParser>
  #onFrame: ((frame: Frame) => void) | undefined
  #text = new Utf8Text()
  #line = 0
  #afterReturn = false
  #stray = ''

  constructor(limits: FrameLimits, idle: SseReader[]) {
    this.#limits = limits
    this.#idle = idle
    this.#parser = createParser({
      maxBufferSize: limits.eventChars + limits.lineBytes,
      onEvent: event => this.#event(event.event, event.data),
      onError: error => this.#error(error.type, error.line),
    })
  }

  /** Begins a stream. */
  begin(onFrame: (frame: Frame) => void): this {
    this.#onFrame = onFrame
    return this
  }

  push(chunk: Uint8Array): void {
    if (chunk.length <= SLICE) return this.#feed(this.#text.decode(chunk), chunk.length)
    for (let at = 0; at < chunk.length; at += SLICE) {
      const slice = chunk.subarray(at, at + SLICE)
      this.#feed(this.#text.decode(slice), slice.length)
    }
  }

  end(): void {
    // A last event without its blank line is whole all the same.
    this.#feed(`${this.#text.end()}\n\n`, 2)
  }

  release(): void {
    if (this.#onFrame === undefined) return
    this.#onFrame = undefined
    this.#parser.reset()
    this.#text = new Utf8Text()
    this.#line = 0
    this.#afterReturn = false
    this.#stray = ''
    if (this.#idle.length < MOST_IDLE) this.#idle.push(this)
  }

  #event(event: string | undefined, data: string): void {
    if (data.length > this.#limits.eventChars) throw tooLong('an event')
    this.#onFrame?.(event === undefined ? { data } : { event, data })
  }

  #error(type: string, line: string | undefined): void {
    if (type === 'max-buffer-size-exceeded') throw tooLong('an event')
    if (type === 'unknown-field' && line !== undefined) this.#strayLine(line)
  }

  /** Some servers put an error between the events as a bare JSON object, in one line or in many. It must not be lost. */
  #strayLine(line: string): void {
    const begins = line.startsWith('{')
    if (!begins && this.#stray === '') return
    this.#stray = begins ? line : `${this.#stray}\n${line}`
    if (this.#stray.length > STRAY_CHARS) this.#stray = ''
    if (!line.trimEnd().endsWith('}') || !(begins || line.startsWith('}'))) return
    const data = this.#stray
    const found = tryParseJson(data)
    // The first brace at the margin ends it, so that a long text is not parsed again at each of its lines.
    if (!begins || isObject(found)) this.#stray = ''
    if (!isObject(found)) return
    if (isObject(found['error'])) this.#onFrame?.({ data })
  }

  #feed(raw: string, bytes: number): void {
    const text = this.#afterReturn || raw.includes('\r') ? this.#newlines(raw) : raw
    const { lineBytes } = this.#limits
    const last = text.lastIndexOf('\n')
    if (last === -1) this.#line += bytes
    else {
      if (this.#line + text.indexOf('\n') > lineBytes) throw tooLong('a line')
      this.#line = text.length - last - 1
    }
    if (this.#line > lineBytes) throw tooLong('a line')
    if (text !== '') this.#parser.feed(text)
  }

  /** The parser holds back a CR that ends a chunk, and scans for CR again at each line: it is given LF only. */
  #newlines(text: string): string {
    const skip = this.#afterReturn && text.startsWith('\n') ? 1 : 0
    if (text !== '') this.#afterReturn = text.endsWith('\r')
    return (skip === 0 ? text : text.slice(skip)).replace(/\r\n?/g, '\n')
  }
}

function tooLong(what: string): GatewayError {
  return malformed(`The event stream has ${what} that is longer than what is read.`)
}

/** Server-sent events: lines up to 16 MiB, events up to 16 Mi characters; throws `malformed_response` beyond. Its readers are used again. */
export function sseFraming(limits: FrameLimits = LIMITS): Framing {
  const idle: SseReader[] = []
  return onFrame => (idle.pop() ?? new SseReader(limits, idle)).begin(onFrame)
}
