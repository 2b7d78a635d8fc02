import type { Random } from '../../src/protocol/ports.js'
import type { Script } from '../../src/testing/index.js'
import type { Fault } from '../loopback/index.js'

/** Of ten tries three go wrong. */
const SHARE = 0.3
/** A limit that is met at random looks like one of very few at once, so it is rare here. */
const LIMITED = 0.000_5

const SCRIPTED: readonly Exclude<Script, string>[] = [
  { fail: { status: 503 } },
  { fail: { status: 500 } },
  { fail: 'reset' },
  { fail: 'html' },
  { fail: 'cut' },
  { fail: 'truncate' },
  { fail: 'garbage' },
  { fail: 'stall' },
  { fail: 'silent' },
  { firstEventMs: 60 },
]
const WIRED: readonly Fault[] = ['reset', 'silent', 'errorEvent', 'errorAfter:5', 'jsonError200', 'html200', 'jsonForStream', 'sseForJson', 'noDone', { status: 500 }, { status: 503 }, { cutAfter: 8 }, { truncateAfter: 8 }, { stallAfter: 3 }, { garbageAfter: 3 }, { slowFirst: 60 }]

function drawn<T>(faults: readonly T[], limited: T, die: Random): T | undefined {
  if (die() < LIMITED) return limited
  return die() < SHARE ? faults[Math.floor(die() * faults.length)] : undefined
}

export const scriptedFault = (die: Random): Exclude<Script, string> | undefined => drawn(SCRIPTED, { fail: { status: 429, retryAfterMs: 20 } }, die)
export const wiredFault = (die: Random): Fault | undefined => drawn(WIRED, { status: 429 }, die)

/** The one right answer to a prompt. */
export const answerTo = (prompt: string): string => `You said: ${prompt}. ` + 'And the tide came in under the lamps of the harbour, as it always had.'
