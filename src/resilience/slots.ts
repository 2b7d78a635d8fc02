import type { AttemptEnd, Deployment, Gate, GateCall, Permit, Refusal } from '../protocol/ports.js'

/** Counts the answers open on one deployment; a slot is held until the answer ends. */
export class Slots implements Gate {
  readonly #concurrency: number
  readonly #listeners = new Set<() => void>()
  #open = 0

  constructor(concurrency: number) {
    this.#concurrency = concurrency
  }

  get open(): number {
    return this.#open
  }

  tryEnter(_deployment: Deployment, _call: GateCall): Permit | Refusal {
    if (this.#open >= this.#concurrency) return { refused: 'queue_full' }
    this.#open++
    let held = true
    return {
      release: (_end: AttemptEnd) => {
        if (!held) return
        held = false
        this.#open--
        for (const listener of [...this.#listeners]) listener()
      },
    }
  }

  onFree(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
