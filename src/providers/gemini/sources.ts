import type { ChatEvent, TokenLogprob } from '../../protocol/events.js'
import { isObject, numberAt, stringAt, type Json } from '../../protocol/json.js'
import type { Citation } from '../../protocol/request.js'
import { present } from '../faults.js'

type Fields = Record<string, unknown>

const MOST = 1000

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function cited(chunk: unknown, text: string | undefined): Citation | undefined {
  if (!isObject(chunk)) return undefined
  const source = [chunk['web'], chunk['retrievedContext'], chunk['maps']].find(isObject)
  if (source === undefined) return undefined
  return present({ url: stringAt(source, 'uri'), title: stringAt(source, 'title'), text: text ?? stringAt(source, 'text'), data: chunk as Json })
}

/** Where an answer says that it comes from. It may come in pieces, and more than once. */
export class Sources {
  #grounding: Fields | undefined
  readonly #cited = new Map<string, Citation>()

  add(candidate: Fields): void {
    const { groundingMetadata: grounding, citationMetadata: citations } = candidate
    if (isObject(grounding)) this.#grounding = { ...this.#grounding, ...grounding }
    if (!isObject(citations)) return
    for (const citation of [...list(citations['citations']), ...list(citations['citationSources'])]) {
      if (!isObject(citation) || this.#cited.size >= MOST) continue
      this.#cited.set(JSON.stringify(citation), present({ url: stringAt(citation, 'uri'), title: stringAt(citation, 'title'), data: citation as Json }))
    }
  }

  get grounding(): Json | undefined {
    return this.#grounding as Json | undefined
  }

  events(): ChatEvent[] {
    return [...this.#grounded(), ...this.#cited.values()].slice(0, MOST).map(citation => ({ type: 'citation', ...citation }))
  }

  #grounded(): Citation[] {
    const chunks = list(this.#grounding?.['groundingChunks'])
    const supports = list(this.#grounding?.['groundingSupports']).filter(isObject)
    if (supports.length === 0) return chunks.map(chunk => cited(chunk, undefined)).filter(citation => citation !== undefined)
    const found: Citation[] = []
    for (const support of supports) {
      for (const at of list(support['groundingChunkIndices'])) {
        const citation = typeof at === 'number' ? cited(chunks[at], stringAt(support['segment'], 'text')) : undefined
        if (citation !== undefined && found.length < MOST) found.push(citation)
      }
    }
    return found
  }
}

function tokenOf(raw: unknown): { token: string; logprob: number } | undefined {
  const logprob = numberAt(raw, 'logProbability')
  const token = isObject(raw) ? raw['token'] : undefined
  return typeof token === 'string' && logprob !== undefined ? { token, logprob } : undefined
}

/** The log probabilities of a candidate, the alternatives among them. */
export function logprobsOf(result: unknown): TokenLogprob[] {
  if (!isObject(result)) return []
  const tops = list(result['topCandidates'])
  return list(result['chosenCandidates']).flatMap((raw, at) => {
    const token = tokenOf(raw)
    if (token === undefined) return []
    const steps = tops[at]
    const top = list(isObject(steps) ? steps['candidates'] : undefined).map(tokenOf).filter(each => each !== undefined)
    return [{ ...token, ...(top.length > 0 && { top }) }]
  })
}
