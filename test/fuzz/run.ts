import { existsSync, readFileSync } from 'node:fs'
import { getHeapStatistics } from 'node:v8'
import { collect, messageOf } from '../../src/protocol/collect.js'
import { GatewayError } from '../../src/protocol/errors.js'
import type { ChatEvent } from '../../src/protocol/events.js'
import { tryParseJson } from '../../src/protocol/json.js'
import type { Adapter, Random, Target } from '../../src/protocol/ports.js'
import type { Message, UpstreamRequest } from '../../src/protocol/request.js'
import { seededRandom } from '../../src/testing/random.js'
import { Content } from '../../src/transport/content.js'
import { sseFraming } from '../../src/transport/frames.js'
import type { FuzzedDecoder } from './decoders.js'
import { below, mutated, pick, seedOf, type Seed } from './mutate.js'

/** Bounds of one input. */
export const MOST_MS = 50
export const MOST_BYTES = 64 * 1024 * 1024
const MOST_FAILURES = 5
const RECORDED_BYTES = 8_192

export interface FuzzOptions {
  readonly seed: number
  readonly count: number
  /** Number of the first input; each is made from the seed and its number alone. */
  readonly from?: number
  /** Recorded exchanges beside the repository are seeds too. Default false, for they slow a run down. */
  readonly recorded?: boolean
}
interface Failure {
  readonly index: number
  readonly what: string
}
export interface FuzzReport {
  readonly inputs: number
  readonly answers: number
  readonly faults: number
  readonly failures: readonly Failure[]
  readonly ms: number
  readonly slowest: { readonly index: number; readonly ms: number }
  /** Most bytes the heap grew by during one input. */
  readonly largest: { readonly index: number; readonly bytes: number }
}

type Way = 'stream' | 'json' | 'error'
interface Seeds {
  readonly stream: readonly Seed[]
  readonly json: readonly Seed[]
  readonly error: readonly Seed[]
}

const TARGET: Target = { provider: 'lab', model: 'm1', baseUrl: 'https://lab.example/v1', capabilities: {} }
const ASK: UpstreamRequest = { messages: [{ role: 'user', content: 'Hello' }], tools: [{ name: 'f', inputSchema: { type: 'object' } }, { name: 'a.b c', inputSchema: { type: 'object' } }] }
const BOUNDS = { jsonBytes: 32 * 1024 * 1024, streamBytes: 256 * 1024 * 1024 }
const HEADERS = [{}, { 'content-type': 'text/event-stream' }, { 'content-type': 'application/json', 'retry-after': '1' }, { 'content-type': 'text/html', 'retry-after': '-1' }, { 'retry-after': '1e309', 'x-ratelimit-reset-requests': '9'.repeat(70) }] as const
const STATUSES = [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 503, 529] as const

function recordedSeeds({ recordings }: FuzzedDecoder): { streams: Seed[]; bodies: Seed[] } {
  const path = `../shared/recordings/${recordings ?? ''}`
  const found = { streams: [] as Seed[], bodies: [] as Seed[] }
  if (recordings === undefined || !existsSync(path)) return found
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const body = (tryParseJson(line) as { response?: { body?: { text?: unknown; json?: unknown } } } | undefined)?.response?.body
    const text = typeof body?.text === 'string' ? body.text : body?.json === undefined ? '' : JSON.stringify(body.json)
    if (text === '' || text.length > RECORDED_BYTES) continue
    const framed = /^(?:data|event|:)/.test(text)
    found[framed ? 'streams' : 'bodies'].push(seedOf(text, framed))
  }
  return found
}

function seedsOf(decoder: FuzzedDecoder, recorded: boolean): Seeds {
  const { streams, bodies, errors } = decoder.fixtures
  const more = recorded ? recordedSeeds(decoder) : { streams: [], bodies: [] }
  return {
    stream: [...streams.map(each => seedOf(each, true)), ...more.streams],
    json: [...bodies.map(each => seedOf(each, false)), ...more.bodies],
    error: [...errors.map(each => seedOf(each, false)), ...bodies.map(each => seedOf(each, false))],
  }
}

