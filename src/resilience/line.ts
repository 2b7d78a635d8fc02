import type PQueue from 'p-queue'
import { GatewayError } from '../protocol/errors.js'
import type { Clock, GateCall } from '../protocol/ports.js'
import type { Cancel } from './cancel.js'
import { Tenants, type Ticket } from './line-tenants.js'
import { weigher, type Shares } from './shares.js'
import { tooLate, waitedOut, Waiter, type Admitted, type Standing } from './line-waiter.js'
import type { LiveCandidate } from './live.js'

export type { Admitted, Standing } from './line-waiter.js'

const MAX_SIZE = 1_000
const MAX_BYTES = 64 * 2 ** 20
/** As the estimate of tokens has it. */
const BYTES_PER_TOKEN = 4

/** Bounds of a line. */
export interface LineOptions {
  /** Calls that may wait. Default 1,000. */
  readonly maxSize?: number
  /** How long one may wait. Default: until its call ends. */
  readonly maxWaitMs?: number
  /** Estimated bytes of the prompts that wait. Default 64 MiB. */
  readonly maxBytes?: number
  /** Turns by tenant: with 3, three for each one of a tenant with 1. `'*'` is every tenant not named. Default 1 each. */
  readonly shares?: Shares
  /** Without one, nobody waits for a time: only for places that free. */
  readonly clock?: Clock
}

/** A line, for `health()`. */
export interface LineState {
  readonly waiting: number
  /** Estimated bytes of the prompts that wait. */
  readonly bytes: number
  /** Epoch milliseconds of the earliest reset that the gates named to the head. */
  readonly retryAtMs?: number
}

/**
 * Where calls of one route wait while every gate is shut: for a place, and for the end of an outage. Tenants take turns by
 * their shares; the head alone tries the gates, so that a recovery lets calls in one by one, as the gates ramp up. A task
 * ends when its permits are granted, so the queue is empty whenever nobody waits.
 */
export class Line {
  readonly #options: LineOptions
  readonly #maxSize: number
  readonly #maxBytes: number
  readonly #weigh: (tenant: string) => number
  #queue: Promise<PQueue<Tenants, Ticket>> | undefined
  #head: Waiter | undefined
  #waiting = 0
  #bytes = 0

  constructor(options: LineOptions = {}) {
    this.#options = options
    this.#maxSize = options.maxSize ?? MAX_SIZE
    this.#maxBytes = options.maxBytes ?? MAX_BYTES
    this.#weigh = weigher(options.shares)
  }

  get waiting(): number {
    return this.#waiting
  }

  state(): LineState {
    const retryAtMs = this.#head?.retryAtMs
    return { waiting: this.#waiting, bytes: this.#bytes, ...(retryAtMs !== undefined && { retryAtMs }) }
  }

  /**
   * Resolves with the first candidate whose gates let the call in. Rejects with the reason of `cancel`, with `queue_full`,
   * with `queue_timeout` (at once where every gate names a reset that comes too late), or with what gates refused it for
   * where it does not wait out an outage.
   */
  enter(candidates: readonly LiveCandidate[], call: GateCall, cancel: Cancel, standing: Standing = {}): Promise<Admitted> {
    const bytes = call.inputTokens() * BYTES_PER_TOKEN
    const refused = cancel.reason ?? this.#overfull(bytes)
    if (refused !== undefined) return Promise.reject(refused)
    const { clock, maxWaitMs = Infinity } = this.#options
    const nowMs = clock?.now() ?? 0
    const untilMs = clock === undefined ? Infinity : Math.min(nowMs + maxWaitMs, standing.untilMs ?? Infinity)
    if (standing.retryAtMs !== undefined && standing.retryAtMs >= untilMs) return Promise.reject(tooLate(standing.retryAtMs - nowMs))
    this.#waiting++
    this.#bytes += bytes
    return new Promise((resolve, reject) => {
      const onEnd = (admitted: Admitted | undefined, reason: unknown): void => {
        this.#waiting--
        this.#bytes -= bytes
        if (this.#head === waiter) this.#head = undefined
        off()
        expiry?.cancel()
        if (admitted === undefined) reject(reason)
        else resolve(admitted)
      }
      const waiter = new Waiter({ candidates, call, standing, clock, untilMs, onEnd })
      const off = cancel.onCancel(reason => waiter.end(undefined, reason))
      const expiry = maxWaitMs < Infinity ? clock?.after(maxWaitMs, () => waiter.end(undefined, waitedOut(maxWaitMs, this.#head?.retryAtMs, clock.now()))) : undefined
      this.#stand(waiter)
    })
  }

  #stand(waiter: Waiter): void {
    // Most processes never wait, so most never load the queue.
    const queue = (this.#queue ??= import('./line-queue.js').then(({ default: Queue }) => new Queue<Tenants, Ticket>({ concurrency: 1, queueClass: Tenants })))
    const turn = (): Promise<void> => {
      this.#head = waiter
      return waiter.turn()
    }
    queue.then(order => (waiter.over ? undefined : order.add(turn, { place: waiter, weight: this.#weigh(waiter.tenant) }))).catch((error: unknown) => waiter.end(undefined, error))
  }

  #overfull(bytes: number): GatewayError | undefined {
    if (this.#waiting >= this.#maxSize) return full(`${this.#maxSize} calls wait for this route already. Raise queue.maxSize, limits.concurrency`)
    if (this.#bytes + bytes > this.#maxBytes) return full(`The prompts that wait for this route hold ${this.#maxBytes} bytes already. Raise limits.concurrency`)
    return undefined
  }
}

function full(what: string): GatewayError {
  return new GatewayError('queue_full', `${what}, or add a deployment.`)
}
