import { estimateInputTokens } from '../../protocol/estimate.js'
import type { Warning } from '../../protocol/events.js'
import { isObject, numberAt, type Json } from '../../protocol/json.js'
import type { HttpCall, Target, Wire } from '../../protocol/ports.js'
import type { Reasoning, UpstreamRequest } from '../../protocol/request.js'
import { Notes } from '../common/notes.js'
import { verbatim, type Block } from '../common/own.js'
import { urlOf } from '../common/url.js'
import { DIALECT, messagesOf } from './messages.js'

function toolsOf(request: UpstreamRequest, target: Target, notes: Notes): Block[] {
  const { toolChoice, tools = [] } = request
  // Without a word for the choice, what is not to be called is not shown.
  if (toolChoice === 'none') return []
  const named = typeof toolChoice === 'object' ? tools.filter(tool => 'name' in tool && tool.name === toolChoice.name) : []
  if (toolChoice !== undefined && toolChoice !== 'auto') notes.add('unsupported', `Ollama cannot make a model call a tool; ${named.length > 0 ? 'only that tool was shown' : 'the model chooses'}.`, 'toolChoice')
  const list = (named.length > 0 ? named : tools).flatMap((tool): Block[] => {
    if (!('name' in tool)) {
      const block = verbatim(tool.providerData, DIALECT, target.provider)
      if (block === undefined) notes.add('dropped', 'A provider tool of another dialect was left out.', 'tools')
      return block === undefined ? [] : [block]
    }
    if (tool.strict === true) notes.add('unsupported', 'Ollama cannot hold a model to the schema of a tool; `strict` was left out.', 'tools')
    return [{ type: 'function', function: { name: tool.name, ...(tool.description !== undefined && { description: tool.description }), parameters: tool.inputSchema } }]
  })
  if (list.length > 0 && request.parallelToolCalls === false) notes.add('unsupported', 'Ollama cannot hold a model to one tool call at a time; `parallelToolCalls` was left out.', 'parallelToolCalls')
  return list
}

/** The models that take a level of thinking and cannot be told not to think. */
const LEVELS = /(?:^|\/)gpt-oss/

function thinkOf(reasoning: Reasoning | undefined, target: Target, notes: Notes): Block {
  const { effort, budgetTokens } = reasoning ?? {}
  if (effort === undefined && budgetTokens === undefined) return {}
  const off = effort === 'none' || (effort === undefined && budgetTokens === 0)
  if (!off && target.capabilities.reasoning === false) {
    notes.add('unsupported', 'The model does not reason; the wish was left out.', 'reasoning')
    return {}
  }
  if (budgetTokens !== undefined && budgetTokens > 0) notes.add('dropped', 'Ollama takes no reasoning budget; it was left out.', 'reasoning.budgetTokens')
  if (LEVELS.test(target.model)) return { think: level(effort, off, notes) }
  if (!off && effort !== undefined) notes.add('changed', 'Ollama turns the thinking of this model on or off and takes no effort; it was turned on.', 'reasoning.effort')
  return { think: !off }
}

function level(effort: Reasoning['effort'], off: boolean, notes: Notes): string {
  if (effort === 'low' || effort === 'high' || effort === 'medium') return effort
  const near = off || effort === 'minimal' ? 'low' : effort === undefined ? 'medium' : 'high'
  notes.add('changed', `The model knows the efforts low, medium and high; "${near}" was sent.`, 'reasoning.effort')
  return near
}

const OPTIONS = [
  ['maxOutputTokens', 'num_predict'],
  ['temperature', 'temperature'],
  ['topP', 'top_p'],
  ['topK', 'top_k'],
  ['seed', 'seed'],
  ['frequencyPenalty', 'frequency_penalty'],
  ['presencePenalty', 'presence_penalty'],
] as const

function optionsOf(request: UpstreamRequest, numCtx: number | undefined): Block {
  const out: Block = {}
  if (numCtx !== undefined) out['num_ctx'] = numCtx
  for (const [field, name] of OPTIONS) if (request[field] !== undefined) out[name] = request[field]
  if (request.stop !== undefined) out['stop'] = typeof request.stop === 'string' ? [request.stop] : request.stop
  return out
}

function logprobsOf({ logprobs }: UpstreamRequest): Block {
  if (logprobs === undefined || logprobs === false) return {}
  return { logprobs: true, ...(typeof logprobs === 'number' && { top_logprobs: logprobs }) }
}

/** What the caller wants beside; `options` joins ours, so that one of its fields does not cost the others. */
function merged(body: Block, request: UpstreamRequest, target: Target): Block {
  let out = body
  const given = new Set([DIALECT, target.provider])
  for (const key of given) {
    const more = request.providerOptions?.[key]
    if (more === undefined) continue
    const options = isObject(out['options']) && isObject(more['options']) ? { ...out['options'], ...more['options'] } : (more['options'] ?? out['options'])
    out = { ...out, ...more, ...(options !== undefined && { options: options as Json }) }
  }
  return out
}

function warnOfCut(request: UpstreamRequest, body: Block, notes: Notes): void {
  const context = numberAt(body['options'], 'num_ctx')
  if (context === undefined) return
  const prompt = estimateInputTokens(request)
  if (prompt > context) notes.add('other', `The prompt has about ${prompt} tokens and the model is loaded for ${context}: the server leaves out its beginning without a word. Raise numCtx.`, 'messages')
}

/** Writes one request. The wire alone decides about `stream`, whatever `providerOptions` hold. */
export function encode(request: UpstreamRequest, target: Target, wire: Wire, numCtx: number | undefined): { readonly call: HttpCall; readonly warnings: Warning[] } {
  const notes = new Notes()
  const tools = toolsOf(request, target, notes)
  const options = optionsOf(request, numCtx)
  const stream = wire === 'stream'
  const own: Block = {
    model: target.model,
    messages: messagesOf(request, target, notes),
    ...(tools.length > 0 && { tools }),
    ...(request.output !== undefined && { format: request.output.jsonSchema }),
    ...(Object.keys(options).length > 0 && { options }),
    ...thinkOf(request.reasoning, target, notes),
    ...logprobsOf(request),
  }
  const body = merged(own, request, target)
  warnOfCut(request, body, notes)
  const headers = { 'content-type': 'application/json', accept: stream ? 'application/x-ndjson' : 'application/json', ...target.headers }
  return { call: { method: 'POST', url: urlOf(target, '/api/chat'), headers, body: JSON.stringify({ ...body, stream }) }, warnings: notes.list }
}

/** The list of models the server has: nothing is loaded for it. */
export function probe(target: Target): HttpCall {
  return { method: 'GET', url: urlOf(target, '/api/tags'), headers: { accept: 'application/json', ...target.headers } }
}
