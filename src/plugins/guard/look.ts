import type { ChatEvent } from '../../protocol/events.js'
import type { CallView, Hooks, Plugin } from '../../protocol/ports.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import type { GuardSide, Verdicts } from './guard.js'
import { findIn, type Rule } from './scan.js'
import { inRequest, type Role } from './texts.js'
import { Watch } from './watch.js'

/** A guard that looks for the same in requests and answers. */
export function looking(rule: Rule, side: GuardSide, verdicts: Verdicts, roles?: ReadonlySet<Role>): Plugin {
  return {
    name: verdicts.name,
    open: call => ({
      ...(side !== 'answer' && { request: (request: UpstreamRequest) => (look(rule, request, call, verdicts, roles), request) }),
      ...(side !== 'request' && watching(rule, call, verdicts)),
    }),
  }
}

function look(rule: Rule, request: UpstreamRequest, call: CallView, verdicts: Verdicts, roles: ReadonlySet<Role> | undefined): void {
  let found: string | undefined
  try {
    found = inRequest(request, text => findIn(rule, text), roles)
  } catch (error) {
    return verdicts.failed(call, 'request', error)
  }
  if (found !== undefined) throw verdicts.refused(call, 'request', `it holds ${found}`)
}

function watching(rule: Rule, call: CallView, verdicts: Verdicts): Hooks {
  const watch = new Watch(rule, reason => verdicts.refused(call, 'answer', reason))
  // A guard that may fail open and did looks at nothing more of this call.
  let skipped = false
  const safely = (work: () => readonly ChatEvent[], given: readonly ChatEvent[]): readonly ChatEvent[] => {
    try {
      return work()
    } catch (error) {
      verdicts.failed(call, 'answer', error)
      skipped = true
      return [...watch.abandon(), ...given]
    }
  }
  return {
    event: event => (skipped ? event : safely(() => watch.event(event), [event])),
    flush: reason => (skipped ? [] : safely(() => watch.flush(reason), [])),
  }
}
