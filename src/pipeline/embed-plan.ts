import type { EmbedLimits, EmbedRequest } from '../protocol/embed.js'
import { GatewayError } from '../protocol/errors.js'
import type { Deployment } from '../protocol/ports.js'
import type { Excluded } from '../protocol/result.js'
import type { Live, LiveCandidate } from '../resilience/live.js'
import type { Route } from '../routing/router.js'
import type { Admitted, Call, Plan, Settings } from './call.js'
import { cancellable } from './cancellable.js'

const SPEECHLESS = 'its dialect has no embeddings'

/** What the stage is made of. */
export interface EmbedPlanParts {
  readonly plan: (admitted: Admitted) => Plan | Promise<Plan>
  readonly bring: (deployment: Deployment) => Live | { readonly reason: string }
  readonly limits: EmbedLimitsOf
  readonly deploymentsOf: (route: Route<Settings>) => readonly Deployment[]
}

/** How much each deployment takes at once, asked of it once. */
export class EmbedLimitsOf {
  readonly #known = new WeakMap<Live, EmbedLimits>()

  async of(live: Live): Promise<EmbedLimits | undefined> {
    const known = this.#known.get(live)
    if (known !== undefined) return known
    const limits = await live.upstream.embeds?.()
    if (limits !== undefined) this.#known.set(live, limits)
    return limits
  }

  /** The least of what the candidates take: any of them may be asked for any part. */
  least(candidates: readonly LiveCandidate[]): Required<EmbedLimits> {
    let maxInputs = Infinity
    let maxBytes = Infinity
    for (const { live } of candidates) {
      const known = this.#known.get(live)
      maxInputs = Math.min(maxInputs, known?.maxInputs ?? 1)
      maxBytes = Math.min(maxBytes, known?.maxBytes ?? Infinity)
    }
    // An upstream of somebody's own may say anything.
    return { maxInputs: maxInputs >= 1 ? Math.floor(maxInputs) : 1, maxBytes: maxBytes >= 1 ? maxBytes : 1 }
  }
}

/** The name of a model without its publisher. */
export function modelOf({ model }: Pick<Deployment, 'model'>): string {
  return model.slice(model.lastIndexOf('/') + 1).toLowerCase()
}

/** Plans a call for embeddings: leaves out who has none, and lets no model stand in for another, since their vectors do not compare. */
export function createEmbedPlan({ plan, bring, limits, deploymentsOf }: EmbedPlanParts): (admitted: Admitted) => Promise<Plan> {
  /** A budget may plan a call once more, on a cheaper route. */
  const chosen = new WeakMap<Call, string>()
  const check = async ({ route, call, request }: Admitted): Promise<void> => {
    if (request.embed?.anyModel === true) return
    const models = new Set<string>()
    for (const deployment of deploymentsOf(route)) {
      const live = bring(deployment)
      if (!('reason' in live) && (await limits.of(live)) !== undefined) models.add(modelOf(deployment))
    }
    const [model = ''] = models
    const before = chosen.get(call)
    if (models.size < 2 && before !== undefined && model !== before) throw new GatewayError('no_candidates', `The route "${route.name}" embeds with another model than the one that was asked for.`, { origin: 'caller' })
    chosen.set(call, model)
    if (models.size < 2) return
    throw new GatewayError('invalid_request', `The route "${route.name}" embeds with several models (${[...models].slice(0, 5).join(', ')}), whose vectors do not compare. Make a route for each, or set anyModel: true.`, { origin: 'caller' })
  }
  const able = async (planned: Plan): Promise<Plan> => {
    const excluded: Excluded[] = []
    const candidates: LiveCandidate[] = []
    for (const candidate of planned.candidates) {
      if ((await limits.of(candidate.live)) === undefined) excluded.push({ deployment: candidate.live.deployment.id, reason: SPEECHLESS })
      else candidates.push(candidate)
    }
    const all = excluded.length === 0 ? planned.excluded : [...planned.excluded, ...excluded]
    if (candidates.some(({ onlyAfter }) => onlyAfter === undefined)) return { ...planned, candidates, excluded: all, shadows: [] }
    const reasons = all.map(({ deployment, reason }) => `${deployment}: ${reason}`).join('; ')
    throw new GatewayError('no_candidates', `No deployment of the route "${planned.admitted.route.name}" can embed. ${reasons}.`, { origin: 'caller', excluded: all })
  }
  return async admitted => {
    const { cancel } = admitted.call
    checkTexts(admitted)
    // Adapters are loaded here, which nobody waits for after an abort.
    await cancellable(check(admitted), cancel)
    return cancellable(able(await plan(admitted)), cancel)
  }
}

/** A hook may change the texts, and not which there are: vectors are told apart by their places alone. */
function checkTexts({ call, request: { messages, embed } }: Admitted): void {
  const { input } = call.asked as EmbedRequest
  const inputs = typeof input === 'string' ? 1 : input.length
  if (embed !== undefined && messages.length === inputs && messages.every(({ role, content }) => role === 'user' && typeof content === 'string' && content !== '')) return
  throw new GatewayError('refused', 'A plugin changed which texts are embedded: it may change a text, and neither add, take out nor empty one.', { origin: 'gateway' })
}
