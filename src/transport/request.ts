import type { Headers, HttpCall } from '../protocol/ports.js'
import type { Endpoint } from './endpoint.js'
import { configFault } from './faults.js'

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// Bytes that a header line can hold; what lies beyond latin1 has none.
const UNSENDABLE = /[^\t\x20-\x7e\x80-\xff]/
const MOST = 16
const LONGEST = 4_096

/** The head of a request up to its last empty line, one latin1 character a byte. Throws `invalid_config` for a header that could split it. */
export function requestHead(endpoint: Endpoint, { method, headers, body }: HttpCall, bodyBytes: number): string {
  const head = endpoint.heads[method] + endpoint.lines.of(headers)
  return body === undefined && method === 'GET' ? `${head}\r\n` : `${head}content-length: ${bodyBytes}\r\n\r\n`
}

/** The lines of the headers of one endpoint. What a name had last is kept, for most requests say the same again; bounded. */
export class HeaderLines {
  // Not in an object that somebody could print: one of the values is a key.
  readonly #known = new Map<string, { readonly value: string; readonly line: string }>()

  of(headers: Headers): string {
    let lines = ''
    for (const name of Object.keys(headers)) {
      const value = headers[name] ?? ''
      const known = this.#known.get(name)
      lines += known !== undefined && known.value === value ? known.line : this.#made(name, value)
    }
    return lines
  }

  #made(name: string, value: string): string {
    if (!TOKEN.test(name) || UNSENDABLE.test(value)) throw configFault('A request header holds a character that HTTP does not allow. Check the key and the headers of the deployment.')
    const line = isWire(name) ? '' : `${name}: ${value}\r\n`
    if (line.length <= LONGEST && (this.#known.has(name) || this.#known.size < MOST)) this.#known.set(name, { value, line })
    return line
  }
}

/** Headers that say how a message travels: the wire writes its own, and a second one could be read as another message. */
function isWire(name: string): boolean {
  switch (name.toLowerCase()) {
    case 'host':
    case 'connection':
    case 'content-length':
    case 'transfer-encoding':
    case 'keep-alive':
    case 'upgrade':
    case 'expect':
    case 'te':
    case 'trailer':
      return true
    default:
      return false
  }
}
