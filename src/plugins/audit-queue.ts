import type { AuditKind } from '../protocol/audit.js'
import type { Clock, Timer } from '../protocol/ports.js'
import type { AuditChain } from './audit-chain.js'
import type { AuditData } from './audit-entries.js'
import type { AuditFile } from './audit-file.js'

/** What a gateway gives its audit log. */
export interface AuditStart {
  readonly clock: Clock
  /** Runs a function soon, off the path of the call. */
  readonly defer: (fn: () => void) => void
  /** Short text that no other gateway has: the name of the chain. */
  readonly mark: string
}
interface Waiting {
  readonly kind: AuditKind
  /** Absent before the start, where there is no clock. */
  readonly atMs: number | undefined
  readonly lost: number
  readonly data: AuditData
  readonly more: More
}
/** What may be said of an entry beside its data. */
interface More {
  /** Default: now. */
  readonly atMs?: number | undefined
  /** Characters of content it holds. */
  readonly chars?: number
  /** What was left out of it. */
  readonly omitted?: readonly string[]
}
interface Line {
  readonly bytes: Uint8Array
  readonly kind: AuditKind
}
interface Waiter {
  readonly upTo: number
  readonly resolve: () => void
}

const BATCH = 64
// Sealing takes the event loop, so a batch is small; files are written one batch at a time.
const BATCH_BYTES = 2 ** 18
const DELAY_MS = 250
const LONGEST_PAUSE_MS = 8_000
const MAX_FLUSH_MS = 5_000
/** After these only a new entry, a flush or the close tries again: a timer for ever would keep a process alive. */
const MAX_TRIES = 8

const own = ({ kind }: { readonly kind: AuditKind }): boolean => kind === 'open' || kind === 'close'

/** The entries on their way to the file: first in first out, bounded; what was sealed is tried again with the same bytes. */
export class AuditQueue {
  readonly #path: string
  readonly #maxBytes: number
  readonly #maxBuffered: number
  #waiting: Waiting[] = []
  #lines: Line[] = []
  #accepted = 0
  #settled = 0
  #dropped = 0
  #lost = 0
  #chars = 0
  #open = true
  #dead = false
  #busy = false
  #deferred = false
  #failures = 0
  #timer: Timer | undefined
  #waiters = new Set<Waiter>()
  #parts: AuditStart | undefined
  #writer: { readonly chain: AuditChain; readonly file: AuditFile } | undefined
  #closing: Promise<void> | undefined

  constructor(path: string, maxBytes: number, maxBuffered: number) {
    this.#path = path
    this.#maxBytes = maxBytes
    this.#maxBuffered = maxBuffered
  }

  /** Calls and changes that could not be kept. */
  get dropped(): number {
    return this.#dropped
  }
  get started(): boolean {
    return this.#parts !== undefined
  }
  /** Characters of content that wait. */
  get chars(): number {
    return this.#chars
  }

