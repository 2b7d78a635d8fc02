import type { Warning } from '../../protocol/events.js'
import type { HttpCall, Target, Wire } from '../../protocol/ports.js'
import type { ProviderTool, ResolvedTool, UpstreamRequest } from '../../protocol/request.js'
import { schemaPrompt } from '../common/output.js'
import { urlOf } from '../common/url.js'
import type { Block } from './media.js'
import { cached, encodeMessages, verbatim, type Encoding } from './messages.js'
import { familyOf } from './models.js'
import { namesOf } from './names.js'
import type { Quirks } from './quirks.js'
import { encodeReasoning, reasons } from './reasoning.js'
import { allowsStrict } from './schema.js'

type Field = keyof UpstreamRequest

const NOTHING: Block = Object.freeze({})

function dropped(parameter: string, message: string): Warning {
  return { code: 'unsupported', message, parameter }
}

function encodeTool(tool: ResolvedTool | ProviderTool, at: number, encoding: Encoding): Block | undefined {
  const { names, quirks, target, warnings } = encoding
  if (!('name' in tool)) {
    const block = verbatim(tool.providerData, target)
    if (block === undefined) warnings.push({ code: 'dropped', message: `A tool of another provider was left out: it has no block for "openai" or for this provider.`, parameter: `tools[${at}]` })
    return block
  }
  const strict = tool.strict === true && quirks.strict !== false
  const fits = strict && allowsStrict(tool.inputSchema)
  if (tool.strict === true && !fits) {
    const why = strict ? 'its schema does not close every object and require every property' : 'this provider does not know it'
    warnings.push({ code: 'changed', message: `strict was left out of a tool: ${why}.`, parameter: `tools[${at}].strict` })
  }
  return {
    type: 'function',
    function: { name: names.wire(tool.name), ...(tool.description !== undefined && { description: tool.description }), parameters: tool.inputSchema, ...(fits && { strict: true }) },
    ...cached(tool.cacheControl, encoding),
  }
}

function encodeChoice(choice: NonNullable<UpstreamRequest['toolChoice']>, { names, quirks, warnings }: Encoding): Block {
  const none = (message: string) => {
    warnings.push(dropped('toolChoice', message))
    return {}
  }
  // Where there is no word for choosing, the default is what auto means.
  if (choice === 'auto') return quirks.required === null ? {} : { tool_choice: 'auto' }
  if (choice === 'none') return { tool_choice: 'none' }
  if (choice === 'required') return quirks.required === null ? none('This provider cannot be made to call a tool; the model chooses.') : { tool_choice: quirks.required ?? 'required' }
  if (quirks.namedTool === false) return none('This provider cannot be made to call one tool; the model chooses.')
  return { tool_choice: { type: 'function', function: { name: names.wire(choice.name) } } }
}

function encodeTools(request: UpstreamRequest, encoding: Encoding): Block {
  const { quirks, warnings } = encoding
  if (request.tools === undefined || request.tools.length === 0) {
    if (request.toolChoice !== undefined && request.toolChoice !== 'auto' && request.toolChoice !== 'none') warnings.push(dropped('toolChoice', 'toolChoice was left out: the request has no tools.'))
    return NOTHING
  }
  if (quirks.tools === false) {
    warnings.push(dropped('tools', 'This provider has no tools; they were left out.'))
    return {}
  }
  // A server without tool_choice calls nothing only where it is shown nothing.
  if (quirks.required === null && quirks.namedTool === false && request.toolChoice === 'none') return {}
  const tools = request.tools.flatMap((tool, at) => encodeTool(tool, at, encoding) ?? [])
  if (tools.length === 0) return {}
  return {
    tools,
    ...(request.toolChoice !== undefined && encodeChoice(request.toolChoice, encoding)),
    ...(request.parallelToolCalls !== undefined && { parallel_tool_calls: request.parallelToolCalls }),
  }
}

