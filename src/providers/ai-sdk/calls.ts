import type { ChatEvent } from '../../protocol/events.js'
import { isObject, stringAt, tryParseJson, type Json } from '../../protocol/json.js'
import { ToolCalls } from '../../protocol/toolcalls.js'
import { DIALECT, jsonOf, mergeVendors, type Fields } from './model.js'
import { idOf, malformed } from './parts.js'

/** The calls of one answer that are for the caller to make. A call is complete with its `tool-call` part, never before. */
export class Calls {
  readonly #calls = new ToolCalls()
  /** Calls that have begun. One is told at a time, the others when they are whole; those the provider makes itself never. */
  readonly #begun = new Map<string, 'told' | 'held' | 'executed'>()
  /** Calls that are whole but whose text is no object: a length limit may have cut the last one. */
  readonly #late = new Map<string, string>()

  get count(): number {
    return this.#calls.count
  }
  /** Some call was begun and never came. */
  get half(): boolean {
    return [...this.#begun.values()].some(state => state !== 'executed')
  }

  begin(part: Fields, out: ChatEvent[]): void {
    const id = idOf(part)
    if (this.#begun.has(id)) throw malformed('A tool call of the answer begins twice.')
    // What a provider says of a call belongs to the one announced last.
    const state = part['providerExecuted'] === true ? 'executed' : this.#calls.pending ? 'held' : 'told'
    this.#begun.set(id, state)
    if (state === 'told') this.#announce(id, part, out)
  }

  delta(part: Fields, text: string, out: ChatEvent[]): void {
    if (this.#begun.get(idOf(part)) === 'told') this.#calls.delta(idOf(part), text, out)
  }

  /** The whole call. One that the provider makes itself is given back, as it goes into the prompt. */
  take(part: Fields, out: ChatEvent[]): Fields | undefined {
    const id = stringAt(part, 'toolCallId')
    if (id === undefined) throw malformed('A tool call of the answer has no id.')
    const input = typeof part['input'] === 'string' ? part['input'] : (JSON.stringify(part['input'] ?? {}) as string | undefined) ?? '{}'
    this.#begun.delete(id)
    if (part['providerExecuted'] === true) return { type: 'tool-call', toolCallId: id, toolName: part['toolName'], input: tryParseJson(input) ?? input, providerExecuted: true }
    if (!this.#calls.has(id)) {
      this.#announce(id, part, out)
      this.#calls.delta(id, input, out)
    }
    const metadata = jsonOf(mergeVendors(part['providerMetadata']))
    if (isObject(metadata) && Object.keys(metadata).length > 0) out.push({ type: 'provider-data', dialect: DIALECT, data: { providerOptions: metadata as Json }, on: 'tool-call' })
    if (input.trim() === '' || isObject(tryParseJson(input))) this.#calls.complete(id, out, input)
    else this.#late.set(id, input)
    return undefined
  }

  /** What something else follows was not cut. Throws `malformed_response` for arguments that are not JSON. */
  settle(out: ChatEvent[]): void {
    for (const [id, input] of this.#late) this.#calls.complete(id, out, input)
    this.#late.clear()
  }

  #announce(id: string, { toolName }: Fields, out: ChatEvent[]): void {
    if (typeof toolName !== 'string' || toolName === '') throw malformed('A tool call of the answer has no name.')
    this.#calls.start(id, id, toolName, out)
  }
}
