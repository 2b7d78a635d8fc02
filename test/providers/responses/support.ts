import { collect, type Collected } from '../../../src/protocol/collect.js'
import { GatewayError } from '../../../src/protocol/errors.js'
import type { ChatEvent } from '../../../src/protocol/events.js'
import type { DecodeContext, Decoder, Frame, Target, Wire } from '../../../src/protocol/ports.js'
import type { UpstreamRequest } from '../../../src/protocol/request.js'
import { QUIRKS } from '../../../src/providers/openai/quirk-rows.js'
import type { Quirks } from '../../../src/providers/openai/quirks.js'
import { responsesAdapter } from '../../../src/providers/responses/adapter.js'

export const ASK: UpstreamRequest = { messages: [{ role: 'user', content: 'Hello' }] }
export const ORIGIN = { provider: 'openai', model: 'gpt-5.6', deployment: 'd' }

function target(more: Partial<Target> = {}): Target {
  return { provider: 'openai', model: 'gpt-5.6', baseUrl: 'https://lab.example/v1', capabilities: {}, ...more }
}

export function decoder(wire: Wire, request: UpstreamRequest = ASK): Decoder {
  const context: DecodeContext = { request, target: target(), wire, status: 200, headers: {} }
  return responsesAdapter(QUIRKS.openai).decode(context)
}

type Fields = Record<string, unknown>

export function frame(type: string, more: Fields = {}): Frame {
  return { event: type, data: JSON.stringify({ type, ...more }) }
}
export function response(output: readonly Fields[], more: Fields = {}): Fields {
  return { id: 'resp_1', object: 'response', model: 'gpt-5.6-2026', status: 'completed', error: null, output, usage: { input_tokens: 10, output_tokens: 7, input_tokens_details: { cached_tokens: 0 } }, ...more }
}
export const text = (said: string, more: Fields = {}): Fields => ({ type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: said, annotations: [] }], ...more })
export const call = (name: string, input: unknown, id = `call_${name}`): Fields => ({ type: 'function_call', id: `fc_${name}`, call_id: id, name, arguments: typeof input === 'string' ? input : JSON.stringify(input), status: 'completed' })
export const thought = (summary: readonly string[], more: Fields = {}): Fields => ({ type: 'reasoning', id: 'rs_1', encrypted_content: 'sealed', summary: summary.map(each => ({ type: 'summary_text', text: each })), ...more })

function cut(whole: string, size: number): string[] {
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, at) => whole.slice(at * size, (at + 1) * size))
}

function partFrames(part: Fields, place: Fields, size: number): Frame[] {
  const refusal = part['type'] === 'refusal'
  const said = String(part[refusal ? 'refusal' : 'text'])
  const name = refusal ? 'response.refusal' : 'response.output_text'
  const annotations = (part['annotations'] ?? []) as Fields[]
  return [
    frame('response.content_part.added', { ...place, part: { ...part, text: '' } }),
    ...cut(said, size).map(delta => frame(`${name}.delta`, { ...place, delta })),
    ...annotations.map((annotation, annotation_index) => frame('response.output_text.annotation.added', { ...place, annotation_index, annotation })),
    frame(`${name}.done`, { ...place, [refusal ? 'refusal' : 'text']: said }),
  ]
}

/** An item as it streams, cut into deltas of `size` characters; its id is another one in each event. */
export function itemFrames(item: Fields, output_index: number, size: number): Frame[] {
  const place = { output_index, item_id: `rotated_${size}` }
  const bare = { ...item, ...('content' in item && { content: [] }), ...('summary' in item && { summary: [] }), ...('arguments' in item && { arguments: '' }), ...(item['type'] === 'custom_tool_call' && { input: '' }), status: 'in_progress' }
  const between = (): Frame[] => {
    if (item['type'] === 'message') return (item['content'] as Fields[]).flatMap((part, content_index) => partFrames(part, { ...place, content_index }, size))
    if (item['type'] === 'reasoning') return ((item['summary'] ?? []) as Fields[]).flatMap((part, summary_index) => cut(String(part['text']), size).map(delta => frame('response.reasoning_summary_text.delta', { ...place, summary_index, delta })))
    if (item['type'] === 'function_call') return [...cut(String(item['arguments']), size).map(delta => frame('response.function_call_arguments.delta', { ...place, delta })), frame('response.function_call_arguments.done', { ...place, arguments: item['arguments'] })]
    if (item['type'] === 'custom_tool_call') return cut(String(item['input']), size).map(delta => frame('response.custom_tool_call_input.delta', { ...place, delta }))
    return [frame('response.web_search_call.searching', place)]
  }
  return [frame('response.output_item.added', { output_index, item: bare }), ...between(), frame('response.output_item.done', { output_index, item })]
}

export function framesFor(body: Fields, size = 4): Frame[] {
  const ending = body['status'] === 'incomplete' ? 'response.incomplete' : 'response.completed'
  const begun = { ...body, status: 'in_progress', output: [], usage: null }
  return [frame('response.created', { response: begun }), frame('response.in_progress', { response: begun }), ...(body['output'] as Fields[]).flatMap((item, at) => itemFrames(item, at, size)), frame(ending, { response: body })]
}

export function play(frames: readonly Frame[], request: UpstreamRequest = ASK): ChatEvent[] {
  const reader = decoder('stream', request)
  const events = frames.flatMap(each => reader.frame(each))
  return [...events, ...reader.end()]
}
export function collectFrames(frames: readonly Frame[], request: UpstreamRequest = ASK): Collected {
  return collect(play(frames, request))
}
export function collectJson(body: unknown, request: UpstreamRequest = ASK): Collected {
  return collect(decoder('json', request).json(body))
}

/** An item that was sent, loosely typed. */
interface Sent {
  readonly [key: string]: unknown
  readonly input: readonly Fields[]
  readonly tools: readonly Fields[]
}
export function write(more: Partial<UpstreamRequest> = {}, to: Partial<Target> = {}, quirks: Quirks = QUIRKS.openai, wire: Wire = 'json') {
  const { call: sent, warnings } = responsesAdapter(quirks).encode({ ...ASK, ...more }, target(to), wire)
  return { call: sent, warnings, body: JSON.parse(String(sent.body)) as Sent, codes: warnings.map(({ code, parameter }) => `${code} ${parameter}`) }
}
export function fault(run: () => unknown): GatewayError {
  try {
    run()
  } catch (error) {
    if (GatewayError.is(error)) return error
    throw error
  }
  throw new Error('Nothing was thrown.')
}
