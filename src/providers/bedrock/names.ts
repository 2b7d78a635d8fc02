import { isObject, stringAt } from '../../protocol/json.js'
import type { Target } from '../../protocol/ports.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import { calledNames, fitNames, type ToolNames } from '../common/names.js'
import { verbatim } from '../common/own.js'
import { takesSchema } from './models.js'

/** The key of `providerData` that is for this dialect. */
export const DIALECT = 'bedrock'

/** Tool names as they travel. */
export interface Names extends Pick<ToolNames, 'wire' | 'original'> {
  /** The tool that stands in for a JSON schema, where the model takes none. */
  readonly output?: string
}

export function namesOf(request: UpstreamRequest, target: Target): Names {
  const given = (request.tools ?? []).flatMap(tool => {
    if ('name' in tool) return [tool.name]
    const spec = verbatim(tool.providerData, DIALECT, target.provider)?.['toolSpec']
    const name = stringAt(isObject(spec) ? spec : undefined, 'name')
    return name === undefined ? [] : [name]
  })
  const { wire, original, free } = fitNames([...given, ...calledNames(request)])
  return { wire, original, ...(request.output !== undefined && !takesSchema(target) && { output: free('json') }) }
}
