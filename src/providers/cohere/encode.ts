import type { Warning } from '../../protocol/events.js'
import type { Json } from '../../protocol/json.js'
import type { HttpCall, Target, Wire } from '../../protocol/ports.js'
import type { Reasoning, UpstreamRequest } from '../../protocol/request.js'
import type { ToolNames } from '../common/names.js'
import { Notes } from '../common/notes.js'
import { schemaPrompt } from '../common/output.js'
import { verbatim, type Block } from '../common/own.js'
import { urlOf } from '../common/url.js'
import { DIALECT } from './content.js'
import { messagesOf } from './messages.js'
import { namesOf } from './names.js'

const MOST_STOPS = 5

interface Tools {
  readonly list: Block[]
  readonly fields: Block
}

function toolsOf(request: UpstreamRequest, target: Target, names: ToolNames, notes: Notes): Tools {
  const { toolChoice, tools = [] } = request
  // There is no word for one tool: it is the only one shown.
  const shown = typeof toolChoice === 'object' ? tools.filter(tool => 'name' in tool && tool.name === toolChoice.name) : tools
  const list = (shown.length > 0 ? shown : tools).flatMap((tool): Block[] => {
    if ('name' in tool) return [{ type: 'function', function: { name: names.wire(tool.name), ...(tool.description !== undefined && { description: tool.description }), parameters: tool.inputSchema } }]
    const block = verbatim(tool.providerData, DIALECT, target.provider)
    if (block === undefined) notes.add('dropped', 'A provider tool of another dialect was left out.', 'tools')
    return block === undefined ? [] : [block]
  })
  if (list.length === 0) {
    if (typeof toolChoice === 'object' || toolChoice === 'required') notes.add('unsupported', '`toolChoice` was left out, because there are no tools.', 'toolChoice')
    return { list, fields: {} }
  }
  if (request.parallelToolCalls === false) notes.add('unsupported', 'Cohere cannot be held to one tool call at a time; `parallelToolCalls` was left out.', 'parallelToolCalls')
  const choice = toolChoice === 'none' ? 'NONE' : toolChoice === undefined || toolChoice === 'auto' ? undefined : 'REQUIRED'
  const strict = shown.map(tool => 'name' in tool && tool.strict === true)
  if (strict.includes(true) && strict.includes(false)) notes.add('unsupported', 'Cohere holds the model to the schemas of all tools or of none; `strict` was left out.', 'tools')
  return { list, fields: { tools: list, ...(choice !== undefined && { tool_choice: choice }), ...(strict.every(Boolean) && { strict_tools: true }) } }
}

/** A schema cannot go together with tools: then it goes into the prompt. */
function outputOf({ output }: UpstreamRequest, messages: Block[], withTools: boolean, notes: Notes): Block {
  if (output === undefined) return {}
  if (!withTools) return { response_format: { type: 'json_object', json_schema: output.jsonSchema } }
  notes.add('changed', 'Cohere takes no schema for its answer beside tools; the schema was added to the prompt.', 'output')
  const first = messages.findIndex(message => message['role'] !== 'system')
  messages.splice(first === -1 ? messages.length : first, 0, { role: 'system', content: schemaPrompt(output.jsonSchema) })
  return {}
}

function thinkingOf(reasoning: Reasoning | undefined, target: Target, notes: Notes): Block {
  const { effort, budgetTokens } = reasoning ?? {}
  if (effort === undefined && budgetTokens === undefined) return {}
  const off = effort === 'none' || (effort === undefined && budgetTokens === 0)
  if (target.capabilities.reasoning === false) {
    if (!off) notes.add('unsupported', 'The model does not reason; the wish was left out.', 'reasoning')
    return {}
  }
  if (off) return { thinking: { type: 'disabled' } }
  if (effort !== undefined) notes.add('changed', 'Cohere turns reasoning on or off, with a budget, and takes no effort; it was turned on.', 'reasoning.effort')
  return { thinking: { type: 'enabled', ...(budgetTokens !== undefined && budgetTokens > 0 && { token_budget: budgetTokens }) } }
}

/** Each number under its name on the wire, and how far it may go there. */
const NUMBERS = [
  ['maxOutputTokens', 'max_tokens', 1, Number.MAX_SAFE_INTEGER],
  ['temperature', 'temperature', 0, Number.MAX_VALUE],
  ['topP', 'p', 0.01, 0.99],
  ['topK', 'k', 0, 500],
  ['seed', 'seed', 0, Number.MAX_SAFE_INTEGER],
  ['frequencyPenalty', 'frequency_penalty', 0, 1],
  ['presencePenalty', 'presence_penalty', 0, 1],
] as const

function samplingOf(request: UpstreamRequest, notes: Notes): Block {
  const out: Block = {}
  for (const [field, name, least, most] of NUMBERS) {
    const asked = request[field]
    if (asked === undefined) continue
    const fit = Math.min(most, Math.max(least, asked))
    if (fit !== asked) notes.add('changed', `Cohere takes ${field} from ${least} to ${most}; ${fit} was sent.`, field)
    out[name] = fit
  }
  const stops = request.stop === undefined ? [] : typeof request.stop === 'string' ? [request.stop] : request.stop
  if (stops.length > MOST_STOPS) notes.add('dropped', `Cohere takes ${MOST_STOPS} stop sequences; the rest were left out.`, 'stop')
  if (stops.length > 0) out['stop_sequences'] = stops.slice(0, MOST_STOPS)
  const { logprobs } = request
  if (logprobs !== undefined && logprobs !== false) out['logprobs'] = true
  if (typeof logprobs === 'number' && logprobs > 0) notes.add('unsupported', 'Cohere gives no alternatives beside a token; only its own probability was asked for.', 'logprobs')
  return out
}

/** Writes one request. The wire alone decides about `stream`, whatever `providerOptions` hold. */
export function encode(request: UpstreamRequest, target: Target, wire: Wire): { readonly call: HttpCall; readonly warnings: Warning[] } {
  const notes = new Notes()
  const names = namesOf(request)
  const messages = messagesOf(request, { target, names, notes })
  const tools = toolsOf(request, target, names, notes)
  const stream = wire === 'stream'
  const body: Block = {
    model: target.model,
    ...outputOf(request, messages, tools.list.length > 0, notes),
    messages: messages as Json,
    ...tools.fields,
    ...samplingOf(request, notes),
    ...thinkingOf(request.reasoning, target, notes),
    ...request.providerOptions?.[DIALECT],
    ...request.providerOptions?.[target.provider],
    stream,
  }
  const headers = { 'content-type': 'application/json', accept: stream ? 'text/event-stream' : 'application/json', ...target.headers }
  return { call: { method: 'POST', url: urlOf(target, '/chat'), headers, body: JSON.stringify(body) }, warnings: notes.list }
}

/** The list of models: nobody bills it. It is found in the first version of the API only. */
export function probe({ baseUrl, headers }: Target): HttpCall {
  return { method: 'GET', url: `${baseUrl.replace(/\/v2$/, '/v1')}/models?page_size=1`, headers: { accept: 'application/json', ...headers } }
}
