import { GatewayError } from './errors.js'
import type { ChatEvent } from './events.js'
import { isObject, parseJson } from './json.js'

interface Open {
  readonly index: number
  readonly id: string
  readonly name: string
  readonly chunks: string[]
}

/**
 * Puts tool calls together from fragments, for any dialect. Emits `tool-call-start` once a call has a name, its argument
 * text as it comes, and `tool-call` once, when it is complete and parses. Renumbers the calls from 0.
 */
export class ToolCalls {
  readonly #open = new Map<number | string, Open>()
  readonly #newId: (index: number) => string
  #count = 0

  /** @param newId makes an id where the provider sent none. */
  constructor(newId: (index: number) => string = index => `call_${index}`) {
    this.#newId = newId
  }

  /** Calls announced so far. */
  get count(): number {
    return this.#count
  }
  /** Some call is not complete. */
  get pending(): boolean {
    return this.#open.size > 0
  }
  has(key: number | string): boolean {
    return this.#open.has(key)
  }

  start(key: number | string, id: string | undefined, name: string, out: ChatEvent[]): void {
    const index = this.#count++
    const call: Open = { index, id: id ?? this.#newId(index), name, chunks: [] }
    this.#open.set(key, call)
    out.push({ type: 'tool-call-start', index, id: call.id, name })
  }

  delta(key: number | string, text: string, out: ChatEvent[]): void {
    const call = this.#open.get(key)
    if (call === undefined || text === '') return
    call.chunks.push(text)
    out.push({ type: 'tool-call-delta', index: call.index, arguments: text })
  }

  /** Completes one call, with `whole` or else the text it was given. Empty arguments are `{}`; text that is not JSON is `malformed_response`. */
  complete(key: number | string, out: ChatEvent[], whole?: string): void {
    const call = this.#open.get(key)
    if (call === undefined) return
    this.#open.delete(key)
    const text = whole ?? call.chunks.join('')
    const blank = text.trim() === '' || text.trim() === 'null'
    out.push({ type: 'tool-call', index: call.index, id: call.id, name: call.name, input: blank ? {} : parseArguments(text, call.name), arguments: blank ? '{}' : text })
  }

  completeAll(out: ChatEvent[]): void {
    for (const key of [...this.#open.keys()]) this.complete(key, out)
  }

  /** The answer was cut by a length limit: calls whose text does not parse are dropped, for half a call is no call. */
  completeWhole(out: ChatEvent[]): void {
    for (const [key, call] of [...this.#open]) {
      if (parses(call.chunks.join(''))) this.complete(key, out)
      else this.#open.delete(key)
    }
  }
}

function parses(text: string): boolean {
  try {
    return isObject(parseJson(text))
  } catch {
    return false
  }
}

function parseArguments(text: string, name: string): unknown {
  try {
    return parseJson(text)
  } catch (cause) {
    if (GatewayError.is(cause)) throw cause
    throw new GatewayError('malformed_response', `The arguments of the tool call "${name.slice(0, 64)}" are not JSON.`, { origin: 'upstream' })
  }
}
