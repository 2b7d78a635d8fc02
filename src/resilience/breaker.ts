import { verdict, type Code, type GatewayError } from '../protocol/errors.js'
import type { AttemptEnd, Clock, Deployment, Gate, GateCall, Permit, Refusal } from '../protocol/ports.js'
import { breakerSettings, checkedSnapshot, PHASES, type BreakerOptions, type BreakerSnapshot, type BreakerState } from './breaker-settings.js'
import { UNUSED } from './gates.js'
import { Listeners, TimedListeners } from './listeners.js'
import { Ring } from './ring.js'

// Places in PHASES: the path of every call compares one small integer.
const CLOSED = 0
const OPEN = 1
const HALF_OPEN = 2
const RAMP = 3
const ISOLATED = 4
/** An epoch that never is: what ends with it is counted by nobody. */
const NEVER = -1

/** The last step of the ramp; a success there closes the circuit. */
const RAMP_TOP = 8
const CLOSING = 'the circuit is closing again'

/**
 * Stops calling one deployment that fails, asks it again with one probe at a time, and lets traffic back at a ramp. Only a
 * fault that the error table blames on the breaker counts as a failure. Verdicts fall at the end of an answer; a first
 * content is a provisional success that frees the place of its try.
 */
export class Breaker implements Gate {
  readonly #settings: Required<BreakerOptions>
  readonly #clock: Clock
  readonly #ring: Ring
  readonly #listeners: TimedListeners
  readonly #onOpen = new Listeners()
  #phase = CLOSED
  /** Tells permits of now from those that began before the circuit opened, whose ends say nothing new. */
  #epoch = 0
  #inRow = 0
  /** Steps on with each failure of a row. */
  #mark = 0
  /** Tries under way that began while it was closed. */
  #under = 0
  /** Tries that may be on their way to a first content at once, and those that are; while it is not closed. */
  #limit = 0
  #inside = 0
  #sinceMs: number
  #nextProbeMs = 0
  #why = ''
  #code: Code = 'overloaded'

  /** @param deps `state` is what `toJSON()` gave, perhaps in another process. Throws `invalid_config`. */
  constructor(options: BreakerOptions, deps: { readonly clock: Clock; readonly state?: unknown }) {
    this.#settings = breakerSettings(options)
    this.#clock = deps.clock
    this.#ring = new Ring(this.#settings.windowMs)
    this.#listeners = new TimedListeners(deps.clock)
    this.#sinceMs = deps.clock.now()
    if (deps.state !== undefined) this.#restored(checkedSnapshot(deps.state))
  }

