import { GatewayError } from '../protocol/errors.js'
import type { Clock, Plugin } from '../protocol/ports.js'
import type { ChatRequest, Message, ProviderTool, ResolvedTool, Tool, UpstreamRequest } from '../protocol/request.js'
import { openHooks } from '../plugins/hooks.js'
import { timeout } from '../resilience/deadlines.js'
import type { Router } from '../routing/router.js'
import type { Admitted, Call, Settings } from './call.js'
import { cancellable } from './cancellable.js'
import { Schemas, type OutputSpec } from './schema.js'
import { settingsOf } from './settings.js'
import { SAMPLING, validateCallOptions, validateRequest } from './validate.js'

/** Validates the request, finds its route, runs the request hooks, and starts the total deadline. */
export function createAdmit({ router, plugins, clock }: { router: Router<Settings>; plugins: readonly Plugin[]; clock: Clock }): (call: Call) => Admitted | Promise<Admitted> {
  const schemas = new Schemas()
  return call => {
    const { asked, options, cancel } = call
    validateRequest(asked)
    validateCallOptions(options)
    const route = router.resolve(asked.model)
    const settings = settingsOf(route.settings, options)
    const { totalMs } = settings.deadlines
    call.limit(clock.after(totalMs, () => cancel.cancel(timeout('total', totalMs))))
    listen(call)
    const output = asked.output === undefined ? undefined : schemas.resolve(asked.output, '"output"')
    const { metadata } = options
    const hooks = openHooks(plugins, metadata === undefined ? { id: call.id, kind: call.kind, model: asked.model } : { id: call.id, kind: call.kind, model: asked.model, metadata })
    const plain = normalised(asked, output, schemas, settings)
    const admitted = (request: UpstreamRequest): Admitted => {
      if (cancel.reason !== undefined) throw cancel.reason
      return { call, route, settings, hooks, request, output }
    }
    const request = hooks.request(plain)
    return request instanceof Promise ? cancellable(request, cancel).then(admitted) : admitted(request)
  }
}

/** The caller's abort reaches everything the call holds. */
function listen(call: Call): void {
  const { options: { signal }, cancel } = call
  if (signal === undefined) return
  const abort = (): void => cancel.cancel(new GatewayError('aborted', 'The caller aborted the call.', { origin: 'caller' }))
  if (signal.aborted) return abort()
  signal.addEventListener('abort', abort, { once: true })
  call.onEnd(() => signal.removeEventListener('abort', abort))
}

function normalised(asked: ChatRequest, output: OutputSpec | undefined, schemas: Schemas, settings: Settings): UpstreamRequest {
  const { system, messages, tools } = asked
  // A copy of the list: callers add to theirs while a retry waits or a record is not yet written.
  const turns: readonly Message[] = typeof messages === 'string' ? [{ role: 'user', content: messages }] : [...messages]
  const maxOutputTokens = asked.maxOutputTokens ?? settings.maxOutputTokens
  const last = turns.at(-1)
  const request: Record<string, unknown> & { messages: readonly Message[] } = { messages: system === undefined ? turns : [{ role: 'system', content: system }, ...turns] }
  // By name and not by a rest pattern, which costs more than all of these looks together.
  for (const key of SAMPLING) if (asked[key] !== undefined) request[key] = asked[key]
  if (tools !== undefined && tools.length > 0) request['tools'] = tools.map((tool, at) => resolvedTool(tool, at, schemas))
  if (output !== undefined) request['output'] = { name: 'output', jsonSchema: output.jsonSchema }
  if (maxOutputTokens !== undefined) request['maxOutputTokens'] = maxOutputTokens
  if (last?.role === 'assistant') request['prefill'] = true
  return request
}

function resolvedTool(tool: Tool | ProviderTool, at: number, schemas: Schemas): ResolvedTool | ProviderTool {
  if ('providerData' in tool) return tool
  return { ...tool, inputSchema: schemas.resolve(tool.inputSchema, `tools[${at}].inputSchema`).jsonSchema }
}
