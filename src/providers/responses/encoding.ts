import { fitToolId, type ToolIdRule } from '../../protocol/conversation.js'
import type { Target } from '../../protocol/ports.js'
import type { ToolNames } from '../common/names.js'
import type { Notes } from '../common/notes.js'
import type { Family } from '../openai/models.js'
import type { Quirks } from '../openai/quirks.js'

/** What one encoding works with. */
export interface Encoding {
  readonly quirks: Quirks
  readonly target: Target
  readonly family: Family
  readonly names: ToolNames
  readonly notes: Notes
  /** The server keeps the responses, so that an item may be named by its id alone. */
  readonly stored: boolean
}

const CALL_ID: ToolIdRule = { pattern: /^[\w-]{1,64}$/, alphabet: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', length: 24 }

export function callId(id: string): string {
  return fitToolId(id, CALL_ID)
}
