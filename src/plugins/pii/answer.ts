import type { ChatEvent, Warning } from '../../protocol/events.js'
import { isObject, tryParseJson } from '../../protocol/json.js'
import type { FlushReason, Hooks } from '../../protocol/ports.js'
import type { PiiAction, PiiDirection } from './actions.js'
import { JsonStrings, MaybeJson } from './json-strings.js'
import { mapLeaves } from './leaves.js'
import { blocked, type Policy } from './policy.js'
import { Redactor, type Channel, type RedactParts } from './redact.js'
import { Chain, Restorer, type RestoreOptions } from './restore.js'

type Kind = 'text' | 'reasoning' | 'refusal'
type Delta = Extract<ChatEvent, { type: `${Kind}-delta` }>
type CallEvent = Extract<ChatEvent, { type: 'tool-call' }>

/** What looking at an answer takes. */
export interface AnswerParts {
  readonly policy: Policy
  readonly redact: Pick<RedactParts, 'detector' | 'reach' | 'wary' | 'keys'>
  /** Something of what the model makes up is redacted, in its words and in the arguments of its calls. */
  readonly output: boolean
  readonly calls: boolean
  /** Absent where nothing goes back. */
  readonly restore: RestoreOptions | undefined
  readonly actionOf: (type: string, direction: PiiDirection) => PiiAction
}

/** The part that is being written. */
interface Block {
  readonly kind: Kind
  readonly channel: Channel
  /** Of reasoning: what came, and what went. */
  raw: string
  given: string
}

const NOTHING: readonly ChatEvent[] = []

/**
 * What happens to one answer, event by event: what the model made up is redacted, and then placeholders of the session become values again.
 * Each block and each tool call has a buffer of its own.
 */
export class Answer implements Hooks {
  readonly #parts: AnswerParts
  readonly #calls = new Map<number, Channel>()
  #block: Block | undefined
  #warnings: readonly Warning[] = []
  /** The answer is JSON: what goes into its strings has to be escaped. */
  json = false
  #withheld = false

  constructor(parts: AnswerParts) {
    this.#parts = parts
  }

  /** Told with the answer. */
  warn(warnings: readonly Warning[]): void {
    this.#warnings = warnings
  }

  event(event: ChatEvent): ChatEvent | readonly ChatEvent[] {
    const given = this.#event(event)
    if (this.#warnings.length === 0) return given
    const told = this.#warnings.map(warning => ({ type: 'warning', warning }) as const)
    this.#warnings = []
    return [...(Array.isArray(given) ? (given as readonly ChatEvent[]) : [given as ChatEvent]), ...told]
  }

  flush(reason: FlushReason): readonly ChatEvent[] {
    if (reason === 'restart') return this.#forget()
    const rest = this.#close(reason === 'finish')
    // A call that is not whole is told no more of: its last words would be of no use.
    if (reason !== 'finish') this.#calls.clear()
    return rest
  }

  #forget(): readonly ChatEvent[] {
    this.#block = undefined
    this.#calls.clear()
    return NOTHING
  }

  #event(event: ChatEvent): ChatEvent | readonly ChatEvent[] {
    switch (event.type) {
      case 'text-delta':
        return this.#write('text', event)
      case 'reasoning-delta':
        return this.#write('reasoning', event)
      case 'refusal-delta':
        return this.#write('refusal', event)
      case 'tool-call-start':
      case 'tool-call-delta':
      case 'tool-call':
        return this.#ofCall(event)
      case 'citation':
        return this.#citation(event)
      case 'logprobs':
        return this.#logprobs(event)
      case 'restart':
        this.#forget()
        return event
      default:
        return endsBlock(event) ? [...this.#close(true), event] : event
    }
  }

