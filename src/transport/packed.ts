import { Readable } from 'node:stream'
import type { Headers } from '../protocol/ports.js'
import { decompressed, HttpBody } from './body.js'
import { unpacked } from './headers.js'
import type { ByteReader, Received } from './types.js'

/** The bytes of a reader, pulled as far as they are read. */
class Pulled extends Readable {
  readonly #reader: ByteReader

  constructor(reader: ByteReader) {
    super()
    this.#reader = reader
  }
  override _read(): void {
    this.#reader.read().then(
      bytes => this.push(bytes ?? null),
      (error: Error) => this.destroy(error),
    )
  }
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#reader.cancel()
    done(error)
  }
}

/** The answer with its `content-encoding` undone. Throws `malformed_response` where that cannot be, and ends the exchange. */
export function unpackedAnswer(reader: ByteReader & { readonly host: string }, status: number, headers: Headers, encoding: string): Received {
  const { host } = reader
  const source = new Pulled(reader)
  try {
    const owner = { host, onActivity: () => undefined, onOver: (destroy: boolean) => destroy && source.destroy() }
    return { status, headers: unpacked(headers), body: new HttpBody(decompressed(source, encoding, host), owner) }
  } catch (fault) {
    source.destroy()
    throw fault
  }
}
