import type { GateCall, Permit, Refusal } from '../protocol/ports.js'
import type { Live } from './live.js'

/** Enters all gates of a deployment or none. */
export function enter(live: Live, call: GateCall): readonly Permit[] | Refusal {
  if (live.gates.length === 0) return NONE
  const permits: Permit[] = []
  for (const gate of live.gates) {
    const answer = gate.tryEnter(live.deployment, call)
    if ('refused' in answer) {
      for (const permit of permits) permit.release({ outcome: 'neutral', durationMs: 0 })
      return answer
    }
    permits.push(answer)
  }
  return permits
}

const NONE: readonly Permit[] = []

export function isPermits(answer: readonly Permit[] | Refusal): answer is readonly Permit[] {
  return !('refused' in answer)
}
