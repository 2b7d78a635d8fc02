interface Event {
  readonly atMs: number
  readonly place: number
  readonly fn: () => void
}

/** Virtual time: events by their time, then in the order they were asked for. A heap. */
export class Events {
  readonly #heap: Event[] = []
  #placed = 0
  nowMs = 0

  after(ms: number, fn: () => void): void {
    const heap = this.#heap
    const event: Event = { atMs: this.nowMs + ms, place: this.#placed++, fn }
    let at = heap.length
    for (;;) {
      const parent = heap[(at - 1) >> 1]
      if (at === 0 || parent === undefined || isBefore(parent, event)) break
      heap[at] = parent
      at = (at - 1) >> 1
    }
    heap[at] = event
  }

  /** Runs until nothing is left. */
  run(): void {
    for (let event = this.#pop(); event !== undefined; event = this.#pop()) {
      this.nowMs = event.atMs
      event.fn()
    }
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (last === undefined || last === top) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      const left = heap[child]
      const right = heap[child + 1]
      if (left === undefined) break
      if (right !== undefined && isBefore(right, left)) child++
      const least = right !== undefined && isBefore(right, left) ? right : left
      if (isBefore(last, least)) break
      heap[at] = least
      at = child
    }
    heap[at] = last
    return top
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.place < b.place)
}
