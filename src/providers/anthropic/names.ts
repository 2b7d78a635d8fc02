import { isObject, stringAt } from '../../protocol/json.js'
import type { Target } from '../../protocol/ports.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import { calledNames, fitNames, TOOL_ID, type Names } from '../common/names.js'
import { traitsOf } from './models.js'

export { TOOL_ID, type Names }

function toolNames({ tools }: UpstreamRequest): string[] {
  return (tools ?? []).flatMap(tool => {
    if ('name' in tool) return [tool.name]
    const data = tool.providerData['anthropic']
    const name = stringAt(isObject(data) ? data['block'] : undefined, 'name')
    return name === undefined ? [] : [name]
  })
}

/** True where the schema of the answer has to travel as a tool. */
function needsOutputTool(request: UpstreamRequest, target: Target): boolean {
  return request.output !== undefined && !(target.capabilities.jsonSchema ?? traitsOf(target.model).jsonSchema)
}

export function namesOf(request: UpstreamRequest, target: Target): Names {
  return fitNames([...toolNames(request), ...calledNames(request)], needsOutputTool(request, target))
}
