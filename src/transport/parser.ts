import { parseHead, unreadable, type Head, type HeaderNames } from './head.js'
import { MAX_HEADER_BYTES } from './headers.js'

const START = 'HTTP/1.'
const BLANK_LINE = '\r\n\r\n'
// A server that ends its lines so would be waited for until the deadline.
const BARE_LF = /(?:^|[^\r])\n/
const MAX_INTERIM = 16
// Of chunk extensions and trailers, neither of which is kept.
const MAX_EXTRA_BYTES = 64 * 1024
const MAX_SIZE_DIGITS = 12
const CR = 13
const LF = 10

/** Where in a chunked body the next byte belongs. */
type Place = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailers' | 'trailer' | 'trailer-lf' | 'last-lf'

/**
 * One HTTP/1.1 answer, fed with what the socket brings. It neither calls back nor allocates for a piece of the body: `from`
 * and `to` tell where in the bytes just pushed the body is. Throws `malformed_response`; what stood before the mistake is
 * told first.
 */
export class AnswerParser {
  /** Here once the headers are complete. */
  head: Head | undefined
  /** The body is complete. */
  done = false
  /** Something came after the answer, which belongs to nobody. */
  surplus = false
  from = 0
  to = 0
  readonly #host: string
  readonly #names: HeaderNames
  #text = ''
  #interim = 0
  #left = 0
  #digits = 0
  #extra = 0
  #place: Place = 'size'

  /** @param names kept from answer to answer of one server. */
  constructor(host: string, names: HeaderNames) {
    this.#host = host
    this.#names = names
  }

  /** Takes the first `length` bytes. Chunks of a body are moved together in place. */
  push(bytes: Buffer, length: number): void {
    let at = 0
    this.from = this.to = 0
    if (this.head === undefined) {
      at = this.#readHead(bytes, length)
      if (this.head === undefined) return
    }
    this.from = this.to = at
    if (!this.done) at = this.#readBody(bytes, at, length, this.head.length)
    if (at < length) this.surplus = true
  }

  /** The connection ended: true where that ends the body too. */
  eof(): boolean {
    if (this.head?.length === 'close') this.done = true
    return this.done
  }

  #readHead(bytes: Buffer, length: number): number {
    let at = 0
    while (at < length) {
      const held = this.#text.length
      const text = this.#text + bytes.toString('latin1', at, Math.min(length, at + MAX_HEADER_BYTES + BLANK_LINE.length - held))
      if (!START.startsWith(text.slice(0, START.length))) throw unreadable(this.#host, 'no status line')
      const end = text.indexOf(BLANK_LINE, Math.max(0, held - 3))
      if (end === -1) {
        if (BARE_LF.test(text)) throw unreadable(this.#host, 'a line that does not end in CR LF')
        if (text.length >= MAX_HEADER_BYTES + BLANK_LINE.length) throw unreadable(this.#host, `more than ${MAX_HEADER_BYTES} bytes of headers`)
        this.#text = text
        return length
      }
      this.#text = ''
      at += end + BLANK_LINE.length - held
      const head = parseHead(text, end, this.#host, this.#names)
      if (head.status >= 200) {
        this.#open(head)
        return at
      }
      if (++this.#interim > MAX_INTERIM) throw unreadable(this.#host, 'no final status')
    }
    return at
  }

  #open(head: Head): void {
    this.head = head
    if (typeof head.length !== 'number') return
    this.#left = head.length
    this.done = head.length === 0
  }

  #readBody(bytes: Buffer, at: number, length: number, kind: Head['length']): number {
    if (kind === 'chunked') return this.#readChunks(bytes, at, length)
    if (kind === 'close') return (this.to = length)
    this.to = Math.min(length, at + this.#left)
    this.#left -= this.to - at
    this.done = this.#left === 0
    return this.to
  }

  #readChunks(bytes: Buffer, start: number, length: number): number {
    let at = start
    while (at < length && !this.done) {
      if (this.#place !== 'data') {
        this.#step(bytes[at++] ?? 0)
        continue
      }
      const end = Math.min(length, at + this.#left)
      if (this.to === this.from) this.from = this.to = at
      else bytes.copyWithin(this.to, at, end)
      this.to += end - at
      this.#left -= end - at
      at = end
      if (this.#left === 0) this.#place = 'data-cr'
    }
    return at
  }

  #step(byte: number): void {
    switch (this.#place) {
      case 'size':
        return this.#size(byte)
      case 'extension':
        return this.#skip(byte, 'size-lf')
      case 'size-lf':
        return this.#expect(byte, LF, this.#left === 0 ? 'trailers' : 'data')
      case 'data-cr':
        return this.#expect(byte, CR, 'data-lf')
      case 'data-lf':
        this.#digits = 0
        return this.#expect(byte, LF, 'size')
      case 'trailers':
        this.#place = 'trailer'
        return this.#skip(byte, 'last-lf')
      case 'trailer':
        return this.#skip(byte, 'trailer-lf')
      case 'trailer-lf':
        return this.#expect(byte, LF, 'trailers')
      default:
        this.#expect(byte, LF, 'size')
        this.done = true
    }
  }

  #size(byte: number): void {
    const digit = hex(byte)
    if (digit !== -1 && this.#digits < MAX_SIZE_DIGITS) {
      this.#digits++
      this.#left = this.#left * 16 + digit
    } else if (digit !== -1 || this.#digits === 0) throw unreadable(this.#host, 'a wrong chunk size')
    else if (byte === CR) this.#place = 'size-lf'
    else if (byte === 0x3b || byte === 0x20 || byte === 0x09) this.#place = 'extension'
    else throw unreadable(this.#host, 'a wrong chunk size')
  }

  /** Reads over a line, up to its CR. */
  #skip(byte: number, then: Place): void {
    if (byte === CR) this.#place = then
    else if (byte === LF || byte === 0) throw unreadable(this.#host, 'a wrong line between chunks')
    else if (++this.#extra > MAX_EXTRA_BYTES) throw unreadable(this.#host, `more than ${MAX_EXTRA_BYTES} bytes between chunks`)
  }

  #expect(byte: number, wanted: number, then: Place): void {
    if (byte !== wanted) throw unreadable(this.#host, 'chunks that do not fit')
    this.#place = then
  }
}

function hex(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
