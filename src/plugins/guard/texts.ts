import { GatewayError } from '../../protocol/errors.js'
import { MAX_JSON_DEPTH } from '../../protocol/json.js'
import type { Message, Part, UpstreamRequest } from '../../protocol/request.js'

/** Words that say how a tool or a schema is built, and nothing about anything. */
const PLAIN = new Set(
  'name description inputSchema strict cacheControl ttl providerData type object string number integer boolean array null properties required items prefixItems enum const default title examples format pattern anyOf oneOf allOf not additionalProperties patternProperties minimum maximum minLength maxLength minItems maxItems uniqueItems $ref $defs definitions $schema'.split(
    ' ',
  ),
)

/** Is shown each text; what it says ends the walk. */
export type Visit = (text: string) => string | undefined
export type Role = Message['role']

/**
 * Shows every text a request holds until one is answered for: messages, parts, names, inputs of tool calls, tools, schemas and
 * options of dialects. Bytes, pictures and sounds are not text. With `roles` only the messages of these.
 */
export function inRequest({ messages, tools, output, stop, providerOptions }: UpstreamRequest, visit: Visit, roles?: ReadonlySet<Role>): string | undefined {
  for (const message of messages) {
    if (roles !== undefined && !roles.has(message.role)) continue
    const found = inMessage(message, visit)
    if (found !== undefined) return found
  }
  if (roles !== undefined) return undefined
  const unlessPlain: Visit = text => (PLAIN.has(text) ? undefined : visit(text))
  return inJson([tools, output?.jsonSchema], unlessPlain) ?? inJson([stop, providerOptions], visit)
}

function inMessage(message: Message, visit: Visit): string | undefined {
  const named = message.role === 'user' && message.name !== undefined ? visit(message.name) : undefined
  if (named !== undefined) return named
  if (typeof message.content === 'string') return visit(message.content)
  for (const part of message.content) {
    const found = inPart(part, visit)
    if (found !== undefined) return found
  }
  return undefined
}

function inPart(part: Part, visit: Visit): string | undefined {
  // What goes to one dialect in place of the part is a text like any other.
  const own = part.providerData === undefined ? undefined : inJson(part.providerData, visit)
  if (own !== undefined) return own
  if ('text' in part) return visit(part.text) ?? ('citations' in part ? inJson(part.citations, visit) : undefined)
  if (part.type === 'tool-call') return visit(part.name) ?? inJson(part.input, visit) ?? inJson(part.arguments, visit)
  return part.type === 'file' ? inJson(part.filename, visit) : undefined
}

/** Every name and every text in what JSON can hold. */
export function inJson(value: unknown, visit: Visit, depth = 0): string | undefined {
  if (typeof value === 'string') return visit(value)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return undefined
  if (depth > MAX_JSON_DEPTH) throw new GatewayError('refused', `The request is nested deeper than ${MAX_JSON_DEPTH} levels, so a guard could not look at it.`, { origin: 'caller' })
  if (value instanceof URL) return visit(value.href)
  for (const [key, inner] of Object.entries(value)) {
    const found = (Array.isArray(value) ? undefined : visit(key)) ?? inJson(inner, visit, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}
