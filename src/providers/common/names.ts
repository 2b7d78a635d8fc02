import { fitToolId, type ToolIdRule } from '../../protocol/conversation.js'
import { isObject, stringAt } from '../../protocol/json.js'
import type { UpstreamRequest } from '../../protocol/request.js'

/** Tool names as they travel. The same request gives the same names, so the decoder can work them out again. */
export interface Names {
  wire(name: string): string
  original(wire: string): string
}
/** What a dialect accepts as the name of a tool. */
export interface NameRule {
  readonly pattern: RegExp
  /** The characters it refuses. */
  readonly strange: RegExp
}

const ALWAYS: ToolIdRule = { pattern: /(?!)/, alphabet: 'abcdefghijklmnopqrstuvwxyz0123456789', length: 8 }

function fitted(name: string, { pattern, strange }: NameRule, taken: ReadonlySet<string>): string {
  const stem = name.replace(strange, '_').slice(0, 50)
  const plain = `${stem}_${fitToolId(name, ALWAYS)}`
  const base = pattern.test(plain) ? plain : `t_${plain}`
  let out = base
  for (let i = 2; taken.has(out); i++) out = `${base}_${i}`
  return out
}

function namesIn(request: UpstreamRequest, dialect: string): string[] {
  const tools = (request.tools ?? []).flatMap(tool => {
    if ('name' in tool) return [tool.name]
    const data = tool.providerData[dialect]
    const name = stringAt(isObject(data) ? data['block'] : undefined, 'name')
    return name === undefined ? [] : [name]
  })
  const calls = request.messages.flatMap(message => (message.role === 'assistant' && typeof message.content !== 'string' ? message.content.flatMap(part => (part.type === 'tool-call' ? [part.name] : [])) : []))
  return [...tools, ...calls]
}

/** The tool names of a request, fitted to what the dialect accepts; `taken` are those on the wire. */
export function fitNames(request: UpstreamRequest, dialect: string, rule: NameRule): Names & { readonly taken: ReadonlySet<string> } {
  const names = namesIn(request, dialect)
  const taken = new Set(names.filter(name => rule.pattern.test(name)))
  const there = new Map<string, string>()
  const back = new Map<string, string>()
  for (const name of names) {
    if (rule.pattern.test(name) || there.has(name)) continue
    const wire = fitted(name, rule, taken)
    taken.add(wire)
    there.set(name, wire)
    back.set(wire, name)
  }
  return { taken, wire: name => there.get(name) ?? name, original: wire => back.get(wire) ?? wire }
}
