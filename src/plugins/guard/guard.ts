import { GatewayError } from '../../protocol/errors.js'
import { isObject } from '../../protocol/json.js'
import type { CallView } from '../../protocol/ports.js'
import { refuseUnknownKeys } from '../../protocol/suggest.js'

/** What a guard did about one call. Never holds what was said. */
export interface GuardReport {
  readonly guard: string
  /** Id of the call. */
  readonly call: string
  readonly at: 'request' | 'answer'
  /** `refused`: it looked and said no. `failed`: it could not look, so the call was refused. `skipped`: it could not look, and `failOpen` let the call through. */
  readonly outcome: 'refused' | 'failed' | 'skipped'
  readonly reason: string
}

/** What every guard takes. */
export interface GuardOptions {
  /** In errors, reports and `health()`. Default: the name of the function that makes it. */
  readonly name?: string
  /** Lets a call through that the guard could not look at, because it threw or took too long. Default: such a call is refused. */
  readonly failOpen?: boolean
  /** Told what the guard did; what it throws is swallowed. */
  readonly onReport?: (report: GuardReport) => void
}

/** Where a text is looked at. */
export type GuardSide = 'request' | 'answer' | 'both'

const COMMON = ['name', 'failOpen', 'onReport']

export function bad(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}

/** Checks what every guard takes; `own` are the names of what only this one does. */
export function checkGuard(options: unknown, what: string, own: readonly string[]): void {
  if (!isObject(options)) throw bad(`${what}() takes its options as an object.`)
  refuseUnknownKeys(options, new Set([...COMMON, ...own]), `${what}()`)
  const { name, failOpen, onReport } = options
  if (name !== undefined && (typeof name !== 'string' || name === '' || name.length > 80)) throw bad(`${what}(): name must be a short text.`)
  if (failOpen !== undefined && typeof failOpen !== 'boolean') throw bad(`${what}(): failOpen must be true or false.`)
  if (onReport !== undefined && typeof onReport !== 'function') throw bad(`${what}(): onReport must be a function.`)
}

export function checkSide(side: unknown, what: string): void {
  if (!['request', 'answer', 'both'].includes(String(side))) throw bad(`${what}(): in must be 'request', 'answer' or 'both'.`)
}

/** The verdicts of one guard, and who hears of them. */
export class Verdicts {
  readonly name: string
  readonly #failOpen: boolean
  readonly #onReport: GuardOptions['onReport']

  constructor(what: string, { name = what, failOpen = false, onReport }: GuardOptions) {
    this.name = name
    this.#failOpen = failOpen
    this.#onReport = onReport
  }

  /** The error of a call that must go no further. */
  refused(call: CallView, at: GuardReport['at'], reason: string): GatewayError {
    this.#report({ guard: this.name, call: call.id, at, outcome: 'refused', reason })
    const side = at === 'request' ? 'The request' : 'The answer'
    return new GatewayError('refused', `${side} was refused by the guard "${this.name}": ${reason}.`, { origin: at === 'request' ? 'caller' : 'upstream' })
  }

  /** Returns where the call goes on without the guard; throws where it does not. */
  failed(call: CallView, at: GuardReport['at'], error: unknown): void {
    if (GatewayError.is(error) && error.code === 'refused') throw error
    const reason = error instanceof Slow ? error.message : `it failed with a ${error instanceof Error ? error.name : typeof error}`
    this.#report({ guard: this.name, call: call.id, at, outcome: this.#failOpen ? 'skipped' : 'failed', reason })
    if (this.#failOpen) return
    throw new GatewayError('refused', `The guard "${this.name}" could not look at the ${at}, so the call was refused: ${reason}.`, { origin: 'gateway' })
  }

  #report(report: GuardReport): void {
    try {
      this.#onReport?.(report)
    } catch {
      // Who only listens decides nothing.
    }
  }
}

/** A guard took longer than it may. */
export class Slow extends Error {
  override readonly name = 'Slow'
}
