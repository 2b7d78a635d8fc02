import { PassThrough, type Readable, type Transform } from 'node:stream'
import { constants, createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib'
import { GatewayError } from '../protocol/errors.js'
import { abortFault, codeOf, cutFault, malformed } from './faults.js'
import type { ByteReader } from './types.js'

const HIGH_WATER = 64 * 1024

/** What a body tells the exchange it belongs to. */
export interface BodyOwner {
  readonly host: string
  onActivity(): void
  /** The body is over; `destroy` where the connection cannot be used again. */
  onOver(destroy: boolean): void
}

interface Waiting {
  resolve(bytes: Uint8Array | undefined): void
  reject(fault: unknown): void
}

/** A stream of Node's as a reader that is waited for, not a stream that is piped. */
export class HttpBody implements ByteReader {
  readonly #source: Readable
  readonly #owner: BodyOwner
  #chunks: Uint8Array[] = []
  #size = 0
  #over = false
  #paused = false
  #fault: GatewayError | undefined
  #waiting: Waiting | undefined
  #woken = false
  readonly #give = () => {
    const waiting = this.#waiting
    this.#waiting = undefined
    this.#woken = false
    if (this.#size > 0) waiting?.resolve(this.#take())
    else if (this.#fault !== undefined) waiting?.reject(this.#fault)
    else waiting?.resolve(undefined)
  }

  constructor(source: Readable, owner: BodyOwner) {
    this.#source = source
    this.#owner = owner
    source.on('data', (chunk: Uint8Array) => this.#onData(chunk))
    source.on('end', () => this.#onEnd())
    source.on('error', error => this.fail(readFault(owner.host, error)))
    source.on('close', () => this.#over || this.fail(cutFault(owner.host)))
  }

  read(): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      if (this.#size > 0 || this.#over) this.#wake()
    })
  }

  cancel(): void {
    if (!this.#over) this.fail(abortFault())
    else this.#drop()
  }

  /** Ends the body with a fault. What was read before is still delivered where the fault is a cut. */
  fail(fault: GatewayError): void {
    if (this.#over) return
    this.#over = true
    this.#fault = fault
    if (fault.code !== 'malformed_response') this.#drop()
    this.#owner.onOver(true)
    this.#wake()
  }

  /** The reader gets all that one turn of the socket brings, not a piece at a time. */
  #wake(): void {
    if (this.#waiting === undefined || this.#woken) return
    this.#woken = true
    queueMicrotask(this.#give)
  }

  #onData(chunk: Uint8Array): void {
    if (this.#over) return
    this.#owner.onActivity()
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#size >= HIGH_WATER && !this.#paused) {
      this.#paused = true
      this.#source.pause()
    }
    this.#wake()
  }

  #onEnd(): void {
    if (this.#over) return
    this.#over = true
    this.#owner.onOver(false)
    this.#wake()
  }

  #take(): Uint8Array {
    const chunks = this.#chunks
    const only = chunks.length === 1 ? chunks[0] : undefined
    const taken = only ?? Buffer.concat(chunks, this.#size)
    this.#drop()
    if (this.#paused) {
      this.#paused = false
      this.#source.resume()
    }
    return taken
  }

  #drop(): void {
    this.#chunks = []
    this.#size = 0
  }
}

function readFault(host: string, error: unknown): GatewayError {
  if (GatewayError.is(error)) return error
  const code = codeOf(error)
  if (code !== undefined && (code.startsWith('Z_') || code.startsWith('ERR_'))) return malformed(`The answer of ${host} could not be decompressed.`, code)
  if (code?.startsWith('HPE_')) return malformed(`The body of the answer of ${host} is not HTTP that can be read (${code}).`, code)
  return cutFault(host, error)
}

type Unpack = (first: number) => Transform
const FLUSH = { flush: constants.Z_SYNC_FLUSH }
const UNPACK = new Map<string, Unpack>([
  ['gzip', () => createGunzip(FLUSH)],
  ['x-gzip', () => createGunzip(FLUSH)],
  // Some servers leave out the zlib header of deflate; the first byte tells.
  ['deflate', first => ((first & 15) === 8 ? createInflate(FLUSH) : createInflateRaw(FLUSH))],
  ['br', () => createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH })],
])

/** Undoes a packing that {@link packing} named; throws `malformed_response` where it cannot be undone. */
export function decompressed(message: Readable, name: string, host: string): Readable {
  const unpack = UNPACK.get(name)
  if (unpack === undefined) throw malformed(`The answer of ${host} is packed in a way that cannot be undone. gzip, deflate and br can.`)
  return unpackedBy(unpack, message)
}

function unpackedBy(unpack: Unpack, message: Readable): Readable {
  const out = new PassThrough()
  const fail = (error: Error) => out.destroy(error)
  const end = () => out.end()
  message.once('data', (first: Uint8Array) => {
    message.off('end', end)
    const transform = unpack(first[0] ?? 0)
    out.once('close', () => transform.destroy())
    transform.on('error', fail)
    transform.write(first)
    message.pipe(transform).pipe(out)
  })
  message.once('end', end)
  message.on('error', fail)
  return out
}
