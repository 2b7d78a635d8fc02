import type { AttemptEnd, GateCall, Permit, Refusal } from '../protocol/ports.js'
import type { Live } from './live.js'

/** The end of a permit that another gate made useless in the same breath: nobody was kept out by it, so nobody is woken. */
export const UNUSED: AttemptEnd = { outcome: 'neutral', durationMs: 0 }

/** A try that was never sent: whatever was taken for it is given back. An abort names its fault. */
export function neverBegan(end: AttemptEnd): boolean {
  return end.outcome === 'neutral' && end.fault === undefined
}

/**
 * Enters all gates of a deployment or none.
 * @param nowMs for those who wait in line: keys that all rest then refuse like a gate.
 */
export function enter(live: Live, call: GateCall, nowMs?: number): readonly Permit[] | Refusal {
  const resting = nowMs === undefined ? undefined : live.keys?.resting(nowMs)
  if (resting !== undefined) return resting
  if (live.gates.length === 0) return NONE
  const permits: Permit[] = []
  for (const gate of live.gates) {
    const answer = gate.tryEnter(live.deployment, call)
    if (isRefusal(answer)) {
      for (const permit of permits) permit.release(UNUSED)
      return answer
    }
    permits.push(answer)
  }
  return permits
}

/** By a look at it: `in` is slow where the permits of several gates are seen. */
function isRefusal(answer: Permit | Refusal): answer is Refusal {
  return (answer as Partial<Refusal>).refused !== undefined
}

const NONE: readonly Permit[] = []

export function isPermits(answer: readonly Permit[] | Refusal): answer is readonly Permit[] {
  return Array.isArray(answer)
}
