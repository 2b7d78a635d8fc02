import type { UpstreamRequest } from '../../protocol/request.js'
import { fitNames, namesIn, type ToolNames } from '../common/names.js'
import { DIALECT } from './content.js'

// A dash in a name is refused, and so is a digit at its start.
const RULE = { pattern: /^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/, strange: /[^a-zA-Z0-9_]/g }

/** Tool names as this dialect takes them. */
export function namesOf(request: UpstreamRequest): ToolNames {
  return fitNames(namesIn(request, DIALECT), RULE)
}
