import type { CallKind, UpstreamRequest } from '../protocol/request.js'

/** Characters of prompt and answer of a call that is kept. */
const MOST_CHARS = 262_144

/**
 * Keeps the newest finished call of each kind, if it is small, so that a full garbage collection in an idle moment finds one object of
 * each shape: V8 drops the code it has optimised for shapes of which no object is left, and the next calls cost twice as much.
 */
export class Keepsake {
  #chat: object | undefined
  #stream: object | undefined

  keep(kind: CallKind, call: object, { messages }: UpstreamRequest, answerChars: number): void {
    let chars = answerChars
    for (const { content } of messages) {
      // Images and files are large, and say nothing of shapes.
      if (typeof content !== 'string') return
      chars += content.length
    }
    if (chars > MOST_CHARS) return
    if (kind === 'chat') this.#chat = call
    else if (kind === 'stream') this.#stream = call
  }

  /** Lets go of both. */
  clear(): void {
    this.#chat = this.#stream = undefined
  }

  /** Calls that are kept. */
  get size(): number {
    return Number(this.#chat !== undefined) + Number(this.#stream !== undefined)
  }
}
