import { GatewayError } from '../protocol/errors.js'
import type { Shadow } from '../protocol/strategy.js'
import { IDLE_HOOKS } from '../plugins/hooks.js'
import type { Cancel } from '../resilience/cancel.js'
import type { Admitted, Plan } from './call.js'
import { Call } from './call.js'
import type { Delivery, Settle } from './deliver.js'
import type { Flight } from './flight.js'
import { OpenCalls } from './open-calls.js'
import { endOf, type Known } from './settle.js'

/** Copies under way at once; more are not made. */
const MOST = 100

/** What shadow traffic is sent with. */
export interface ShadowParts {
  readonly plan: (admitted: Admitted) => Plan | Promise<Plan>
  readonly reserve: (plan: Plan) => Plan | Promise<Plan>
  readonly dispatch: (plan: Plan, cancel: Cancel) => Flight
  readonly deliver: (admitted: Admitted, flight: Flight) => Delivery
  readonly settle: Settle
  /** Does it after what is going on now. */
  readonly defer: (fn: () => void) => void
  readonly nowMs: () => number
}

/**
 * Shadow traffic: flights without a call. Each copy is a call of the system's own, whose answer is read and thrown away; it can neither
 * delay nor fail the call it copies, sees the request as the upstream saw it, and is recorded as `system`.
 */
export class Shadows {
  readonly #parts: ShadowParts
  readonly #open = new OpenCalls()
  #made = 0

  constructor(parts: ShadowParts) {
    this.#parts = parts
  }

  get open(): number {
    return this.#open.size
  }

  send(shadows: readonly Shadow[], admitted: Admitted): void {
    for (const shadow of shadows) if (this.#open.size < MOST) this.#send(shadow, admitted)
  }

  /** Ends the copies that are under way. */
  close(reason: GatewayError): void {
    for (const call of this.#open) call.cancel.cancel(reason)
  }

  #send({ target, bill }: Shadow, admitted: Admitted): void {
    const { call, route, settings } = admitted
    const { metadata, principal } = call.options
    const options = { ...(metadata !== undefined && { metadata }), ...(bill && principal !== undefined && { principal }) }
    const copy = new Call(`${call.id}-shadow-${(this.#made++).toString(36)}`, 'chat', call.asked, options, this.#parts.nowMs(), this.#open, { shadowOf: call.id })
    const { queue: _queue, hedge: _hedge, ...calm } = settings
    const own: Admitted = { call: copy, route: { ...route, target }, settings: { ...calm, retry: { ...settings.retry, attempts: 1, maxAttempts: 1 } }, hooks: IDLE_HOOKS, request: admitted.request, output: undefined }
    this.#parts.defer(() => void this.#run(own))
  }

  async #run(own: Admitted): Promise<void> {
    const { plan, reserve, dispatch, deliver, settle } = this.#parts
    let known: Known = { admitted: own }
    try {
      if (own.call.cancel.reason !== undefined) throw own.call.cancel.reason
      const flight = dispatch(await reserve(await plan(own)), own.call.cancel)
      known = { admitted: own, source: flight }
      await flight.open()
      await deliver(own, flight).drain()
    } catch (error) {
      const fault = GatewayError.is(error) ? error : new GatewayError('upstream_error', 'Shadow traffic failed.')
      // A fault after commit was settled by the delivery: its call has ended.
      if (this.#open.has(own.call)) settle(own.call, endOf(fault), known)
    }
  }
}
