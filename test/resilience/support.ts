import { GatewayError, type Code } from '../../src/protocol/errors.js'
import type { AttemptEnd, Clock, Deployment, Gate, GateCall, Permit, Refusal, Timer } from '../../src/protocol/ports.js'

export const deployment: Deployment = { kind: 'deployment', id: 'a', provider: 'p', model: 'm', capabilities: {}, tags: [], reach: { upstream: { open: () => Promise.reject(new Error('not here')) } } }
export const CALL: GateCall = { inputTokens: () => 1 }

export const fault = (code: Code, retryAfterMs?: number): GatewayError => new GatewayError(code, 'no', { origin: 'upstream', ...(retryAfterMs !== undefined && { retryAfterMs }) })
export const failed = (code: Code, more: Partial<AttemptEnd> = {}): AttemptEnd => ({ outcome: 'failure', fault: fault(code), durationMs: 1, ...more })
export const OK: AttemptEnd = { outcome: 'success', durationMs: 1 }
export const ABORTED: AttemptEnd = { outcome: 'neutral', fault: fault('aborted'), durationMs: 1 }
export const UNSENT: AttemptEnd = { outcome: 'neutral', durationMs: 0 }

export function asked(gate: Gate, call = CALL): Permit | Refusal {
  return gate.tryEnter(deployment, call)
}
export function entered(gate: Gate, call = CALL): Permit {
  const permit = asked(gate, call)
  if ('refused' in permit) throw new Error(`expected a permit, found ${permit.refused}: ${permit.reason}`)
  return permit
}
export function refused(gate: Gate, call = CALL): Refusal {
  const refusal = asked(gate, call)
  if (!('refused' in refusal)) throw new Error('expected a refusal, found a permit')
  return refusal
}

/** A clock that is set by hand, for properties that run without waiting. Its timers never fire and are counted. */
export class HandClock implements Clock {
  nowMs = 1_000_000
  armed = 0

  now(): number {
    return this.nowMs
  }
  after(_ms: number, _fn: () => void): Timer {
    this.armed++
    let armed = true
    return {
      cancel: () => {
        if (armed) this.armed--
        armed = false
      },
    }
  }
}
