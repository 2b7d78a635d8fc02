import type { Clock, Timer } from '../protocol/ports.js'

// A longer delay would fire at once.
const LONGEST_MS = 2 ** 31 - 1
/** Deadlines are the same few lengths over and over; anything shorter, or of one length too many at once, gets a timer of its own. */
const SHARED_FROM_MS = 1_000
const MAX_LANES = 64

interface Handle {
  ref?(): unknown
  unref?(): unknown
}

class OwnTimer implements Timer {
  readonly #handle: ReturnType<typeof setTimeout>

  constructor(ms: number, fn: () => void, idle = false) {
    this.#handle = setTimeout(fn, Math.min(Math.max(0, ms), LONGEST_MS))
    if (idle) (this.#handle as Handle).unref?.()
  }

  cancel(): void {
    clearTimeout(this.#handle)
  }
}

/** A place in a lane: a doubly linked list in order of due time. */
class Waiting implements Timer {
  next: Waiting | undefined
  before: Waiting | undefined
  lane: Lane | undefined

  constructor(
    readonly dueMs: number,
    readonly fn: () => void,
  ) {}

  cancel(): void {
    this.lane?.remove(this)
  }
}

/**
 * All timers of one length behind one timer of the system. A call arms and cancels two deadlines that hardly ever pass;
 * here that costs two list nodes, and the system's timer is not touched.
 */
class Lane {
  readonly #ms: number
  readonly #now: () => number
  readonly #empty: () => void
  #head: Waiting | undefined
  #tail: Waiting | undefined
  #handle: ReturnType<typeof setTimeout> | undefined

  constructor(ms: number, now: () => number, empty: () => void) {
    this.#ms = ms
    this.#now = now
    this.#empty = empty
  }

  /** Nothing waits in it. */
  get idle(): boolean {
    return this.#head === undefined
  }

  /** Lets go of the system's timer. */
  close(): void {
    clearTimeout(this.#handle)
  }

  add(fn: () => void): Timer {
    const waiting = new Waiting(this.#now() + this.#ms, fn)
    waiting.lane = this
    waiting.before = this.#tail
    if (this.#tail === undefined) this.#head = waiting
    else this.#tail.next = waiting
    this.#tail = waiting
    if (this.#handle === undefined) this.#arm(this.#ms)
    else if (this.#head === waiting) (this.#handle as Handle).ref?.()
    return waiting
  }

  remove(waiting: Waiting): void {
    waiting.lane = undefined
    const { next, before } = waiting
    // A node that is gone must keep no other alive.
    waiting.next = waiting.before = undefined
    if (before === undefined) this.#head = next
    else before.next = next
    if (next === undefined) this.#tail = before
    else next.before = before
    // Nothing waits: the system's timer runs out by itself and keeps no process alive.
    if (this.#head === undefined && this.#handle !== undefined) (this.#handle as Handle).unref?.()
  }

  #arm(ms: number): void {
    this.#handle = setTimeout(() => this.#fire(), Math.min(ms, LONGEST_MS))
  }

  #fire(): void {
    this.#handle = undefined
    const nowMs = this.#now()
    try {
      for (let head = this.#head; head !== undefined && head.dueMs <= nowMs; head = this.#head) {
        this.remove(head)
        head.fn()
      }
    } finally {
      // Also after a callback that threw: the others are still due.
      if (this.#head === undefined) this.#empty()
      else if (this.#handle === undefined) this.#arm(Math.max(1, this.#head.dueMs - this.#now()))
    }
  }
}

/** Real time that keeps no process alive. */
export function idleClock(): { now(): number; after(ms: number, fn: () => void): Timer } {
  const { performance: timer } = globalThis
  return {
    now: () => timer.now(),
    after: (ms, fn) => new OwnTimer(Math.ceil(ms), fn, true),
  }
}

/** Real time. `now()` is monotonic: it starts at the epoch time of the process and never jumps. */
export function systemClock(): Clock {
  // The global is a getter.
  const { performance: timer } = globalThis
  const { timeOrigin } = timer
  const now = (): number => timeOrigin + timer.now()
  const lanes = new Map<number, Lane>()
  return {
    now,
    after(ms, fn) {
      if (ms < SHARED_FROM_MS) return new OwnTimer(ms, fn)
      // What is left of a deadline has fractions; the system's timers have none.
      const whole = Math.ceil(ms)
      let lane = lanes.get(whole)
      if (lane === undefined) {
        if (lanes.size >= MAX_LANES && !closeIdle(lanes)) return new OwnTimer(ms, fn)
        lane = new Lane(whole, now, () => lanes.delete(whole))
        lanes.set(whole, lane)
      }
      return lane.add(fn)
    },
  }
}

/** Makes room for a lane; false where something waits in each. */
function closeIdle(lanes: Map<number, Lane>): boolean {
  for (const [ms, lane] of lanes) {
    if (!lane.idle) continue
    lane.close()
    lanes.delete(ms)
    return true
  }
  return false
}
