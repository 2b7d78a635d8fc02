import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { collect, type Collected } from '../../src/protocol/collect.js'
import { GatewayError } from '../../src/protocol/errors.js'
import type { ChatEvent, Warning } from '../../src/protocol/events.js'
import { tryParseJson } from '../../src/protocol/json.js'
import type { Adapter, Decoder, Frame, HttpCall, Target, Wire } from '../../src/protocol/ports.js'
import type { UpstreamRequest } from '../../src/protocol/request.js'

export const ASK: UpstreamRequest = { messages: [{ role: 'user', content: 'Hello' }] }
export const TOOL = { name: 'look', inputSchema: { type: 'object', properties: {} } } as const

interface Sent {
  readonly call: HttpCall
  readonly warnings: readonly Warning[]
  readonly body: Record<string, unknown>
  /** `code parameter` of each warning. */
  readonly codes: readonly string[]
}

/** An adapter with what its tests do to it. */
export class Bench {
  readonly adapter: Adapter
  readonly target: Target

  constructor(adapter: Adapter, target: Target) {
    this.adapter = adapter
    this.target = target
  }

  decoder(wire: Wire, more: Partial<UpstreamRequest> = {}): Decoder {
    return this.adapter.decode({ request: { ...ASK, ...more }, target: this.target, wire, status: 200, headers: {} })
  }
  events(frames: readonly Frame[], more: Partial<UpstreamRequest> = {}): ChatEvent[] {
    const decoder = this.decoder('stream', more)
    const events = frames.flatMap(frame => decoder.frame(frame))
    return decoder.done ? events : [...events, ...decoder.end()]
  }
  stream(frames: readonly Frame[], more: Partial<UpstreamRequest> = {}): Collected {
    return collect(this.events(frames, more))
  }
  json(body: unknown, more: Partial<UpstreamRequest> = {}): Collected {
    return collect(this.decoder('json', more).json(body))
  }
  encode(more: Partial<UpstreamRequest> = {}, target: Partial<Target> = {}, wire: Wire = 'json'): Sent {
    const { call, warnings } = this.adapter.encode({ ...ASK, ...more }, { ...this.target, ...target }, wire)
    return { call, warnings, body: JSON.parse(String(call.body)) as Sent['body'], codes: warnings.map(({ code, parameter }) => `${code} ${parameter}`) }
  }
  fault(status: number, body: unknown, headers: Record<string, string> = {}): GatewayError {
    return this.adapter.fault(status, headers, body, 0)
  }
}

export function caught(run: () => unknown): GatewayError {
  try {
    run()
  } catch (error) {
    if (GatewayError.is(error)) return error
    throw error
  }
  throw new Error('Nothing was thrown.')
}

/** Frames out of the objects in them, named by their type where they have one. */
export function framesOf(...data: readonly unknown[]): Frame[] {
  return data.map(value => {
    const type = (value as { type?: unknown }).type
    return { ...(typeof type === 'string' && { event: type }), data: JSON.stringify(value) }
  })
}

/** A tiny event-stream splitter, enough for recorded bodies. */
function split(text: string): Frame[] {
  return text.split(/\r?\n\r?\n/).flatMap(block => {
    const lines = block.split(/\r?\n/)
    const data = lines.filter(line => line.startsWith('data:')).map(line => line.slice(5).trimStart())
    return data.length === 0 ? [] : [{ data: data.join('\n') }]
  })
}

/** A recorded exchange, as far as a decoder goes. */
export interface Line {
  readonly id: string
  readonly vendor: string
  readonly response: { readonly body: { readonly json?: unknown; readonly text?: string } }
  readonly expect: {
    readonly choices: readonly {
      readonly text: string
      readonly reasoning?: string
      readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: unknown }[]
      readonly finish: { readonly raw: string | null; readonly accept: readonly (string | null)[] }
    }[]
    readonly usage?: { readonly input: number; readonly output: number; readonly cached?: number; readonly reasoning?: number }
  }
}

/** The lines of a file of recordings that end well; none where the recordings are not here. */
export function recorded(file: string): (readonly [string, Line])[] {
  const path = new URL(`../../../shared/recordings/${file}`, import.meta.url)
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean).map(line => JSON.parse(line) as Line & { readonly expect: { readonly outcome: string } })
  return lines.filter(line => line.expect.outcome === 'completion').map(line => [line.id, line] as const)
}

function readLine(bench: Bench, { json, text = '' }: Line['response']['body']): Collected {
  const whole = json ?? tryParseJson(text)
  return whole === undefined ? bench.stream(split(text)) : bench.json(whole)
}

/** Reads a recorded answer and holds it against what a correct client makes of it. */
export function checkLine(bench: Bench, { response: { body }, expect: { choices, usage } }: Line): Collected {
  const got = readLine(bench, body)
  const [choice] = choices
  if (choice === undefined || got.finish === undefined) throw new Error('There is no choice or no finish.')
  expect({ text: got.text, reasoning: got.reasoning }).toEqual({ text: choice.text, reasoning: choice.reasoning ?? '' })
  expect(got.toolCalls.map(({ id, name, input }) => ({ id, name, arguments: input }))).toEqual(choice.toolCalls)
  expect(choice.finish.accept).toContain(got.finish.finishReason.replace('-', '_'))
  expect(got.finish.rawFinishReason).toBe(choice.finish.raw)
  // Where a provider says nothing of cached or reasoning tokens, 0 and nothing are the same.
  const { inputTokens: input, outputTokens: output, cachedInputTokens: cached = 0, reasoningTokens: reasoning = 0 } = got.finish.usage
  expect({ input, output, cached, reasoning }).toEqual({ cached: 0, reasoning: 0, ...usage, ...(usage !== undefined && 'cacheWrite' in usage && { cacheWrite: undefined }) })
  return got
}
