import { fitToolId, type ToolIdRule } from '../../protocol/conversation.js'
import { stringAt } from '../../protocol/json.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import { own } from './own.js'

/** What a dialect accepts as the name of a tool. */
export interface NameRule {
  readonly pattern: RegExp
  /** The characters it refuses; global. */
  readonly strange: RegExp
}
/** Tool names as they travel. The same request gives the same names, so a decoder can work them out again. */
export interface ToolNames {
  wire(name: string): string
  original(wire: string): string
  /** True of a name that travels in this request. */
  taken(wire: string): boolean
  /** A name that no tool has: `stem`, or `stem_2` and so on. */
  free(stem: string): string
}

/** What most dialects accept as the name, and as the id of a call. */
const TOOL_NAME: NameRule = { pattern: /^[a-zA-Z0-9_-]{1,64}$/, strange: /[^a-zA-Z0-9_-]/g }
export const TOOL_ID: ToolIdRule = { pattern: TOOL_NAME.pattern, alphabet: 'abcdefghijklmnopqrstuvwxyz0123456789', length: 24 }
const SUFFIX: ToolIdRule = { pattern: /(?!)/, alphabet: TOOL_ID.alphabet, length: 8 }

function numbered(stem: string, taken: ReadonlySet<string>): string {
  let out = stem
  for (let i = 2; taken.has(out); i++) out = `${stem}_${i}`
  return out
}

function fitted(name: string, { pattern, strange }: NameRule, taken: ReadonlySet<string>): string {
  const suffixed = `${name.replace(strange, '_').slice(0, 50)}_${fitToolId(name, SUFFIX)}`
  return numbered(pattern.test(suffixed) ? suffixed : `t_${suffixed}`, taken)
}

/** Names of tools that the messages call. */
export function calledNames({ messages }: Pick<UpstreamRequest, 'messages'>): string[] {
  return messages.flatMap(message => (message.role === 'assistant' && typeof message.content !== 'string' ? message.content.flatMap(part => (part.type === 'tool-call' ? [part.name] : [])) : []))
}

/** The names of a request: of its tools, of blocks the caller wrote for this dialect, and of calls in its messages. */
export function namesIn(request: UpstreamRequest, dialect: string): string[] {
  const given = (request.tools ?? []).flatMap(tool => {
    const name = 'name' in tool ? tool.name : stringAt(own(tool.providerData, dialect)?.['block'], 'name')
    return name === undefined ? [] : [name]
  })
  return [...given, ...calledNames(request)]
}

/** Maps names that a dialect refuses to ones it takes, each to one of its own. */
export function fitNames(names: readonly string[], rule = TOOL_NAME): ToolNames {
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
  return { wire: name => there.get(name) ?? name, original: wire => back.get(wire) ?? wire, taken: wire => taken.has(wire), free: stem => numbered(stem, taken) }
}
