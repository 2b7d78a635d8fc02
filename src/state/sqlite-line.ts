import type { GatewayError } from '../protocol/errors.js'
import type { Clock } from '../protocol/ports.js'
import { fault, isBusy, unavailable } from './sqlite-driver.js'
import type { Ready, Statements } from './sqlite-schema.js'
import { NextTurn } from './sqlite-turn.js'

/** Verbs of one transaction: more would keep other processes out for long. */
const MOST_AT_ONCE = 128
/** Before `start`, when nobody can wait. */
const TRIES_WITHOUT_CLOCK = 5
const MOST_WAIT_MS = 12

/** What a verb works with: one transaction, one time. */
export interface Turn {
  readonly sql: Statements
  readonly salt: string
  readonly nowMs: number
}
interface Job {
  readonly work: (turn: Turn) => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly wait: Wait
}
type Outcome = { readonly value: unknown } | { readonly error: unknown }

/** How long one verb has stood before a busy database. */
interface Wait {
  readonly sinceMs: number | undefined
  tries: number
}

interface LineOptions {
  readonly open: () => Promise<Ready>
  readonly now: (() => number) | undefined
  readonly busyTimeoutMs: number
  /** Called in each transaction, after its verbs. */
  readonly sweep: (turn: Turn, verbs: number) => void
}

/** Where verbs wait for the database: those that write, together in one transaction each turn; those that read, each alone. */
export class Line {
  readonly #options: LineOptions
  readonly #turn = new NextTurn()
  readonly #underWay = new Set<Promise<unknown>>()
  #jobs: Job[] = []
  #draining = false
  #clock: Clock | undefined
  #ready: Ready | undefined
  #opening: Promise<Ready> | undefined
  #closed = false
  /** Of a generator that only spreads the waits of processes. */
  #seed = 0

  constructor(options: LineOptions) {
    this.#options = options
  }

  start(clock: Clock): void {
    this.#clock = clock
  }

