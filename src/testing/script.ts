import { GatewayError, type Code, type UpstreamWords } from '../protocol/errors.js'
import type { ChatEvent, FinishReason, Usage } from '../protocol/events.js'
import type { Wire } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import type { Moment, Play } from './playback.js'

/** An HTTP error answer. The code follows from the status unless it is given. */
export interface StatusFault {
  readonly status: number
  readonly retryAfterMs?: number
  readonly code?: Code
  /** What the provider itself would say. */
  readonly upstream?: UpstreamWords
}

/**
 * How a scripted answer goes wrong. `reset`: the connection breaks before the headers. `silent`: no headers, ever. `html`: a
 * page with status 200. `cut`: the connection breaks in mid-answer. `truncate`: the body ends in good order, without a finish.
 * `stall`: nothing more comes. `garbage`: a frame that does not parse, in an answer that is whole otherwise.
 */
export type ScriptedFault = 'cut' | 'truncate' | 'stall' | 'garbage' | 'silent' | 'reset' | 'html' | StatusFault

/** One scripted answer. Content comes in the order reasoning, text, tool calls; a text is cut into words. */
export interface ScriptedAnswer {
  readonly text?: string
  /** The text, in these pieces. */
  readonly chunks?: readonly string[]
  readonly reasoning?: string
  /** Each call comes in two chunks: half its arguments, then the rest and the whole call. */
  readonly toolCalls?: readonly { readonly name: string; readonly input: unknown; readonly id?: string }[]
  readonly finishReason?: FinishReason
  /** Default: four characters are a token. */
  readonly usage?: Usage
  /** Before the headers, in milliseconds. */
  readonly latencyMs?: number
  /** From the headers to the first chunk, in milliseconds. */
  readonly firstEventMs?: number
  /** From chunk to chunk, in milliseconds. On the JSON wire the whole body comes after the sum. */
  readonly chunkMs?: number
  readonly fail?: ScriptedFault
  /** Chunks delivered before `cut`, `truncate`, `stall` or `garbage`. Default: half of them. */
  readonly failAfter?: number
  /** Leaves out what a prefilled message already holds of the text. Default: true. */
  readonly continues?: boolean
}

/** An answer, or its text alone. */
export type Script = string | ScriptedAnswer

/** What rendering needs to know of the try. */
export interface Scene {
  readonly request: UpstreamRequest
  readonly wire: Wire
  readonly id: string
  readonly model: string
  readonly attempt: number
  readonly prefill: boolean
  /** The vector of a text, for a call for embeddings. */
  readonly vector: (text: string) => readonly number[]
}

interface Chunk {
  readonly events: readonly ChatEvent[]
  /** A tool call is open after it. */
  readonly open?: boolean
}

const CHARACTERS_A_TOKEN = 4
const CODES_BY_STATUS = new Map<number, Code>([
  [401, 'credential_rejected'],
  [402, 'quota_exhausted'],
  [403, 'credential_rejected'],
  [404, 'model_not_found'],
  [408, 'upstream_error'],
  [409, 'upstream_error'],
  [425, 'upstream_error'],
  [429, 'rate_limited'],
  [503, 'overloaded'],
  [529, 'overloaded'],
])

function codeOf(status: number): Code {
  return CODES_BY_STATUS.get(status) ?? (status >= 400 && status < 500 ? 'invalid_request' : 'upstream_error')
}

function statusFault({ status, retryAfterMs, code, upstream }: StatusFault): GatewayError {
  return new GatewayError(code ?? codeOf(status), `The scripted upstream answered with status ${status}.`, {
    origin: 'upstream',
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(upstream !== undefined && { upstream }),
  })
}

function malformed(message: string, origin: 'upstream' | 'network', status = 200): GatewayError {
  return new GatewayError('malformed_response', message, { origin, status })
}

function words(text: string): readonly string[] {
  return text.match(/\s*\S+|\s+/g) ?? []
}

/** The text of the last message, where it is an assistant's. */
function prefilled(request: UpstreamRequest): string {
  const last = request.messages.at(-1)
  if (last?.role !== 'assistant') return ''
  return typeof last.content === 'string' ? last.content : last.content.map(part => (part.type === 'text' ? part.text : '')).join('')
}

function without(pieces: readonly string[], start: string): readonly string[] {
  let left = start.length
  return pieces.flatMap(piece => {
    const kept = piece.slice(left)
    left = Math.max(0, left - piece.length)
    return kept === '' ? [] : [kept]
  })
}

function textPieces(answer: ScriptedAnswer, { request }: Scene): readonly string[] {
  const pieces = answer.chunks?.filter(piece => piece !== '') ?? words(answer.text ?? '')
  if (request.prefill !== true || answer.continues === false) return pieces
  const start = prefilled(request)
  return pieces.join('').startsWith(start) ? without(pieces, start) : pieces
}

function callChunks(answer: ScriptedAnswer, attempt: number): Chunk[] {
  return (answer.toolCalls ?? []).flatMap(({ name, input, id = '' }, index): Chunk[] => {
    const text = JSON.stringify(input) ?? '{}'
    const half = Math.ceil(text.length / 2)
    const call = { id: id === '' ? `call_${attempt}_${index}` : id, name }
    const delta = (part: string): ChatEvent[] => (part === '' ? [] : [{ type: 'tool-call-delta', index, arguments: part }])
    return [
      { events: [{ type: 'tool-call-start', index, ...call }, ...delta(text.slice(0, half))], open: true },
      { events: [...delta(text.slice(half)), { type: 'tool-call', index, ...call, input: JSON.parse(text) as unknown, arguments: text }] },
    ]
  })
}

