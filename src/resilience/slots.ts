import type { AttemptEnd, Deployment, Gate, GateCall, Permit, Refusal } from '../protocol/ports.js'
import { UNUSED } from './gates.js'
import { Listeners } from './listeners.js'

/** Counts the answers open on one deployment; a slot is held until the answer ends. */
export class Slots implements Gate {
  readonly #concurrency: number
  readonly #listeners = new Listeners()
  #open = 0

  constructor(concurrency: number) {
    this.#concurrency = concurrency
  }

  get open(): number {
    return this.#open
  }

  tryEnter(_deployment: Deployment, _call: GateCall): Permit | Refusal {
    if (this.#open >= this.#concurrency) return { refused: 'queue_full', reason: `all ${this.#concurrency} slots are taken (limits.concurrency)` }
    this.#open++
    return new Slot(this)
  }

  onFree(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Of its permits alone. */
  leave(end: AttemptEnd): void {
    this.#open--
    if (end !== UNUSED) this.#listeners.wake()
  }
}

class Slot implements Permit {
  #slots: Slots | undefined

  constructor(slots: Slots) {
    this.#slots = slots
  }

  release(end: AttemptEnd): void {
    const slots = this.#slots
    this.#slots = undefined
    slots?.leave(end)
  }
}
