import type { Clock, Headers, Note, Permit, Wire } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import type { AttemptReport } from '../protocol/result.js'
import type { Attempt } from './attempt.js'
import type { Cancel } from './cancel.js'
import type { Deadlines } from './deadlines.js'
import type { KeyLease } from './keypool.js'
import type { Live } from './live.js'

/** All that one upstream try needs. */
export interface AttemptSpec {
  readonly live: Live
  readonly request: UpstreamRequest
  readonly op: 'chat' | 'embed'
  readonly wire: Wire
  /** How far the answer is read before we commit to this upstream. */
  readonly commit: 'content' | 'finish'
  readonly deadlines: Deadlines
  /** What holds on this route where the caller says nothing. */
  readonly usual: Deadlines
  readonly headers: Headers | undefined
  readonly clock: Clock
  readonly cancel: Cancel
  readonly callStartedMs: number
  readonly permits: readonly Permit[]
  readonly key: KeyLease | undefined
  readonly note: Note | undefined
  onEnd(report: AttemptReport, attempt: Attempt): void
}

/** It may be silent for long before it says anything. */
export function thinks({ live, request }: AttemptSpec): boolean {
  return live.deployment.capabilities.reasoning === true || (request.reasoning !== undefined && request.reasoning.effort !== 'none')
}
