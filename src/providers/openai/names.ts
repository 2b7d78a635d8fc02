import type { UpstreamRequest } from '../../protocol/request.js'
import { fitNames, namesIn, type ToolNames } from '../common/names.js'

/** The key of `providerData` that is for this dialect. */
export const DIALECT = 'openai'
const NONE: ToolNames = fitNames([])

/** Tool names as this dialect takes them. Most requests have none, and pay for none. */
export function namesOf(request: UpstreamRequest): ToolNames {
  if (request.tools === undefined && request.messages.every(({ role }) => role !== 'assistant')) return NONE
  return fitNames(namesIn(request, DIALECT))
}