  /** Runs `work` in a transaction, all or nothing, and resolves when it is on the disk. */
  write<T>(work: (turn: Turn) => T): Promise<T> {
    if (this.#closed) return Promise.reject(closed())
    const done = new Promise<unknown>((resolve, reject) => {
      this.#jobs.push({ work, resolve, reject, wait: this.#waiting() })
    })
    if (!this.#draining) {
      this.#draining = true
      void this.#drain()
    }
    return this.#track(done) as Promise<T>
  }

  /** Runs `work`, which only reads, as soon as the database is open: writers do not keep a reader waiting. */
  read<T>(work: (turn: Turn) => T): Promise<T> {
    if (this.#closed) return Promise.reject(closed())
    return this.#track(this.#read(work))
  }

  /** Resolves when all that was asked for is done; what comes later is refused. */
  async close(): Promise<Ready | undefined> {
    this.#closed = true
    await Promise.allSettled(this.#underWay)
    this.#turn.close()
    return this.#ready
  }

  #track<T>(promise: Promise<T>): Promise<T> {
    this.#underWay.add(promise)
    const gone = () => void this.#underWay.delete(promise)
    promise.then(gone, gone)
    return promise
  }

  #waiting(): Wait {
    return { sinceMs: this.#clock?.now(), tries: 0 }
  }

  async #read<T>(work: (turn: Turn) => T): Promise<T> {
    for (const wait = this.#waiting(); ; await this.#pause([wait])) {
      try {
        const { sql, salt } = await this.#open()
        return work({ sql, salt, nowMs: this.#now(sql) })
      } catch (error) {
        if (!isBusy(error)) throw fault(error)
        if (this.#isOver(wait)) throw this.#tooBusy(wait)
      }
    }
  }

  async #drain(): Promise<void> {
    while (this.#jobs.length > 0) {
      // Not at once: what arrived while the last transaction went to the disk shares the next one.
      await this.#turn.wait()
      const jobs = this.#jobs.splice(0, MOST_AT_ONCE)
      try {
        const ready = this.#ready ?? (await this.#open())
        this.#together(ready, jobs)
      } catch (error) {
        const waiting = isBusy(error) ? jobs.filter(({ wait }) => !this.#isOver(wait)) : []
        for (const job of jobs) if (!waiting.includes(job)) job.reject(isBusy(error) ? this.#tooBusy(job.wait) : fault(error))
        this.#jobs.unshift(...waiting)
        if (waiting.length > 0) await this.#pause(this.#jobs.map(({ wait }) => wait))
      }
    }
    this.#draining = false
  }

  /** One transaction for all of them; an error of SQLite that ends it is thrown, and then none is done. */
  #together({ sql, salt }: Ready, jobs: readonly Job[]): void {
    sql.begin.run()
    const outcomes: Outcome[] = []
    try {
      const turn = { sql, salt, nowMs: this.#now(sql) }
      for (const { work } of jobs) outcomes.push(inside(turn, work))
      this.#options.sweep(turn, jobs.length)
      sql.commit.run()
    } catch (error) {
      try {
        sql.rollback.run()
      } catch {
        // SQLite has rolled back by itself, as it does where the disk is full.
      }
      throw error
    }
    for (const [at, { resolve, reject }] of jobs.entries()) {
      const outcome = outcomes[at]
      if (outcome !== undefined && 'value' in outcome) resolve(outcome.value)
      else reject(fault(outcome?.error))
    }
  }

  #now(sql: Statements): number {
    return this.#options.now?.() ?? (sql.now.get() as { ms: number }).ms
  }

  async #open(): Promise<Ready> {
    if (this.#ready !== undefined) return this.#ready
    // Asked for by many at once, done once; where it fails, the next verb tries again.
    this.#opening ??= this.#options.open().finally(() => {
      this.#opening = undefined
    })
    this.#ready = await this.#opening
    this.#seed ||= Number.parseInt(this.#ready.salt.slice(0, 7), 16) | 1
    return this.#ready
  }

  #isOver({ sinceMs, tries }: Wait): boolean {
    return this.#clock === undefined || sinceMs === undefined ? tries >= TRIES_WITHOUT_CLOCK - 1 : this.#clock.now() - sinceMs >= this.#options.busyTimeoutMs
  }

  #tooBusy({ sinceMs }: Wait): GatewayError {
    const how = sinceMs === undefined ? 'and the store was not started with a clock, so it does not wait' : `for ${this.#options.busyTimeoutMs} ms`
    return unavailable(`Another connection kept the SQLite database locked (SQLITE_BUSY), ${how}. Look for a long transaction on the file, or raise busyTimeoutMs.`)
  }

  /** Waits a little, longer each time, and never beyond the moment when the first of them gives up. */
  async #pause(waits: readonly Wait[]): Promise<void> {
    let tries = 0
    let leftMs = MOST_WAIT_MS
    for (const wait of waits) {
      tries = Math.max(tries, ++wait.tries)
      if (this.#clock !== undefined && wait.sinceMs !== undefined) leftMs = Math.min(leftMs, wait.sinceMs + this.#options.busyTimeoutMs - this.#clock.now())
    }
    const clock = this.#clock
    if (clock === undefined) return
    this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) & 0x7fffffff
    const ms = Math.min(MOST_WAIT_MS, 1 + tries) * (0.5 + this.#seed / 0x1_0000_0000)
    await new Promise<void>(resolve => void clock.after(Math.min(ms, leftMs), resolve))
  }
}

/** One verb, all or nothing, whatever becomes of its neighbours. */
function inside(turn: Turn, work: (turn: Turn) => unknown): Outcome {
  const { sql } = turn
  sql.mark.run()
  try {
    const value = work(turn)
    sql.keep.run()
    return { value }
  } catch (error) {
    try {
      sql.undo.run()
      sql.keep.run()
    } catch {
      // SQLite has ended the whole transaction: all of it fails.
      throw error
    }
    return { error }
  }
}

function closed(): GatewayError {
  return unavailable('The SQLite store is closed.')
}
