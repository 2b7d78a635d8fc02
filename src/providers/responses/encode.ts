import type { Warning } from '../../protocol/events.js'
import type { HttpCall, Target, Wire } from '../../protocol/ports.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import { fitNames, namesIn } from '../common/names.js'
import { Notes } from '../common/notes.js'
import type { Block } from '../common/own.js'
import { urlOf } from '../common/url.js'
import { familyOf } from '../openai/models.js'
import type { Quirks } from '../openai/quirks.js'
import { encodeReasoning } from '../openai/reasoning.js'
import type { Encoding } from './encoding.js'
import { inputOf } from './input.js'
import { optionsOf, withOptions } from './options.js'
import { formatOf, toolsOf } from './tools.js'
import { DIALECT } from './writer.js'

/** Parameters the API does not have. */
const ABSENT = ['topK', 'stop', 'seed', 'frequencyPenalty', 'presencePenalty'] as const
const SAMPLING = [['maxOutputTokens', 'max_output_tokens'], ['temperature', 'temperature'], ['topP', 'top_p']] as const

function samplingOf(request: UpstreamRequest, { quirks, family, notes }: Encoding): Block {
  const out: Block = {}
  for (const field of ABSENT) if (request[field] !== undefined) notes.add('unsupported', `The responses API has no ${field}; it was left out. Use api: "chat" for it.`, field)
  const refused = (field: keyof UpstreamRequest): boolean => {
    if (family.refuses.includes(field)) notes.add('unsupported', `This model does not take ${field} while it reasons; it was left out.`, field)
    else if (quirks.unsupported?.includes(field) === true) notes.add('unsupported', `This provider does not take ${field}; it was left out.`, field)
    else return false
    return true
  }
  for (const [field, name] of SAMPLING) if (request[field] !== undefined && !refused(field)) out[name] = request[field]
  const { logprobs } = request
  if (logprobs !== undefined && logprobs !== false && !refused('logprobs')) {
    out['include'] = ['message.output_text.logprobs']
    if (typeof logprobs === 'number') out['top_logprobs'] = logprobs
  }
  return out
}

function reasoningOf(request: UpstreamRequest, { quirks, family, names, target, notes }: Encoding): Block {
  const style = quirks.reasoning === 'none' ? 'none' : 'effort'
  const { reasoning_effort: effort } = encodeReasoning(request.reasoning, { quirks: { ...quirks, reasoning: style }, family, names, target, warnings: notes.list })
  return typeof effort === 'string' ? { reasoning: { effort } } : {}
}

/** True where the model may reason: one that does not refuses to be asked for its encrypted reasoning. */
function reasons({ reasoning }: UpstreamRequest, { target, family }: Encoding): boolean {
  const wanted = reasoning?.effort === undefined ? (reasoning?.budgetTokens ?? 0) > 0 : reasoning.effort !== 'none'
  return target.capabilities.reasoning ?? family.reasons ?? wanted
}

function bodyOf(request: UpstreamRequest, target: Target, quirks: Quirks, notes: Notes): Block {
  const options = optionsOf(request, target.provider)
  const stored = options['store'] === true
  const encoding: Encoding = { quirks, target, family: familyOf(target.model, request, quirks), names: fitNames(namesIn(request, DIALECT)), notes, stored }
  if (request.prefill === true) notes.add('unsupported', 'The responses API does not go on from an assistant message; it may answer the message instead.', 'prefill')
  const input = inputOf(request.messages, encoding)
  const sampling = samplingOf(request, encoding)
  const include = [...(!stored && reasons(request, encoding) ? ['reasoning.encrypted_content'] : []), ...((sampling['include'] ?? []) as readonly string[])]
  const body: Block = {
    model: target.model,
    input,
    // A conversation then needs no state at the server: all of it is in the request.
    store: false,
    ...toolsOf(request, encoding),
    ...formatOf(request, encoding),
    ...sampling,
    ...reasoningOf(request, encoding),
    ...(include.length > 0 && { include }),
    ...(quirks.extra as Block | undefined),
  }
  return withOptions(body, options)
}

/** Writes one request. The wire alone decides about `stream`, whatever `providerOptions` hold. */
export function encode(request: UpstreamRequest, target: Target, wire: Wire, quirks: Quirks): { readonly call: HttpCall; readonly warnings: Warning[] } {
  const notes = new Notes()
  const body = bodyOf(request, target, quirks, notes)
  const stream = wire === 'stream'
  return {
    call: {
      method: 'POST',
      url: urlOf(target, '/responses'),
      headers: { 'content-type': 'application/json', accept: stream ? 'text/event-stream' : 'application/json', ...target.headers },
      body: JSON.stringify(stream ? { ...body, stream } : body),
    },
    warnings: notes.list,
  }
}
