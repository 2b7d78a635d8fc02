import { isObject, tryParseJson } from '../../protocol/json.js'
import type { Message, Part, ProviderData, ProviderTool, ResolvedTool, ToolCallPart, UpstreamRequest } from '../../protocol/request.js'
import type { PiiDirection } from './actions.js'
import { mapLeaves } from './leaves.js'

/** Where a text stands in a request. */
export interface Where {
  /** Such as `messages[2].content[0].text`. */
  readonly position: string
  readonly direction: PiiDirection
  /** The name it stands under. */
  readonly key?: string
  /** `name`: brackets are not allowed there. `fixed`: the developer's own words, which are reported and never changed. */
  readonly form?: 'name' | 'fixed'
}
/** Looks at one text of a request, and gives what it becomes. */
export interface Visitor {
  text(text: string, where: Where): string
  /** Something that cannot be searched: an image, a file, a recording. */
  opaque(mediaType: string, position: string): void
  /** Reasoning as the upstream wrote it, by what the caller was given. */
  reasoning(text: string): string | undefined
}

/** Visits every text of a request that goes upstream, in the order of its messages; the same request where nothing changes. */
export function mapRequest(request: UpstreamRequest, visitor: Visitor): UpstreamRequest {
  const messages = mapped(request.messages, (message, at) => messageOf(message, `messages[${at}]`, visitor))
  const providerOptions = leavesOf(request.providerOptions, 'providerOptions', 'input', visitor)
  request.tools?.forEach((tool, at) => lookAtTool(tool, `tools[${at}]`, visitor))
  lookAt(request.output?.jsonSchema, 'output.jsonSchema', visitor)
  lookAt(request.stop, 'stop', visitor)
  if (messages === request.messages && providerOptions === request.providerOptions) return request
  return { ...request, messages, ...(providerOptions !== undefined && { providerOptions }) }
}

function mapped<T>(list: readonly T[], change: (item: T, at: number) => T): readonly T[] {
  let made: T[] | undefined
  list.forEach((item, at) => {
    const given = change(item, at)
    if (given !== item) (made ??= [...list])[at] = given
  })
  return made ?? list
}

function leavesOf<T>(value: T, position: string, direction: PiiDirection, visitor: Visitor): T {
  return mapLeaves(value, position, (text, path, key) => visitor.text(text, { position: path, direction, ...(key !== '' && { key }) })) as T
}

/** What the developer wrote: told, not changed. */
function lookAt(value: unknown, position: string, visitor: Visitor): void {
  mapLeaves(value, position, (text, path, key) => {
    visitor.text(text, { position: path, direction: 'input', form: 'fixed', ...(key !== '' && { key }) })
    return text
  })
}

function lookAtTool(tool: ResolvedTool | ProviderTool, position: string, visitor: Visitor): void {
  if ('providerData' in tool) return lookAt(tool.providerData, `${position}.providerData`, visitor)
  lookAt(tool.description, `${position}.description`, visitor)
  lookAt(tool.inputSchema, `${position}.inputSchema`, visitor)
}

function messageOf(message: Message, position: string, visitor: Visitor): Message {
  const direction: PiiDirection = message.role === 'tool' ? 'toolResults' : 'input'
  const at = `${position}.content`
  // Its own words come back to the upstream that wrote them; the caller's are the caller's.
  const own = message.role === 'assistant' && message.origin !== undefined
  const content: Message['content'] =
    typeof message.content === 'string'
      ? visitor.text(message.content, { position: at, direction })
      : mapped<Part>(message.content, (part, index) => partOf(part, `${at}[${index}]`, direction, own, visitor)) as Message['content']
  let made = content === message.content ? message : ({ ...message, content } as Message)
  if (made.role === 'user' && made.name !== undefined) {
    const name = visitor.text(made.name, { position: `${position}.name`, direction, form: 'name' })
    if (name !== made.name) made = { ...made, name }
  }
  return made
}

function partOf(part: Part, position: string, direction: PiiDirection, own: boolean, visitor: Visitor): Part {
  const made = contentOf(part, position, direction, own, visitor)
  if (own || made.providerData === undefined) return made
  const providerData: ProviderData = leavesOf(made.providerData, `${position}.providerData`, direction, visitor)
  return providerData === made.providerData ? made : { ...made, providerData }
}

function contentOf(part: Part, position: string, direction: PiiDirection, own: boolean, visitor: Visitor): Part {
  switch (part.type) {
    case 'text':
      return changed(changed(part, 'text', visitor.text(part.text, { position: `${position}.text`, direction })), 'citations', leavesOf(part.citations, `${position}.citations`, direction, visitor))
    case 'reasoning':
      return changed(part, 'text', (own ? visitor.reasoning(part.text) : undefined) ?? visitor.text(part.text, { position: `${position}.text`, direction }))
    case 'refusal':
      return changed(part, 'text', visitor.text(part.text, { position: `${position}.text`, direction }))
    case 'tool-call':
      return callOf(part, position, visitor)
    case 'image':
      return changed(part, 'image', sourceOf(part.image, part.mediaType ?? 'image/*', `${position}.image`, direction, visitor))
    case 'file':
      return fileOf(part, position, direction, visitor)
    case 'audio':
      visitor.opaque(`audio/${part.format}`, `${position}.data`)
      return part
  }
}

function changed<P extends Part, K extends keyof P>(part: P, key: K, value: P[K]): P {
  return value === part[key] ? part : { ...part, [key]: value }
}

function fileOf(part: Extract<Part, { type: 'file' }>, position: string, direction: PiiDirection, visitor: Visitor): Part {
  const made = changed(part, 'data', sourceOf(part.data, part.mediaType, `${position}.data`, direction, visitor))
  if (made.filename === undefined) return made
  return changed(made, 'filename', visitor.text(made.filename, { position: `${position}.filename`, direction, form: 'name' }))
}

/** An address is text; what is behind it, and bytes, are not searched. */
function sourceOf<T extends string | URL | Uint8Array>(source: T, mediaType: string, position: string, direction: PiiDirection, visitor: Visitor): T {
  visitor.opaque(mediaType, position)
  const text = source instanceof URL ? source.href : typeof source === 'string' && /^https?:/i.test(source) ? source : undefined
  if (text === undefined) return source
  const given = visitor.text(text, { position, direction })
  return given === text ? source : (given as T)
}

function callOf(part: ToolCallPart, position: string, visitor: Visitor): ToolCallPart {
  const made = changed(part, 'input', leavesOf(part.input, `${position}.input`, 'toolArguments', visitor))
  if (part.arguments === undefined) return made
  const parsed = tryParseJson(part.arguments)
  const at = `${position}.arguments`
  if (!isObject(parsed) && !Array.isArray(parsed)) return changed(made, 'arguments', visitor.text(part.arguments, { position: at, direction: 'toolArguments' }))
  const given = leavesOf(parsed, at, 'toolArguments', visitor)
  return given === parsed ? made : { ...made, arguments: JSON.stringify(given) }
}
