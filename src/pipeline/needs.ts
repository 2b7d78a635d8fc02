import type { Capabilities } from '../protocol/ports.js'
import type { Part, UpstreamRequest } from '../protocol/request.js'
import { estimateInputTokens, estimateTokens } from '../protocol/estimate.js'

const NEEDS: readonly (readonly [keyof Capabilities, string, (request: UpstreamRequest, needs: Needs) => boolean])[] = [
  ['tools', 'it takes no tools', request => request.tools !== undefined],
  ['jsonSchema', 'it takes no output schema', request => request.output !== undefined],
  ['prefill', 'it does not go on from an assistant message', request => request.prefill === true],
  ['images', 'it takes no images', (_, needs) => needs.has('image')],
  ['files', 'it takes no files', (_, needs) => needs.has('file')],
  ['audio', 'it takes no audio', (_, needs) => needs.has('audio')],
]

/** What a request asks of a deployment, read at most once. */
export class Needs {
  readonly #request: UpstreamRequest
  #parts: ReadonlySet<Part['type']> | undefined
  #tokens: number | undefined

  constructor(request: UpstreamRequest) {
    this.#request = request
  }

  /** The first thing this deployment is known not to do. */
  missingIn(capabilities: Capabilities): string | undefined {
    for (const [name, what, needed] of NEEDS) if (capabilities[name] === false && needed(this.#request, this)) return what
    const { maxOutputTokens: most = Infinity, contextWindow } = capabilities
    const { maxOutputTokens = 0 } = this.#request
    if (maxOutputTokens > most) return `it writes at most ${most} tokens, ${maxOutputTokens} are asked for`
    return contextWindow === undefined ? undefined : this.#tooLong(contextWindow)
  }

  #tooLong(contextWindow: number): string | undefined {
    this.#tokens ??= this.#request.embed === undefined ? estimateInputTokens(this.#request) : longest(this.#request)
    // An estimate may be off by half: only what cannot fit is left out, the rest is the provider's to judge.
    return this.#tokens / 2 > contextWindow ? `its context window of ${contextWindow} tokens is too small for about ${this.#tokens}` : undefined
  }

  has(type: Part['type']): boolean {
    this.#parts ??= new Set(this.#request.messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content.map(part => part.type))))
    return this.#parts.has(type)
  }
}

/** Each text is embedded alone: the longest has to fit, not all together. */
function longest({ messages }: UpstreamRequest): number {
  let most = 0
  for (const { content } of messages) most = Math.max(most, content.length)
  return estimateTokens(most)
}
