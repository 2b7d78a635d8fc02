import { collect, type Collected } from '../../protocol/collect.js'
import type { Code } from '../../protocol/errors.js'
import type { ChatEvent, FinishEvent, FinishReason, Usage } from '../../protocol/events.js'
import { tryParseJson } from '../../protocol/json.js'
import type { Adapter, DecodeContext, Decoder, Frame, Target, Wire } from '../../protocol/ports.js'
import type { ToolCall, UpstreamRequest } from '../../protocol/request.js'
import { ensure, show } from './check.js'

/** One exchange with a provider: a request, and its answer on one wire or, better, on both. */
export interface AdapterFixture {
  readonly name: string
  readonly request: UpstreamRequest
  /** Default: a made-up deployment without known capabilities. */
  readonly target?: Target
  /** The parsed body of the JSON wire. */
  readonly json?: unknown
  /** The frames of the stream, the terminal one included. */
  readonly frames?: readonly Frame[]
  /** What must come out; a field that is left out is not looked at. */
  readonly expect?: AdapterExpectation
}
export interface AdapterExpectation {
  readonly text?: string
  readonly reasoning?: string
  readonly refusal?: string
  readonly toolCalls?: readonly Partial<ToolCall>[]
  readonly finishReason?: FinishReason
  readonly rawFinishReason?: string | null
  readonly usage?: Usage
  /** The answer is a fault with this code. */
  readonly fault?: Code
}

/** What decoding gave. */
export interface Decoded {
  readonly events: readonly ChatEvent[]
  /** A finish reason or the terminal frame came before the body ended. */
  readonly concluded: boolean
}

const TARGET: Target = { provider: 'conformance', model: 'model-1', baseUrl: 'https://api.example.test/v1', capabilities: {} }

export function targetOf(fixture: AdapterFixture): Target {
  return fixture.target ?? TARGET
}

export function decoderFor(adapter: Adapter, fixture: AdapterFixture, wire: Wire): Decoder {
  const headers = { 'content-type': wire === 'json' ? 'application/json' : 'text/event-stream' }
  const ctx: DecodeContext = { request: fixture.request, target: targetOf(fixture), wire, status: 200, headers }
  return adapter.decode(ctx)
}

export function decodeJson(adapter: Adapter, fixture: AdapterFixture, body: unknown = fixture.json): Decoded {
  const decoder = decoderFor(adapter, fixture, 'json')
  const events = decoder.json(body)
  return { events, concluded: true }
}

/** Reads as the transport does: frame by frame until the decoder is done, else to the end of the body. */
export function decodeFrames(adapter: Adapter, fixture: AdapterFixture, frames: readonly Frame[] = fixture.frames ?? []): Decoded {
  const decoder = decoderFor(adapter, fixture, 'stream')
  const events: ChatEvent[] = []
  for (const frame of frames) {
    if (decoder.done) break
    events.push(...decoder.frame(frame))
  }
  const concluded = decoder.done || decoder.finishing
  if (!decoder.done) events.push(...decoder.end())
  return { events, concluded }
}

/** The answer without what may differ between two readings of it: warnings, and white space in the text of arguments. */
export function answerOf(events: readonly ChatEvent[]): Omit<Collected, 'warnings'> {
  const { warnings: _, ...collected } = collect(events)
  const plain = <T extends { readonly arguments?: string }>(call: T): T => ('arguments' in call && call.arguments !== undefined ? { ...call, arguments: tryParseJson(call.arguments) } : call)
  return {
    ...collected,
    toolCalls: collected.toolCalls.map(plain),
    content: collected.content.map(part => (part.type === 'tool-call' ? plain(part) : part)),
  }
}

export function warningsIn(events: readonly ChatEvent[]): number {
  return events.filter(event => event.type === 'warning').length
}

/** Whole and in order: one finish, and it is last; every call announced before it is complete, and completed once. */
export function ensureWhole(events: readonly ChatEvent[], what: string): void {
  const finishes = events.filter(event => event.type === 'finish').length
  ensure(finishes === 1, () => `${what}: expected exactly one finish, found ${finishes} among ${show(events.map(event => event.type))}`)
  ensure(events.at(-1)?.type === 'finish', () => `${what}: expected finish to be the last event, found ${show(events.at(-1))}`)
  const open = new Map<number, boolean>()
  for (const event of events) {
    ensureWellFormed(event, what)
    if (event.type === 'tool-call-start') {
      ensure(!open.has(event.index), () => `${what}: expected tool call ${event.index} to be announced once`)
      open.set(event.index, true)
    } else if (event.type === 'tool-call' || event.type === 'tool-call-delta') {
      ensure(open.get(event.index) === true, () => `${what}: expected a tool-call-start before, and no tool-call yet, found ${show(event)}`)
      if (event.type === 'tool-call') open.set(event.index, false)
    }
  }
}

const REASONS = new Set<string>(['stop', 'length', 'tool-calls', 'content-filter', 'other'])
const TEXTS: { readonly [K in ChatEvent['type']]?: readonly string[] } = {
  'text-delta': ['text'],
  'reasoning-delta': ['text'],
  'refusal-delta': ['text'],
  'tool-call-start': ['id', 'name'],
  'tool-call-delta': ['arguments'],
  'tool-call': ['id', 'name', 'arguments'],
  'provider-data': ['dialect', 'on'],
  file: ['mediaType'],
}
const OPTIONAL_TEXTS: { readonly [K in ChatEvent['type']]?: readonly string[] } = { start: ['id', 'model'], citation: ['url', 'title', 'text'] }
const KNOWN = new Set<string>([...Object.keys(TEXTS), ...Object.keys(OPTIONAL_TEXTS), 'logprobs', 'warning', 'finish'])

/** The fields of an event are what their types say, whatever the provider sent. */
function ensureWellFormed(event: ChatEvent, what: string): void {
  const fields = event as unknown as Record<string, unknown>
  ensure(KNOWN.has(event.type), () => `${what}: expected an event an adapter may give, found ${show(event)}`)
  for (const key of TEXTS[event.type] ?? []) ensure(typeof fields[key] === 'string', () => `${what}: expected ${key} to be a text in ${show(event)}`)
  for (const key of OPTIONAL_TEXTS[event.type] ?? []) ensure(fields[key] === undefined || typeof fields[key] === 'string', () => `${what}: expected ${key} to be a text or absent in ${show(event)}`)
  if ('index' in event) ensure(Number.isSafeInteger(event.index) && event.index >= 0, () => `${what}: expected index to be a whole number in ${show(event)}`)
  if (event.type === 'warning') ensure(typeof event.warning.message === 'string' && typeof event.warning.code === 'string', () => `${what}: expected a warning with a code and a message, found ${show(event)}`)
  if (event.type === 'finish') ensureFinish(event, what)
}

function ensureFinish(event: FinishEvent, what: string): void {
  ensure(REASONS.has(event.finishReason), () => `${what}: expected one of our finish reasons, found ${show(event.finishReason)}`)
  const raw: unknown = event.rawFinishReason
  ensure(raw === undefined || raw === null || typeof raw === 'string', () => `${what}: expected rawFinishReason to be a text, null or absent, found ${show(raw)}`)
  const { serviceTier, ...counts } = event.usage
  ensure(serviceTier === undefined || typeof serviceTier === 'string', () => `expected usage.serviceTier to be a text or absent, found ${show(serviceTier)}`)
  for (const [key, count] of Object.entries(counts)) {
    ensure(count === undefined || (typeof count === 'number' && Number.isFinite(count) && count >= 0), () => `${what}: expected usage.${key} to be a number of 0 or more, or absent, found ${show(count)}`)
  }
}
