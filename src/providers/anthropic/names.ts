import type { Target } from '../../protocol/ports.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import { fitNames, namesIn, type ToolNames } from '../common/names.js'
import { traitsOf } from './models.js'

/** Tool names as they travel. */
export interface Names extends Pick<ToolNames, 'wire' | 'original'> {
  /** The tool that stands in for a JSON schema, where the model takes none. */
  readonly output?: string
}

/** True where the schema of the answer has to travel as a tool. */
function needsOutputTool(request: UpstreamRequest, target: Target): boolean {
  return request.output !== undefined && !(target.capabilities.jsonSchema ?? traitsOf(target.model).jsonSchema)
}

export function namesOf(request: UpstreamRequest, target: Target): Names {
  const names = fitNames(namesIn(request, 'anthropic'))
  return { wire: names.wire, original: names.original, ...(needsOutputTool(request, target) && { output: names.free('json') }) }
}
