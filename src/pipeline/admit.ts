import { GatewayError } from '../protocol/errors.js'
import type { CallView, Clock, Plugin, Principal } from '../protocol/ports.js'
import type { ChatRequest, Message, ProviderTool, ResolvedTool, Tool, UpstreamRequest } from '../protocol/request.js'
import { IDLE_HOOKS, openHooks } from '../plugins/hooks.js'
import { timeout } from '../resilience/deadlines.js'
import type { Router } from '../routing/router.js'
import type { Policy } from '../state/policies.js'
import type { Admitted, Call, Settings } from './call.js'
import { cancellable } from './cancellable.js'
import { Schemas, type OutputSpec } from './schema.js'
import { settingsOf } from './settings.js'
import { SAMPLING, validateCallOptions, validateRequest } from './validate.js'

type Asked = Call['asked']

/** Longest wait for the store to tell whom a key stands for, in milliseconds. */
const KEY_MS = 10_000

/** What the stage is made of. */
export interface AdmitParts {
  readonly router: Router<Settings>
  readonly plugins: readonly Plugin[]
  readonly clock: Clock
  /** Whom a virtual key stands for; rejects with `unauthenticated`. At once where the key is known here. */
  readonly authenticate: (key: string) => Bearer | Promise<Bearer>
}
/** A virtual key that is valid: who it stands for, and what it may do. */
export interface Bearer {
  readonly principal: Principal
  readonly policies: readonly Policy[]
  allows(model: string): boolean
}

/** How one kind of request is read. */
export interface Reading {
  validate(asked: Asked): void
  outputOf(asked: Asked, schemas: Schemas): OutputSpec | undefined
  requestOf(asked: Asked, output: OutputSpec | undefined, schemas: Schemas, settings: Settings): UpstreamRequest
}

/** Requests for answers. */
const ANSWERS: Reading = {
  validate: asked => validateRequest(asked as ChatRequest),
  outputOf: (asked, schemas) => {
    const { output } = asked as ChatRequest
    return output === undefined ? undefined : schemas.resolve(output, '"output"')
  },
  requestOf: (asked, output, schemas, settings) => normalised(asked as ChatRequest, output, schemas, settings),
}

/** Validates the request, finds out who asks, finds its route, runs the request hooks, and starts the total deadline. */
export function createAdmit({ router, plugins, clock, authenticate }: AdmitParts, reading: Reading = ANSWERS): (call: Call) => Admitted | Promise<Admitted> {
  const schemas = new Schemas()
  const enter = (call: Call): Admitted | Promise<Admitted> => {
    const { asked, options, cancel } = call
    const route = router.resolve(asked.model)
    const settings = settingsOf(route.settings, options)
    const { totalMs } = settings.deadlines
    call.limit(clock.after(Math.max(0, call.startedMs + totalMs - clock.now()), () => cancel.cancel(timeout('total', totalMs))))
    const output = reading.outputOf(asked, schemas)
    const hooks = plugins.length === 0 ? IDLE_HOOKS : openHooks(plugins, viewOf(call, clock))
    const plain = reading.requestOf(asked, output, schemas, settings)
    const admitted = (request: UpstreamRequest): Admitted => {
      if (cancel.reason !== undefined) throw cancel.reason
      return { call, route, settings, hooks, request, output }
    }
    const request = hooks.request(plain)
    return request instanceof Promise ? cancellable(request, cancel).then(admitted) : admitted(request)
  }
  return call => {
    reading.validate(call.asked)
    validateCallOptions(call.options)
    listen(call)
    const { key } = call.options
    if (key === undefined) return enter(call)
    const bearer = authenticate(key)
    if (!(bearer instanceof Promise)) return enter(bearing(call, bearer))
    return bounded(bearer, call, clock, patienceMs(router, call)).then(found => enter(bearing(call, found)))
  }
}

/** The store is not waited for longer than the call may take. Whether there is such a route is not told before the key is known. */
function patienceMs(router: Router<Settings>, { asked, options }: Call): number {
  try {
    return Math.min(KEY_MS, settingsOf(router.resolve(asked.model).settings, options).deadlines.totalMs)
  } catch {
    return KEY_MS
  }
}

async function bounded(bearer: Promise<Bearer>, { cancel, startedMs }: Call, clock: Clock, ms: number): Promise<Bearer> {
  const timer = clock.after(Math.max(0, startedMs + ms - clock.now()), () => cancel.cancel(timeout('total', ms)))
  try {
    return await cancellable(bearer, cancel)
  } finally {
    timer.cancel()
  }
}

function bearing(call: Call, { principal, policies, allows }: Bearer): Call {
  // The secret goes no further than this.
  const { key: _secret, ...options } = call.options
  call.options = { ...options, principal }
  if (policies.length > 0) call.keyPolicies = policies
  if (!allows(call.asked.model)) throw new GatewayError('permission_denied', 'The key is not allowed to ask for this model. Ask who made it, or name one of its models.', { origin: 'caller' })
  return call
}

/** What plugins may know of a call. */
function viewOf(call: Call, clock: Clock): CallView {
  const { id, kind, asked: { model }, options: { metadata, conversation, principal } } = call
  const view: { -readonly [K in keyof CallView]: CallView[K] } = { id, kind, model, clock, onEnd: done => call.onEnd(done) }
  if (metadata !== undefined) view.metadata = metadata
  if (conversation !== undefined) view.conversation = conversation
  if (principal !== undefined) view.principal = principal
  return view
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
  if (settings.strict === true) request['strict'] = true
  return request
}

function resolvedTool(tool: Tool | ProviderTool, at: number, schemas: Schemas): ResolvedTool | ProviderTool {
  if ('providerData' in tool) return tool
  // What runs here is no business of hooks, records and upstreams.
  const { execute: _, ...sent } = tool
  return { ...sent, inputSchema: schemas.resolve(tool.inputSchema, `tools[${at}].inputSchema`).jsonSchema }
}