  tryEnter(_deployment: Deployment, call: GateCall): Permit | Refusal {
    if (this.#phase !== CLOSED) return call.lastResort === true && this.#phase !== ISOLATED ? new Entry(this, NEVER, false, 0) : this.#tryLater()
    this.#under++
    return new Entry(this, this.#epoch, false, this.#mark)
  }

  /** A probe is due or a place on the ramp is free, or the circuit closed. Arms a timer only while somebody listens. */
  onFree(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Calls `listener` whenever the circuit opens; returns its removal. */
  onOpen(listener: () => void): () => void {
    return this.#onOpen.add(listener)
  }

  /** Refuses everything until {@link restore}. Answers under way go on. */
  isolate(reason?: string): void {
    this.#shut(ISOLATED, this.#clock.now(), `isolated by hand${reason === undefined ? '' : `: ${reason}`}`)
  }

  /** Closes the circuit by hand, whatever it is. */
  restore(): void {
    if (this.#phase === CLOSED) return
    this.#close()
    this.#listeners.wake()
  }

  /** The result of an active probe. A success starts the ramp, unless a call is on its way to find out; a failure changes nothing. */
  probed(ok: boolean, fault?: GatewayError): void {
    if (!this.wantsProbe) return
    if (!ok) {
      if (fault !== undefined) this.#code = fault.code
      return
    }
    this.#ramp(2)
    this.#listeners.wake()
  }

  /** It is open, or half-open with nobody inside. */
  get wantsProbe(): boolean {
    return this.#phase === OPEN || (this.#phase === HALF_OPEN && this.#inside === 0)
  }

  /** Tries counted while it is not closed, that have no first content yet. */
  get inside(): number {
    return this.#inside
  }

  state(nowMs: number): BreakerState {
    const open = this.#phase === OPEN
    return {
      state: open && nowMs >= this.#nextProbeMs ? 'half_open' : (PHASES[this.#phase] ?? 'closed'),
      ...(this.#phase !== CLOSED && { why: this.#why }),
      sinceMs: this.#sinceMs,
      ...(open && nowMs < this.#nextProbeMs && { nextProbeMs: this.#nextProbeMs }),
    }
  }

  /** What a later breaker of this deployment may be made with. */
  toJSON(): BreakerSnapshot {
    const state = PHASES[this.#phase] ?? 'closed'
    if (this.#phase === CLOSED) return { state, sinceMs: this.#sinceMs }
    const more = this.#phase === RAMP ? { limit: this.#limit } : this.#phase !== ISOLATED && { nextProbeMs: this.#nextProbeMs }
    return { state, why: this.#why, sinceMs: this.#sinceMs, code: this.#code, ...more }
  }

  /** Of its permits alone: the first content came to a try that holds a place. */
  begun(epoch: number): void {
    if (epoch !== this.#epoch) return
    this.#inside--
    if (this.#phase === HALF_OPEN) this.#ramp(1)
    this.#listeners.wake()
  }

  /** Of its permits alone: an answer ended, whose try did or did not hold a place. */
  ended(end: AttemptEnd, epoch: number, held: boolean, mark: number): void {
    if (epoch !== this.#epoch) return
    if (held) this.#inside--
    else if (this.#under > 0) this.#under--
    if (end.outcome === 'success') this.#succeeded()
    else if (end.outcome === 'failure' && end.fault !== undefined && verdict(end.fault.code).blame === 'breaker') this.#failed(end.fault.code, mark)
    if (held && end !== UNUSED) this.#listeners.wake()
  }

  #tryLater(): Permit | Refusal {
    const nowMs = this.#clock.now()
    if (this.#phase === OPEN && nowMs >= this.#nextProbeMs) {
      this.#phase = HALF_OPEN
      this.#limit = 1
      this.#sinceMs = nowMs
    }
    if (this.#inside < this.#limit) {
      this.#inside++
      return new Entry(this, this.#epoch, true, 0)
    }
    return this.#refusal(nowMs)
  }

  #refusal(nowMs: number): Refusal {
    const refused = this.#code
    switch (this.#phase) {
      case OPEN:
        return { refused, retryAtMs: this.#nextProbeMs, reason: `${this.#why}; next probe in ${Math.ceil((this.#nextProbeMs - nowMs) / 1000)} s` }
      case HALF_OPEN:
        return { refused, reason: `${this.#why}; a probe is under way` }
      case RAMP:
        return { refused: 'queue_full', reason: `${CLOSING}: ${this.#limit} at once for now` }
      default:
        return { refused, reason: this.#why }
    }
  }

  #succeeded(): void {
    if (this.#phase === CLOSED) {
      this.#inRow = 0
      this.#ring.add(this.#clock.now(), true)
    } else if (this.#limit >= RAMP_TOP) this.#close()
    else this.#ramp(this.#limit * 2)
  }

  #failed(code: Code, mark: number): void {
    const nowMs = this.#clock.now()
    const { failures, failureRate, minSamples, windowMs } = this.#settings
    if (this.#phase !== CLOSED) return this.#open(nowMs, code, this.#phase === RAMP ? 'a failure on the way back' : 'a probe failed')
    this.#ring.add(nowMs, false)
    // In a row means one after the other: a try that began before the last one failed says nothing new.
    if (mark === this.#mark) {
      this.#mark++
      this.#inRow++
    }
    if (this.#inRow >= failures) return this.#open(nowMs, code, failures === 1 ? 'a failure' : `${failures} failures in a row`)
    const { good, bad } = this.#ring
    // While many are under way, the first few to end are no sample of them.
    if (good + bad >= Math.max(minSamples, this.#under) && bad >= failureRate * (good + bad)) this.#open(nowMs, code, `${bad} of ${good + bad} answers failed within ${Math.round(windowMs / 1000)} s`)
  }

  #open(nowMs: number, code: Code, after: string): void {
    this.#code = code
    this.#nextProbeMs = nowMs + this.#settings.probeIntervalMs
    this.#shut(OPEN, nowMs, `the circuit is open after ${after} (${code})`)
    this.#listeners.at(this.#nextProbeMs)
    this.#onOpen.wake()
  }

  /** What began before counts no more. */
  #shut(phase: number, nowMs: number, why: string): void {
    this.#phase = phase
    this.#sinceMs = nowMs
    this.#why = why
    this.#epoch++
    this.#under = 0
    this.#inside = this.#limit = 0
    this.#listeners.never()
  }

  #ramp(limit: number): void {
    if (this.#phase !== RAMP) {
      this.#phase = RAMP
      this.#sinceMs = this.#clock.now()
      this.#why = CLOSING
      this.#listeners.never()
    }
    this.#limit = limit
  }

  #close(): void {
    this.#phase = CLOSED
    this.#sinceMs = this.#clock.now()
    this.#inRow = 0
    this.#ring.clear()
    this.#listeners.never()
  }

  #restored({ state, why, sinceMs, nextProbeMs, code, limit }: BreakerSnapshot): void {
    // A probe that was under way is made again; a clock that stood elsewhere makes nobody wait longer than one interval.
    this.#phase = state === 'half_open' ? OPEN : PHASES.indexOf(state)
    this.#nextProbeMs = Math.min(nextProbeMs ?? 0, this.#sinceMs + this.#settings.probeIntervalMs)
    this.#sinceMs = Math.min(sinceMs, this.#sinceMs)
    this.#why = why ?? 'as it was restored'
    this.#code = code ?? this.#code
    if (this.#phase === RAMP) this.#limit = limit ?? 1
    if (this.#phase === OPEN) this.#listeners.at(this.#nextProbeMs)
  }
}

/** A try that was let in; `held` where it takes a place of a circuit that is not closed. */
class Entry implements Permit {
  readonly #breaker: Breaker
  readonly #epoch: number
  #held: boolean
  readonly #mark: number
  #over = false

  constructor(breaker: Breaker, epoch: number, held: boolean, mark: number) {
    this.#breaker = breaker
    this.#epoch = epoch
    this.#held = held
    this.#mark = mark
  }

  committed(): void {
    if (this.#over || !this.#held) return
    this.#held = false
    this.#breaker.begun(this.#epoch)
  }

  release(end: AttemptEnd): void {
    if (this.#over) return
    this.#over = true
    this.#breaker.ended(end, this.#epoch, this.#held, this.#mark)
  }
}
