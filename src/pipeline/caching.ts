import type { GatewayError } from '../protocol/errors.js'
import type { Downgraded } from '../protocol/policy.js'
import { total } from '../protocol/price.js'
import type { Clock } from '../protocol/ports.js'
import type { Cost } from '../protocol/result.js'
import { Cancel } from '../resilience/cancel.js'
import type { Reader } from '../resilience/attempt.js'
import { cacheControl, type CacheControl, type CachePolicy } from '../state/cache-options.js'
import type { Cache, Hit } from '../state/cache-lookup.js'
import { CacheKeys, joinKey } from './cache-key.js'
import type { Admitted } from './call.js'
import { cancellable } from './cancellable.js'
import type { Recalled, Recaller } from './recall.js'
import { Replay } from './replay.js'
import { Flights, type SharedEnd } from './shared.js'
import type { Seat } from './shared-seat.js'
import type { Answered, Launched, Way } from './source.js'

const NO_WAY: Way = Object.freeze({ attempts: Object.freeze([]), excluded: Object.freeze([]), restarts: 0 })
const NANOS_PER_DOLLAR = 1e9

/** The cache of a gateway, bound to its calls: what is known is replayed, what is asked for just now is joined, what comes whole is kept. */
export class Caching implements Recaller {
  readonly #cache: Cache
  readonly #clock: Clock
  readonly #keys: CacheKeys
  readonly #flights: Flights

  constructor(cache: Cache, clock: Clock) {
    this.#cache = cache
    this.#clock = clock
    this.#keys = new CacheKeys(cache.ownMemory)
    this.#flights = new Flights(clock)
  }

  recall(admitted: Admitted): Recalled | undefined | Promise<Recalled | undefined> {
    const { call, route, request, settings } = admitted
    const { cache: policy } = settings
    const control = cacheControl(call.options.cache)
    if (policy === undefined || (!control.read && !control.write)) return undefined
    const { principal, prefer, headers } = call.options
    const key = this.#keys.of({ model: call.asked.model, target: route.target, request, scope: policy.scope, principal, prefer, headers })
    return typeof key === 'string' ? this.#find(key, admitted, control, policy) : cancellable(key, call.cancel).then(hashed => this.#find(hashed, admitted, control, policy))
  }

  #find(key: string, admitted: Admitted, control: CacheControl, policy: CachePolicy): Recalled | Promise<Recalled> {
    const found = this.#cache.lookup(key, control, policy)
    if (found instanceof Promise) return cancellable(found, admitted.call.cancel).then(hit => this.#recalled(hit, key, admitted, control, policy))
    return this.#recalled(found, key, admitted, control, policy)
  }

  #recalled(hit: Hit | undefined, key: string, { call, settings }: Admitted, control: CacheControl, policy: CachePolicy): Recalled {
    const drop = (): void => this.#cache.drop(key)
    if (hit !== undefined) return new Known(hit, new Replay(hit.batches, call.kind === 'stream' ? policy.replay : 'full', this.#clock, call.cancel), this.#clock.now(), drop)
    const shared = control.join ? joinKey(call, settings, key) : undefined
    const seat: Seat = this.#flights.seat(shared, call.cancel, end => this.#over(key, seat.source, end, control, policy))
    return new Seated(seat, drop)
  }

  #over(key: string, source: unknown, { answer }: SharedEnd, control: CacheControl, policy: CachePolicy): void {
    if (answer === undefined || !isLaunched(source)) return
    const { answered, usage } = source
    if (answered === undefined) return
    const { provider, model, deployment } = answered
    this.#cache.keep(key, answer, { provider, model, deployment, usage, costNanos: source.bill().nanos }, control, policy)
  }
}

function isLaunched(source: unknown): source is Launched {
  return typeof source === 'object' && source !== null && 'usage' in source
}

/** What a call pays that asked nobody. */
function nothing(savedNanos: number): Cost {
  return { ...total([], false), saved: savedNanos / NANOS_PER_DOLLAR }
}

/** A shared fault for a call that does not pay: who sums up what tries cost counts each once. */
function unbilled(fault: GatewayError): GatewayError {
  return fault.attempts === undefined ? fault : fault.with({ attempts: fault.attempts.map(({ costNanos: _, ...report }) => report) })
}

/** An answer from the cache. */
class Known implements Recalled {
  readonly cached = 'hit'
  readonly way = NO_WAY
  readonly answered: Answered
  readonly #hit: Hit
  readonly #replay: Replay
  readonly #drop: () => void

  constructor(hit: Hit, replay: Replay, firstEventAtMs: number, drop: () => void) {
    const { deployment, provider, model } = hit.answer
    this.#hit = hit
    this.#replay = replay
    this.#drop = drop
    this.answered = { deployment, provider, model, headers: {}, firstEventAtMs }
  }

  take(): Promise<void> {
    return this.open()
  }
  open(): Promise<void> {
    return Promise.resolve()
  }
  read(done: Reader): void {
    this.#replay.read(done)
  }
  end(reason: GatewayError): void {
    this.#replay.end(reason)
  }
  holdToWhatWasSaid(): void {
    this.#replay.holdToWhatWasSaid()
  }
  bill(): Cost {
    return nothing(this.#hit.answer.costNanos ?? 0)
  }
  /** Another schema may ask for more than the one it was held against before. */
  refused(): void {
    this.#drop()
  }
}

/** A place in a flight that identical calls share, or that this call has for itself. */
class Seated implements Recalled {
  readonly #seat: Seat
  readonly #drop: () => void

  constructor(seat: Seat, drop: () => void) {
    this.#seat = seat
    this.#drop = drop
  }

  get cached(): false | 'joined' {
    return this.#seat.joined && !this.#seat.pays ? 'joined' : false
  }
  get answered(): Answered | undefined {
    return this.#flight?.answered
  }
  /** The tries belong to the call that pays for them. */
  get way(): Way {
    return this.#seat.pays ? (this.#flight?.way ?? NO_WAY) : NO_WAY
  }

  async take(launch: (cancel: Cancel) => Promise<Launched>): Promise<void> {
    const seat = this.#seat
    try {
      if (!seat.leads) await seat.open()
      // Whoever led may have left before it opened anything.
      while (seat.leads) {
        const own = new Cancel()
        const flight = await launch(own)
        try {
          seat.start(flight, own)
        } catch (error) {
          // This call left meanwhile: what is held for a flight that never began is given back.
          void flight.close()
          throw error
        }
        await seat.open()
      }
    } catch (error) {
      const { pays } = seat
      seat.end(error as GatewayError)
      throw pays ? error : unbilled(error as GatewayError)
    }
  }
  open(): Promise<void> {
    return this.#seat.open()
  }
  read(done: Reader): void {
    this.#seat.read(done)
  }
  end(reason: GatewayError): void {
    this.#seat.end(reason)
  }
  holdToWhatWasSaid(): void {
    this.#seat.holdToWhatWasSaid()
  }
  bill(): Cost {
    const flight = this.#flight
    if (flight === undefined) return nothing(0)
    if (this.#seat.pays) return flight.bill()
    return nothing(this.#seat.whole ? (flight.bill().nanos ?? 0) : 0)
  }
  refused(): void {
    this.#drop()
  }
  get policed(): boolean {
    return this.#flight?.policed === true
  }
  get downgraded(): Downgraded | undefined {
    return this.#flight?.downgraded
  }
  close(): boolean | Promise<boolean> | undefined {
    return this.#seat.pays ? this.#flight?.close() : undefined
  }

  get #flight(): Launched | undefined {
    const { source } = this.#seat
    return isLaunched(source) ? source : undefined
  }
}
