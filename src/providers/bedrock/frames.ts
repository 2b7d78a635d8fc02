import { GatewayError } from '../../protocol/errors.js'
import type { Frame, Framing } from '../../protocol/ports.js'
import { crc32 } from './crc32.js'

// Total length, length of the headers, and their checksum.
const PRELUDE = 12
const CHECKSUM = 4
const MOST_HEADER_BYTES = 128 * 1024
const MOST_FRAME_BYTES = 16 * 1024 * 1024
const STRING = 7
const UUID = 9
// Bytes of a value by its type; of types 6 and 7 the value says it itself.
const SIZES = [0, 0, 1, 2, 4, 8, undefined, undefined, 8, 16]

/** Begins the `event` of a frame that is a fault: `exception:` with its type, `error:` with its code. */
export const FAULT = /^(?:exception|error):/

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true })

function broken(what: string): GatewayError {
  return new GatewayError('malformed_response', `The event stream ${what}.`, { origin: 'network' })
}

/** Cuts the binary event stream into frames, and checks both checksums of each. Holds no more than one frame. */
class EventStream {
  readonly #onFrame: (frame: Frame) => void
  #held = new Uint8Array(0)
  #size = 0
  /** Length of the frame that is coming, once its prelude was checked. */
  #length = 0

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame
  }

  push(chunk: Uint8Array): void {
    if (this.#size === 0) return this.#keep(chunk, this.#read(chunk))
    this.#append(chunk)
    const held = this.#held.subarray(0, this.#size)
    const read = this.#read(held)
    if (read === 0) return
    this.#size = 0
    this.#keep(held, read)
  }

  /** Half a frame is for the decoder to judge: it knows whether the answer was whole before. */
  end(): void {
    this.release()
  }

  release(): void {
    this.#held = new Uint8Array(0)
    this.#size = 0
  }

  #keep(bytes: Uint8Array, from: number): void {
    if (from < bytes.length) this.#append(bytes.slice(from))
  }

  // Room is doubled, so that a frame that comes byte by byte is not copied for each of them.
  #append(chunk: Uint8Array): void {
    const size = this.#size + chunk.length
    if (size > this.#held.length) {
      const more = new Uint8Array(Math.max(size, 2 * this.#held.length, 256))
      more.set(this.#held.subarray(0, this.#size))
      this.#held = more
    }
    this.#held.set(chunk, this.#size)
    this.#size = size
  }

  /** Hands on all whole frames; how many bytes they were. */
  #read(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let at = 0
    for (;;) {
      if (this.#length === 0) {
        if (bytes.length - at < PRELUDE) return at
        this.#length = lengthOf(bytes, view, at)
      }
      const end = at + this.#length
      if (bytes.length < end) return at
      this.#length = 0
      if (view.getUint32(end - CHECKSUM) !== crc32(bytes, at, end - CHECKSUM)) throw broken('has a frame with a wrong checksum')
      this.#onFrame(frameOf(bytes, view, at, end))
      at = end
    }
  }
}

/** The length of a frame, of which the prelude is here. Checked before anything is kept for it. */
function lengthOf(bytes: Uint8Array, view: DataView, at: number): number {
  const length = view.getUint32(at)
  const headers = view.getUint32(at + 4)
  if (view.getUint32(at + 8) !== crc32(bytes, at, at + 8)) throw broken('has the beginning of a frame with a wrong checksum, or is no event stream')
  if (length > MOST_FRAME_BYTES || headers > MOST_HEADER_BYTES) throw broken('has a frame that is longer than what is read')
  if (length < PRELUDE + headers + CHECKSUM) throw broken('has a frame that is shorter than what it holds')
  return length
}

function frameOf(bytes: Uint8Array, view: DataView, at: number, end: number): Frame {
  const body = at + PRELUDE + view.getUint32(at + 4)
  const headers = headersOf(bytes.subarray(at + PRELUDE, body))
  const data = UTF8.decode(bytes.subarray(body, end - CHECKSUM))
  const type = headers.get(':message-type') ?? 'event'
  if (type === 'exception') return { event: `exception:${headers.get(':exception-type') ?? ''}`, data }
  if (type === 'error') return { event: `error:${headers.get(':error-code') ?? ''}`, data: JSON.stringify({ message: headers.get(':error-message') ?? '' }) }
  return { event: headers.get(':event-type') ?? '', data }
}

/** The headers that are texts; those of other types are stepped over. */
function headersOf(bytes: Uint8Array): Map<string, string> {
  const headers = new Map<string, string>()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const take = (size: number): number => {
    const from = at
    at += size
    if (at > bytes.length) throw broken('has a header that is longer than its frame')
    return from
  }
  while (at < bytes.length) {
    const nameSize = view.getUint8(take(1))
    const name = UTF8.decode(bytes.subarray(take(nameSize), at))
    const type = view.getUint8(take(1))
    if (type > UUID) throw broken('has a header of a type that is not known')
    const from = take(SIZES[type] ?? view.getUint16(take(2)))
    if (type === STRING) headers.set(name, UTF8.decode(bytes.subarray(from, at)))
  }
  return headers
}

/** The framing of this dialect: frames up to 16 MiB with headers up to 128 KiB; throws `malformed_response` beyond, and for a checksum that is wrong. */
export const eventStreamFraming: Framing = onFrame => new EventStream(onFrame)
