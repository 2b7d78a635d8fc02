import type { Call } from './call.js'

/**
 * The calls that have not ended. A list in which each call knows its place: a `Set` of few members that change all the time is made
 * anew every few calls, and each old one keeps what was in it alive for longer than it lives.
 */
export class OpenCalls implements Iterable<Call> {
  readonly #calls: Call[] = []

  get size(): number {
    return this.#calls.length
  }

  has(call: Call): boolean {
    return this.#calls[call.place] === call
  }

  add(call: Call): void {
    call.place = this.#calls.push(call) - 1
  }

  delete(call: Call): void {
    if (!this.has(call)) return
    const last = this.#calls.pop()
    if (last === undefined || last === call) return
    this.#calls[call.place] = last
    last.place = call.place
  }

  [Symbol.iterator](): Iterator<Call> {
    return [...this.#calls][Symbol.iterator]()
  }
}
