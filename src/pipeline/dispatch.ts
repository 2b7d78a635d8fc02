import { GatewayError } from '../protocol/errors.js'
import { collect } from '../protocol/collect.js'
import type { Clock, GateCall, Random } from '../protocol/ports.js'
import type { Cancel } from '../resilience/cancel.js'
import { Walk } from '../resilience/dispatch.js'
import type { Accept } from '../resilience/walk-spec.js'
import { Line } from '../resilience/line.js'
import { safeHeaders } from '../protocol/headers.js'
import type { Admitted, Plan } from './call.js'
import { Flight } from './flight.js'
import { judge } from './judge.js'
import { estimateInputTokens } from '../protocol/estimate.js'
import type { UpstreamRequest } from '../protocol/request.js'

/** Walks a plan until an upstream commits. `chat` and `stream` differ here in two values: the wire, and how far commit is. */
export function createDispatch({ clock, random }: { clock: Clock; random: Random }): (plan: Plan, cancel: Cancel) => Flight {
  const lines = new WeakMap<object, Line>()
  return (plan, cancel) => {
    const { call, route, settings, request } = plan.admitted
    const line = lines.get(route) ?? new Line()
    lines.set(route, line)
    const chat = call.kind === 'chat'
    const accept = chat ? acceptOf(plan.admitted) : undefined
    const { headers } = call.options
    const walk = new Walk({
      request,
      candidates: plan.candidates,
      wire: chat ? settings.chatWire : 'stream',
      commit: chat ? 'finish' : 'content',
      retry: settings.retry,
      deadlines: settings.deadlines,
      usual: route.settings.deadlines,
      clock,
      random,
      cancel,
      line,
      startedMs: call.startedMs,
      accept,
      gateCall: new Wants(request),
      headers: headers === undefined ? undefined : safeHeaders(headers, '"headers"', 'invalid_request'),
    })
    return new Flight(plan, walk, cancel)
  }
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
