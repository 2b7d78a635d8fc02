import type { Random } from '../../src/protocol/ports.js'
import type { Events } from './events.js'

/** How a host behaves. */
export interface HostSpec {
  /** Median time to the first event once it is being served. */
  readonly medianMs: number
  /** Spread of its logarithm; default .6. */
  readonly sigma?: number
  /** A Pareto tail of this exponent in place of a lognormal one. */
  readonly pareto?: number
  /** Mean time an answer goes on after its first event. */
  readonly holdMs: number
  /** Answers served at once, the others wait; without it, everybody is served. */
  readonly servers?: number
  /** From and to, in milliseconds: so many times slower, this share of errors, or silence. */
  readonly trouble?: { readonly fromMs: number; readonly toMs: number; readonly slow?: number; readonly errors?: number; readonly hangs?: boolean }
}

/** One try at a host, as the one who chose it sees it. */
export interface Trial {
  committed(firstEventMs: number): void
  release(ok: boolean, durationMs: number): void
}

interface Waiting {
  gone: boolean
  readonly serve: () => void
}

const TIMEOUT_MS = 10_000
/** An error comes sooner than an answer. */
const ERROR_SHARE = 0.3

/** A host in virtual time: service times with a heavy tail, places, and bad days. */
export class Host {
  readonly spec: HostSpec
  readonly #events: Events
  readonly #random: Random
  readonly #line: Waiting[] = []
  #busy = 0

  constructor(spec: HostSpec, events: Events, random: Random) {
    this.spec = spec
    this.#events = events
    this.#random = random
  }

  /** Asks; `done` is told once whether the first event came. */
  ask(trial: Trial, done: (ok: boolean) => void): void {
    const startedMs = this.#events.nowMs
    let over = false
    const end = (ok: boolean): boolean => {
      if (over) return false
      over = true
      if (!ok) trial.release(false, this.#events.nowMs - startedMs)
      done(ok)
      return true
    }
    const waiting: Waiting = { gone: false, serve: () => this.#serve(trial, startedMs, end) }
    this.#events.after(TIMEOUT_MS, () => {
      waiting.gone = true
      end(false)
    })
    if (this.#trouble?.hangs === true) return
    if (this.#busy < (this.spec.servers ?? Infinity)) waiting.serve()
    else this.#line.push(waiting)
  }

  get #trouble(): HostSpec['trouble'] {
    const { trouble } = this.spec
    return trouble !== undefined && this.#events.nowMs >= trouble.fromMs && this.#events.nowMs < trouble.toMs ? trouble : undefined
  }

  #serve(trial: Trial, startedMs: number, end: (ok: boolean) => boolean): void {
    this.#busy++
    const trouble = this.#trouble
    const firstMs = this.#draw() * (trouble?.slow ?? 1)
    if (this.#random() < (trouble?.errors ?? 0)) {
      this.#events.after(firstMs * ERROR_SHARE, () => {
        end(false)
        this.#free()
      })
      return
    }
    const holdMs = -Math.log(1 - this.#random()) * this.spec.holdMs
    this.#events.after(firstMs, () => {
      if (!end(true)) return this.#free()
      trial.committed(this.#events.nowMs - startedMs)
      this.#events.after(holdMs, () => {
        trial.release(true, this.#events.nowMs - startedMs)
        this.#free()
      })
    })
  }

  #free(): void {
    this.#busy--
    for (let next = this.#line.shift(); next !== undefined; next = this.#line.shift()) {
      if (!next.gone) return next.serve()
    }
  }

  #draw(): number {
    const { medianMs, sigma = 0.6, pareto } = this.spec
    if (pareto !== undefined) return medianMs * (2 * (1 - this.#random())) ** (-1 / pareto)
    const normal = Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random())
    return medianMs * Math.exp(sigma * normal)
  }
}
