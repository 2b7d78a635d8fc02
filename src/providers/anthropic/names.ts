import type { ToolIdRule } from '../../protocol/conversation.js'
import type { Target } from '../../protocol/ports.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import { fitNames, type ToolNames } from '../common/names.js'
import { traitsOf } from './models.js'

/** What this dialect accepts as the id of a tool call. */
export const TOOL_ID: ToolIdRule = { pattern: /^[a-zA-Z0-9_-]{1,64}$/, alphabet: 'abcdefghijklmnopqrstuvwxyz0123456789', length: 24 }

/** Tool names as they travel. */
export interface Names extends ToolNames {
  /** The tool that stands in for a JSON schema, where the model takes none. */
  readonly output?: string
}

/** True where the schema of the answer has to travel as a tool. */
function needsOutputTool(request: UpstreamRequest, target: Target): boolean {
  return request.output !== undefined && !(target.capabilities.jsonSchema ?? traitsOf(target.model).jsonSchema)
}

export function namesOf(request: UpstreamRequest, target: Target): Names {
  const names = fitNames(request, 'anthropic', TOOL_ID.pattern)
  return { ...names, ...(needsOutputTool(request, target) && { output: names.free('json') }) }
}
