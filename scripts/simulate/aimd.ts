import { GatewayError } from '../../src/protocol/errors.js'
import type { AttemptEnd, Deployment, Gate, Permit, RateLimits } from '../../src/protocol/ports.js'
import { Aimd } from '../../src/resilience/aimd.js'
import { backoffMs } from '../../src/resilience/backoff.js'
import { enter, isPermits } from '../../src/resilience/gates.js'
import type { Live } from '../../src/resilience/live.js'
import { Pace } from '../../src/resilience/pace.js'
import { seededRandom } from '../../src/testing/random.js'
import { EventClock } from './event-clock.js'

/**
 * The real gates against a provider that has a limit and does not say which. Both clients get the same calls at the same
 * moments and ask again after a 429 with the backoff of the gateway, without end. One sends whatever comes; the other asks
 * `Aimd` and `Pace` first and keeps what is refused in one line, first come first served.
 *
 * 429s per request: refusals of the provider over calls that were answered by the end of the run.
 * Throughput: calls answered by the end of the run, over those that the client without gates got answered.
 * Bar, for each scenario: at most 0.1 and at least 95 %.
 */
const MOST_REFUSED = 0.1
const LEAST_SERVED = 0.95

const REFUSAL_MS = 60
const MEAN_MS = 1_000
const SIGMA = 0.6
const RETRY = { attempts: 3, maxAttempts: 6, baseMs: 500, maxMs: 8_000, retryAfterCapMs: 10_000 }
const CALL = { inputTokens: () => 100 }
const LIMITED = new GatewayError('rate_limited', 'Too many requests.', { status: 429, origin: 'upstream' })
const deployment: Deployment = { kind: 'deployment', id: 'a', provider: 'p', model: 'm', capabilities: {}, tags: [], reach: { upstream: { open: () => Promise.reject(LIMITED) } } }

/** What a provider lets through. `says` gives the headers of each answer. */
interface Provider {
  enters(nowMs: number): boolean
  leaves(): void
  says?(nowMs: number): RateLimits
}
interface Scenario {
  readonly name: string
  readonly minutes: number
  /** 429s per request that pass. */
  readonly provider: () => Provider
  /** Milliseconds at which calls come. */
  readonly calls: (random: () => number, endMs: number) => number[]
}

function atOnce(limit: number): Provider {
  let open = 0
  return { enters: () => open < limit && ++open > 0, leaves: () => void open-- }
}

/** So many in each minute of the wall clock. */
function eachMinute(limit: number, telling: boolean): Provider {
  let minute = -1
  let used = 0
  const turn = (nowMs: number): void => {
    if (Math.floor(nowMs / 60_000) !== minute) used = 0
    minute = Math.floor(nowMs / 60_000)
  }
  const enters = (nowMs: number): boolean => (turn(nowMs), used < limit && ++used > 0)
  if (!telling) return { enters, leaves: () => undefined }
  return { enters, leaves: () => undefined, says: nowMs => (turn(nowMs), { limitRequests: limit, remainingRequests: limit - used, resetRequestsMs: 60_000 - (nowMs % 60_000) }) }
}

/** A bucket that refills evenly; its reset is when it would be full. */
function bucket(limit: number, telling: boolean): Provider {
  let level = limit
  let atMs = 0
  const fill = (nowMs: number): void => {
    level = Math.min(limit, level + ((nowMs - atMs) * limit) / 60_000)
    atMs = nowMs
  }
  const enters = (nowMs: number): boolean => {
    fill(nowMs)
    if (level < 1) return false
    level--
    return true
  }
  if (!telling) return { enters, leaves: () => undefined }
  return { enters, leaves: () => undefined, says: nowMs => (fill(nowMs), { limitRequests: limit, remainingRequests: Math.floor(level), resetRequestsMs: ((limit - level) * 60_000) / limit }) }
}

const steady =
  (perSecond: number): Scenario['calls'] =>
  (random, endMs) => {
    const times: number[] = []
    for (let ms = 0; ms < endMs; ms += (-Math.log(1 - random()) * 1_000) / perSecond) times.push(ms)
    return times
  }
const bursts =
  (size: number, everyMs: number): Scenario['calls'] =>
  (_random, endMs) =>
    Array.from({ length: Math.ceil(endMs / everyMs) * size }, (_, at) => Math.floor(at / size) * everyMs)

