import { GatewayError } from '../protocol/errors.js'
import type { ChatEvent } from '../protocol/events.js'
import { isObject } from '../protocol/json.js'
import type { CallView, FlushReason, Hooks, Plugin } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'

/** The hooks of all plugins on one call: requests go first to last, events last to first. */
export interface HookChain {
  request(request: UpstreamRequest): UpstreamRequest | Promise<UpstreamRequest>
  /** The same array where no hook looks at events. */
  events(batch: readonly ChatEvent[]): readonly ChatEvent[]
  flush(reason: FlushReason): readonly ChatEvent[]
  /** Some hook looks at requests. */
  readonly asks: boolean
  /** Some hook looks at events; where none does, what the upstream sent is what the caller gets. */
  readonly watches: boolean
}

const NOTHING: readonly ChatEvent[] = []
/** No hook looks. */
export const IDLE_HOOKS: HookChain = { request: request => request, events: batch => batch, flush: () => NOTHING, asks: false, watches: false }

interface Named {
  readonly name: string
  readonly hooks: Hooks
}

function openedBy(plugin: Plugin, view: CallView): unknown {
  try {
    return plugin.open?.(view)
  } catch (error) {
    throw refusal(plugin.name, error)
  }
}

/** Opens every plugin on a call. A plugin that fails refuses the call: a guard that crashed guards nothing. */
export function openHooks(plugins: readonly Plugin[], view: CallView): HookChain {
  const opened: Named[] = []
  for (const plugin of plugins) {
    if (plugin.open === undefined) continue
    const hooks: unknown = openedBy(plugin, view)
    // A promise of hooks would be a guard that never looks.
    if (!isObject(hooks) || 'then' in hooks) throw refusal(plugin.name, new TypeError('its open() returned no hooks'))
    opened.push({ name: plugin.name, hooks })
  }
  return opened.length === 0 ? IDLE_HOOKS : new Chain(opened)
}

/** The hooks of one call, in the order of their plugins. */
class Chain implements HookChain {
  readonly #opened: readonly Named[]
  readonly asks: boolean
  readonly watches: boolean

  constructor(opened: readonly Named[]) {
    this.#opened = opened
    this.asks = opened.some(({ hooks }) => hooks.request !== undefined)
    this.watches = opened.some(({ hooks }) => hooks.event !== undefined || hooks.flush !== undefined)
  }

  request(request: UpstreamRequest): UpstreamRequest | Promise<UpstreamRequest> {
    return this.asks ? inTurn(this.#opened, 0, request) : request
  }

  events(batch: readonly ChatEvent[]): readonly ChatEvent[] {
    let events = batch
    for (let at = this.#opened.length - 1; at >= 0; at--) {
      const named = this.#opened[at]
      if (named !== undefined) events = through(named, events)
    }
    return events
  }

  flush(reason: FlushReason): readonly ChatEvent[] {
    return this.watches ? flushAll(this.#opened.toReversed(), reason) : NOTHING
  }
}

/** Waits only where a hook does. */
function inTurn(opened: readonly Named[], from: number, request: UpstreamRequest): UpstreamRequest | Promise<UpstreamRequest> {
  let current = request
  for (let at = from; at < opened.length; at++) {
    const named = opened[at]
    if (named?.hooks.request === undefined) continue
    const given: unknown = asked(named, current)
    if (isThenable(given)) return waited(opened, at + 1, named.name, given)
    if (given !== current) current = checked(named.name, given)
  }
  return current
}

function asked({ name, hooks }: Named, request: UpstreamRequest): unknown {
  try {
    return hooks.request?.(request)
  } catch (error) {
    throw refusal(name, error)
  }
}

async function waited(opened: readonly Named[], from: number, name: string, given: PromiseLike<unknown>): Promise<UpstreamRequest> {
  let next: unknown
  try {
    next = await given
  } catch (error) {
    throw refusal(name, error)
  }
  return inTurn(opened, from, checked(name, next))
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function checked(name: string, next: unknown): UpstreamRequest {
  if (typeof next === 'object' && next !== null && 'messages' in next && Array.isArray(next.messages)) return next as UpstreamRequest
  throw refusal(name, new TypeError('its request hook returned no request'))
}

function through({ name, hooks }: Named, events: readonly ChatEvent[]): readonly ChatEvent[] {
  if (hooks.event === undefined) return events
  try {
    // The usual case, one event that comes out as one, makes one list.
    const out: ChatEvent[] = []
    for (const event of events) {
      const given: unknown = hooks.event(event)
      if (given === event) out.push(event)
      else if (Array.isArray(given)) for (const one of given as readonly unknown[]) out.push(eventOf(one, name))
      else if (given !== undefined) out.push(eventOf(given, name))
    }
    return out
  } catch (error) {
    throw refusal(name, error)
  }
}

/** Anything else, a promise above all, would silently be lost. */
function eventOf(given: unknown, name: string): ChatEvent {
  if (isObject(given) && typeof given['type'] === 'string') return given as ChatEvent
  throw refusal(name, new TypeError('its event hook returned no event'))
}

/** What one hook lets go still passes the hooks after it. */
function flushAll(watching: readonly Named[], reason: FlushReason): readonly ChatEvent[] {
  let carried: readonly ChatEvent[] = NOTHING
  for (const named of watching) {
    const passed = through(named, carried)
    const own = guarded(named.name, () => flushed(named, reason))
    carried = own.length === 0 ? passed : [...passed, ...own]
  }
  return reason === 'restart' ? NOTHING : carried
}

function flushed({ name, hooks }: Named, reason: FlushReason): readonly ChatEvent[] {
  const given: unknown = hooks.flush?.(reason)
  if (given === undefined) return NOTHING
  if (!Array.isArray(given)) throw refusal(name, new TypeError('its flush hook returned no list of events'))
  for (const one of given as readonly unknown[]) eventOf(one, name)
  return given as readonly ChatEvent[]
}

function guarded<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw refusal(name, error)
  }
}

function refusal(name: string, error: unknown): GatewayError {
  if (GatewayError.is(error)) return error
  return new GatewayError('refused', `The plugin "${name}" failed with a ${error instanceof Error ? error.name : typeof error}, so the call was refused.`, { origin: 'gateway' })
}
