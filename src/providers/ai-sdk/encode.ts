import type { Headers, Wire } from '../../protocol/ports.js'
import type { ProviderTool, ResolvedTool, ToolChoice, UpstreamRequest } from '../../protocol/request.js'
import type { Notes } from '../common/notes.js'
import { verbatim } from '../common/own.js'
import type { Urls } from './media.js'
import { DIALECT, mergeVendors, type Fields, type Spoken } from './model.js'
import { promptOf } from './prompt.js'
import { cacheOptions, keyOf, vendorCall } from './vendor.js'

/** What goes along with one request. */
export interface Sent {
  readonly wire: Wire
  readonly abortSignal: AbortSignal
  readonly headers: Headers
}

const SAMPLING = ['maxOutputTokens', 'temperature', 'topP', 'topK', 'seed', 'frequencyPenalty', 'presencePenalty'] as const

function choiceOf(choice: ToolChoice): Fields {
  return typeof choice === 'string' ? { type: choice } : { type: 'tool', toolName: choice.name }
}

function toolOf(tool: ResolvedTool | ProviderTool, { version, provider }: Spoken, notes: Notes): Fields[] {
  if (!('name' in tool)) {
    const block = verbatim(tool.providerData, DIALECT, provider)
    if (block !== undefined) return [{ ...block, type: block['type'] === 'provider' || block['type'] === 'provider-defined' ? (version === 2 ? 'provider-defined' : 'provider') : block['type'] }]
    notes.add('dropped', "A provider tool of another dialect was left out. Give it as providerData['ai-sdk'].block.", 'tools')
    return []
  }
  if (tool.strict === true && version === 2) notes.add('unsupported', 'AI SDK models of specification v2 have no `strict` on tools; it was left out.', 'tools')
  const cache = cacheOptions(tool.cacheControl, provider)
  return [
    {
      type: 'function',
      name: tool.name,
      ...(tool.description !== undefined && { description: tool.description }),
      inputSchema: tool.inputSchema,
      ...(tool.strict !== undefined && version > 2 && { strict: tool.strict }),
      ...(cache !== undefined && { providerOptions: cache }),
    },
  ]
}

function toolsOf({ tools, toolChoice }: UpstreamRequest, spoken: Spoken, notes: Notes): Fields {
  const listed = tools?.flatMap(tool => toolOf(tool, spoken, notes)) ?? []
  if (listed.length === 0) return {}
  return { tools: listed, ...(toolChoice !== undefined && { toolChoice: choiceOf(toolChoice) }) }
}

/** The request as the options of `doGenerate` and `doStream`. Throws `invalid_request` for what the model cannot be given. */
export function callOptions(request: UpstreamRequest, spoken: Spoken, urls: Urls, sent: Sent, notes: Notes): Fields {
  const { output, stop } = request
  const vendor = vendorCall(request, spoken, notes)
  const given = request.providerOptions
  const providerOptions = mergeVendors(vendor.options, given?.[DIALECT], { [keyOf(spoken.provider)]: given?.[spoken.provider] })
  const sampling: Fields = {}
  for (const key of SAMPLING) if (request[key] !== undefined) sampling[key] = request[key]
  return {
    prompt: promptOf(request, spoken, urls, notes),
    ...sampling,
    ...vendor.call,
    ...(stop !== undefined && { stopSequences: typeof stop === 'string' ? [stop] : [...stop] }),
    ...toolsOf(request, spoken, notes),
    ...(output !== undefined && { responseFormat: { type: 'json', name: output.name, schema: output.jsonSchema } }),
    ...(sent.wire === 'stream' && { includeRawChunks: false }),
    ...(Object.keys(providerOptions).length > 0 && { providerOptions }),
    ...(Object.keys(sent.headers).length > 0 && { headers: { ...sent.headers } }),
    abortSignal: sent.abortSignal,
  }
}
