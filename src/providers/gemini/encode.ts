import type { Warning } from '../../protocol/events.js'
import { isObject, type Json, type JsonObject } from '../../protocol/json.js'
import type { HttpCall, Target, Wire } from '../../protocol/ports.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import { Notes } from '../common/notes.js'
import type { Block } from '../common/own.js'
import { urlOf } from '../common/url.js'
import { DIALECT } from './content.js'
import { conversationOf, type Encoding } from './contents.js'
import { traitsOf, type Traits } from './models.js'
import { namesOf } from './names.js'
import { thinkingOf } from './thinking.js'
import { schemaField, toolFields } from './tools.js'

/** What differs between the servers of the dialect. */
export interface Server {
  /** The path of a model below the base URL. */
  path(model: string): string
  /** Calls and results name their id. */
  callIds(traits: Traits): boolean
  /** Takes JSON Schema as it is written, where the model does. */
  jsonSchema(baseUrl: string): boolean
}

const MOST_STOPS = 5

function stopsOf({ stop }: UpstreamRequest, notes: Notes): readonly string[] {
  const given = stop === undefined ? [] : typeof stop === 'string' ? [stop] : stop
  if (given.length > MOST_STOPS) notes.add('dropped', `At most ${MOST_STOPS} stop sequences can be sent; the others were left out.`, 'stop')
  return given.slice(0, MOST_STOPS)
}

function logprobsOf({ logprobs }: UpstreamRequest): Block {
  if (logprobs === undefined || logprobs === false) return {}
  return { responseLogprobs: true, ...(typeof logprobs === 'number' && logprobs > 0 && { logprobs }) }
}

const PLAIN = [
  ['maxOutputTokens', 'maxOutputTokens'],
  ['temperature', 'temperature'],
  ['topP', 'topP'],
  ['topK', 'topK'],
  ['seed', 'seed'],
  ['presencePenalty', 'presencePenalty'],
  ['frequencyPenalty', 'frequencyPenalty'],
] as const

function generationOf(request: UpstreamRequest, { target, traits, names, notes }: Encoding, whole: boolean): Block {
  const config: Block = {}
  for (const [ours, theirs] of PLAIN) if (request[ours] !== undefined) config[theirs] = request[ours]
  const stops = stopsOf(request, notes)
  if (stops.length > 0) config['stopSequences'] = stops
  Object.assign(config, logprobsOf(request))
  if (request.output !== undefined && names.output === undefined) Object.assign(config, { responseMimeType: 'application/json' }, schemaField(request.output.jsonSchema, whole, ['responseJsonSchema', 'responseSchema']))
  const thinking = thinkingOf(request, target.capabilities.reasoning === false ? { ...traits, thinking: 'none' } : traits, notes)
  if (thinking !== undefined) config['thinkingConfig'] = thinking
  return config
}

function bodyOf(request: UpstreamRequest, target: Target, server: Server, notes: Notes): Block {
  const traits = traitsOf(target.model)
  const encoding: Encoding = { target, traits, names: namesOf(request, target.model), notes, callIds: server.callIds(traits) }
  const whole = traits.jsonSchema && server.jsonSchema(target.baseUrl)
  const { system, contents } = conversationOf(request, encoding)
  if (request.prefill === true) notes.add('unsupported', 'This provider does not go on from an assistant message; it may answer the message instead.', 'prefill')
  const tools = toolFields(request, encoding, whole)
  const { generationConfig: more, ...options }: JsonObject = { ...request.providerOptions?.[DIALECT], ...request.providerOptions?.[target.provider] }
  // What the caller adds to the configuration must not take the place of all of it.
  const generationConfig = { ...generationOf(request, encoding, whole), ...(isObject(more) && (more as JsonObject)) }
  return {
    ...(system.length > 0 && { systemInstruction: { parts: system } }),
    contents: contents as Json,
    ...tools,
    ...(Object.keys(generationConfig).length > 0 && { generationConfig }),
    ...options,
  }
}

/** Writes one request; the wire decides about the address alone. */
export function encode(request: UpstreamRequest, target: Target, wire: Wire, server: Server): { readonly call: HttpCall; readonly warnings: Warning[] } {
  const notes = new Notes()
  const body = bodyOf(request, target, server, notes)
  const stream = wire === 'stream'
  const url = urlOf(target, `${server.path(target.model)}:${stream ? 'streamGenerateContent' : 'generateContent'}`)
  return {
    call: {
      method: 'POST',
      url: stream ? `${url}${url.includes('?') ? '&' : '?'}alt=sse` : url,
      headers: { 'content-type': 'application/json', accept: stream ? 'text/event-stream' : 'application/json', ...target.headers },
      body: JSON.stringify(body),
    },
    warnings: notes.list,
  }
}
