import type { ChatEvent, FinishEvent, TokenLogprob, Warning } from './events.js'
import { isObject, type Json } from './json.js'
import type { AssistantMessage, Citation, Origins, ProviderData, ReasoningPart, RefusalPart, TextPart, ToolCall, ToolCallPart } from './request.js'
import type { ChatResult, Partial } from './result.js'

type Written = { -readonly [K in keyof TextPart]: TextPart[K] } | { -readonly [K in keyof ReasoningPart]: ReasoningPart[K] } | { -readonly [K in keyof RefusalPart]: RefusalPart[K] }
type MessagePart = Extract<AssistantMessage['content'], readonly unknown[]>[number]

/** What a fold over the events of one answer gives. */
export interface Collected extends Pick<ChatResult, 'text' | 'reasoning' | 'refusal' | 'toolCalls' | 'files' | 'logprobs' | 'warnings' | 'providerMetadata'> {
  readonly content: readonly MessagePart[]
  readonly finish?: FinishEvent
  readonly id?: string
  readonly model?: string
}

/** Folds events into an answer. Pure state, no I/O; `restart` starts it over but keeps the warnings. */
export class Collector {
  #parts: MessagePart[] = []
  /** The part that is being written; its text grows in place. */
  #open: Written | undefined
  #refused = false
  #chars = 0
  #calls: ToolCall[] = []
  #callParts: Map<number, { data?: ProviderData; part?: { -readonly [K in keyof ToolCallPart]: ToolCallPart[K] } }> | undefined
  #announced = -1
  #files: { mediaType: string; data: Uint8Array | string }[] = []
  #logprobs: TokenLogprob[] | undefined
  #warnings: Warning[] = []
  #metadata: Record<string, Json> = Object.create(null) as Record<string, Json>
  #finish: FinishEvent | undefined
  #id: string | undefined
  #model: string | undefined

