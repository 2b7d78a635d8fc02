import type { GatewayError } from '../protocol/errors.js'
import type { Shadow } from '../protocol/strategy.js'
import type { Cancel } from '../resilience/cancel.js'
import type { Admitted, Call, Plan } from './call.js'
import type { Delivery, Settle } from './deliver.js'
import type { Recalled } from './recall.js'
import { asGatewayError, endOf, type Counted, type Known } from './settle.js'
import type { Launched, Source } from './source.js'

/** The seven stages. Each is a function over its own dependencies; what one finds out is handed to the next. */
export interface Stages {
  /** Is this call allowed, and to which route does it go? */
  readonly admit: (call: Call) => Admitted | Promise<Admitted>
  /** Is the answer known already, or on its way to somebody who asked the same? */
  readonly recall: (admitted: Admitted) => Recalled | undefined | Promise<Recalled | undefined>
  /** Who could answer, in which order? */
  readonly plan: (admitted: Admitted) => Plan | Promise<Plan>
  /** May it cost what it could cost? */
  readonly reserve: (plan: Plan) => Plan | Promise<Plan>
  /** Ask, until an upstream commits. */
  readonly dispatch: (plan: Plan, cancel: Cancel) => Launched
  /** Hand the events to the caller. */
  readonly deliver: (admitted: Admitted, source: Source, counted?: Counted) => Delivery
  /** Price, release, record: at the end of the answer, whoever ends it. */
  readonly settle: Settle
  /** Beside the stages: an answer that is known counts as a request. */
  readonly count: (admitted: Admitted) => Promise<Counted> | undefined
  /** Beside the stages: sends the copies of a call that a strategy asks for. */
  readonly mirror: (shadows: readonly Shadow[], admitted: Admitted) => void
}

/** A call from its request to its delivery. All kinds of call take the same way. */
export function createRun({ admit, recall, plan, reserve, dispatch, deliver, settle, count, mirror }: Stages): (call: Call) => Promise<Delivery> {
  const launch = (reserved: Plan, cancel: Cancel): Launched => {
    if (reserved.shadows.length > 0) mirror(reserved.shadows, reserved.admitted)
    try {
      return dispatch(reserved, cancel)
    } catch (error) {
      // No flight was made that would give back what is held.
      void reserved.purse?.close()
      throw error
    }
  }
  return async call => {
    let known: Known = {}
    try {
      // Most calls are let in, and planned, without waiting for anybody.
      const entering = admit(call)
      const admitted = entering instanceof Promise ? await entering : entering
      known = { admitted }
      const recalling = recall(admitted)
      const recalled = recalling instanceof Promise ? await recalling : recalling
      if (recalled === undefined) {
        const planning = plan(admitted)
        const reserving = reserve(planning instanceof Promise ? await planning : planning)
        const flight = launch(reserving instanceof Promise ? await reserving : reserving, call.cancel)
        known = { admitted, source: flight }
        await flight.open()
        return deliver(admitted, flight)
      }
      known = { admitted, source: recalled }
      const counted = recalled.cached === false ? undefined : await countedIn(count, admitted, recalled)
      if (counted !== undefined) known = { ...known, counted }
      await recalled.take(async cancel => launch(await reserve(await plan(admitted)), cancel))
      return deliver(admitted, recalled, counted)
    } catch (error) {
      const fault: GatewayError = asGatewayError(error)
      settle(call, endOf(fault), known)
      throw fault
    }
  }
}

/** Who may not have a known answer leaves its place: the flight must not go on for nobody. */
async function countedIn(count: Stages['count'], admitted: Admitted, recalled: Recalled): Promise<Counted | undefined> {
  try {
    return await count(admitted)
  } catch (error) {
    recalled.end(asGatewayError(error))
    throw error
  }
}