/** The way of an answer: bytes in pieces, frames or a body, events, the answer, and the answer sent back. */
function answered(adapter: Adapter, bytes: Uint8Array, wire: 'stream' | 'json', sse: ReturnType<typeof sseFraming>, random: Random): void {
  const headers = pick(HEADERS, random)
  const decoder = adapter.decode({ request: ASK, target: TARGET, wire, status: 200, headers })
  const content = new Content({ status: 200, headers, decoder, bounds: BOUNDS, provider: 'lab', framing: adapter.frames, sse })
  const events: ChatEvent[] = []
  try {
    for (let at = 0; at < bytes.length && !decoder.done; ) {
      const next = random() < 0.3 ? bytes.length : at + 1 + below(Math.min(bytes.length, 512), random)
      content.push(bytes.subarray(at, next), true)
      content.goOn()
      events.push(...content.take())
      at = next
    }
    if (!decoder.done) {
      content.end()
      events.push(...content.take())
    }
  } finally {
    content.drop()
  }
  checkEvents(events)
  const { toolCalls, ...rest } = collect(events)
  const message = messageOf({ toolCalls, ...rest }, { provider: 'lab', model: 'm1', deployment: 'd' })
  const results: Message[] = toolCalls.map(({ id }) => ({ role: 'tool', toolCallId: id, content: 'ok' }))
  adapter.encode({ ...ASK, messages: [...ASK.messages, message, ...results] }, TARGET, 'json')
}

function checkEvents(events: readonly ChatEvent[]): void {
  const ends = events.filter(event => event.type === 'finish')
  if (ends.length !== 1 || events.at(-1)?.type !== 'finish') throw new Error(`${ends.length} finish events, the last event is ${events.at(-1)?.type}`)
  for (const [name, value] of Object.entries(ends[0]?.usage ?? {})) if (typeof value === 'number' && !(value >= 0 && Number.isFinite(value))) throw new Error(`usage.${name} is ${value}`)
  for (const event of events) if (event.type === 'tool-call' && JSON.stringify(JSON.parse(event.arguments)) !== JSON.stringify(event.input)) throw new Error('the input of a tool call is not what its arguments say')
}

// What the transport gives an adapter of an error answer.
function failed(adapter: Adapter, bytes: Uint8Array, random: Random): void {
  const text = new TextDecoder().decode(bytes)
  const fault: unknown = adapter.fault(pick(STATUSES, random), pick(HEADERS, random), text.trim() === '' ? undefined : (tryParseJson(text) ?? text.slice(0, 4096)), 0)
  if (!GatewayError.is(fault)) throw new Error('fault() gave no GatewayError')
  JSON.stringify(fault)
  throw fault
}

function heap(): number {
  const { used_heap_size: used, external_memory: outside } = getHeapStatistics()
  return used + outside
}

/** Plays `count` inputs; each is made from the seed and its number, so that one can be played alone. */
export function fuzz(decoder: FuzzedDecoder, { seed, count, from = 0, recorded = false }: FuzzOptions): FuzzReport {
  const seeds = seedsOf(decoder, recorded)
  const all = [...seeds.stream, ...seeds.json, ...seeds.error]
  const sse = sseFraming()
  const failures: Failure[] = []
  const counts = { answers: 0, faults: 0 }
  let slowest = { index: from, ms: 0 }
  let largest = { index: from, bytes: 0 }
  const begun = performance.now()
  let inputs = 0
  for (let index = from; index < from + count && failures.length < MOST_FAILURES; index++) {
    inputs++
    const random = seededRandom((Math.imul(seed, 0x9e37_79b1) + index) >>> 0)
    const way: Way = random() < 0.6 ? 'stream' : random() < 0.6 ? 'json' : 'error'
    const bytes = mutated(pick(seeds[way], random), pick(all, random), random)
    const before = heap()
    const since = performance.now()
    try {
      if (way === 'error') failed(decoder.adapter, bytes, random)
      else answered(decoder.adapter, bytes, way, sse, random)
      counts.answers++
    } catch (error) {
      if (GatewayError.is(error)) counts.faults++
      else failures.push({ index, what: error instanceof Error ? (error.stack ?? String(error)) : String(error) })
    }
    const ms = performance.now() - since
    const grown = heap() - before
    if (ms > slowest.ms) slowest = { index, ms }
    if (grown > largest.bytes) largest = { index, bytes: grown }
    if ('polluted' in {}) {
      failures.push({ index, what: 'Object.prototype was written to' })
      delete (Object.prototype as Record<string, unknown>)['polluted']
    }
  }
  return { inputs, ...counts, failures, ms: performance.now() - begun, slowest, largest }
}

/** How long the slowest input takes at the best of three more times: a slow moment of the machine is no slow input. */
export function slowestMs(decoder: FuzzedDecoder, options: FuzzOptions, { slowest }: FuzzReport): number {
  if (slowest.ms <= MOST_MS) return slowest.ms
  return Math.min(...[1, 2, 3].map(() => fuzz(decoder, { ...options, count: 1, from: slowest.index }).slowest.ms))
}

/** The command that plays one input again. */
export function again(decoder: FuzzedDecoder, seed: number, index: number, recorded = false): string {
  return `npm run fuzz -- --decoder ${decoder.name} --seed ${seed} --from ${index} --count 1${recorded ? '' : ' --plain'}`
}
