import type { AbortLike, Headers, HttpCall } from '../protocol/ports.js'

/** What a request is sent with. */
export interface SendContext {
  /** Aborting it destroys the socket at once; what is pending rejects with `signal.reason` where that is a `GatewayError`. */
  readonly signal: AbortLike
  /** Called by the transport when the headers arrive and at each chunk of the body. */
  onActivity(): void
}

/** Is told of one read: exactly one of these is called. */
export interface ByteConsumer {
  bytes(chunk: Uint8Array | undefined): void
  failed(fault: unknown): void
}

/** A body, read by one reader. Nothing is read ahead beyond a small mark while nobody reads. */
export interface ByteReader {
  /** The bytes that have arrived, `undefined` at the end. Rejects with `malformed_response` where the body is cut. One call at a time. */
  read(): Promise<Uint8Array | undefined>
  /** Like `read`, but tells a consumer, which saves a promise for each chunk of a stream. Not every body has it. */
  readInto?(consumer: ByteConsumer): void
  /** Ends the exchange; a pending `read` rejects with `aborted`. Idempotent; does nothing after the end. */
  cancel(): void
}

/** An answer whose headers are here. Header names are lower-case, on an object without prototype. */
export interface Received {
  readonly status: number
  readonly headers: Headers
  readonly body: ByteReader
}

/** The way to the network. */
export interface Transport {
  /** Rejects with `network`, `malformed_response`, `aborted` or `closed`; a status of any kind resolves. Redirects are not followed. */
  send(call: HttpCall, ctx: SendContext): Promise<Received>
  /** Ends idle and open sockets. */
  close(): Promise<void>
  /** Open sockets, idle ones included; `undefined` where that is not known. */
  sockets(): number | undefined
}

/** Reads one environment variable. */
export type Env = (name: string) => string | undefined
