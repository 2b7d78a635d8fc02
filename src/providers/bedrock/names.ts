import { isObject, stringAt } from '../../protocol/json.js'
import type { Target } from '../../protocol/ports.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import { calledNames, fitNames, type Names } from '../common/names.js'
import { verbatim } from '../common/own.js'
import { takesSchema } from './models.js'

/** The key of `providerData` that is for this dialect. */
export const DIALECT = 'bedrock'

export function namesOf(request: UpstreamRequest, target: Target): Names {
  const given = (request.tools ?? []).flatMap(tool => {
    if ('name' in tool) return [tool.name]
    const spec = verbatim(tool.providerData, DIALECT, target.provider)?.['toolSpec']
    const name = stringAt(isObject(spec) ? spec : undefined, 'name')
    return name === undefined ? [] : [name]
  })
  return fitNames([...given, ...calledNames(request)], request.output !== undefined && !takesSchema(target))
}
