import type { Warning } from '../../protocol/events.js'
import type { CallView, Hooks, Plugin } from '../../protocol/ports.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import type { Principal } from '../../protocol/strategy.js'
import { toSink, type LogTarget, type Sink } from '../sinks.js'
import { checkHashKey, Hmac } from './actions.js'
import { Answer } from './answer.js'
import { Mask, type Masked } from './mask.js'
import type { Settings } from './options.js'
import { Policy } from './policy.js'
import { maskedRecord } from './records.js'
import { opened, sealed } from './sealed.js'
import { PiiSession } from './session.js'
import { Sessions, tenantOf } from './sessions.js'
import type { Detector } from './types.js'

/** Whose conversation is meant. */
export interface PiiConversation {
  readonly conversation: string
  /** As the calls of the conversation have it. */
  readonly principal?: Principal
}

/** What stands for what in one conversation. Printing it, or making JSON of it, gives counts. */
export interface PiiSessionView {
  /** Values with a placeholder. */
  readonly size: number
  /** Placeholders in answers that were never given out; they stay as they are. */
  readonly unknown: number
  /** The value behind a placeholder as it is written, where it may go back. */
  valueOf(token: string): string | undefined
  /** Forgets everything. A call that goes on with it is refused. */
  dispose(): void
  toJSON(): Record<string, unknown>
}

/** The plugin that {@link redactPii} makes. */
export interface RedactPii extends Plugin {
  readonly name: 'pii'
  /** The session of a conversation, while it is kept. */
  session(of: PiiConversation): PiiSessionView | undefined
  /** The session of a conversation as text that only this key opens, for this principal and this conversation. `undefined` where there is none. */
  exportSession(of: PiiConversation, key: Uint8Array | CryptoKey): Promise<string | undefined>
  /** Takes up a session that was exported. Throws `invalid_request` where it cannot be opened. */
  importSession(of: PiiConversation, key: Uint8Array | CryptoKey, text: string): Promise<void>
  /** Forgets a conversation, or all of them. */
  dispose(of?: PiiConversation): void
  /** A log target that writes records with masks on: metadata, and what the model made up. The action for `logs` says which. */
  sink(target: LogTarget): Sink
  close(): Promise<void>
}

/** The plugin, over whatever detector the settings hold. */
export function createRedactor(settings: Settings): RedactPii {
  return new Redaction(settings)
}

class Redaction implements RedactPii {
  readonly name = 'pii'
  readonly #settings: Settings
  readonly #detector: Detector
  readonly #sessions: Sessions
  readonly #output: boolean
  readonly #calls: boolean

  constructor(settings: Settings) {
    this.#settings = settings
    this.#detector = settings.detector
    this.#sessions = new Sessions(settings.maxSessions)
    const { table, onReport } = settings
    this.#output = table.touches('output') || onReport !== undefined
    this.#calls = table.touchesCalls
  }

  open(call: CallView): Hooks {
    const { table, session, restore, reach, wary, keys } = this.#settings
    const embeds = call.kind === 'embed'
    const policy = new Policy({
      call: call.id,
      table,
      hmac: this.#hmacOf(call),
      // Vectors compare by what the texts say, so numbers that depend on what came before have no place in them.
      session: embeds ? new PiiSession() : session ? this.#sessions.of(call) : new PiiSession(),
      restore: restore !== undefined,
      tell: this.#settings.onReport,
    })
    const numbered = session && !embeds
    if (embeds) return { request: request => this.#mask(policy, numbered, request, () => undefined) }
    const answer = new Answer({
      policy,
      redact: { detector: this.#detector, reach, wary, keys },
      output: this.#output,
      calls: this.#calls,
      restore,
      actionOf: (type, direction) => (direction === 'toolArguments' ? table.ofCalls(type) : table.of(type, direction)),
    })
    return {
      request: request => {
        answer.json = request.output !== undefined
        return this.#mask(policy, numbered, request, warnings => answer.warn(warnings))
      },
      event: event => answer.event(event),
      flush: reason => answer.flush(reason),
    }
  }

  #mask(policy: Policy, numbered: boolean, request: UpstreamRequest, warn: (warnings: readonly Warning[]) => void): UpstreamRequest | Promise<UpstreamRequest> {
    const { model, onUnscannable } = this.#settings
    const done = (masked: Masked): UpstreamRequest => {
      warn(warningsOf(masked))
      return masked.request
    }
    const masked = new Mask({ detector: this.#detector, model, policy, numbered, opaque: onUnscannable }).apply(request)
    return masked instanceof Promise ? masked.then(done) : done(masked)
  }

  #hmacOf(call: CallView): Hmac | undefined {
    const { hashKey, hmac } = this.#settings
    if (typeof hashKey !== 'function') return hmac
    const key: unknown = hashKey(call)
    checkHashKey(key, 'refused')
    return new Hmac(key)
  }

  session({ conversation, principal }: PiiConversation): PiiSession | undefined {
    return this.#sessions.find(conversation, principal)
  }

  async exportSession(of: PiiConversation, key: Uint8Array | CryptoKey): Promise<string | undefined> {
    const session = this.#sessions.find(of.conversation, of.principal)
    return session === undefined ? undefined : sealed(session, { key, tenant: tenantOf(of.principal), conversation: of.conversation })
  }

  async importSession({ conversation, principal }: PiiConversation, key: Uint8Array | CryptoKey, text: string): Promise<void> {
    this.#sessions.keep(conversation, principal, await opened(text, { key, tenant: tenantOf(principal), conversation }))
  }

  dispose(of?: PiiConversation): void {
    if (of === undefined) this.#sessions.clear()
    else this.#sessions.drop(of.conversation, of.principal)
  }

  sink(target: LogTarget): Sink {
    const inner = toSink(target, 'pii.sink()')
    const { table, hmac } = this.#settings
    const policy = new Policy({ call: '', table, hmac, session: undefined, restore: false, tell: undefined })
    return {
      name: inner.name,
      ...(inner.content !== undefined && { content: inner.content }),
      ...(inner.maxBatch !== undefined && { maxBatch: inner.maxBatch }),
      write: records => inner.write(records.map(record => maskedRecord(record, this.#detector, policy))),
      ...(inner.flush !== undefined && { flush: () => inner.flush?.() ?? Promise.resolve() }),
      ...(inner.close !== undefined && { close: () => inner.close?.() ?? Promise.resolve() }),
    }
  }

  close(): Promise<void> {
    this.#sessions.clear()
    return Promise.resolve()
  }

  toJSON(): Record<string, unknown> {
    return { name: this.name, sessions: this.#sessions.size }
  }
}

function warningsOf({ kept }: Masked): readonly Warning[] {
  const places = new Map<string, Set<string>>()
  for (const { type, position } of kept) places.set(position, (places.get(position) ?? new Set()).add(type))
  return [...places].slice(0, 20).map(([position, types]) => ({ code: 'other', message: `${position} holds ${[...types].join(', ')}, and was sent as it is: what describes tools and answers is not masked.`, parameter: position }))
}
