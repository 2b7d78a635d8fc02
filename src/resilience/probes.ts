import { GatewayError } from '../protocol/errors.js'
import type { AbortLike, Clock, Random, Timer } from '../protocol/ports.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'
import { AttemptAbort } from './abort.js'
import type { Breaker } from './breaker.js'
import { above0 } from './checks.js'

/** Active health probes. */
export interface ProbeOptions {
  /** Between two probes of a deployment that is open, give or take a fifth. Default: 15,000. */
  readonly intervalMs?: number
  /** How long one may take. Default: 10,000. */
  readonly timeoutMs?: number
}
/** What a probe is given. */
export interface ProbeContext {
  /** Aborts at the timeout and at `close()`; `reason` is a `GatewayError`. */
  readonly abort: AbortLike
  /** The same as a real signal. */
  readonly signal: AbortSignal
  readonly clock: Clock
}
/** A deployment to look after: `probe` asks something cheap, and rejects with a `GatewayError` where it is not well. */
export interface Probed {
  readonly breaker: Breaker
  probe(ctx: ProbeContext): Promise<void>
}

const KNOWN = new Set(['intervalMs', 'timeoutMs'])
const JITTER = 0.2

/** Asks deployments whose circuit is open how they are, so that they are back without traffic. A timer exists only while one is open. */
export class Probes {
  readonly #settings: Required<ProbeOptions>
  readonly #deps: { readonly clock: Clock; readonly random: Random }
  readonly #watched = new Set<Watched>()

  /** Throws `invalid_config`. */
  constructor(options: ProbeOptions, deps: { readonly clock: Clock; readonly random: Random }) {
    refuseUnknownKeys(options, KNOWN, 'probes')
    this.#settings = { intervalMs: above0(options.intervalMs, 15_000, 'probes.intervalMs'), timeoutMs: above0(options.timeoutMs, 10_000, 'probes.timeoutMs') }
    this.#deps = deps
  }

  /** Looks after a deployment until the function that is returned is called. */
  add(probed: Probed): () => void {
    const watched = new Watched(probed, this.#settings, this.#deps)
    this.#watched.add(watched)
    return () => {
      this.#watched.delete(watched)
      watched.close()
    }
  }

  /** Ends probes that are under way and makes no more. */
  close(): void {
    for (const watched of this.#watched) watched.close()
    this.#watched.clear()
  }
}

class Watched {
  readonly #probed: Probed
  readonly #settings: Required<ProbeOptions>
  readonly #deps: { readonly clock: Clock; readonly random: Random }
  readonly #off: () => void
  #timer: Timer | undefined
  #running: AttemptAbort | undefined
  #closed = false

  constructor(probed: Probed, settings: Required<ProbeOptions>, deps: { readonly clock: Clock; readonly random: Random }) {
    this.#probed = probed
    this.#settings = settings
    this.#deps = deps
    this.#off = probed.breaker.onOpen(() => this.#arm())
    this.#arm()
  }

  close(): void {
    this.#closed = true
    this.#off()
    this.#timer?.cancel()
    this.#timer = undefined
    this.#running?.abort(new GatewayError('closed', 'The gateway was closed.'))
  }

  #arm(): void {
    const { state } = this.#probed.breaker.state(this.#deps.clock.now())
    // One timer, and none while a probe is under way: also one that does not heed its signal is not joined by a second.
    if (this.#closed || this.#timer !== undefined || this.#running !== undefined || (state !== 'open' && state !== 'half_open')) return
    const ms = this.#settings.intervalMs * (1 + JITTER * (2 * this.#deps.random() - 1))
    this.#timer = this.#deps.clock.after(ms, () => {
      this.#timer = undefined
      if (this.#probed.breaker.wantsProbe) void this.#probe()
      else this.#arm()
    })
  }

  async #probe(): Promise<void> {
    const { clock } = this.#deps
    const abort = (this.#running = new AttemptAbort())
    const timer = clock.after(this.#settings.timeoutMs, () => abort.abort(new GatewayError('timeout', 'The health probe was not answered in time.', { origin: 'upstream' })))
    let fault: GatewayError | undefined
    try {
      await this.#probed.probe({ abort, signal: abort.signal, clock })
    } catch (error) {
      fault = GatewayError.is(error) ? error : new GatewayError('upstream_error', 'The health probe failed.', { origin: 'upstream' })
    }
    timer.cancel()
    this.#running = undefined
    if (this.#closed) return
    fault = abort.reason ?? fault
    this.#probed.breaker.probed(fault === undefined, fault)
    this.#arm()
  }
}
