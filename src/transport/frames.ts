import { createParser } from 'eventsource-parser'
import type { Framing } from '../protocol/ports.js'
import { malformed } from './faults.js'

/** Bounds of an event stream, in bytes of a line and characters of an event. */
export interface FrameLimits {
  readonly lineBytes: number
  readonly eventChars: number
}

const LIMITS: FrameLimits = { lineBytes: 1024 * 1024, eventChars: 4 * 1024 * 1024 }
// What is parsed in one go stays far below the limits, so that they hold inside a large chunk too.
const SLICE = 256 * 1024
const BOM = 0xef

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

/** Server-sent events with other bounds. */
export function sseFraming({ lineBytes, eventChars }: FrameLimits): Framing {
  return onFrame => {
    const tooLong = (what: string) => malformed(`The event stream has ${what} that is longer than what is read.`)
    const text = new Utf8Text()
    const parser = createParser({
      maxBufferSize: eventChars + lineBytes,
      onEvent({ event, data }) {
        if (data.length > eventChars) throw tooLong('an event')
        onFrame(event === undefined ? { data } : { event, data })
      },
      onError(error) {
        if (error.type === 'max-buffer-size-exceeded') throw tooLong('an event')
      },
    })
    let line = 0
    let afterReturn = false

    // The parser holds back a CR that ends a chunk, and scans for CR again at each line: it is given LF only.
    const newlines = (text: string) => {
      const skip = afterReturn && text.startsWith('\n') ? 1 : 0
      if (text !== '') afterReturn = text.endsWith('\r')
      return (skip === 0 ? text : text.slice(skip)).replace(/\r\n?/g, '\n')
    }
    const feed = (raw: string, bytes: number) => {
      const text = afterReturn || raw.includes('\r') ? newlines(raw) : raw
      const last = text.lastIndexOf('\n')
      if (last === -1) line += bytes
      else {
        if (line + text.indexOf('\n') > lineBytes) throw tooLong('a line')
        line = text.length - last - 1
      }
      if (line > lineBytes) throw tooLong('a line')
      if (text !== '') parser.feed(text)
    }

    return {
      push(chunk) {
        if (chunk.length <= SLICE) return feed(text.decode(chunk), chunk.length)
        for (let at = 0; at < chunk.length; at += SLICE) {
          const slice = chunk.subarray(at, at + SLICE)
          feed(text.decode(slice), slice.length)
        }
      },
      end() {
        // A last event without its blank line is whole all the same.
        feed(`${text.end()}\n\n`, 2)
      },
    }
  }
}

/** Server-sent events: lines up to 1 MiB, events up to 4 Mi characters; throws `malformed_response` beyond. */
export const sse: Framing = sseFraming(LIMITS)
