import { fitToolId, type ToolIdRule } from '../../protocol/conversation.js'
import { isObject, stringAt } from '../../protocol/json.js'
import type { Target } from '../../protocol/ports.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import { traitsOf } from './models.js'

/** What this dialect accepts as the id of a tool call. */
export const TOOL_ID: ToolIdRule = { pattern: /^[a-zA-Z0-9_-]{1,64}$/, alphabet: 'abcdefghijklmnopqrstuvwxyz0123456789', length: 24 }
const ALWAYS: ToolIdRule = { pattern: /(?!)/, alphabet: TOOL_ID.alphabet, length: 8 }

/** Tool names as they travel. The same request gives the same names, so the decoder can work them out again. */
export interface Names {
  wire(name: string): string
  original(wire: string): string
  /** The tool that stands in for a JSON schema, where the model takes none. */
  readonly output?: string
}

function fitted(name: string, taken: ReadonlySet<string>): string {
  const stem = name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 50)
  const base = `${stem}_${fitToolId(name, ALWAYS)}`
  let out = base
  for (let i = 2; taken.has(out); i++) out = `${base}_${i}`
  return out
}

function namesIn(request: UpstreamRequest): string[] {
  const tools = (request.tools ?? []).flatMap(tool => {
    if ('name' in tool) return [tool.name]
    const data = tool.providerData['anthropic']
    const name = stringAt(isObject(data) ? data['block'] : undefined, 'name')
    return name === undefined ? [] : [name]
  })
  const calls = request.messages.flatMap(message => (message.role === 'assistant' && typeof message.content !== 'string' ? message.content.flatMap(part => (part.type === 'tool-call' ? [part.name] : [])) : []))
  return [...tools, ...calls]
}

/** True where the schema of the answer has to travel as a tool. */
function needsOutputTool(request: UpstreamRequest, target: Target): boolean {
  return request.output !== undefined && !(target.capabilities.jsonSchema ?? traitsOf(target.model).jsonSchema)
}

export function namesOf(request: UpstreamRequest, target: Target): Names {
  const names = namesIn(request)
  const taken = new Set(names.filter(name => TOOL_ID.pattern.test(name)))
  const there = new Map<string, string>()
  const back = new Map<string, string>()
  for (const name of names) {
    if (TOOL_ID.pattern.test(name) || there.has(name)) continue
    const wire = fitted(name, taken)
    taken.add(wire)
    there.set(name, wire)
    back.set(wire, name)
  }
  let output = 'json'
  for (let i = 2; taken.has(output); i++) output = `json_${i}`
  return {
    wire: name => there.get(name) ?? name,
    original: wire => back.get(wire) ?? wire,
    ...(needsOutputTool(request, target) && { output }),
  }
}