  add(event: ChatEvent): void {
    switch (event.type) {
      case 'text-delta':
        return this.#write('text', event.text)
      case 'reasoning-delta':
        return this.#write('reasoning', event.text)
      case 'refusal-delta':
        return this.#write('refusal', event.text)
      case 'tool-call-start':
        this.#announced = event.index
        ;(this.#callParts ??= new Map()).set(event.index, {})
        return
      case 'tool-call-delta':
        return
      case 'tool-call':
        return this.#call(event)
      case 'provider-data':
        return this.#attach(event)
      case 'citation':
        return this.#cite(event)
      default:
        // Vectors are no part of a text: who asked for them takes them from the events.
        return this.#note(event as Exclude<typeof event, { type: 'embedding' }>)
    }
  }

  #note(event: Extract<ChatEvent, { type: 'start' | 'file' | 'logprobs' | 'warning' | 'restart' | 'finish' }>): void {
    switch (event.type) {
      case 'start':
        this.#id ??= event.id
        this.#model ??= event.model
        return
      case 'file':
        this.#seal()
        this.#files.push({ mediaType: event.mediaType, data: event.data })
        this.#parts.push({ type: 'file', mediaType: event.mediaType, data: event.data })
        return
      case 'logprobs':
        ;(this.#logprobs ??= []).push(...event.tokens)
        return
      case 'warning':
        this.#warnings.push(event.warning)
        return
      case 'restart':
        return this.#restart()
      case 'finish':
        this.#finish = event
    }
  }

  /** Characters of text, reasoning and refusal so far, void ones included. */
  get chars(): number {
    return this.#chars
  }

  /** What has arrived so far. */
  partial(): Partial {
    return { text: this.#textOf('text'), reasoning: this.#textOf('reasoning'), toolCalls: [...this.#calls] }
  }

  result(): Collected {
    this.#seal()
    const collected: { -readonly [K in keyof Collected]: Collected[K] } = {
      text: this.#textOf('text'),
      reasoning: this.#textOf('reasoning'),
      toolCalls: this.#calls,
      content: this.#parts,
      files: this.#files,
      warnings: this.#warnings,
      providerMetadata: this.#metadata,
    }
    if (this.#refused) collected.refusal = this.#textOf('refusal')
    if (this.#logprobs !== undefined) collected.logprobs = this.#logprobs
    if (this.#finish !== undefined) collected.finish = this.#finish
    if (this.#id !== undefined) collected.id = this.#id
    if (this.#model !== undefined) collected.model = this.#model
    return collected
  }

  #restart(): void {
    this.#parts = []
    this.#open = undefined
    this.#refused = false
    this.#calls = []
    this.#callParts = undefined
    this.#announced = -1
    this.#files = []
    this.#logprobs = undefined
    this.#metadata = Object.create(null) as Record<string, Json>
    this.#finish = undefined
    this.#id = undefined
    this.#model = undefined
  }

  /** All text of a kind, in one. */
  #textOf(type: Written['type']): string {
    let text = ''
    for (const part of this.#parts) if (part.type === type) text += part.text
    return this.#open?.type === type ? text + this.#open.text : text
  }

  #write(type: Written['type'], text: string): void {
    const open = this.#open?.type === type ? this.#open : this.#begin(type)
    open.text += text
    this.#chars += text.length
  }

  #begin(type: Written['type']): Written {
    this.#seal()
    if (type === 'refusal') this.#refused = true
    return (this.#open = { type, text: '' })
  }

  #seal(): void {
    if (this.#open === undefined) return
    this.#parts.push(this.#open)
    this.#open = undefined
  }

  #call({ index, id, name, input, arguments: text }: Extract<ChatEvent, { type: 'tool-call' }>): void {
    this.#seal()
    this.#calls.push({ id, name, input, arguments: text })
    const parts = (this.#callParts ??= new Map())
    const seen = parts.get(index)
    const part: { -readonly [K in keyof ToolCallPart]: ToolCallPart[K] } = { type: 'tool-call', id, name, input, arguments: text }
    if (seen?.data !== undefined) part.providerData = seen.data
    parts.set(index, { part })
    this.#parts.push(part)
  }

  #attach({ on, dialect, data }: Extract<ChatEvent, { type: 'provider-data' }>): void {
    if (on === 'message') this.#metadata[dialect] = merge(this.#metadata[dialect], data)
    else if (on === 'tool-call') this.#attachCall(dialect, data)
    else {
      const open = this.#open?.type === on ? this.#open : this.#begin(on)
      open.providerData = extend(open.providerData, dialect, data)
      this.#seal()
    }
  }

  #attachCall(dialect: string, data: Json): void {
    const seen = this.#callParts?.get(this.#announced)
    if (seen?.part !== undefined) seen.part.providerData = extend(seen.part.providerData, dialect, data)
    else if (seen !== undefined) seen.data = extend(seen.data, dialect, data)
  }

  #cite({ type: _, ...citation }: { type: 'citation' } & Citation): void {
    const open = this.#open?.type === 'text' ? this.#open : this.#begin('text')
    if (open.type === 'text') open.citations = [...(open.citations ?? []), citation]
  }
}

function merge(before: Json | undefined, data: Json): Json {
  return isObject(before) && isObject(data) ? { ...before, ...data } : data
}

function extend(before: ProviderData | undefined, dialect: string, data: Json): ProviderData {
  return { ...before, [dialect]: merge(before?.[dialect], data) }
}

/** Folds a list of events; the JSON wire and the stream wire of the same answer give the same. */
export function collect(events: Iterable<ChatEvent>): Collected {
  const collector = new Collector()
  for (const event of events) collector.add(event)
  return collector.result()
}

/** The assistant message a caller can put back into `messages`. */
export function messageOf(collected: Collected, origin: Origins): AssistantMessage {
  const only = collected.content.length === 1 ? collected.content[0] : undefined
  const plain = only?.type === 'text' && only.providerData === undefined && only.citations === undefined
  return { role: 'assistant', content: plain ? only.text : collected.content, origin }
}
