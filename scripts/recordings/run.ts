import { Gateway, GatewayError, type ChatRequest, type Warning } from 'sallyport'
import { isObject, tryParseJson } from '../../src/protocol/json.js'
import { binaryDeliveries, plainDeliveries, streamDeliveries, type Delivery } from './deliveries.js'
import { compare, describe } from './difference.js'
import type { Apart } from './glued.js'
import { wrongIn, type Ended } from './outcome.js'
import type { Protocol, Way } from './protocols.js'
import { isEventStream, requestBody, responseBytes, responseText, type Recording } from './recording.js'
import type { Arrived, Booking, ReplayServer } from './server.js'

/** What came of one line. */
export interface LineReport {
  readonly id: string
  /** Deliveries by how they came out. */
  readonly right: number
  readonly wrong: number
  readonly unnatural: number
  /** Deliveries whose request was held against a recorded one. */
  readonly requests: number
  /** What is wrong, each sentence once. */
  readonly faults: readonly string[]
  /** Why something cannot be right by nature. */
  readonly reasons: readonly string[]
  /** Why some request differs and is right all the same. */
  readonly allowed: readonly string[]
  readonly refused?: string
  /** The line was played message by message, this many. */
  readonly messages?: number
}

const KEY = 'key-of-the-recordings'
const IDLE_MS = 10_000
const PLAIN: Omit<ChatRequest, 'model'> = { messages: 'Hello' }

async function ask({ deployment }: Way, request: Omit<ChatRequest, 'model'>, how: Delivery['ask']): Promise<Ended> {
  const gateway = new Gateway({
    routes: { recorded: deployment },
    retry: { attempts: 1, maxAttempts: 1 },
    deadlines: { firstEventMs: IDLE_MS, idleMs: IDLE_MS, answerMs: 3 * IDLE_MS },
    chatWire: how === 'chat-stream' ? 'stream' : 'json',
  })
  try {
    if (how !== 'stream') return { result: await gateway.chat({ model: 'recorded', ...request }) }
    const stream = await gateway.stream({ model: 'recorded', ...request })
    for await (const event of stream) if (event.type === 'restart') throw new Error('The stream began anew.')
    return { result: await stream.result() }
  } catch (error) {
    if (GatewayError.is(error)) return { fault: error }
    throw error
  } finally {
    await gateway.close()
  }
}

/** The recorded body as it would have been sent over this wire. */
function overWire(body: Readonly<Record<string, unknown>>, how: Delivery['ask']): Record<string, unknown> {
  const { stream: _, stream_options: options, ...rest } = body
  return how === 'chat-json' ? rest : { ...rest, stream: true, ...(options !== undefined && { stream_options: options }) }
}

/** What is not as it should be of the address and the headers. */
export function wrongHeaders(way: Pick<Way, 'path' | 'headers' | 'verbs' | 'wrong'>, arrived: Arrived, how: Delivery['ask'] = 'chat-json'): string[] {
  const path = `${way.path}${way.verbs?.[how === 'chat-json' ? 'json' : 'stream'] ?? ''}`
  const headers = Object.entries(way.headers).flatMap(([name, value]) => (arrived.headers[name] === value ? [] : [`request: the header ${name} is not as it should be`]))
  const where = arrived.method === 'POST' && arrived.path === path ? [] : [`request: POST ${path} expected, ${arrived.method} ${arrived.path} found`]
  return [...where, ...headers, ...(way.wrong?.(arrived) ?? [])]
}

/** Plays one line in every delivery. */
class LinePlay {
  readonly #protocol: Protocol
  readonly #recording: Recording
  readonly #server: ReplayServer
  readonly #faults = new Set<string>()
  readonly #reasons = new Set<string>()
  readonly #allowed = new Set<string>()
  #requests = 0

  constructor(protocol: Protocol, recording: Recording, server: ReplayServer) {
    this.#protocol = protocol
    this.#recording = recording
    this.#server = server
  }

