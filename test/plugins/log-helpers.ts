import { RecordBuffer, type Delivery } from '../../src/plugins/buffer.js'
import type { Sink } from '../../src/plugins/sinks.js'
import type { Clock } from '../../src/protocol/ports.js'
import type { AttemptReport, CallRecord } from '../../src/protocol/result.js'

/** A clock that moves only when told. */
export class HandClock implements Clock {
  #nowMs = 0
  #timers = new Map<number, { readonly atMs: number; readonly fn: () => void }>()
  #next = 0

  now(): number {
    return this.#nowMs
  }
  after(ms: number, fn: () => void) {
    const id = this.#next++
    this.#timers.set(id, { atMs: this.#nowMs + ms, fn })
    return { cancel: () => void this.#timers.delete(id) }
  }
  /** Timers that are armed. */
  get armed(): number {
    return this.#timers.size
  }
  async advance(ms: number): Promise<void> {
    await settle()
    const end = this.#nowMs + ms
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.atMs <= end).sort(([, a], [, b]) => a.atMs - b.atMs)[0]
      if (due === undefined) break
      this.#timers.delete(due[0])
      this.#nowMs = due[1].atMs
      due[1].fn()
      await settle()
    }
    this.#nowMs = end
    await settle()
  }
}

/** Lets everything that is ready run, deferred functions included. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve))
}

export function attempt(over: Partial<AttemptReport> = {}): AttemptReport {
  return { deployment: 'openai/m', provider: 'openai', model: 'm', outcome: 'success', startedMs: 0, durationMs: 10, ...over }
}

export function record(id: number | string, over: Partial<CallRecord> = {}): CallRecord {
  return Object.freeze({
    version: 1,
    id: String(id),
    kind: 'chat',
    startedAt: '2026-03-01T12:00:00.000Z',
    model: 'smart',
    route: 'smart',
    outcome: 'success',
    deployment: 'openai/m',
    provider: 'openai',
    attempts: [attempt()],
    excluded: [],
    warnings: [],
    restarts: 0,
    totalMs: 12,
    ...over,
  } satisfies CallRecord)
}

export const CONTENT = { messages: [{ role: 'user', content: 'canary-prompt' }], text: 'canary-answer', toolCalls: [] }

/** A promise to be settled by hand. */
export function gate() {
  let open = () => {}
  let fail = (_: Error) => {}
  const promise = new Promise<void>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { promise, open, fail }
}

/** A buffer over a sink that keeps what it is given, with small bounds. */
export function bufferOver(sink: Partial<Sink> = {}, bounds: Partial<Delivery> = {}) {
  const clock = new HandClock()
  const batches: string[][] = []
  const write = (records: readonly CallRecord[]) => void batches.push(records.map(one => one.id))
  const buffer = new RecordBuffer(
    { name: 'test', write, ...sink },
    { clock, defer: fn => void setImmediate(fn), maxBuffered: 10_000, maxBatch: 3, maxDelayMs: 1_000, maxFlushMs: 5_000, maxContentChars: 1_000, ...bounds },
  )
  const push = (...ids: (number | string)[]) => ids.forEach(id => buffer.push(record(id)))
  return { clock, batches, write, buffer, push }
}

/** A write that never ends. */
export const hang = () => new Promise<void>(() => {})

/** Lets everything ready run, then tells at any time whether the promise has ended. */
export const watched = async <T>(promise: Promise<T>) => {
  let done = false
  void promise.then(() => (done = true))
  await settle()
  return () => done
}
