import type { Clock, Random } from '../protocol/ports.js'
import type { Env, Transport } from '../transport/types.js'

/** What a transport is built from. */
interface TransportOptions {
  /** The caller's own `http.Agent` or `https.Agent`, used in place of ours; Node only. */
  readonly agent?: unknown
  /** Where proxy settings are read. */
  readonly env: Env
}

/** The only door to time, chance, the network and the environment. */
export interface Platform {
  transport(options: TransportOptions): Transport
  env(name: string): string | undefined
  /** A clock of its own for each gateway. */
  clock(): Clock
  readonly random: Random
  /** Bytes that nobody can guess. */
  randomBytes(length: number): Uint8Array
  /** Calls `fn` soon, after what is going on now. */
  defer(fn: () => void): void
}
