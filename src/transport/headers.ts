import type { Headers } from '../protocol/ports.js'
import { malformed } from './faults.js'

/** Most headers of one answer. */
export const MAX_HEADERS = 200
/** Bytes of all headers of one answer. */
export const MAX_HEADER_BYTES = 64 * 1024

/** Collects response headers by lower-case name; several of one name are joined by commas. Throws `malformed_response` past the bounds. */
export class HeaderRecord {
  readonly headers: Record<string, string> = Object.create(null) as Record<string, string>
  readonly #host: string
  #count = 0
  #size = 0

  constructor(host: string) {
    this.#host = host
  }

  /** @param name in lower case. */
  add(name: string, value: string): void {
    this.#size += name.length + value.length
    if (++this.#count > MAX_HEADERS || this.#size > MAX_HEADER_BYTES) throw malformed(`The answer of ${this.#host} has more headers than the ${MAX_HEADERS} or ${MAX_HEADER_BYTES} bytes that are read.`)
    const before = this.headers[name]
    this.headers[name] = before === undefined ? value : `${before}, ${value}`
  }
}

/** Headers of a body that was decompressed on the way: they no longer say how it was packed. */
export function unpacked(headers: Headers): Headers {
  const out = Object.assign(Object.create(null) as Record<string, string>, headers)
  delete out['content-encoding']
  delete out['content-length']
  return out
}

/** The name of what `content-encoding` did to a body, `undefined` where it did nothing. */
export function packing(encoding: string | undefined): string | undefined {
  const name = encoding?.trim().toLowerCase()
  return name === undefined || name === '' || name === 'identity' ? undefined : name
}
