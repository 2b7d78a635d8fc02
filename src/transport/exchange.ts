import { Buffer } from 'node:buffer'
import { GatewayError } from '../protocol/errors.js'
import type { HttpCall } from '../protocol/ports.js'
import type { Connection, ConnectionUser } from './connection.js'
import type { Endpoint } from './endpoint.js'
import { abortFault, codeOf, cutFault, networkFault } from './faults.js'
import type { Head } from './head.js'
import { packing } from './headers.js'
import { AnswerParser } from './parser.js'
import { requestHead } from './request.js'
import type { ByteConsumer, ByteReader, Received, SendContext } from './types.js'

const HIGH_WATER = 64 * 1024

/** Finds a connection for an exchange; `fresh` means one that nobody used before. */
export interface Line {
  connect(endpoint: Endpoint, exchange: Exchange, fresh: boolean): void
}
interface Waiting {
  resolve(bytes: Uint8Array | undefined): void
  reject(fault: GatewayError): void
}

/** One request and its answer, which is also the reader of its body. */
export class Exchange implements ByteReader, ConnectionUser {
  /** Nothing more comes, and the connection is no longer ours. */
  over = false
  connection: Connection | undefined
  readonly #line: Line
  readonly #endpoint: Endpoint
  readonly #ctx: SendContext
  readonly #resolve: (received: Received | Promise<Received>) => void
  readonly #reject: (fault: GatewayError) => void
  readonly #payload: string | Uint8Array | undefined
  readonly #payloadBytes: number
  readonly #head: string
  readonly #parser: AnswerParser
  #heard = false
  #again = false
  #answered = false
  #fault: GatewayError | undefined
  #held: Uint8Array[] = []
  #size = 0
  #paused = false
  #consumer: ByteConsumer | undefined
  #waiting: Waiting | undefined

  constructor(line: Line, endpoint: Endpoint, call: HttpCall, ctx: SendContext, resolve: (received: Received | Promise<Received>) => void, reject: (fault: GatewayError) => void) {
    const { body } = call
    this.#payload = body
    this.#payloadBytes = body === undefined ? 0 : Buffer.byteLength(body)
    this.#head = requestHead(endpoint, call, this.#payloadBytes)
    this.#line = line
    this.#endpoint = endpoint
    this.#ctx = ctx
    this.#resolve = resolve
    this.#reject = reject
    this.#parser = new AnswerParser(endpoint.label, endpoint.names)
    ctx.signal.addEventListener('abort', this)
    line.connect(endpoint, this, false)
  }

  get host(): string {
    return this.#endpoint.label
  }

  handleEvent(): void {
    this.end(abortFault(this.#ctx.signal.reason))
  }

  ready(): void {
    this.connection?.write(this.#head, this.#payload, this.#payloadBytes)
  }

  /** Ends the exchange in whatever phase it is: the socket is closed, and what is pending learns the fault. */
  end(fault: GatewayError): void {
    if (this.over) return
    this.#leave()
    this.connection?.destroy()
    this.#tell(fault)
  }

  lost(error: unknown): void {
    if (this.over) return
    const { host } = this
    if (this.#isStale(error)) {
      this.#again = true
      this.#line.connect(this.#endpoint, this, true)
    } else if (GatewayError.is(error)) this.end(error)
    else if (this.#parser.head === undefined) this.end(networkFault(host, error ?? { code: 'ECONNRESET' }))
    else if (error !== undefined || !this.#parser.eof()) this.end(cutFault(host, error))
    else {
      this.#leave()
      this.#tell(undefined)
    }
  }

  arrived(bytes: Buffer, length: number): void {
    const parser = this.#parser
    this.#heard = true
    let fault: unknown
    try {
      parser.push(bytes, length)
    } catch (error) {
      fault = error
    }
    if (parser.head !== undefined) {
      this.#ctx.onActivity()
      if (!this.#answered) this.#answer(parser.head)
      // Before anybody hears of the end, so that the next request finds the connection.
      if (parser.done) this.#release(parser.head)
      if (parser.to > parser.from) this.#give(bytes.subarray(parser.from, parser.to))
    }
    if (fault !== undefined) this.end(GatewayError.is(fault) ? fault : cutFault(this.host, fault))
    else if (parser.done) this.#tell(undefined)
  }

  read(): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      if (this.#size > 0 || this.over) this.#wake()
    })
  }

  flow(consumer: ByteConsumer): void {
    this.#consumer = consumer
    if (this.#size > 0) consumer.bytes(this.#take())
    if (this.over) this.#close()
  }

  pause(): void {
    if (this.over || this.#paused) return
    this.#paused = true
    this.connection?.pause()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (!this.over) this.connection?.resume()
  }

  cancel(): void {
    this.#consumer = undefined
    if (this.over) this.#drop()
    else this.end(abortFault())
  }

  /** The server had given up the connection before it saw the request. */
  #isStale(error: unknown): boolean {
    if (this.#again || this.#heard || this.connection?.reused !== true) return false
    const code = codeOf(error)
    return error === undefined || code === 'ECONNRESET' || code === 'EPIPE'
  }

  #answer({ status, headers }: Head): void {
    this.#answered = true
    const packed = packing(headers['content-encoding'])
    this.#resolve(packed === undefined ? { status, headers, body: this } : import('./packed.js').then(({ unpackedAnswer }) => unpackedAnswer(this, status, headers, packed)))
  }

  #leave(): void {
    this.over = true
    this.#ctx.signal.removeEventListener('abort', this)
  }

  #release({ keep, headers }: Head): void {
    if (this.over) return
    this.#leave()
    const { connection } = this
    const told = headers['keep-alive']
    if (told !== undefined) connection?.hint(told)
    connection?.release(keep && !this.#parser.surplus)
  }

  #give(bytes: Uint8Array): void {
    if (this.#consumer !== undefined) return this.#consumer.bytes(bytes)
    this.#held.push(Buffer.from(bytes))
    this.#size += bytes.length
    if (this.#waiting !== undefined) this.#wake()
    else if (this.#size >= HIGH_WATER) this.pause()
  }

  /** It is over: with a fault, or in order. */
  #tell(fault: GatewayError | undefined): void {
    if (!this.#answered) {
      if (fault !== undefined) this.#reject(fault)
      return
    }
    this.#fault = fault
    if (fault !== undefined && fault.code !== 'malformed_response') this.#drop()
    if (this.#consumer !== undefined) this.#close()
    else if (this.#waiting !== undefined) this.#wake()
  }

  #close(): void {
    const consumer = this.#consumer
    this.#consumer = undefined
    if (this.#fault === undefined) consumer?.ended()
    else consumer?.failed(this.#fault)
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (this.#size > 0) waiting?.resolve(this.#take())
    else if (this.#fault !== undefined) waiting?.reject(this.#fault)
    else waiting?.resolve(undefined)
  }

  #take(): Uint8Array {
    const [only] = this.#held
    const taken = this.#held.length === 1 && only !== undefined ? only : Buffer.concat(this.#held, this.#size)
    this.#drop()
    this.resume()
    return taken
  }

  #drop(): void {
    this.#held = []
    this.#size = 0
  }
}