const SCENARIOS: readonly Scenario[] = [
  ...[5, 10, 20, 40, 80, 120].map(limit => ({ name: `${limit} at once, 1.2 times as many come`, minutes: 5, provider: () => atOnce(limit), calls: steady(1.2 * limit) })),
  ...[10, 40].map(limit => ({ name: `${limit} at once, 0.7 times as many come`, minutes: 5, provider: () => atOnce(limit), calls: steady(0.7 * limit) })),
  ...[10, 40].map(limit => ({ name: `${limit} at once, bursts of ${10 * limit}`, minutes: 10, provider: () => atOnce(limit), calls: bursts(10 * limit, 20_000) })),
  ...[60, 300, 1_200].map(limit => ({ name: `${limit} a minute, told, 1.2 times as many come`, minutes: 10, provider: () => eachMinute(limit, true), calls: steady((1.2 * limit) / 60) })),
  ...[60, 300].map(limit => ({ name: `${limit} a minute, told, bursts of ${2 * limit}`, minutes: 10, provider: () => eachMinute(limit, true), calls: bursts(2 * limit, 120_000) })),
  ...[60, 300, 1_200].map(limit => ({ name: `bucket of ${limit} a minute, told, 1.2 times as many come`, minutes: 10, provider: () => bucket(limit, true), calls: steady((1.2 * limit) / 60) })),
  ...[60, 300, 1_200].map(limit => ({ name: `bucket of ${limit} a minute, not told, 1.2 times as many come`, minutes: 10, provider: () => bucket(limit, false), calls: steady((1.2 * limit) / 60) })),
]

interface Outcome {
  readonly served: number
  readonly refused: number
}

/** One client against one provider. */
class Run {
  readonly #clock = new EventClock()
  readonly #random = seededRandom(20_261_126)
  readonly #provider: Provider
  readonly #live: Live
  readonly #line: number[] = []
  #served = 0
  #refused = 0
  #draining = false

  constructor(scenario: Scenario, gated: boolean) {
    this.#provider = scenario.provider()
    const gates: Gate[] = gated ? [new Pace({ clock: this.#clock, cooldown: true }), new Aimd({ clock: this.#clock })] : []
    this.#live = { deployment, upstream: { open: () => Promise.reject(LIMITED) }, keys: undefined, gates, price: undefined, stats: () => ({ inFlight: 0, failures: 0, stuckMs: 0 }) }
    for (const gate of gates) gate.onFree(() => this.#drain())
    for (const atMs of scenario.calls(seededRandom(7), scenario.minutes * 60_000)) this.#clock.after(atMs, () => this.#comes(0))
    this.#clock.runUntil(scenario.minutes * 60_000)
  }

  get outcome(): Outcome {
    return { served: this.#served, refused: this.#refused }
  }

  #comes(failures: number): void {
    this.#line.push(failures)
    this.#drain()
  }

  #drain(): void {
    if (this.#draining) return
    this.#draining = true
    for (let failures = this.#line[0]; failures !== undefined; failures = this.#line[0]) {
      const permits = enter(this.#live, CALL)
      if (!isPermits(permits)) break
      this.#line.shift()
      this.#send(failures, permits)
    }
    this.#draining = false
  }

  #send(failures: number, permits: readonly Permit[]): void {
    const startedMs = this.#clock.now()
    const accepted = this.#provider.enters(startedMs)
    const limits = this.#provider.says?.(startedMs)
    const told = limits === undefined ? {} : { limits }
    const durationMs = accepted ? this.#latencyMs() : REFUSAL_MS
    this.#clock.after(REFUSAL_MS, () => accepted && permits.forEach(permit => permit.committed?.(REFUSAL_MS)))
    this.#clock.after(durationMs, () => {
      const end: AttemptEnd = accepted ? { outcome: 'success', durationMs, ...told } : { outcome: 'failure', fault: LIMITED, durationMs, ...told }
      if (accepted) this.#provider.leaves()
      this.#count(accepted, failures)
      for (const permit of permits) permit.release(end)
    })
  }

  #count(accepted: boolean, failures: number): void {
    if (accepted) return void this.#served++
    this.#refused++
    this.#clock.after(backoffMs(Math.min(failures + 1, 10), undefined, RETRY, this.#random) ?? 0, () => this.#comes(failures + 1))
  }

  /** Lognormal. */
  #latencyMs(): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random())
    return REFUSAL_MS + (MEAN_MS - REFUSAL_MS) * Math.exp(SIGMA * normal - SIGMA ** 2 / 2)
  }
}

const per = ({ refused, served }: Outcome): number => refused / Math.max(1, served)

/** A part of the simulations: the limits nobody told us. */
export const aimd = {
  name: 'aimd',
  run(): { lines: string[]; ok: boolean } {
    const lines = ['| provider | 429s per request | without gates | throughput against that |', '|---|---|---|---|']
    let ok = true
    for (const scenario of SCENARIOS) {
      const gated = new Run(scenario, true).outcome
      const free = new Run(scenario, false).outcome
      const share = gated.served / free.served
      const passed = per(gated) <= MOST_REFUSED && share >= LEAST_SERVED
      ok &&= passed
      lines.push(`| ${scenario.name} | ${per(gated).toFixed(3)} | ${per(free).toFixed(2)} | ${(100 * share).toFixed(1)} %${passed ? '' : ' (missed)'} |`)
    }
    return { lines, ok }
  },
}