  start(parts: AuditStart): void {
    if (this.#dead) return
    this.#parts = parts
    this.#waiting.unshift({ kind: 'open', atMs: parts.clock.now(), lost: 0, data: {}, more: {} })
    this.#accepted++
    this.#schedule()
  }

  /** Takes an entry or counts it as lost, which the next one that is taken says; never waits. */
  push(kind: AuditKind, data: AuditData, more: More = {}): void {
    // Its own entries have a place beyond the bound: the end of a chain says what was lost before it.
    if (!this.#open || (this.#accepted - this.#settled >= this.#maxBuffered && kind !== 'close')) {
      this.#dropped++
      this.#lost++
      return
    }
    this.#waiting.push({ kind, atMs: more.atMs ?? this.#parts?.clock.now(), lost: this.#lost, data, more })
    this.#lost = 0
    this.#accepted++
    this.#chars += more.chars ?? 0
    this.#schedule()
  }

  /** Resolves when all entries taken so far are on the disk, or after five seconds; what is not is tried again. */
  async flush(): Promise<void> {
    const upTo = this.#accepted
    const clock = this.#parts?.clock
    if (this.#dead || clock === undefined || this.#settled >= upTo) return
    let timer: Timer | undefined
    await new Promise<void>(resolve => {
      const waiter: Waiter = { upTo, resolve }
      const late = (): void => {
        this.#waiters.delete(waiter)
        resolve()
      }
      this.#waiters.add(waiter)
      timer = clock.after(MAX_FLUSH_MS, late)
      this.#start()
    })
    timer?.cancel()
  }

  /** Ends the chain, flushes, counts what is left as dropped. Every call gives the same promise. */
  close(): Promise<void> {
    return (this.#closing ??= this.#shut())
  }

  async #shut(): Promise<void> {
    if (this.started) this.push('close', {})
    this.#open = false
    await this.flush()
    this.#dead = true
    this.#timer?.cancel()
    this.#timer = undefined
    this.#dropped += [...this.#waiting, ...this.#lines].filter(entry => !own(entry)).length
    this.#waiting = []
    this.#lines = []
    for (const waiter of this.#waiters) waiter.resolve()
    this.#waiters.clear()
  }

  #due(): boolean {
    return this.#failures === 0 && (this.#waiting.length >= BATCH || this.#waiters.size > 0)
  }

  #schedule(): void {
    if (this.#parts === undefined || this.#dead || this.#busy || this.#waiting.length + this.#lines.length === 0) return
    const { clock, defer } = this.#parts
    if (!this.#due()) {
      // Who waits for a flush has no time for long pauses.
      const pause = this.#waiters.size > 0 ? DELAY_MS : Math.min(DELAY_MS * 2 ** Math.max(0, this.#failures - 1), LONGEST_PAUSE_MS)
      this.#timer ??= clock.after(pause, () => this.#start())
      return
    }
    if (this.#deferred) return
    this.#deferred = true
    defer(() => {
      this.#deferred = false
      this.#start()
    })
  }

  #start(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const parts = this.#parts
    if (parts === undefined || this.#busy || this.#dead || this.#waiting.length + this.#lines.length === 0) return
    this.#busy = true
    void this.#run(parts)
  }

  async #run(parts: AuditStart): Promise<void> {
    try {
      const writer = (this.#writer ??= await this.#load(parts.mark))
      do {
        if (this.#lines.length === 0) this.#seal(writer.chain, parts.clock.now())
        await this.#write(writer.file, parts.clock.now())
        this.#failures = 0
      } while (!this.#dead && (this.#lines.length > 0 || (this.#waiting.length > 0 && this.#due())))
    } catch {
      this.#failures++
    }
    this.#busy = false
    if (this.#failures < MAX_TRIES || this.#waiters.size > 0) this.#schedule()
  }

  /** With the first entry that is written. */
  async #load(mark: string): Promise<{ readonly chain: AuditChain; readonly file: AuditFile }> {
    const [{ AuditChain: Chain }, { AuditFile: File }] = await Promise.all([import('./audit-chain.js'), import('./audit-file.js')])
    return { chain: new Chain(mark), file: new File(this.#path, this.#maxBytes) }
  }

  #seal(chain: AuditChain, nowMs: number): void {
    let taken = 0
    for (let bytes = 0; taken < Math.min(BATCH, this.#waiting.length) && bytes < BATCH_BYTES; taken++) {
      const { kind, data, lost, more, atMs = nowMs } = this.#waiting[taken] as Waiting
      this.#chars -= more.chars ?? 0
      const line = chain.seal({ kind, data, lost, atMs, omitted: more.omitted })
      if (line !== undefined) this.#lines.push({ bytes: line, kind })
      else this.#dropped++
      bytes += line?.length ?? 0
    }
    this.#waiting.splice(0, taken)
    this.#settle(taken - this.#lines.length)
  }

  async #write(file: AuditFile, nowMs: number): Promise<void> {
    if (this.#dead || this.#lines.length === 0) return
    const written = await file.write(this.#lines.map(line => line.bytes), nowMs)
    if (this.#dead) return
    this.#lines.splice(0, written)
    this.#settle(written)
  }

  #settle(count: number): void {
    this.#settled += count
    for (const waiter of this.#waiters) {
      if (this.#settled < waiter.upTo) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
  }
}
