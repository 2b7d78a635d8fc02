import { fitToolId, type ToolIdRule } from '../../protocol/conversation.js'
import { stringAt } from '../../protocol/json.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import { own } from './own.js'

const SUFFIX: ToolIdRule = { pattern: /(?!)/, alphabet: 'abcdefghijklmnopqrstuvwxyz0123456789', length: 8 }

/** Tool names as they travel. The same request gives the same names, so a decoder can work them out again. */
export interface ToolNames {
  wire(name: string): string
  original(wire: string): string
  /** A name that no tool has: `stem`, or `stem_2` and so on. */
  free(stem: string): string
}

function fitted(name: string, pattern: RegExp, taken: ReadonlySet<string>): string {
  const stem = name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 50)
  const suffixed = `${stem}_${fitToolId(name, SUFFIX)}`
  const base = pattern.test(suffixed) ? suffixed : `_${suffixed}`
  let out = base
  for (let i = 2; taken.has(out); i++) out = `${base}_${i}`
  return out
}

function namesIn(request: UpstreamRequest, dialect: string): string[] {
  const tools = (request.tools ?? []).flatMap(tool => {
    if ('name' in tool) return [tool.name]
    const name = stringAt(own(tool.providerData, dialect)?.['block'], 'name')
    return name === undefined ? [] : [name]
  })
  const calls = request.messages.flatMap(message => (message.role === 'assistant' && typeof message.content !== 'string' ? message.content.flatMap(part => (part.type === 'tool-call' ? [part.name] : [])) : []))
  return [...tools, ...calls]
}

/** Maps the names of a request that `pattern` refuses to ones it takes, of at most 64 characters. */
export function fitNames(request: UpstreamRequest, dialect: string, pattern: RegExp): ToolNames {
  const names = namesIn(request, dialect)
  const taken = new Set(names.filter(name => pattern.test(name)))
  const there = new Map<string, string>()
  const back = new Map<string, string>()
  for (const name of names) {
    if (pattern.test(name) || there.has(name)) continue
    const wire = fitted(name, pattern, taken)
    taken.add(wire)
    there.set(name, wire)
    back.set(wire, name)
  }
  return {
    wire: name => there.get(name) ?? name,
    original: wire => back.get(wire) ?? wire,
    free: stem => {
      let out = stem
      for (let i = 2; taken.has(out); i++) out = `${stem}_${i}`
      return out
    },
  }
}
