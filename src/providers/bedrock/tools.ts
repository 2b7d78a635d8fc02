import type { ResolvedTool, UpstreamRequest } from '../../protocol/request.js'
import { calledNames } from '../common/names.js'
import type { Notes } from '../common/notes.js'
import { verbatim, type Block } from '../common/own.js'
import type { ContentWriter } from './content.js'
import type { Traits } from './models.js'
import { DIALECT, type Names } from './names.js'

/** What a request says of tools. */
export interface ToolPlan {
  readonly tools: Block[]
  readonly choice?: Block
  /** The choice as the makers of Claude write it, where it says what `toolChoice` cannot. */
  readonly single?: Block
  /** The model must call a tool. */
  readonly forced: boolean
}
interface Ask {
  readonly request: UpstreamRequest
  readonly provider: string
  readonly names: Names
  readonly traits: Traits
  readonly content: Pick<ContentWriter, 'mark'>
  readonly notes: Notes
}

function toolSpec(tool: ResolvedTool, { names, traits, notes }: Ask): Block {
  const described = tool.description !== undefined && tool.description.trim() !== ''
  if (tool.strict === true && !traits.strict) notes.add('unsupported', 'The model cannot be held to a tool schema here; `strict` was left out.', 'tools')
  return { toolSpec: { name: names.wire(tool.name), ...(described && { description: tool.description }), inputSchema: { json: { type: 'object', ...tool.inputSchema } }, ...(tool.strict === true && traits.strict && { strict: true }) } }
}

function givenTools(ask: Ask): Block[] {
  const { request, provider, traits, content, notes } = ask
  const { toolChoice } = request
  if (toolChoice === 'none') return []
  const only = typeof toolChoice === 'object' && traits.force === 'any' ? toolChoice.name : undefined
  const out: Block[] = []
  for (const tool of request.tools ?? []) {
    if ('name' in tool) {
      if (only !== undefined && tool.name !== only) continue
      out.push(toolSpec(tool, ask))
      content.mark(out, tool.cacheControl)
      continue
    }
    const block = verbatim(tool.providerData, DIALECT, provider)
    if (block === undefined) notes.add('unsupported', 'A provider tool of another dialect was left out.', 'tools')
    else out.push(block)
  }
  return out
}

// A conversation in which tools were used is refused where no tool is named.
function stubs({ request, names, notes }: Ask): Block[] {
  const used = [...new Set(calledNames(request))]
  if (used.length === 0) return []
  notes.add('changed', 'Tools were used earlier in the conversation, so Bedrock wants them named: they were sent as no longer available.', 'tools')
  return used.map(name => ({ toolSpec: { name: names.wire(name), description: 'Was used earlier in this conversation. It is no longer available: do not call it.', inputSchema: { json: { type: 'object' } } } }))
}

function answerTool({ request: { output }, names, notes }: Ask): Block[] {
  if (output === undefined || names.output === undefined) return []
  notes.add('changed', `The model takes no JSON schema for its answer; it is asked for through a tool named "${names.output}".`, 'output')
  return [{ toolSpec: { name: names.output, description: 'Gives the final answer to the user. Call it once, with the whole answer.', inputSchema: { json: { type: 'object', ...output.jsonSchema } } } }]
}

function wantedChoice({ request: { toolChoice }, names }: Ask, given: number): Block | undefined {
  if (typeof toolChoice === 'object') return { tool: { name: names.wire(toolChoice.name) } }
  // With tools of the caller's in play, the answer tool is one of several that may be called.
  if (names.output !== undefined) return given > 0 ? { any: {} } : { tool: { name: names.output } }
  if (toolChoice === 'required') return { any: {} }
  return toolChoice === 'auto' ? { auto: {} } : undefined
}

function fittedChoice(wanted: Block | undefined, { traits, notes }: Ask): Block | undefined {
  if (wanted === undefined || wanted['auto'] !== undefined) return wanted
  if (traits.force === 'any') return { any: {} }
  if (traits.force === 'named') return wanted
  notes.add('changed', 'The model cannot be made to call a tool; the choice is left to it.', 'toolChoice')
  return undefined
}

function singleOf(choice: Block | undefined): Block {
  const named = choice?.['tool'] as { readonly name: string } | undefined
  return { type: named !== undefined ? 'tool' : choice?.['any'] !== undefined ? 'any' : 'auto', ...named, disable_parallel_tool_use: true }
}

/** Tools and choice; stubs of the tools that were used where the request has none. */
export function toolsOf(ask: Ask): ToolPlan {
  const { request, traits, notes } = ask
  const given = givenTools(ask)
  const tools = [...given, ...answerTool(ask)]
  if (tools.length === 0) {
    if (request.toolChoice === 'required' || typeof request.toolChoice === 'object') notes.add('unsupported', '`toolChoice` was left out, because there are no tools.', 'toolChoice')
    return { tools: stubs(ask), forced: false }
  }
  const choice = fittedChoice(wantedChoice(ask, given.length), ask)
  const forced = choice !== undefined && choice['auto'] === undefined
  if (request.parallelToolCalls === false && traits.claude !== undefined) return { tools, single: singleOf(choice), forced }
  if (request.parallelToolCalls === false) notes.add('unsupported', 'The model cannot be kept from calling several tools at once; `parallelToolCalls` was left out.', 'parallelToolCalls')
  return { tools, ...(choice !== undefined && { choice }), forced }
}