function lengthOf(message: UpstreamRequest['messages'][number]): number {
  if (typeof message.content === 'string') return message.content.length
  let sum = 0
  for (const part of message.content) {
    if ('text' in part) sum += part.text.length
    else if (part.type === 'tool-call') sum += (part.arguments ?? JSON.stringify(part.input) ?? '').length
  }
  return sum
}

function estimate(request: UpstreamRequest, answered: number, reasoned: number): Usage {
  const tokens = (characters: number) => Math.ceil(characters / CHARACTERS_A_TOKEN)
  return {
    inputTokens: tokens(request.messages.reduce((sum, message) => sum + lengthOf(message), 0)),
    outputTokens: tokens(answered) + tokens(reasoned),
    ...(reasoned > 0 && { reasoningTokens: tokens(reasoned) }),
  }
}

/** A vector for each text; what the script says of an answer does not matter. */
function vectorsOf({ usage }: ScriptedAnswer, { request, vector }: Scene): { chunks: readonly Chunk[]; finish: ChatEvent } {
  const { inputTokens = 0 } = estimate(request, 0, 0)
  return {
    chunks: request.messages.map(({ content }, index): Chunk => ({ events: [{ type: 'embedding', index, vector: Float32Array.from(vector(String(content))) }] })),
    finish: { type: 'finish', finishReason: 'stop', usage: usage ?? { inputTokens } },
  }
}

function contentOf(answer: ScriptedAnswer, scene: Scene): { chunks: readonly Chunk[]; finish: ChatEvent } {
  if (scene.request.embed !== undefined) return vectorsOf(answer, scene)
  const reasoning = words(answer.reasoning ?? '')
  const text = textPieces(answer, scene)
  const calls = callChunks(answer, scene.attempt)
  const argued = calls.reduce((sum, { events }) => sum + events.reduce((all, event) => all + (event.type === 'tool-call' ? event.arguments.length : 0), 0), 0)
  return {
    chunks: [
      ...reasoning.map((piece): Chunk => ({ events: [{ type: 'reasoning-delta', text: piece }] })),
      ...text.map((piece): Chunk => ({ events: [{ type: 'text-delta', text: piece }] })),
      ...calls,
    ],
    finish: {
      type: 'finish',
      finishReason: answer.finishReason ?? (calls.length > 0 ? 'tool-calls' : 'stop'),
      usage: answer.usage ?? estimate(scene.request, text.join('').length + argued, reasoning.join('').length),
    },
  }
}

type MidFault = 'cut' | 'truncate' | 'stall' | 'garbage'

function breakage(fault: MidFault, atMs: number): Moment {
  if (fault === 'stall') return { never: true }
  if (fault === 'cut') return { atMs, fault: malformed('The connection broke in the middle of the answer.', 'network') }
  return { atMs, fault: malformed(fault === 'truncate' ? 'The answer ended before it was finished.' : 'A part of the answer does not parse.', 'upstream') }
}

function moments(answer: ScriptedAnswer, scene: Scene, fault: MidFault | undefined): readonly Moment[] {
  const { chunks, finish } = contentOf(answer, scene)
  const at = (index: number) => (answer.firstEventMs ?? 0) + index * (answer.chunkMs ?? 0)
  const start: ChatEvent = { type: 'start', id: `${scene.id}-${scene.attempt}`, model: scene.model }
  const failAt = fault === undefined ? chunks.length : Math.min(answer.failAfter ?? Math.floor(chunks.length / 2), chunks.length)
  const endMs = at(Math.max(0, chunks.length - 1))
  if (scene.wire === 'json') return [fault === undefined ? { atMs: endMs, events: [start, ...chunks.flatMap(({ events }) => events), finish] } : breakage(fault, at(failAt))]
  const all = chunks.map(({ events }, index) => ({ atMs: at(index), events }))
  const told = (line: { atMs: number; events: readonly ChatEvent[] }[]): Moment[] => line.map((moment, index) => (index === 0 ? { ...moment, events: [start, ...moment.events] } : moment))
  const last = { atMs: endMs, events: [finish] }
  if (fault === undefined) return told([...all, last])
  // Garbage inside an open tool call may have been a part of its arguments: then nothing is whole any more.
  if (fault !== 'garbage' || chunks[failAt - 1]?.open === true) return [...told(all.slice(0, failAt)), breakage(fault, at(failAt))]
  const skipped: ChatEvent = { type: 'warning', warning: { code: 'frame_skipped', message: 'A frame of the stream did not parse and was skipped.' } }
  return told([...all.slice(0, failAt), { atMs: Math.min(at(failAt), endMs), events: [skipped] }, ...all.slice(failAt), last])
}

const REFUSES_PREFILL: StatusFault = { status: 400, code: 'invalid_request', upstream: { type: 'invalid_request_error', message: 'The conversation must end with a user message.' } }

function refusalOf(fail: ScriptedFault | undefined): GatewayError | undefined {
  if (fail === 'reset') return new GatewayError('network', 'The connection was reset before an answer.', { origin: 'network' })
  if (fail === 'html') return malformed('The upstream answered with an HTML page.', 'upstream')
  return typeof fail === 'object' ? statusFault(fail) : undefined
}

/** What one try will see of a script. */
export function render(script: Script, scene: Scene): Play {
  const answer: ScriptedAnswer = typeof script === 'string' ? { text: script } : script
  const { fail } = answer
  if (fail === 'silent') return { latencyMs: Infinity, moments: [] }
  const refusal = scene.request.prefill === true && !scene.prefill ? statusFault(REFUSES_PREFILL) : refusalOf(fail)
  const latencyMs = answer.latencyMs ?? 0
  if (refusal !== undefined) return { latencyMs, refusal, moments: [] }
  return { latencyMs, moments: moments(answer, scene, fail === 'cut' || fail === 'truncate' || fail === 'stall' || fail === 'garbage' ? fail : undefined) }
}
