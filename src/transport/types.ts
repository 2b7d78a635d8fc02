import type { AbortLike, Headers, HttpCall } from '../protocol/ports.js'

/** What a request is sent with. */
export interface SendContext {
  /** Aborting it destroys the socket at once; what is pending rejects with `signal.reason` where that is a `GatewayError`. */
  readonly signal: AbortLike
  /** Called by the transport when the headers arrive and whenever the socket brings some of the body. */
  onActivity(): void
}

/** Is told of a body as it comes, from inside the callback of the socket. Nothing comes after `ended`, `failed`, or a `cancel` of the reader. */
export interface ByteConsumer {
  /** What one read of the socket brought. The bytes are lent for this call; where the reader is `over` already, until `ended` returns. */
  bytes(chunk: Uint8Array): void
  ended(): void
  failed(fault: unknown): void
}

/** A body, read by one reader. Nothing is read ahead beyond a small mark while nobody reads. */
export interface ByteReader {
  /** The bytes that have arrived, `undefined` at the end. Rejects with `malformed_response` where the body is cut. One call at a time. */
  read(): Promise<Uint8Array | undefined>
  /** Hands the body to a consumer, in place of `read`: no promise and no copy for each chunk of a stream. Once. Not every body has it. */
  flow?(consumer: ByteConsumer): void
  /** Holds the server back while a consumer has more than it needs; `resume` goes on. */
  pause?(): void
  resume?(): void
  /** All of the body has come: its connection is no longer held. */
  readonly over?: boolean
  /** Ends the exchange; a pending `read` rejects with `aborted`, a consumer hears no more. Idempotent; does nothing after the end. */
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
