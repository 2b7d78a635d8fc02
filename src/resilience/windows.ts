import type { AttemptEnd, Clock, Deployment, DeploymentLimits, Gate, GateCall, Permit, Refusal } from '../protocol/ports.js'
import { above0 } from './checks.js'
import { neverBegan, UNUSED } from './gates.js'
import { TimedListeners } from './listeners.js'

const WINDOW_MS = 60_000
const NAMES = ['requestsPerMinute', 'inputTokensPerMinute', 'outputTokensPerMinute', 'tokensPerMinute'] as const

/** What began in one millisecond. */
class Bucket {
  requests = 0
  input = 0
  output = 0

  constructor(readonly atMs: number) {}
}

/** What the last 60 seconds hold. */
export interface WindowsState {
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
}

/**
 * Requests and tokens of one deployment over the last 60 seconds, exact: in no window of that length does more begin than
 * the limits say. Input is held as it is estimated and output at `maxOutputTokens` where the call has one; the end of the
 * answer corrects both, and what nobody held is counted at the end. A failure before any content gives its tokens back, an
 * abort keeps those of the prompt; the request counts for either. At most one bucket for each millisecond is kept.
 */
export class Windows implements Gate {
  readonly #clock: Clock
  readonly #listeners: TimedListeners
  /** Absent ones are infinite; in the order of NAMES. */
  readonly #limits: readonly [number, number, number, number]
  readonly #counts: boolean
  #buckets: Bucket[] = []
  #first = 0
  #requests = 0
  #input = 0
  #output = 0

  /** Throws `invalid_config` for a limit that is no whole number above 0. */
  constructor(limits: DeploymentLimits, deps: { readonly clock: Clock }) {
    this.#clock = deps.clock
    this.#listeners = new TimedListeners(deps.clock)
    const limit = (at: 0 | 1 | 2 | 3): number => (limits[NAMES[at]] === undefined ? Infinity : above0(limits[NAMES[at]], 1, `limits.${NAMES[at]}`, 'whole'))
    this.#limits = [limit(0), limit(1), limit(2), limit(3)]
    this.#counts = this.#limits[1] < Infinity || this.#limits[3] < Infinity
  }

  tryEnter(_deployment: Deployment, call: GateCall): Permit | Refusal {
    const nowMs = this.#clock.now()
    this.#prune(nowMs)
    // An estimate costs time, so it is asked for only where it counts.
    const input = this.#counts ? call.inputTokens() : 0
    const output = call.maxOutputTokens ?? 0
    const [requestLimit, inputLimit, outputLimit, totalLimit] = this.#limits
    const requests = this.#requests + 1
    const inputs = this.#input + input
    const outputs = this.#output + output
    if (requests > requestLimit || inputs > inputLimit || outputs > outputLimit || inputs + outputs > totalLimit) {
      return this.#refusal(input, output, [requests - requestLimit, inputs - inputLimit, outputs - outputLimit, inputs + outputs - totalLimit], nowMs)
    }
    return new Entry(this, this.#add(nowMs, 1, input, output), input, output)
  }

  onFree(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  state(): WindowsState {
    this.#prune(this.#clock.now())
    return { requests: this.#requests, inputTokens: this.#input, outputTokens: this.#output }
  }

  /** Of its permits alone. */
  leave(end: AttemptEnd, { bucket, input, output, content }: Entry): void {
    const nowMs = this.#clock.now()
    this.#prune(nowMs)
    if (neverBegan(end)) this.#correct(bucket, -1, -input, -output, nowMs)
    else if (end.usage !== undefined) this.#correct(bucket, 0, this.#counts ? (end.usage.inputTokens ?? input) - input : 0, (end.usage.outputTokens ?? output) - output, nowMs)
    else if (!content && end.firstEventMs === undefined) this.#correct(bucket, 0, end.outcome === 'failure' ? -input : 0, -output, nowMs)
    if (end !== UNUSED) this.#listeners.wake()
  }

  /** Gives back to the bucket that holds it, unless that has left the window; what comes on top counts from now on. */
  #correct(bucket: Bucket, requests: number, input: number, output: number, nowMs: number): void {
    if (input > 0 || output > 0) this.#add(nowMs, 0, Math.max(0, input), Math.max(0, output))
    if (bucket.atMs + WINDOW_MS <= nowMs) return
    this.#change(bucket, requests, Math.min(0, input), Math.min(0, output))
  }

  #add(nowMs: number, requests: number, input: number, output: number): Bucket {
    // Rounded up, so that a clock with fractions never makes a window shorter than it is.
    const atMs = Math.ceil(nowMs)
    let bucket = this.#buckets.at(-1)
    if (bucket === undefined || bucket.atMs < atMs) this.#buckets.push((bucket = new Bucket(atMs)))
    this.#change(bucket, requests, input, output)
    return bucket
  }

  #change(bucket: Bucket, requests: number, input: number, output: number): void {
    bucket.requests += requests
    bucket.input += input
    bucket.output += output
    this.#requests += requests
    this.#input += input
    this.#output += output
  }

  #prune(nowMs: number): void {
    for (let oldest = this.#buckets[this.#first]; oldest !== undefined && oldest.atMs + WINDOW_MS <= nowMs; oldest = this.#buckets[++this.#first]) {
      this.#requests -= oldest.requests
      this.#input -= oldest.input
      this.#output -= oldest.output
    }
    if (this.#first * 2 <= this.#buckets.length) return
    this.#buckets = this.#buckets.slice(this.#first)
    this.#first = 0
  }

  #refusal(input: number, output: number, over: readonly [number, number, number, number], nowMs: number): Refusal {
    const asked = [1, input, output, input + output]
    const never = NAMES.findIndex((_, at) => (asked[at] ?? 0) > (this.#limits[at] ?? Infinity))
    if (never >= 0) return { refused: 'rate_limited', reason: `the call asks for ${asked[never]}, more than limits.${NAMES[never]} (${this.#limits[never]}) ever allows` }
    const retryAtMs = this.#freeAtMs(over)
    this.#listeners.at(retryAtMs)
    const full = NAMES.filter((_, at) => (over[at] ?? 0) > 0).map(name => `limits.${name}`)
    return { refused: 'rate_limited', retryAtMs, reason: `${full.join(' and ')} would be passed; free in ${Math.ceil((retryAtMs - nowMs) / 1000)} s` }
  }

  /** When so much has left the window. */
  #freeAtMs([requests, input, output, total]: readonly [number, number, number, number]): number {
    for (let at = this.#first; ; at++) {
      const bucket = this.#buckets[at]
      if (bucket === undefined) return (this.#buckets.at(-1)?.atMs ?? 0) + WINDOW_MS
      requests -= bucket.requests
      input -= bucket.input
      output -= bucket.output
      total -= bucket.input + bucket.output
      if (requests <= 0 && input <= 0 && output <= 0 && total <= 0) return bucket.atMs + WINDOW_MS
    }
  }
}

class Entry implements Permit {
  content = false
  #windows: Windows | undefined

  constructor(
    windows: Windows,
    readonly bucket: Bucket,
    readonly input: number,
    readonly output: number,
  ) {
    this.#windows = windows
  }

  committed(): void {
    this.content = true
  }

  release(end: AttemptEnd): void {
    const windows = this.#windows
    this.#windows = undefined
    windows?.leave(end, this)
  }
}
