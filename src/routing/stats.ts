import { verdict } from '../protocol/errors.js'
import type { Usage } from '../protocol/events.js'
import type { AttemptEnd, Clock, Deployment, DeploymentStats, Gate, GateCall, Permit } from '../protocol/ports.js'
import { UNKNOWN_MS } from './fastest.js'

const LATENCY_MS = 10_000
const LENGTH_MS = 60_000
const FAILURE_MS = 7_000 / Math.LN2
/** Faster than any model writes: the answer came in one burst and says nothing about pace. */
const BURST_MS = 0.05
/** The 95th percentile of a normal distribution, in standard deviations above its mean. */
const P95_SIGMAS = 1.645

const NO_USAGE: Usage = {}

/** A weighted mean of samples that fade with time. */
class Fading {
  readonly #tauMs: number
  #sum = 0
  #weight = 0
  #atMs = 0

  constructor(tauMs: number) {
    this.#tauMs = tauMs
  }

  add(sum: number, weight: number, nowMs: number): void {
    const kept = this.#kept(nowMs)
    this.#sum = this.#sum * kept + sum
    this.#weight = this.#weight * kept + weight
    this.#atMs = nowMs
  }

  /** Fresh and old samples fade alike, so without new ones it stays. */
  get mean(): number | undefined {
    return this.#weight > 0 ? this.#sum / this.#weight : undefined
  }

  /** The mean of at least one whole sample: what is left of older ones counts less and less. */
  share(nowMs: number): number {
    const kept = this.#kept(nowMs)
    return (this.#sum * kept) / Math.max(1, this.#weight * kept)
  }

  #kept(nowMs: number): number {
    return Math.exp((this.#atMs - nowMs) / this.#tauMs)
  }
}

/** One attempt while it is open, in a list by age. */
class Open implements Permit {
  readonly owner: Latencies
  readonly startedMs: number
  readonly expectedMs: number
  older: Open | undefined
  newer: Open | undefined
  /** Known once it came. */
  firstEventMs: number | undefined
  released = false

  constructor(owner: Latencies, startedMs: number, expectedMs: number) {
    this.owner = owner
    this.startedMs = startedMs
    this.expectedMs = expectedMs
  }

  committed(firstEventMs: number): void {
    if (this.firstEventMs === undefined && !this.released) this.owner.onAnswer(this, firstEventMs)
  }

  release(end: AttemptEnd): void {
    if (this.released) return
    this.released = true
    this.owner.onEnd(this, end)
  }
}

/**
 * Measures one deployment, as a gate that refuses nobody. The time to the first event is averaged by its logarithm, so that
 * one straggler does not exile a good host. An attempt that ends before its first event is a sample only where it already took
 * longer than what is typical: shorter ones say nothing. A fault another deployment would give as well is no failure.
 */
export class Latencies implements Gate {
  readonly #clock: Clock
  readonly #first = new Fading(LATENCY_MS)
  readonly #pace = new Fading(LATENCY_MS)
  readonly #length = new Fading(LENGTH_MS)
  readonly #failed = new Fading(FAILURE_MS)
  readonly #squares = new Fading(LATENCY_MS)
  readonly #cached = new Fading(LENGTH_MS)
  #inFlight = 0
  #oldest: Open | undefined
  #newest: Open | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  tryEnter(_deployment?: Deployment, _call?: GateCall): Permit {
    const open = new Open(this, this.#clock.now(), this.#expectedMs)
    open.older = this.#newest
    if (this.#newest === undefined) this.#oldest = open
    else this.#newest.newer = open
    this.#newest = open
    this.#inFlight++
    return open
  }

  onFree(_listener: () => void): () => void {
    return () => undefined
  }

  stats(): DeploymentStats {
    const nowMs = this.#clock.now()
    const firstEventMs = this.#typicalMs
    const perTokenMs = this.#pace.mean
    const outputTokens = this.#length.mean
    const stats: { -readonly [K in keyof DeploymentStats]: DeploymentStats[K] } = { inFlight: this.#inFlight, failures: this.#failed.share(nowMs), stuckMs: this.#stuckMs(nowMs) }
    if (firstEventMs !== undefined) stats.firstEventMs = firstEventMs
    if (perTokenMs !== undefined) stats.perTokenMs = perTokenMs
    if (outputTokens !== undefined) stats.outputTokens = outputTokens
    const cachedShare = this.#cached.mean
    const p95FirstEventMs = this.#p95Ms
    if (cachedShare !== undefined) stats.cachedShare = cachedShare
    if (p95FirstEventMs !== undefined) stats.p95FirstEventMs = p95FirstEventMs
    return stats
  }

  /** The measurements for people: rounded. */
  toJSON(): DeploymentStats {
    return Object.fromEntries(Object.entries(this.stats()).map(([key, value]) => [key, Math.round(value * 1_000) / 1_000])) as unknown as DeploymentStats
  }

  /** For the permits of this file: the first event came. */
  onAnswer(open: Open, firstEventMs: number): void {
    open.firstEventMs = firstEventMs
    this.#unlink(open)
    this.#sample(firstEventMs)
  }

  /** For the permits of this file: the attempt is over. */
  onEnd(open: Open, { outcome, fault, usage, durationMs, firstEventMs }: AttemptEnd): void {
    this.#inFlight--
    const firstMs = open.firstEventMs ?? firstEventMs ?? (outcome === 'success' ? durationMs : undefined)
    if (open.firstEventMs === undefined) {
      this.#unlink(open)
      if (firstMs !== undefined) this.#sample(firstMs)
      else if (durationMs > this.#expectedMs) this.#sample(durationMs)
    }
    if (outcome === 'failure') {
      if (fault === undefined || verdict(fault.code).next === 'any') this.#failed.add(1, 1, this.#clock.now())
    } else if (outcome === 'success') this.#answered(usage ?? NO_USAGE, durationMs - (firstMs ?? durationMs))
  }

  #answered({ inputTokens = 0, cachedInputTokens = 0, outputTokens = 0 }: Usage, spentMs: number): void {
    const nowMs = this.#clock.now()
    this.#failed.add(0, 1, nowMs)
    if (inputTokens > 0) this.#cached.add(cachedInputTokens, inputTokens, nowMs)
    this.#wrote(outputTokens, spentMs, nowMs)
  }

  get #typicalMs(): number | undefined {
    const log = this.#first.mean
    return log === undefined ? undefined : Math.exp(log)
  }

  get #p95Ms(): number | undefined {
    const mean = this.#first.mean
    const squares = this.#squares.mean
    return mean === undefined || squares === undefined ? undefined : Math.exp(mean + P95_SIGMAS * Math.sqrt(Math.max(0, squares - mean * mean)))
  }

  get #expectedMs(): number {
    return this.#typicalMs ?? UNKNOWN_MS
  }

  #sample(firstEventMs: number): void {
    const log = Math.log(Math.max(1, firstEventMs))
    const nowMs = this.#clock.now()
    this.#first.add(log, 1, nowMs)
    this.#squares.add(log * log, 1, nowMs)
  }

  #wrote(tokens: number, spentMs: number, nowMs: number): void {
    if (tokens <= 0) return
    this.#length.add(tokens, 1, nowMs)
    if (spentMs >= tokens * BURST_MS) this.#pace.add(spentMs, tokens, nowMs)
  }

  #stuckMs(nowMs: number): number {
    const oldest = this.#oldest
    return oldest === undefined ? 0 : Math.max(0, nowMs - oldest.startedMs - 2 * oldest.expectedMs)
  }

  #unlink(open: Open): void {
    const { older, newer } = open
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    open.older = open.newer = undefined
  }
}
