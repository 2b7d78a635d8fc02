import type { UpstreamRequest } from '../../protocol/request.js'

/** Takes the text an answer goes on from off its start, where a server repeats it. */
export class Echo {
  readonly #given: string
  #held: string | undefined = ''

  constructor(given: string) {
    this.#given = given
  }

  /** What of the text is new. It may be held back until it is known. */
  take(text: string): string {
    if (this.#held === undefined) return text
    const seen = this.#held + text
    if (seen.length < this.#given.length && this.#given.startsWith(seen)) {
      this.#held = seen
      return ''
    }
    this.#held = undefined
    return seen.startsWith(this.#given) ? seen.slice(this.#given.length) : seen
  }

  /** The answer ended: what was held was no echo. */
  end(): string {
    const held = this.#held ?? ''
    this.#held = undefined
    return held
  }
}

/** One for the assistant message that a request ends with; `undefined` where it does not. */
export function echoOf({ messages, prefill }: UpstreamRequest): Echo | undefined {
  const last = messages.at(-1)
  if (prefill !== true || last?.role !== 'assistant') return undefined
  const { content } = last
  const text = typeof content === 'string' ? content : content.map(part => (part.type === 'text' || part.type === 'refusal' ? part.text : '')).join('')
  return text === '' ? undefined : new Echo(text)
}
