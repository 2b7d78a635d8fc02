import type { Warning } from '../../protocol/events.js'
import { isObject, type Json, type JsonObject } from '../../protocol/json.js'
import type { HttpCall, Target, Wire } from '../../protocol/ports.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import { closedSchema } from '../anthropic/schema.js'
import { Notes } from '../common/notes.js'
import type { Block } from '../common/own.js'
import { noteUnsupported, stopsOf } from '../common/params.js'
import { urlOf } from '../common/url.js'
import { ContentWriter } from './content.js'
import { fieldsOf } from './fields.js'
import { conversationOf } from './messages.js'
import { traitsOf } from './models.js'
import { DIALECT, namesOf } from './names.js'
import { toolsOf } from './tools.js'

const MAX_CACHE_POINTS = 4

/** Keeps the last cache points, for they cover the longest prefixes. */
function limited(lists: readonly (readonly Block[])[], notes: Notes): Block[][] {
  const points = lists.flat().filter(block => block['cachePoint'] !== undefined)
  const extra = new Set(points.slice(0, Math.max(0, points.length - MAX_CACHE_POINTS)))
  if (extra.size > 0) notes.add('dropped', `At most ${MAX_CACHE_POINTS} cache marks can be sent; the earliest ${extra.size} were left out.`, 'cacheControl')
  return lists.map(list => list.filter(block => !extra.has(block)))
}

function formatOf({ output }: UpstreamRequest, outputTool: string | undefined): Block | undefined {
  if (output === undefined || outputTool !== undefined) return undefined
  return { type: 'json_schema', structure: { jsonSchema: { name: output.name, schema: JSON.stringify(closedSchema(output.jsonSchema)) } } }
}

/** Theirs come last; where both have an object, its fields are put together, so that one more field does not cost the others. */
function withOptions(body: Block, options: JsonObject): Block {
  const out: Block = { ...body }
  for (const [key, value] of Object.entries(options)) {
    const before = out[key]
    out[key] = isObject(before) && isObject(value) ? { ...(before as JsonObject), ...value } : value
  }
  return out
}

function filled(key: string, value: Block): Block {
  return Object.keys(value).length > 0 ? { [key]: value } : {}
}

function bodyOf(request: UpstreamRequest, target: Target, notes: Notes): Block {
  const traits = traitsOf(target.model)
  const names = namesOf(request, target)
  const conversation = conversationOf(request, target, traits, names, notes)
  const plan = toolsOf({ request, provider: target.provider, names, traits, content: new ContentWriter(target.provider, traits.cache, notes), notes })
  const { inference, more } = fieldsOf({ request, target, traits, conversation, forced: plan.forced }, notes)
  const [tools = [], system = [], ...contents] = limited([plan.tools, conversation.system, ...conversation.messages.map(message => message.content)], notes)
  const stops = stopsOf(request, notes)
  const format = formatOf(request, names.output)
  noteUnsupported(request, ['seed', 'frequencyPenalty', 'presencePenalty', 'logprobs'], notes)
  const body: Block = {
    ...(system.length > 0 && { system }),
    messages: conversation.messages.map(({ role }, at) => ({ role, content: contents[at] ?? [] })) as Json,
    ...filled('inferenceConfig', { ...(request.maxOutputTokens !== undefined && { maxTokens: request.maxOutputTokens }), ...inference, ...(stops.length > 0 && { stopSequences: stops }) }),
    ...(tools.length > 0 && { toolConfig: { tools, ...(plan.choice !== undefined && { toolChoice: plan.choice }) } }),
    ...(format !== undefined && { outputConfig: { textFormat: format } }),
    ...filled('additionalModelRequestFields', { ...more, ...(plan.single !== undefined && { tool_choice: plan.single }) }),
  }
  return withOptions(withOptions(body, request.providerOptions?.[DIALECT] ?? {}), request.providerOptions?.[target.provider] ?? {})
}

/** Writes one request. The wire is told by the address alone; the id of the model is part of it, and holds `:` and, as an ARN, `/`. */
export function encode(request: UpstreamRequest, target: Target, wire: Wire): { readonly call: HttpCall; readonly warnings: Warning[] } {
  const notes = new Notes()
  const body = bodyOf(request, target, notes)
  const stream = wire === 'stream'
  return {
    call: {
      method: 'POST',
      url: urlOf(target, `/model/${encodeURIComponent(target.model)}/${stream ? 'converse-stream' : 'converse'}`),
      headers: { 'content-type': 'application/json', accept: stream ? 'application/vnd.amazon.eventstream' : 'application/json', ...target.headers },
      body: JSON.stringify(body),
    },
    warnings: notes.list,
  }
}
