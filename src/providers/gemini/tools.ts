import type { JsonObject } from '../../protocol/json.js'
import type { ResolvedTool, UpstreamRequest } from '../../protocol/request.js'
import { refuse } from '../common/media.js'
import { verbatim, type Block } from '../common/own.js'
import { DIALECT } from './content.js'
import type { Encoding } from './contents.js'
import { subsetSchema } from './schema.js'

/** A schema under the name of the field that takes it in the form the model knows. */
export function schemaField(schema: JsonObject, whole: boolean, names: readonly [whole: string, subset: string]): Block {
  if (!whole) return { [names[1]]: subsetSchema(schema) }
  const { $schema: _, ...rest } = schema
  return { [names[0]]: rest }
}

function declaration(tool: Pick<ResolvedTool, 'name' | 'description' | 'inputSchema'>, whole: boolean): Block {
  const schema: JsonObject = { type: 'object', ...tool.inputSchema }
  // Older models refuse an object without properties, and take a function without parameters.
  const bare = !whole && Object.keys((schema['properties'] ?? {}) as object).length === 0 && schema['$ref'] === undefined && schema['allOf'] === undefined && schema['anyOf'] === undefined
  return { name: tool.name, ...(tool.description !== undefined && { description: tool.description }), ...(!bare && schemaField(schema, whole, ['parametersJsonSchema', 'parameters'])) }
}

function outputFunction({ output }: UpstreamRequest, { names, notes }: Encoding, whole: boolean): Block[] {
  if (names.output === undefined || output === undefined) return []
  const type = output.jsonSchema['type']
  if (type !== undefined && type !== 'object') throw refuse('This model takes no schema of the answer beside tools, unless the answer is an object. Put the schema into an object, leave the tools out, or use a newer model.')
  notes.add('changed', `The model takes no schema of the answer beside tools; it is asked for through a function named "${names.output}".`, 'output')
  return [declaration({ name: names.output, description: 'Gives the final answer to the user. Call it once, with the whole answer.', inputSchema: output.jsonSchema }, whole)]
}

function modeOf(request: UpstreamRequest, { names, traits, notes }: Encoding): Block | undefined {
  const { toolChoice, tools = [] } = request
  if (typeof toolChoice === 'object') return { mode: 'ANY', allowedFunctionNames: [names.wire(toolChoice.name)] }
  if (names.output !== undefined) return { mode: 'ANY', ...(toolChoice === 'none' && { allowedFunctionNames: [names.output] }) }
  if (toolChoice === 'required') return { mode: 'ANY' }
  if (toolChoice === 'none') return { mode: 'NONE' }
  if (!tools.some(tool => 'name' in tool && tool.strict === true)) return toolChoice === undefined ? undefined : { mode: 'AUTO' }
  if (traits.jsonSchema) return { mode: 'VALIDATED' }
  notes.add('unsupported', 'The model cannot be held to a tool schema; `strict` was left out.', 'tools')
  return toolChoice === undefined ? undefined : { mode: 'AUTO' }
}

/** `tools` and `toolConfig`. */
export function toolFields(request: UpstreamRequest, encoding: Encoding, whole: boolean): Block {
  const { names, notes, target } = encoding
  const own: Block[] = []
  const functions: Block[] = []
  for (const tool of request.tools ?? []) {
    if ('name' in tool) functions.push(declaration({ ...tool, name: names.wire(tool.name) }, whole))
    else {
      const block = verbatim(tool.providerData, DIALECT, target.provider)
      if (block === undefined) notes.add('unsupported', 'A provider tool of another dialect was left out.', 'tools')
      else own.push(block)
    }
  }
  functions.push(...outputFunction(request, encoding, whole))
  const tools = [...(functions.length > 0 ? [{ functionDeclarations: functions }] : []), ...own]
  if (request.parallelToolCalls === false && functions.length > 0) notes.add('unsupported', 'This dialect cannot be limited to one tool call at a time; `parallelToolCalls` was left out.', 'parallelToolCalls')
  if (functions.length === 0) {
    if (request.toolChoice !== undefined && request.toolChoice !== 'none' && request.toolChoice !== 'auto') notes.add('unsupported', '`toolChoice` was left out, because there are no tools.', 'toolChoice')
    return tools.length > 0 ? { tools } : {}
  }
  const mode = modeOf(request, encoding)
  return { tools, ...(mode !== undefined && { toolConfig: { functionCallingConfig: mode } }) }
}