  async run(): Promise<LineReport> {
    const { id } = this.#recording
    const counts = { right: 0, wrong: 0, unnatural: 0 }
    const refused = this.#protocol.refused.get(id)
    if (refused !== undefined) await this.#refusal()
    const apart = this.#protocol.apart?.(this.#recording)
    for (const delivery of this.#deliveries()) {
      const exception = this.#protocol.exception?.(this.#recording, delivery)
      const wrong = await this.#wrongOf(delivery, exception?.expect ?? this.#recording.expect, apart)
      for (const fault of wrong) this.#faults.add(`${delivery.name}: ${fault}`)
      counts[wrong.length > 0 ? 'wrong' : exception === undefined ? 'right' : 'unnatural']++
      if (exception !== undefined) this.#reasons.add(exception.reason)
    }
    // A refusal that did not come is no delivery, and wrong all the same.
    if (counts.wrong === 0 && this.#faults.size > 0) counts.wrong++
    return { id, ...counts, requests: this.#requests, faults: [...this.#faults], reasons: [...this.#reasons], allowed: [...this.#allowed], ...(refused !== undefined && { refused }), ...(apart !== undefined && { messages: apart.messages }) }
  }

  #deliveries(): Delivery[] {
    if (responseBytes(this.#recording) !== undefined) return binaryDeliveries()
    return isEventStream(this.#recording) ? streamDeliveries(this.#protocol.hasDone) : plainDeliveries(this.#recording.wire === 'stream' ? 'stream' : 'chat-json')
  }

  #book(body: string | Uint8Array, { rewrite, cut, sized }: Pick<Delivery, 'rewrite' | 'cut' | 'sized'>): Booking {
    const { status, headers } = this.#recording.response
    return this.#server.book({ status, headers, sized, pieces: cut(typeof body === 'string' ? new TextEncoder().encode(rewrite(body)) : body) })
  }

  /** Several messages go in an exchange each, one after the other, as the client had them. */
  async #wrongOf(delivery: Delivery, expected: Recording['expect'], apart: Apart | undefined): Promise<string[]> {
    if (apart === undefined) return this.#deliver(delivery, responseBytes(this.#recording) ?? responseText(this.#recording), expected)
    const faults = [...apart.wrong]
    for (const { name, text, expect } of apart.parts) {
      for (const fault of await this.#deliver(delivery, text, expect)) faults.push(`${name}: ${fault}`)
    }
    return faults
  }

  async #deliver(delivery: Delivery, response: string | Uint8Array, expected: Recording['expect']): Promise<string[]> {
    const booking = this.#book(response, delivery)
    try {
      const way = this.#protocol.way(this.#recording, booking.origin, KEY, delivery.ask !== 'chat-json')
      const body = this.#protocol.refused.has(this.#recording.id) ? undefined : requestBody(this.#recording)
      const ended = await ask(way, body === undefined ? PLAIN : this.#protocol.read(body, this.#recording), delivery.ask)
      if (way.note !== undefined) this.#allowed.add(way.note)
      const [arrived, ...more] = booking.arrived
      if (arrived === undefined) return ['fault' in ended ? `no request arrived (${ended.fault.code}: ${ended.fault.message})` : 'no request arrived']
      const again = more.length > 0 ? [`${more.length + 1} requests arrived in place of one`] : []
      const request = body === undefined ? [] : this.#request(this.#protocol.streamInPath === true ? body : overWire(body, delivery.ask), arrived, 'result' in ended ? ended.result.warnings : [])
      return [...again, ...wrongHeaders(way, arrived, delivery.ask), ...request, ...wrongIn(expected, ended)]
    } catch (error) {
      return [error instanceof Error ? `${error.name}: ${error.message}` : 'something was thrown that is no error']
    } finally {
      booking.cancel()
    }
  }

  #request(recorded: Readonly<Record<string, unknown>>, arrived: Arrived, warnings: readonly Warning[]): string[] {
    this.#requests++
    const sent = tryParseJson(arrived.body)
    if (!isObject(sent)) return ['request: the body is not a JSON object']
    const { meaning, rules } = this.#protocol
    const { wrong, allowed } = compare(meaning(recorded), meaning(sent), rules, { vendor: this.#recording.vendor, warnings })
    for (const reason of allowed) this.#allowed.add(reason)
    return wrong.map(difference => `request: ${describe(difference)}`)
  }

  /** The recorded request must be refused by the gateway, and not sent. */
  async #refusal(): Promise<void> {
    const booking = this.#book(responseText(this.#recording), { rewrite: text => text, cut: bytes => [bytes], sized: true })
    const body = requestBody(this.#recording) ?? {}
    const request = 'messages' in body ? { messages: body['messages'] as ChatRequest['messages'] } : this.#protocol.read(body, this.#recording)
    const ended = await ask(this.#protocol.way(this.#recording, booking.origin, KEY, false), request, 'chat-json')
    booking.cancel()
    if ('result' in ended || ended.fault.code !== 'invalid_request' || ended.fault.origin !== 'caller' || booking.arrived.length > 0) this.#faults.add('the recorded request: it was not refused before it was sent')
  }
}

/** Plays every line of a protocol. */
export function playAll(protocol: Protocol, recordings: readonly Recording[], server: ReplayServer, atOnce?: number): Promise<LineReport[]> {
  return inTurn(recordings, recording => new LinePlay(protocol, recording, server).run(), atOnce)
}

/** Plays lines, some at a time. Reports come in the order of the lines. */
export async function inTurn(recordings: readonly Recording[], play: (recording: Recording) => Promise<LineReport>, atOnce = 6): Promise<LineReport[]> {
  const reports: LineReport[] = []
  const queue = recordings.entries()
  const work = async (): Promise<void> => {
    for (const [at, recording] of queue) reports[at] = await play(recording)
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return reports
}
