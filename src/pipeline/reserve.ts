import type { Plan } from './call.js'

/** Claims requests, tokens and money for the plan. No budget is configurable yet: every plan fits. */
export function createReserve(): (plan: Plan) => Plan {
  return plan => plan
}
