import { GatewayError } from '../protocol/errors.js'
import type { Deployment } from '../protocol/ports.js'
import type { Excluded } from '../protocol/result.js'
import type { Candidate, Group, RouteTarget, Shadow } from '../protocol/strategy.js'
import type { Live, LiveCandidate } from '../resilience/live.js'
import { keepTogether } from '../routing/affinity.js'
import { flatten, type Mirrored } from '../routing/flatten.js'
import { deploymentsOf } from '../routing/tree.js'
import { applyPrefer } from '../routing/prefer.js'
import { prepareAll, traitsOf, type Traits } from '../routing/traits.js'
import type { Admitted, Plan } from './call.js'
import { cancellable } from './cancellable.js'
import { Needs } from './needs.js'
import type { View } from './view.js'

/** Gives a deployment its parts; a reason where it has no credential. */
type Bring = (deployment: Deployment) => Live | { readonly reason: string }

/** What the stage is made of. */
export interface PlanParts {
  readonly bring: Bring
  readonly view: (admitted: Admitted) => View
  /** Looks up the prices of deployments that have none of their own; waits where the table has to be loaded. */
  readonly priced: (deployments: readonly Deployment[]) => Promise<void> | undefined
}

/** What holds for a route as long as its tree does. */
interface Known extends Traits {
  readonly deployments: readonly Deployment[]
  /** The line, where no strategy ever changes it. */
  readonly line: readonly Candidate[] | undefined
}

const NOTHING: readonly Excluded[] = Object.freeze([])
const NO_SHADOWS: readonly Shadow[] = Object.freeze([])

/** Orders the route into candidates and leaves out those that cannot do what the request needs, saying why. Waits only where a strategy or the price table has to. */
export function createPlan(parts: PlanParts): (admitted: Admitted) => Plan | Promise<Plan> {
  const routes = new WeakMap<RouteTarget, Known>()
  return admitted => {
    const { target, name } = admitted.route
    let known = routes.get(target)
    if (known === undefined) routes.set(target, (known = knownOf(target, name)))
    const loading = parts.priced(known.deployments)
    if (loading === undefined && known.preparing.length === 0) return arranged(parts, known, admitted, undefined)
    return waited(parts, known, admitted, loading)
  }
}

function knownOf(target: RouteTarget, name: string): Known {
  const traits = traitsOf(target)
  return { ...traits, deployments: deploymentsOf(target, name), line: traits.fixed ? flatten(target, undefined) : undefined }
}

async function waited(parts: PlanParts, known: Known, admitted: Admitted, loading: Promise<void> | undefined): Promise<Plan> {
  const { cancel } = admitted.call
  const [prepared] = await cancellable(Promise.all([known.preparing.length === 0 ? undefined : prepareAll(known.preparing, admitted.request), loading]), cancel)
  if (cancel.reason !== undefined) throw cancel.reason
  return arranged(parts, known, admitted, prepared)
}

function arranged({ bring, view: viewOf }: PlanParts, { line: fixed, shadowing }: Known, admitted: Admitted, prepared: ReadonlyMap<Group, unknown> | undefined): Plan {
  const { request, route, call } = admitted
  const mirrored: Mirrored[] = []
  let line = fixed
  let excluded: Excluded[] | undefined
  if (line === undefined || call.options.prefer !== undefined) {
    const view = viewOf(admitted)
    line ??= flatten(route.target, view, { notes: view.notes, ...(prepared !== undefined && { prepared }), ...(shadowing && { mirrored }) })
    const preferred = applyPrefer(line, view)
    line = preferred.candidates
    excluded = [...preferred.excluded]
  }
  const candidates: LiveCandidate[] = []
  const needs = new Needs(request)
  for (const candidate of keepTogether(line, request)) {
    const missing = needs.missingIn(candidate.deployment.capabilities)
    const live = missing === undefined ? bring(candidate.deployment) : { reason: missing }
    if ('reason' in live) (excluded ??= []).push({ deployment: candidate.deployment.id, reason: live.reason })
    else candidates.push(liveCandidate(live, candidate))
  }
  const first = candidates.find(({ onlyAfter }) => onlyAfter === undefined)
  if (first !== undefined) return { admitted, candidates, excluded: excluded ?? NOTHING, shadows: shadowsOf(mirrored, first) }
  const reasons = (excluded ?? []).map(({ deployment, reason }) => `${deployment}: ${reason}`).join('; ')
  throw new GatewayError('no_candidates', `No deployment of the route "${route.name}" can take this call${reasons === '' ? '' : `. ${reasons}`}.`, { origin: 'caller', excluded: excluded ?? NOTHING })
}

/** Only what is asked first is copied: a branch that a fallback would reach has not been reached. */
function shadowsOf(mirrored: readonly Mirrored[], { live }: LiveCandidate): readonly Shadow[] {
  if (mirrored.length === 0) return NO_SHADOWS
  return mirrored.flatMap(({ shadows, places }) => (places.some(({ deployment }) => deployment === live.deployment) ? shadows : NO_SHADOWS))
}

function liveCandidate(live: Live, { onlyAfter, note }: Candidate): LiveCandidate {
  const candidate: { -readonly [K in keyof LiveCandidate]: LiveCandidate[K] } = { live }
  if (onlyAfter !== undefined) candidate.onlyAfter = onlyAfter
  if (note !== undefined) candidate.note = note
  return candidate
}