  #ofCall(event: Extract<ChatEvent, { type: 'tool-call-start' | 'tool-call-delta' | 'tool-call' }>): ChatEvent | readonly ChatEvent[] {
    if (event.type === 'tool-call-delta') return this.#callDelta(event)
    if (event.type === 'tool-call') return [...this.#close(true), ...this.#call(event)]
    if (this.#callChanges) this.#calls.set(event.index, this.#callChannel())
    return [...this.#close(true), event]
  }

  #write(kind: Kind, event: Delta): readonly ChatEvent[] {
    const before = this.#block !== undefined && this.#block.kind !== kind ? this.#close(true) : NOTHING
    const block = (this.#block ??= { kind, channel: this.#channel(kind), raw: '', given: '' })
    const text = block.channel.push(event.text)
    if (kind === 'reasoning') {
      block.raw += event.text
      block.given += text
    }
    return text === '' ? before : [...before, { ...event, text }]
  }

  /** Lets the open block go. */
  #close(whole: boolean): readonly ChatEvent[] {
    const block = this.#block
    if (block === undefined) return NOTHING
    this.#block = undefined
    const rest = whole ? block.channel.end() : block.channel.drop()
    if (block.kind === 'reasoning' && whole) this.#parts.policy.session?.keepReasoning(block.given + rest, block.raw)
    return rest === '' ? NOTHING : [{ type: `${block.kind}-delta`, text: rest } as Delta]
  }

  #channel(kind: Kind): Channel {
    if (!this.json || kind !== 'text') return this.#plain(kind)
    return new MaybeJson(
      () => new JsonStrings(context => this.#plain('output', context)),
      () => this.#plain(kind),
    )
  }

  #plain(position: string, context = ''): Channel {
    const { output, restore, policy: { session } } = this.#parts
    const redactor = output ? this.#redactor(`answer.${position}`, 'output', context) : undefined
    const restorer = restore !== undefined && session !== undefined ? new Restorer(session, restore) : undefined
    if (redactor === undefined) return restorer ?? PASS
    return restorer === undefined ? redactor : new Chain(redactor, restorer)
  }

  #redactor(position: string, direction: PiiDirection, context: string): Redactor {
    const { policy, redact, actionOf } = this.#parts
    return new Redactor(
      {
        ...redact,
        session: policy.session,
        replace: (finding, value) => {
          const action = actionOf(finding.type, direction)
          policy.tell(finding, position, direction, action)
          if (action === 'block') throw blocked([{ type: finding.type, position }], 'upstream')
          // Without a number: what the model made up is nothing the caller ever said.
          return action === 'report' ? undefined : policy.replaced(finding.type, value, action, false)
        },
      },
      context,
    )
  }

  get #callChanges(): boolean {
    return this.#parts.calls || this.#parts.restore?.toolCalls === true
  }

  #callChannel(): Channel {
    const { calls, restore, policy: { session } } = this.#parts
    return new JsonStrings(context => {
      const redactor = calls ? this.#redactor('answer.toolCalls', 'toolArguments', context) : undefined
      const restorer = restore?.toolCalls === true && session !== undefined ? new Restorer(session, restore) : undefined
      if (redactor === undefined) return restorer ?? PASS
      return restorer === undefined ? redactor : new Chain(redactor, restorer)
    })
  }

  #callDelta(event: Extract<ChatEvent, { type: 'tool-call-delta' }>): ChatEvent | readonly ChatEvent[] {
    const channel = this.#calls.get(event.index)
    if (channel === undefined) return event
    const text = channel.push(event.arguments)
    return text === '' ? NOTHING : { ...event, arguments: text }
  }

  /** The whole call is what its pieces were, and its input what they say. */
  #call(event: CallEvent): readonly ChatEvent[] {
    if (!this.#callChanges) return [event]
    const rest = this.#calls.get(event.index)?.end() ?? ''
    this.#calls.delete(event.index)
    const channel = this.#callChannel()
    const text = channel.push(event.arguments) + channel.end()
    const whole: CallEvent = text === event.arguments ? event : { ...event, arguments: text, input: tryParseJson(text) ?? event.input }
    return rest === '' ? [whole] : [{ type: 'tool-call-delta', index: event.index, arguments: rest }, whole]
  }

  #citation(event: Extract<ChatEvent, { type: 'citation' }>): ChatEvent {
    const { type: _, ...citation } = event
    const given = mapLeaves(citation, 'answer.citation', (text, _path, key) => {
      const channel = this.#plain('citation')
      // An address has a place of its own, which is followed by whoever shows the answer.
      return key === 'url' && !/^[a-z]+:\/\//i.test(text) ? text : channel.push(text) + channel.end()
    })
    return isObject(given) && given !== citation ? ({ ...given, type: 'citation' } as ChatEvent) : event
  }

  /** They hold the text token by token, where nothing can be found in it. */
  #logprobs(event: ChatEvent): ChatEvent | readonly ChatEvent[] {
    if (!this.#parts.output) return event
    if (this.#withheld) return NOTHING
    this.#withheld = true
    return { type: 'warning', warning: { code: 'dropped', message: 'Log probabilities spell out the answer before it is searched for personal data, so they were left out. Let "output" be \'report\' to have them.', parameter: 'logprobs' } }
  }
}

/** The part that was being written is closed by it. */
function endsBlock(event: ChatEvent): boolean {
  if (event.type === 'provider-data') return event.on === 'text' || event.on === 'reasoning'
  return event.type === 'file' || event.type === 'finish'
}

/** Changes nothing. */
const PASS: Channel = { push: text => text, end: () => '', drop: () => '' }
