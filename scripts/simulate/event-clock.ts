import type { Clock, Timer } from '../../src/protocol/ports.js'

interface Event {
  readonly dueMs: number
  readonly order: number
  readonly fn: () => void
  cancelled: boolean
}

/** A clock for simulations: a heap of events, fired in order of time and then of arming, without a promise between them. */
export class EventClock implements Clock {
  readonly #heap: Event[] = []
  #nowMs = 0
  #armed = 0

  now(): number {
    return this.#nowMs
  }

  after(ms: number, fn: () => void): Timer {
    const event: Event = { dueMs: this.#nowMs + Math.max(0, ms), order: this.#armed++, fn, cancelled: false }
    this.#heap.push(event)
    this.#up(this.#heap.length - 1)
    return { cancel: () => void (event.cancelled = true) }
  }

  runUntil(endMs: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.dueMs <= endMs; next = this.#heap[0]) {
      this.#pop()
      if (next.cancelled) continue
      this.#nowMs = next.dueMs
      next.fn()
    }
    this.#nowMs = endMs
  }

  #before(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]]
    if (one === undefined || other === undefined) return other === undefined && one !== undefined
    return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order)
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]]
    if (one === undefined || other === undefined) return
    this.#heap[a] = other
    this.#heap[b] = one
  }

  #up(at: number): void {
    for (let parent = (at - 1) >> 1; at > 0 && this.#before(at, parent); parent = (at - 1) >> 1) {
      this.#swap(at, parent)
      at = parent
    }
  }

  #pop(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const child = this.#before(left + 1, left) ? left + 1 : left
      if (!this.#before(child, at)) return
      this.#swap(at, child)
      at = child
    }
  }
}
