import type { Words } from './context-words.js'
import type { Hits } from './hits.js'
import { bounded } from './pattern.js'
import type { Recogniser } from './types.js'

interface Compiled {
  readonly recogniser: Recogniser
  readonly pattern: RegExp
  readonly words: Words
}

/** The user's own recognisers. */
export class Own {
  readonly maxLength: number
  readonly #all: readonly Compiled[]

  constructor(recognisers: readonly Recogniser[]) {
    this.#all = recognisers.map(recogniser => ({ recogniser, pattern: bounded(recogniser.pattern, recogniser.maxLength), words: new Set(recogniser.context?.map(word => word.toLowerCase().replace(/[\s_-]+/g, '')) ?? []) }))
    this.maxLength = Math.max(...recognisers.map(one => one.maxLength))
  }

  /** Throws what a recogniser throws: the caller refuses the call. */
  scan(hits: Hits): void {
    for (const { recogniser, pattern, words } of this.#all) {
      for (const match of hits.text.matchAll(pattern)) {
        const end = match.index + match[0].length
        if (match[0].length === 0 || match[0].length > recogniser.maxLength) continue
        if (recogniser.validate !== undefined && !recogniser.validate(match[0])) continue
        hits.weighPlain(recogniser.type, match.index, end, recogniser.score ?? 0.6, words)
      }
    }
  }
}
