import { GatewayError } from '../protocol/errors.js'
import { collect } from '../protocol/collect.js'
import type { Clock, GateCall, Random, Wire } from '../protocol/ports.js'
import type { Cancel } from '../resilience/cancel.js'
import { Walk } from '../resilience/dispatch.js'
import type { Shares } from '../resilience/shares.js'
import { RetryBudget } from '../resilience/hedge.js'
import type { Accept, WalkSpec } from '../resilience/walk-spec.js'
import { Line } from '../resilience/line.js'
import { safeHeaders } from '../protocol/headers.js'
import type { Admitted, Call, HedgeSettings, Plan, QueueSettings } from './call.js'
import { Flight } from './flight.js'
import { judge } from './judge.js'
import { estimateInputTokens } from '../protocol/estimate.js'
import type { UpstreamRequest } from '../protocol/request.js'

/** What one kind of call asks of its walk. */
type Errand = Pick<WalkSpec, 'op' | 'wire' | 'commit'>
/** Makes the walk over the candidates of a plan, with a request that is that of the plan or a part of it. */
export type MakeWalk = (plan: Plan, request: UpstreamRequest, errand: Errand, cancel: Cancel, accept?: Accept) => Walk

/** Makes the walks of a gateway: calls of all kinds stand in the same lines. */
export function createWalks({ clock, random, shares }: { clock: Clock; random: Random; shares?: Shares | undefined }): MakeWalk {
  const lines = new WeakMap<object, Line>()
  const budgets = new WeakMap<object, RetryBudget>()
  const lineOf = (route: object, queue: QueueSettings | undefined): Line => {
    let line = lines.get(route)
    if (line === undefined) lines.set(route, (line = new Line({ clock, ...queue, ...(shares !== undefined && { shares }) })))
    return line
  }
  const hedgeOf = (route: object, hedge: HedgeSettings | undefined): WalkSpec['hedge'] => {
    if (hedge === undefined) return undefined
    let budget = budgets.get(route)
    if (budget === undefined) budgets.set(route, (budget = new RetryBudget({ ratio: hedge.budget })))
    return { afterMs: hedge.afterMs, budget }
  }
  return (plan, request, { op, wire, commit }, cancel, accept) => {
    const { call, route, settings } = plan.admitted
    const { headers } = call.options
    return new Walk({
      request,
      op,
      candidates: plan.candidates,
      wire,
      commit,
      retry: settings.retry,
      deadlines: settings.deadlines,
      usual: route.settings.deadlines,
      clock,
      random,
      cancel,
      line: lineOf(route, settings.queue),
      priority: call.options.priority ?? 0,
      tenant: tenantOf(call),
      maxWaitMs: settings.queue?.maxWaitMs,
      hedge: hedgeOf(route, settings.hedge),
      purse: plan.purse,
      startedMs: call.startedMs,
      accept,
      gateCall: new Wants(request),
      headers: headers === undefined ? undefined : safeHeaders(headers, '"headers"', 'invalid_request'),
    })
  }
}

const STREAM: Errand = { op: 'chat', wire: 'stream', commit: 'content' }
const CHAT: Readonly<Record<Wire, Errand>> = { json: { op: 'chat', wire: 'json', commit: 'finish' }, stream: { op: 'chat', wire: 'stream', commit: 'finish' } }

/** Walks a plan until an upstream commits. `chat` and `stream` differ here in two values: the wire, and how far commit is. */
export function createDispatch(walk: MakeWalk): (plan: Plan, cancel: Cancel) => Flight {
  return (plan, cancel) => {
    const { call, settings, request } = plan.admitted
    const chat = call.kind === 'chat'
    return new Flight(plan, walk(plan, request, chat ? CHAT[settings.chatWire] : STREAM, cancel, chat ? acceptOf(plan.admitted) : undefined), cancel)
  }
}

/** Whose turn a call takes in line. */
function tenantOf({ options: { principal } }: Call): string | undefined {
  return principal?.team ?? principal?.project ?? principal?.user ?? principal?.key
}

/** What gates may know of a call; the prompt is measured only where one asks. */
class Wants implements GateCall {
  readonly #request: UpstreamRequest
  #tokens: number | undefined

  constructor(request: UpstreamRequest) {
    this.#request = request
  }

  get maxOutputTokens(): number | undefined {
    return this.#request.maxOutputTokens
  }

  inputTokens(): number {
    return (this.#tokens ??= estimateInputTokens(this.#request))
  }
}

/** Holds a chat's answer against its schema before commit, on the caller's side of the hooks; one repair says what was wrong. */
function acceptOf({ output, hooks, request }: Admitted): Accept | undefined {
  if (output === undefined) return undefined
  return async events => {
    const own = collect(events)
    const seen = !hooks.watches ? own : collect([...hooks.events(events), ...hooks.flush('finish')])
    hooks.flush('restart')
    if (own.toolCalls.length > 0 || own.finish?.finishReason === 'content-filter' || own.refusal !== undefined) return undefined
    const judged = await judge(seen.text, output)
    if (judged.ok) return undefined
    const ask = `Your answer does not match the schema that was asked for: ${judged.issues}. Answer again with nothing but the corrected JSON.`
    return {
      fault: new GatewayError('output_invalid', `The answer does not match "output": ${judged.issues}.`, { origin: 'upstream', partial: { text: own.text, reasoning: own.reasoning, toolCalls: [] } }),
      repair: { ...request, messages: [...request.messages, { role: 'assistant', content: own.text }, { role: 'user', content: ask }] },
    }
  }
}
