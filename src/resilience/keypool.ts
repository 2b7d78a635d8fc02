import { GatewayError } from '../protocol/errors.js'
import type { Keys, Refusal } from '../protocol/ports.js'
import { Secret } from '../protocol/secret.js'

/** A rejected or exhausted key rests this long before it is tried again, in milliseconds. */
const REJECTED_MS = 30_000
const EXHAUSTED_MS = 60_000
const LIMITED_MS = 1_000

interface Entry {
  readonly secret: Secret
  inFlight: number
  coolUntilMs: number
  fault: GatewayError | undefined
}

/** A key lent to one attempt. */
export interface KeyLease {
  readonly secret?: Secret
  /** Gives it back; a fault that blames the key lets it cool. */
  release(fault: GatewayError | undefined, nowMs: number): void
}

/** Why no key can be lent now. */
export interface KeysCooling {
  readonly untilMs: number
  readonly fault: GatewayError
}

/** The keys of one deployment: least-loaded first, those that cool left out. What cools is the key, never the deployment. */
export class KeyPool {
  #entries: readonly Entry[] = []
  #ask: (() => string | Promise<string>) | undefined

  constructor(keys: Keys) {
    this.replace(keys)
  }

  /** From here on these are lent; attempts under way keep what they have. A key that stays keeps its rest. */
  replace(keys: Keys): void {
    const before = this.#entries
    this.#ask = typeof keys === 'function' ? keys : undefined
    this.#entries = typeof keys === 'function' ? [] : keys.map(secret => before.find(entry => entry.secret.reveal() === secret.reveal()) ?? { secret, inFlight: 0, coolUntilMs: 0, fault: undefined })
  }

  /** Lends a key, or says until when all of them cool. A function is asked at each try. */
  lend(nowMs: number): KeyLease | KeysCooling | Promise<KeyLease> {
    if (this.#ask !== undefined) return askForKey(this.#ask)
    let best: Entry | undefined
    let soonest: Entry | undefined
    for (const entry of this.#entries) {
      if (entry.coolUntilMs > nowMs) {
        if (soonest === undefined || entry.coolUntilMs < soonest.coolUntilMs) soonest = entry
      } else if (best === undefined || entry.inFlight < best.inFlight) best = entry
    }
    if (best === undefined) {
      return { untilMs: soonest?.coolUntilMs ?? nowMs, fault: soonest?.fault ?? new GatewayError('credential_rejected', 'No key is usable.') }
    }
    return this.#lease(best)
  }

  /** Until when every key rests, as a gate would say it; `undefined` where one can be lent now. */
  resting(nowMs: number): Refusal | undefined {
    let soonest: Entry | undefined
    for (const entry of this.#entries) {
      if (entry.coolUntilMs <= nowMs) return undefined
      if (soonest === undefined || entry.coolUntilMs < soonest.coolUntilMs) soonest = entry
    }
    return soonest === undefined ? undefined : { refused: soonest.fault?.code ?? 'credential_rejected', retryAtMs: soonest.coolUntilMs, reason: 'every key rests' }
  }

  /** After a key was refused: another one can be asked now. */
  another(nowMs: number): boolean {
    return this.#entries.length > 1 && this.#entries.some(entry => entry.coolUntilMs <= nowMs)
  }

  /** Its key is asked for at each try: the next may be a fresh one. */
  get asks(): boolean {
    return this.#ask !== undefined
  }

  /** Keys, keys that cool, and attempts that hold one. */
  state(nowMs: number): { readonly keys: number; readonly cooling: number; readonly inFlight: number } {
    return {
      keys: this.#entries.length,
      cooling: this.#entries.filter(entry => entry.coolUntilMs > nowMs).length,
      inFlight: this.#entries.reduce((sum, entry) => sum + entry.inFlight, 0),
    }
  }

  #lease(entry: Entry): KeyLease {
    entry.inFlight++
    let held = true
    return {
      secret: entry.secret,
      release: (fault, nowMs) => {
        if (!held) return
        held = false
        entry.inFlight--
        const restMs = fault === undefined ? 0 : this.#restMs(fault)
        if (restMs > 0) {
          entry.coolUntilMs = Math.max(entry.coolUntilMs, nowMs + restMs)
          entry.fault = fault
        }
      },
    }
  }

  #restMs(fault: GatewayError): number {
    if (fault.code === 'credential_rejected') return REJECTED_MS
    if (fault.code === 'quota_exhausted') return fault.retryAfterMs ?? EXHAUSTED_MS
    if (fault.code !== 'rate_limited') return 0
    // Without a wait of its own, a lone key is held back by the backoff of the call alone.
    return fault.retryAfterMs ?? (this.#entries.length > 1 ? LIMITED_MS : 0)
  }
}

async function askForKey(ask: () => string | Promise<string>): Promise<KeyLease> {
  let key: unknown
  try {
    key = await ask()
  } catch (error) {
    // One that knows better says it itself, without holding what it knows of the key.
    if (GatewayError.is(error)) throw error
    throw new GatewayError('credential_rejected', 'The apiKey function of the deployment failed. Make it return a key.', { origin: 'caller' })
  }
  if (typeof key !== 'string' || key.trim() === '') {
    throw new GatewayError('credential_rejected', 'The apiKey function of the deployment returned no text. Make it return a key.', { origin: 'caller' })
  }
  return { secret: new Secret(key.trim()), release: () => undefined }
}

/** Tells a refusal of {@link KeyPool.lend} from a lease. */
export function isCooling(lent: KeyLease | KeysCooling): lent is KeysCooling {
  return 'untilMs' in lent
}
