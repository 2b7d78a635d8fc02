import { fitToolId, type ToolIdRule } from '../../protocol/conversation.js'
import { stringAt } from '../../protocol/json.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import { own } from './own.js'

const NAME = /^[a-zA-Z0-9_-]{1,64}$/
const ALWAYS: ToolIdRule = { pattern: /(?!)/, alphabet: 'abcdefghijklmnopqrstuvwxyz0123456789', length: 8 }

/** Tool names as they travel. The same request gives the same names, so the decoder can work them out again. */
export interface ToolNames {
  wire(name: string): string
  original(wire: string): string
  /** True of a name that travels in this request. */
  taken(wire: string): boolean
}

function fitted(name: string, taken: ReadonlySet<string>): string {
  const stem = name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 50)
  const base = `${stem}_${fitToolId(name, ALWAYS)}`
  let out = base
  for (let i = 2; taken.has(out); i++) out = `${base}_${i}`
  return out
}

function namesIn({ tools = [], messages }: UpstreamRequest, dialect: string): string[] {
  const given = tools.flatMap(tool => {
    const name = 'name' in tool ? tool.name : stringAt(own(tool.providerData, dialect)?.['block'], 'name')
    return name === undefined ? [] : [name]
  })
  const called = messages.flatMap(message => (message.role === 'assistant' && typeof message.content !== 'string' ? message.content.flatMap(part => (part.type === 'tool-call' ? [part.name] : [])) : []))
  return [...given, ...called]
}

/** Fits the tool names of a request to letters, digits, `_` and `-`, 64 of them at the most. */
export function toolNames(request: UpstreamRequest, dialect: string): ToolNames {
  const names = namesIn(request, dialect)
  const taken = new Set(names.filter(name => NAME.test(name)))
  const there = new Map<string, string>()
  const back = new Map<string, string>()
  for (const name of names) {
    if (NAME.test(name) || there.has(name)) continue
    const wire = fitted(name, taken)
    taken.add(wire)
    there.set(name, wire)
    back.set(wire, name)
  }
  return { wire: name => there.get(name) ?? name, original: wire => back.get(wire) ?? wire, taken: wire => taken.has(wire) }
}
