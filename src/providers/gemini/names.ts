import type { ToolIdRule } from '../../protocol/conversation.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import { fitNames, namesIn, type NameRule, type ToolNames } from '../common/names.js'
import { DIALECT } from './content.js'
import { traitsOf } from './models.js'

const NAME: NameRule = { pattern: /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/, strange: /[^a-zA-Z0-9_-]/g }

/** What is sent as the id of a function call: any word. */
export const CALL_ID: ToolIdRule = { pattern: /^[\w.:-]{1,128}$/, alphabet: 'abcdefghijklmnopqrstuvwxyz0123456789', length: 24 }

/** Function names as they travel. */
export interface Names extends ToolNames {
  /** The function that stands in for the schema of the answer, where the model takes no schema beside functions. */
  readonly output?: string
}

export function namesOf(request: UpstreamRequest, model: string): Names {
  const names = fitNames(namesIn(request, DIALECT), NAME)
  const stands = request.output !== undefined && (request.tools ?? []).length > 0 && !traitsOf(model).toolsWithSchema
  return { ...names, ...(stands && { output: names.free('json') }) }
}
