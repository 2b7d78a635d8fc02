import { GatewayError, type Deadline } from '../protocol/errors.js'

/** How long each part of a call may take, in milliseconds. */
export interface Deadlines {
  readonly answerMs: number
  readonly firstEventMs: number
  /** `firstEventMs` of a model that reasons before it writes. */
  readonly reasoningFirstEventMs: number
  readonly idleMs: number
  readonly totalMs: number
  readonly abandonMs: number
}

const WHAT: Record<Deadline, string> = {
  answer: 'no answer came within deadlines.answerMs',
  'first-event': 'no content came within deadlines.firstEventMs',
  idle: 'the stream fell silent for deadlines.idleMs',
  total: 'the call took longer than deadlines.totalMs',
  abandon: 'nobody read the stream for deadlines.abandonMs',
}

/** The fault of a deadline that passed. */
export function timeout(deadline: Deadline, ms: number): GatewayError {
  return new GatewayError('timeout', `Timed out: ${WHAT[deadline]} (${ms} ms).`, { origin: deadline === 'abandon' ? 'caller' : deadline === 'total' ? 'gateway' : 'upstream', deadline })
}
