import type { GatewayError } from '../protocol/errors.js'
import { malformed, networkFault } from './faults.js'
import { HeaderRecord, MAX_HEADERS } from './headers.js'

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const MOST_DIGITS = 15
const CLOSE = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i
const KEEP = /(?:^|,)[ \t]*keep-alive[ \t]*(?:,|$)/i

/** The start of an answer, and what it says of the body. */
export interface Head {
  readonly status: number
  readonly headers: Record<string, string>
  /** Bytes of the body; or it comes in chunks, or lasts until the connection ends. */
  readonly length: number | 'chunked' | 'close'
  /** Another request may follow on this connection. */
  readonly keep: boolean
}

/** Header names in lower case. One server sends the same ones in the same order: what was checked and made once is looked for at its place. */
export class HeaderNames {
  /** Of the name found last, with its colon. */
  length = 0
  readonly #lines: string[] = []
  readonly #names: string[] = []

  /** The name at the start of a line, the `nth` of its head; `undefined` where there is none. */
  find(text: string, at: number, end: number, nth: number): string | undefined {
    const seen = this.#lines[nth]
    if (seen !== undefined && text.startsWith(seen, at)) {
      this.length = seen.length
      return this.#names[nth]
    }
    const colon = text.indexOf(':', at)
    const name = text.slice(at, colon)
    if (colon === -1 || colon > end || !TOKEN.test(name)) return undefined
    this.length = name.length + 1
    if (nth < MAX_HEADERS) {
      this.#lines[nth] = `${name}:`
      this.#names[nth] = name.toLowerCase()
    }
    return name.toLowerCase()
  }
}

/** What cannot be read. `why` is ours and holds nothing of the answer. */
export function unreadable(host: string, why: string): GatewayError {
  return malformed(`The answer of ${host} is not HTTP that can be read (${why}).`)
}

/**
 * Reads the head that ends at `length`, its last empty line left out. Lines end in CR LF and in nothing else, none goes on in
 * a second line, and the length of the body is told once: what two readers could take for two different answers is refused.
 */
export function parseHead(text: string, length: number, host: string, names: HeaderNames): Head {
  let end = lineEnd(text, 0, host)
  const status = statusOf(text, end)
  if (status === undefined) throw unreadable(host, 'no status line')
  const record = new HeaderRecord(host)
  for (let nth = 0; end < length; nth++) {
    const at = end + 2
    end = lineEnd(text, at, host)
    const name = names.find(text, at, end, nth)
    if (name === undefined) throw unreadable(host, 'a line that is no header')
    record.add(name, valueOf(text, at + names.length, end, host))
  }
  if (status === 101) throw networkFault(host, { code: 'PROTOCOL_SWITCHED' })
  const { headers } = record
  const body = lengthOf(status, headers, host)
  const { connection } = headers
  const keep = text.charCodeAt(MINOR) === ONE ? connection === undefined || connection === 'keep-alive' || !CLOSE.test(connection) : body !== 'chunked' && connection !== undefined && KEEP.test(connection)
  return { status, headers, length: body, keep: keep && body !== 'close' }
}

const VERSION = 'HTTP/1.'
const MINOR = VERSION.length
const CODE = MINOR + 2
const [ZERO, ONE, NINE, SPACE] = [0x30, 0x31, 0x39, 0x20] as const

/** Of a status line such as `HTTP/1.1 200 OK`, by its places. */
function statusOf(text: string, end: number): number | undefined {
  if (!text.startsWith(VERSION) || text.charCodeAt(MINOR + 1) !== SPACE) return undefined
  const minor = text.charCodeAt(MINOR)
  if (minor !== ZERO && minor !== ONE) return undefined
  let status = 0
  for (let at = CODE; at < CODE + 3; at++) {
    const digit = text.charCodeAt(at)
    if (digit < ZERO || digit > NINE) return undefined
    status = status * 10 + digit - ZERO
  }
  const after = CODE + 3
  return status >= 100 && (after === end || (after < end && text.charCodeAt(after) === SPACE)) ? status : undefined
}

// Each line has its end: the empty line comes after the last.
function lineEnd(text: string, at: number, host: string): number {
  const end = text.indexOf('\r', at)
  if (end === -1 || text.indexOf('\n', at) !== end + 1) throw unreadable(host, 'a line that does not end in CR LF')
  return end
}

const isBlank = (code: number) => code === 32 || code === 9

function valueOf(text: string, from: number, to: number, host: string): string {
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (from < to && isBlank(text.charCodeAt(to - 1))) to--
  const value = text.slice(from, to)
  if (value.includes('\0')) throw unreadable(host, 'a NUL in the headers')
  return value
}

function lengthOf(status: number, headers: Readonly<Record<string, string>>, host: string): Head['length'] {
  const coding = headers['transfer-encoding']
  const length = headers['content-length']
  if (coding !== undefined && length !== undefined) throw unreadable(host, 'two lengths')
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') throw unreadable(host, 'an unknown transfer-encoding')
  if (status < 200 || status === 204 || status === 304) return 0
  if (coding !== undefined) return 'chunked'
  return length === undefined ? 'close' : bytesOf(length, host)
}

function bytesOf(length: string, host: string): number {
  // A proxy may have sent the same header twice; two that differ are two answers.
  const several = length.includes(',') ? length.split(',').map(one => one.trim()) : undefined
  const first = several?.[0] ?? length
  if (several?.some(one => one !== first) === true) throw unreadable(host, 'a wrong content-length')
  if (first === '' || first.length > MOST_DIGITS) throw unreadable(host, 'a wrong content-length')
  let bytes = 0
  for (let at = 0; at < first.length; at++) {
    const digit = first.charCodeAt(at)
    if (digit < ZERO || digit > NINE) throw unreadable(host, 'a wrong content-length')
    bytes = bytes * 10 + digit - ZERO
  }
  return bytes
}
