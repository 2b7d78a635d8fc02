import { fitToolId, type ToolIdRule } from '../../protocol/conversation.js'
import type { UpstreamRequest } from '../../protocol/request.js'

/** What several dialects accept as the id and as the name of a tool. */
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

/** Names of tools the messages call. */
export function calledNames({ messages }: UpstreamRequest): string[] {
  return messages.flatMap(message => (message.role === 'assistant' && typeof message.content !== 'string' ? message.content.flatMap(part => (part.type === 'tool-call' ? [part.name] : [])) : []))
}

/** Fits names into {@link TOOL_ID}. @param needsOutput a tool stands in for the schema of the answer. */
export function fitNames(names: readonly string[], needsOutput: boolean): Names {
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
    ...(needsOutput && { output }),
  }
}