function encodeOutput({ output }: UpstreamRequest, messages: Block[], { quirks, warnings }: Encoding): Block {
  if (output === undefined) return NOTHING
  if (quirks.output === 'json_object') {
    warnings.push({ code: 'changed', message: 'This provider takes no schema for its answer; the schema was added to the prompt.', parameter: 'output' })
    const lead = { role: 'system', content: schemaPrompt(output.jsonSchema) }
    const first = messages.findIndex(message => message['role'] !== 'system')
    messages.splice(first === -1 ? messages.length : first, 0, lead)
    return { response_format: { type: 'json_object' } }
  }
  const name = output.name.replace(/[^\w-]/g, '_').slice(0, 64) || 'output'
  const strict = quirks.strict !== false && allowsStrict(output.jsonSchema)
  return { response_format: { type: 'json_schema', json_schema: { name, schema: output.jsonSchema, ...(strict && { strict: true }) } } }
}

/** The plain parameters under their names on the wire, where all servers have the same. */
const PARAMETERS: readonly (readonly [Field, string])[] = [
  ['maxOutputTokens', 'max_tokens'],
  ['temperature', 'temperature'],
  ['topP', 'top_p'],
  ['topK', 'top_k'],
  ['stop', 'stop'],
  ['seed', 'seed'],
  ['frequencyPenalty', 'frequency_penalty'],
  ['presencePenalty', 'presence_penalty'],
]

function nameOf(field: Field, name: string, quirks: Quirks): string {
  if (field === 'maxOutputTokens') return quirks.maxTokens ?? name
  return field === 'seed' ? (quirks.seed ?? name) : name
}

function encodeSampling(out: Block, request: UpstreamRequest, { quirks, family, warnings }: Encoding): void {
  const refused = (field: Field): boolean => {
    if (family.refuses.includes(field)) {
      warnings.push(dropped(field, `This model does not take ${field} while it reasons; it was left out.`))
      return true
    }
    if (quirks.unsupported?.includes(field) !== true && (field !== 'topK' || quirks.topK === true)) return false
    warnings.push(dropped(field, `This provider does not take ${field}; it was left out.`))
    return true
  }
  for (const [field, name] of PARAMETERS) {
    if (request[field] !== undefined && !refused(field)) out[nameOf(field, name, quirks)] = request[field]
  }
  const { logprobs } = request
  if (logprobs !== undefined && logprobs !== false && !refused('logprobs')) {
    out['logprobs'] = true
    if (typeof logprobs === 'number') out['top_logprobs'] = logprobs
  }
}

/** The list of models: nobody bills it. */
export function probe(target: Target): HttpCall {
  return { method: 'GET', url: urlOf(target, '/models'), headers: { accept: 'application/json', ...target.headers } }
}

/** By assignment: an object that is spread together is made the slow way, at each call. */
function add(body: Block, more: Readonly<Record<string, unknown>> | undefined): void {
  if (more === undefined) return
  for (const key in more) if (Object.hasOwn(more, key)) body[key] = more[key]
}

/** Builds one request of the dialect. */
export function encode(request: UpstreamRequest, target: Target, wire: Wire, quirks: Quirks): { call: HttpCall; warnings: Warning[] } {
  const encoding: Encoding = { quirks, target, family: familyOf(target.model, request, quirks), names: namesOf(request), warnings: [] }
  const messages = encodeMessages(request, encoding)
  // The answer is told apart by what it holds, so a stream may come where one body was expected.
  const stream = wire === 'stream' || (quirks.streamedReasoning === true && reasons(request))
  const options = request.providerOptions
  const body: Block = { model: target.model, messages }
  if (stream) {
    body['stream'] = true
    if (quirks.streamUsage !== false) body['stream_options'] = { include_usage: true }
  }
  add(body, encodeTools(request, encoding))
  add(body, encodeOutput(request, messages, encoding))
  encodeSampling(body, request, encoding)
  add(body, encodeReasoning(request.reasoning, encoding))
  add(body, quirks.extra)
  add(body, options?.['openai'])
  add(body, options?.[target.provider])
  const accept = stream ? 'text/event-stream' : 'application/json'
  const headers = target.headers === undefined ? { 'content-type': 'application/json', accept } : { 'content-type': 'application/json', accept, ...target.headers }
  return { call: { method: 'POST', url: urlOf(target, '/chat/completions'), headers, body: JSON.stringify(body) }, warnings: encoding.warnings }
}
