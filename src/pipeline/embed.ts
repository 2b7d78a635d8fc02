import type { EmbedLimits, EmbedRequest, EmbedResult } from '../protocol/embed.js'
import { GatewayError } from '../protocol/errors.js'
import type { Deployment } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import type { Cancel } from '../resilience/cancel.js'
import type { Live } from '../resilience/live.js'
import type { Route } from '../routing/router.js'
import type { Reading } from './admit.js'
import type { Call, Plan, Settings } from './call.js'
import type { Delivery } from './deliver.js'
import type { MakeWalk } from './dispatch.js'
import { EmbedFlight, type Share } from './embed-flight.js'
import { createEmbedPlan, EmbedLimitsOf } from './embed-plan.js'
import { EMBEDDINGS } from './embed-request.js'
import type { createRun, Stages } from './run.js'

/** What the calls for embeddings share with the others, and what they are made of. Stages are given, so that this part, which is loaded late, brings none along. */
export interface EmbedParts extends Pick<Stages, 'recall' | 'deliver' | 'settle' | 'count'> {
  readonly admitOf: (reading: Reading) => Stages['admit']
  readonly plan: Stages['plan']
  readonly reserveOf: (plan: Stages['plan']) => Stages['reserve']
  readonly runOf: typeof createRun
  readonly walks: MakeWalk
  readonly bring: (deployment: Deployment) => Live | { readonly reason: string }
  readonly deploymentsOf: (route: Route<Settings>) => readonly Deployment[]
}
type Draft<T> = { -readonly [K in keyof T]: T[K] }

const ERRAND = { op: 'embed', wire: 'json', commit: 'finish' } as const

/** Calls for embeddings: the seven stages, of which admit reads another request, plan knows who can embed, and dispatch cuts. */
export function createEmbed({ admitOf, reserveOf, runOf, walks, bring, deploymentsOf, ...stages }: EmbedParts): (call: Call) => Promise<EmbedResult> {
  const limits = new EmbedLimitsOf()
  const plan = createEmbedPlan({ plan: stages.plan, bring, limits, deploymentsOf })
  const run = runOf({
    ...stages,
    admit: admitOf(EMBEDDINGS),
    plan,
    reserve: reserveOf(plan),
    dispatch: (planned, cancel) => {
      const walk = (own: Plan, request: UpstreamRequest, until: Cancel): ReturnType<MakeWalk> => walks(own, request, ERRAND, until)
      return new EmbedFlight(planned, sharesOf(planned.admitted.request, limits.least(planned.candidates)), walk, cancel)
    },
    // A copy of a call says how an answer would have been: of a vector there is nothing to say.
    mirror: () => undefined,
  })
  return async call => resultOf(await run(call), inputsOf(call.asked as EmbedRequest))
}

function inputsOf({ input }: EmbedRequest): number {
  return typeof input === 'string' ? 1 : input.length
}

/** Cuts a request into what goes at once, in order. */
export function sharesOf(request: UpstreamRequest, { maxInputs, maxBytes = Infinity }: EmbedLimits): readonly Share[] {
  const { messages } = request
  const shares: Share[] = []
  let from = 0
  let bytes = 0
  for (let at = 0; at < messages.length; at++) {
    const size = maxBytes === Infinity ? 0 : bytesOf(messages[at]?.content)
    if (at > from && (at - from >= maxInputs || bytes + size > maxBytes)) {
      shares.push({ request: { ...request, messages: messages.slice(from, at) }, from })
      from = at
      bytes = 0
    }
    bytes += size
  }
  // The usual one is the request itself, whose bound is known already.
  shares.push({ request: from === 0 ? request : { ...request, messages: messages.slice(from) }, from })
  return shares
}

const encoder = new TextEncoder()

function bytesOf(content: unknown): number {
  return typeof content === 'string' ? encoder.encode(content).length : 0
}

/** Copies of the vectors: identical calls share an answer, and callers scale theirs in place. */
async function resultOf(delivery: Delivery, inputs: number): Promise<EmbedResult> {
  const embeddings: (Float32Array | undefined)[] = Array.from({ length: inputs }, () => undefined)
  for (let batch = await delivery.pull(); batch !== undefined; batch = await delivery.pull()) {
    for (const event of batch) if (event.type === 'embedding' && event.index < inputs) embeddings[event.index] = event.vector.slice()
  }
  const { id, usage, cost, provider, model, deployment, cached, variant, downgraded, attempts, warnings, timings, response } = await delivery.result()
  if (!whole(embeddings)) throw new GatewayError('refused', 'A plugin left vectors out of the answer.', { origin: 'gateway' })
  const result: Draft<EmbedResult> = { id, embeddings, usage, cost, provider, model, deployment, cached, attempts, warnings, timings, response }
  if (variant !== undefined) result.variant = variant
  if (downgraded !== undefined) result.downgraded = downgraded
  return result
}

function whole(embeddings: readonly (Float32Array | undefined)[]): embeddings is readonly Float32Array[] {
  return !embeddings.includes(undefined)
}
