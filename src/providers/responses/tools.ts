import type { ProviderTool, ResolvedTool, UpstreamRequest } from '../../protocol/request.js'
import { verbatim, type Block } from '../common/own.js'
import { allowsStrict } from '../openai/schema.js'
import type { Encoding } from './encoding.js'
import { DIALECT } from './writer.js'

function blockOf(tool: ResolvedTool | ProviderTool, at: number, { quirks, target, names, notes }: Encoding): Block | undefined {
  if (!('name' in tool)) {
    const block = verbatim(tool.providerData, DIALECT, target.provider)
    if (block === undefined) notes.add('dropped', `A tool of another provider was left out: it has no block for "${DIALECT}" or for this provider.`, `tools[${at}]`)
    return block
  }
  const known = quirks.strict !== false
  const strict = tool.strict === true && known && allowsStrict(tool.inputSchema)
  if (tool.strict === true && !strict) notes.add('changed', `strict was left out of a tool: ${known ? 'its schema does not close every object and require every property' : 'this provider does not know it'}.`, `tools[${at}].strict`)
  return {
    type: 'function',
    name: names.wire(tool.name),
    ...(tool.description !== undefined && { description: tool.description }),
    parameters: tool.inputSchema,
    // Left out, it would mean that the server may make optional properties required.
    ...(known && { strict }),
  }
}

function choiceOf(choice: NonNullable<UpstreamRequest['toolChoice']>, tools: readonly Block[], { names }: Encoding): string | Block {
  if (typeof choice === 'string') return choice
  const own = tools.find(tool => tool['type'] !== 'function' && (tool['name'] ?? tool['type']) === choice.name)
  if (own === undefined) return { type: 'function', name: names.wire(choice.name) }
  return own['name'] === undefined ? { type: own['type'] } : { type: own['type'], name: own['name'] }
}

/** The fields about tools. */
export function toolsOf(request: UpstreamRequest, encoding: Encoding): Block {
  const { toolChoice, parallelToolCalls } = request
  const tools: Block[] = (request.tools ?? []).map((tool, at) => blockOf(tool, at, encoding)).filter(block => block !== undefined)
  if (tools.length === 0) {
    if (toolChoice !== undefined && toolChoice !== 'auto' && toolChoice !== 'none') encoding.notes.add('unsupported', 'toolChoice was left out: the request has no tools.', 'toolChoice')
    return {}
  }
  return {
    tools,
    ...(toolChoice !== undefined && { tool_choice: choiceOf(toolChoice, tools, encoding) }),
    ...(parallelToolCalls !== undefined && { parallel_tool_calls: parallelToolCalls }),
  }
}

/** The shape of the answer. */
export function formatOf({ output }: UpstreamRequest, { quirks }: Encoding): Block {
  if (output === undefined) return {}
  const strict = quirks.strict !== false && allowsStrict(output.jsonSchema)
  return { text: { format: { type: 'json_schema', name: output.name.replace(/[^\w-]/g, '_').slice(0, 64) || 'output', schema: output.jsonSchema, ...(strict && { strict }) } } }
}
