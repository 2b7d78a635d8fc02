import { GatewayError } from '../../protocol/errors.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import type { PiiAction } from './actions.js'
import { findingsOf, inToken, merged } from './merge.js'
import { blocked, type Policy } from './policy.js'
import { mapRequest, type Visitor, type Where } from './positions.js'
import type { Detector, Finding } from './types.js'

/** A model of the user's own that finds what patterns cannot, such as names. Asked for each text of a request; what it throws refuses the call. */
export type PiiModel = (text: string, where: { readonly position: string }) => readonly Finding[] | Promise<readonly Finding[]>

/** What masking a request takes. */
export interface MaskParts {
  readonly detector: Detector
  readonly model: PiiModel | undefined
  readonly policy: Policy
  /** Placeholders with numbers. */
  readonly numbered: boolean
  readonly opaque: 'allow' | 'block'
}
/** A request with its masks on. */
export interface Masked {
  readonly request: UpstreamRequest
  /** Findings in the developer's own words, which were left there. */
  readonly kept: readonly { readonly type: string; readonly position: string }[]
}

interface Scanned {
  readonly text: string
  readonly where: Where
  findings: readonly Finding[]
}

/** Findings in a text that stands under a name, as if the name were before it. */
function under(detector: Detector, text: string, key: string | undefined): readonly Finding[] {
  if (key === undefined) return detector.detect(text)
  const before = `${key.slice(0, 64)}: `.length
  return detector.detect(`${key.slice(0, 64)}: ${text}`).flatMap(finding => (finding.end <= before ? [] : [{ ...finding, start: Math.max(0, finding.start - before), end: finding.end - before }]))
}

/**
 * Masks a request in two passes: everything is found, in the order of the messages, before anything is replaced. So the numbers of the
 * placeholders do not depend on what was replaced, and what tells itself in one place is masked in all.
 */
export class Mask implements Visitor {
  readonly #parts: MaskParts
  readonly #scanned: Scanned[] = []
  #at = 0
  #replacing = false

  constructor(parts: MaskParts) {
    this.#parts = parts
  }

  apply(request: UpstreamRequest): Masked | Promise<Masked> {
    mapRequest(request, this)
    const { model } = this.#parts
    if (model === undefined) return this.#replace(request)
    return this.#ask(model).then(() => this.#replace(request))
  }

  async #ask(model: PiiModel): Promise<void> {
    for (const scanned of this.#scanned) {
      const { text, where: { position } } = scanned
      scanned.findings = merged(scanned.findings, findingsOf(await model(text, { position }), text.length))
    }
  }

  #replace(request: UpstreamRequest): Masked {
    const { session } = this.#parts.policy
    session?.heed(this.#scanned.map(({ text }) => text))
    this.#clean()
    this.#spread()
    const kept = this.#judge()
    this.#replacing = true
    return { request: mapRequest(request, this), kept }
  }

  #clean(): void {
    const { session } = this.#parts.policy
    for (const scanned of this.#scanned) if (scanned.findings.length > 0) scanned.findings = scanned.findings.filter(finding => !inToken(scanned.text, finding, session))
  }

  /** A value that was told by its context once is masked where there is no context, too. */
  #spread(): void {
    const { policy } = this.#parts
    const { session } = policy
    if (session === undefined) return
    for (const { text, where, findings } of this.#scanned) {
      for (const { type, start, end } of findings) if (this.#action(type, where) !== 'report') session.learn(type, text.slice(start, end))
    }
    for (const scanned of this.#scanned) {
      const spelt = session.spelt(scanned.text).map(place => ({ ...place, score: 0.5, reason: 'seen' }))
      if (spelt.length > 0) scanned.findings = merged(scanned.findings, spelt)
    }
  }

  #judge(): Masked['kept'] {
    const { policy } = this.#parts
    const refused: { type: string; position: string }[] = []
    const kept: { type: string; position: string }[] = []
    for (const { where, findings } of this.#scanned) {
      const { position, direction, form } = where
      for (const finding of findings) {
        const action = this.#action(finding.type, where)
        if (action === 'block') refused.push({ type: finding.type, position })
        else if (form === 'fixed') kept.push({ type: finding.type, position })
        policy.tell(finding, position, direction, action)
      }
    }
    if (refused.length > 0) throw blocked(refused, 'caller')
    return kept
  }

  #action(type: string, { direction, form }: Where): PiiAction {
    const action = this.#parts.policy.action(type, direction)
    return form === 'fixed' && action !== 'block' ? 'report' : action
  }

  text(text: string, where: Where): string {
    if (this.#replacing) return this.#written(text, where)
    this.#scanned.push({ text, where, findings: text === '' ? [] : under(this.#parts.detector, text, where.key) })
    return text
  }

  opaque(mediaType: string, position: string): void {
    if (this.#replacing) return
    const { opaque, policy } = this.#parts
    policy.tell({ type: 'UNSCANNABLE', score: 1, reason: mediaType.slice(0, 80) }, position, 'input', opaque === 'block' ? 'block' : 'report')
    if (opaque === 'block') throw new GatewayError('refused', `${position} cannot be searched for personal data (${mediaType.slice(0, 80)}), and "onUnscannable" is 'block'. Send its text instead.`, { origin: 'caller' })
  }

  reasoning(text: string): string | undefined {
    return this.#parts.policy.session?.rawReasoning(text)
  }

  #written(text: string, where: Where): string {
    const scanned = this.#scanned[this.#at++]
    if (scanned?.text !== text) throw new GatewayError('refused', 'The request changed while it was being searched. Do not change messages that a call was given.')
    if (scanned.findings.length === 0) return text
    const { policy, numbered } = this.#parts
    let out = ''
    let from = 0
    for (const { type, start, end } of scanned.findings) {
      const action = this.#action(type, where)
      if (action === 'report') continue
      const given = policy.replaced(type, text.slice(start, end), action, numbered)
      out += text.slice(from, start) + (where.form === 'name' ? given.replace(/[[\]]/g, '') : given)
      from = end
    }
    return from === 0 ? text : out + text.slice(from)
  }
}
