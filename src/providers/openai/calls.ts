import { GatewayError } from '../../protocol/errors.js'
import type { ChatEvent } from '../../protocol/events.js'
import { isObject, stringAt, tryParseJson, type Json } from '../../protocol/json.js'
import { ToolCalls } from '../../protocol/toolcalls.js'
import { CUT_CALL } from '../common/notes.js'

interface Call {
  readonly key: number
  readonly index: number | undefined
  id: string | undefined
  name: string | undefined
  /** Free text, not JSON. */
  custom: boolean
  readonly chunks: string[]
}

interface Fragment {
  readonly id: string | undefined
  readonly index: number | undefined
  readonly name: string | undefined
  readonly text: string
  readonly custom: boolean
  readonly extra: Json | undefined
}

function read(raw: Record<string, unknown>): Fragment {
  const custom = isObject(raw['custom'])
  const body = custom ? raw['custom'] : raw['function']
  const written = isObject(body) ? body[custom ? 'input' : 'arguments'] : undefined
  const id = stringAt(raw, 'id')
  return {
    id: id === 'null' ? undefined : id,
    index: Number.isSafeInteger(raw['index']) ? Number(raw['index']) : undefined,
    name: stringAt(body, 'name'),
    text: typeof written === 'string' ? written : isObject(written) ? JSON.stringify(written) : '',
    custom,
    extra: isObject(raw['extra_content']) ? (raw['extra_content'] as Json) : undefined,
  }
}

/** Finds out which call each fragment of `tool_calls` belongs to, whatever the server made of index, id and name. */
export class CallFragments {
  readonly #calls: ToolCalls
  readonly #original: (wire: string) => string
  readonly #all: Call[] = []
  readonly #byIndex = new Map<number, Call>()
  readonly #byId = new Map<string, Call>()

  /**
   * @param newId makes an id that the conversation does not have yet.
   * @param original the name of a tool from the one it travels under.
   */
  constructor(newId: (index: number) => string, original: (wire: string) => string) {
    this.#calls = new ToolCalls(newId)
    this.#original = original
  }

  /** Calls announced so far. */
  get count(): number {
    return this.#calls.count
  }
  get pending(): boolean {
    return this.#all.length > 0
  }

  /** @param at the fragment's place in its chunk. */
  add(raw: Record<string, unknown>, at: number, out: ChatEvent[]): void {
    const fragment = read(raw)
    const call = this.#find(fragment, at) ?? this.#open(fragment)
    if (call.name === undefined && fragment.name !== undefined) this.#announce(call, fragment, out)
    if (fragment.extra !== undefined && call.name !== undefined && call === this.#all.at(-1)) out.push({ type: 'provider-data', dialect: 'openai', on: 'tool-call', data: { extra_content: fragment.extra } })
    if (fragment.text === '') return
    call.chunks.push(fragment.text)
    if (call.name !== undefined) this.#write(call, fragment.text, out)
  }

  /** Ends all calls; where the answer was cut, those that are not whole are left out with a warning. */
  complete(cut: boolean, out: ChatEvent[]): void {
    for (const call of this.#all) if (call.custom) this.#calls.delta(call.key, '"', out)
    const nameless = this.#all.some(call => call.name === undefined && call.chunks.length > 0)
    if (nameless && !cut) throw new GatewayError('malformed_response', 'The answer has a tool call without a name.', { origin: 'upstream' })
    const before = out.length
    if (cut) this.#calls.completeWhole(out)
    else this.#calls.completeAll(out)
    if (nameless || out.length - before < this.count) out.push({ type: 'warning', warning: CUT_CALL })
  }

  #write(call: Call, text: string, out: ChatEvent[]): void {
    this.#calls.delta(call.key, call.custom ? JSON.stringify(text).slice(1, -1) : text, out)
  }

  #announce(call: Call, { id, name = '', custom }: Fragment, out: ChatEvent[]): void {
    if (call.id === undefined && id !== undefined && !this.#byId.has(id)) {
      call.id = id
      this.#byId.set(id, call)
    }
    call.name = name
    call.custom = custom
    this.#calls.start(call.key, call.id, this.#original(name), out)
    if (custom) {
      // Free text travels as a JSON string, so that every call's arguments are JSON.
      out.push({ type: 'provider-data', dialect: 'openai', on: 'tool-call', data: { type: 'custom' } })
      this.#calls.delta(call.key, '"', out)
    }
    for (const text of call.chunks) this.#write(call, text, out)
  }

  #open({ id, index }: Fragment): Call {
    // Two calls of one answer under one id could not be told apart in their results.
    const own = id !== undefined && this.#byId.has(id) ? undefined : id
    const call: Call = { key: this.#all.length, index, id: own, name: undefined, custom: false, chunks: [] }
    this.#all.push(call)
    if (index !== undefined) this.#byIndex.set(index, call)
    if (own !== undefined) this.#byId.set(own, call)
    return call
  }

  #find(fragment: Fragment, at: number): Call | undefined {
    const { id, index, name } = fragment
    if (index !== undefined) return this.#atIndex(index, fragment)
    if (id !== undefined) return this.#byId.get(id)
    const last = this.#all.at(-1)
    if (last === undefined || name === undefined || last.name === undefined) return last
    return at === 0 && last.name === name && !whole(last) ? last : undefined
  }

  #atIndex(index: number, { id, name, text }: Fragment): Call | undefined {
    const known = id === undefined ? undefined : this.#byId.get(id)
    if (known?.index === index) return known
    const call = this.#byIndex.get(index)
    if (call === undefined || name === undefined || call.name === undefined) return call
    if (id !== undefined && call.id !== undefined) return undefined
    return call.name !== name || (text.trimStart().startsWith('{') && whole(call)) ? undefined : call
  }
}

function whole(call: Call): boolean {
  return isObject(tryParseJson(call.chunks.join('')))
}
