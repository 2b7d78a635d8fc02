import type { GatewayError } from '../protocol/errors.js'
import type { ChatEvent } from '../protocol/events.js'
import type { Reader } from '../resilience/attempt.js'
import type { Cancel } from '../resilience/cancel.js'
import type { Shared } from './shared.js'
import type { Opening, Reading } from './source.js'

interface Opened {
  resolve(): void
  reject(fault: GatewayError): void
}

/** One caller's place in a shared flight: it reads at its own pace, and leaving it ends nothing for the others. */
export class Seat implements Reading {
  readonly #shared: Shared
  readonly #off: () => void
  /** It came to a flight that another call had begun. */
  readonly joined: boolean
  /** Batches it was given. */
  at = 0
  #fault: GatewayError | undefined
  #opened: Opened | undefined
  #done: Reader | undefined
  #left = false

  constructor(shared: Shared, cancel: Cancel, joined: boolean) {
    this.#shared = shared
    this.joined = joined
    this.#off = cancel.onCancel(reason => this.end(reason))
  }

  /** Nothing was opened yet, and it is on this call to do so with {@link start}. */
  get leads(): boolean {
    return this.#shared.isLeader(this)
  }
  /** The bill of the flight is this call's: from who opened it, it passes on where that call leaves early. */
  get pays(): boolean {
    return this.#shared.isPayer(this)
  }

  /** It read the answer to its end. */
  get whole(): boolean {
    return this.#left && this.#fault === undefined
  }
  /** What gives the answer, once it was started. */
  get source(): Opening | undefined {
    return this.#shared.source
  }

  /** Opens the flight for all. `cancel` is the flight's own, not this call's. */
  start(source: Opening, cancel: Cancel): void {
    if (this.#fault !== undefined) throw this.#fault
    this.#shared.start(source, cancel)
  }

  /** Resolves when the flight has committed, or when it has become this call's turn to open it. Rejects with a fault. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#fault !== undefined) return reject(this.#fault)
      this.#opened = { resolve, reject }
      this.wake()
    })
  }

  read(done: Reader): void {
    if (this.#left) return done(undefined, this.#fault)
    this.#done = done
    this.wake()
    if (this.#done !== undefined) this.#shared.pull()
  }

  end(reason: GatewayError): void {
    if (this.#left) return
    this.#fault = reason
    this.#leave(reason)
    this.#tellFault(reason)
  }

  holdToWhatWasSaid(): void {
    this.#shared.holdToWhatWasSaid()
  }

  /** Hands over what there is for whoever waits here. */
  wake(): void {
    const shared = this.#shared
    const { fault } = shared
    if (this.#opened !== undefined && (shared.committed || this.leads)) {
      const { resolve } = this.#opened
      this.#opened = undefined
      resolve()
    }
    if (shared.has(this.at)) {
      if (this.#done !== undefined) this.#tell(shared.take(this))
    } else if (fault !== undefined) this.end(fault)
    else if (shared.over && this.#done !== undefined) this.#tell(undefined)
  }

  #tell(batch: readonly ChatEvent[] | undefined): void {
    const done = this.#done
    this.#done = undefined
    // Over with the finish: a reader may never ask for what comes after it.
    if (batch === undefined || batch.at(-1)?.type === 'finish') this.#leave(undefined)
    done?.(batch)
  }

  #tellFault(fault: GatewayError): void {
    const opened = this.#opened
    const done = this.#done
    this.#opened = this.#done = undefined
    opened?.reject(fault)
    done?.(undefined, fault)
  }

  #leave(reason: GatewayError | undefined): void {
    this.#left = true
    this.#off()
    this.#shared.leave(this, reason)
  }
}
