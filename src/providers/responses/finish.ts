import type { FinishReason } from '../../protocol/events.js'
import { stringAt } from '../../protocol/json.js'

/** Calls of the provider's own tools that the caller answers; unlike others they are not done when the answer is. */
const WAITING: ReadonlySet<string> = new Set(['shell_call', 'local_shell_call', 'apply_patch_call', 'computer_call', 'mcp_approval_request'])

/** True where this item waits for an answer of the caller, unless the provider gives it itself in the same answer. */
export function waits(type: string): boolean {
  return WAITING.has(type)
}

function plain(status: string | undefined, response: Record<string, unknown>): FinishReason {
  switch (status) {
    case undefined:
    case 'completed':
    case 'complete':
      return 'stop'
    case 'incomplete': {
      const why = stringAt(response['incomplete_details'], 'reason')
      // Some servers say no more than that it was cut.
      if (why === undefined || why === 'max_output_tokens') return 'length'
      return why === 'content_filter' ? 'content-filter' : 'other'
    }
    default:
      return 'other'
  }
}

/** The reason in this library's words: a stop with calls is `tool-calls`; with a call of the provider's own that waits for the caller, `other`. */
export function finishReason(status: string | undefined, response: Record<string, unknown>, has: { readonly calls: boolean; readonly waiting: boolean }): FinishReason {
  const reason = plain(status, response)
  if (reason !== 'stop') return reason
  return has.calls ? 'tool-calls' : has.waiting ? 'other' : 'stop'
}
