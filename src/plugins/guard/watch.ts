import type { ChatEvent } from '../../protocol/events.js'
import type { FlushReason } from '../../protocol/ports.js'
import { findIn, type Rule, type Scan } from './scan.js'
import { inJson, type Visit } from './texts.js'

type Delta = Extract<ChatEvent, { type: 'text-delta' | 'reasoning-delta' | 'refusal-delta' | 'tool-call-delta' }>
/** Come between the pieces of one text without ending it. */
const BESIDE = new Set<ChatEvent['type']>(['logprobs', 'warning', 'start'])

/** One text that is being written. */
class Channel {
  readonly #rule: Rule
  #scan: Scan
  /** How far the parts before the open one went. */
  #before = 0
  length = 0
  whole = ''

  constructor(rule: Rule) {
    this.#rule = rule
    this.#scan = rule.begin()
  }

  get clear(): number {
    return this.#before + this.#scan.clear
  }

  push(piece: string): string | undefined {
    this.length += piece.length
    this.whole += piece
    return this.#scan.push(piece)
  }

  /** A part ends here: nothing that comes later belongs to what stands at its end. */
  close(): string | undefined {
    if (this.#before === this.length) return undefined
    const found = this.#scan.end()
    this.#before = this.length
    this.#scan = this.#rule.begin()
    return found
  }
}

interface Held {
  readonly event: ChatEvent
  /** Of a piece of text: whose, and where it ends there. */
  readonly channel?: Channel
  readonly end?: number
}

function textOf(event: Delta): string {
  return event.type === 'tool-call-delta' ? event.arguments : event.text
}
function withText(event: Delta, text: string): ChatEvent {
  return event.type === 'tool-call-delta' ? { ...event, arguments: text } : { ...event, text }
}
function isDelta(event: ChatEvent): event is Delta {
  return event.type === 'text-delta' || event.type === 'reasoning-delta' || event.type === 'refusal-delta' || event.type === 'tool-call-delta'
}

/**
 * An answer on its way: what could still become a match is held back, and the order of events is kept. When a text is over it is
 * looked at once more as a whole, so that a match that was cut by something else is found, too.
 */
export class Watch {
  readonly #rule: Rule
  readonly #refuse: (reason: string) => Error
  #channels = new Map<string | number, Channel>()
  #queue: Held[] = []

  constructor(rule: Rule, refuse: (reason: string) => Error) {
    this.#rule = rule
    this.#refuse = refuse
  }

  /** What may go on; throws what `refuse` makes. */
  event(event: ChatEvent): readonly ChatEvent[] {
    if (isDelta(event)) return this.#delta(event)
    if (!BESIDE.has(event.type)) this.#boundary(event)
    this.#queue.push({ event })
    return this.#release()
  }

  /** The end: what is held goes on or the call is refused; of an answer that broke off it is dropped. */
  flush(reason: FlushReason): readonly ChatEvent[] {
    if (reason === 'finish') {
      for (const channel of this.#channels.values()) this.#check(channel.close() ?? findIn(this.#rule, channel.whole))
    }
    const rest = reason === 'finish' ? this.#release() : []
    this.#channels = new Map()
    this.#queue = []
    return rest
  }

  /** All that is held, unlooked at. */
  abandon(): readonly ChatEvent[] {
    const rest = this.#queue.map(({ event }) => event)
    this.#queue = []
    return rest
  }

  #delta(event: Delta): readonly ChatEvent[] {
    const key = event.type === 'tool-call-delta' ? event.index : event.type
    // Calls of tools may be written side by side; a text is over where another begins.
    if (event.type !== 'tool-call-delta') for (const [other, channel] of this.#channels) if (other !== key && typeof other === 'string') this.#check(channel.close())
    let channel = this.#channels.get(key)
    if (channel === undefined) this.#channels.set(key, (channel = new Channel(this.#rule)))
    this.#check(channel.push(textOf(event)))
    this.#queue.push({ event, channel, end: channel.length })
    return this.#release()
  }

  #boundary(event: ChatEvent): void {
    for (const [key, channel] of this.#channels) if (typeof key === 'string') this.#check(channel.close())
    const look: Visit = text => findIn(this.#rule, text)
    if (event.type === 'tool-call') {
      this.#check(this.#channels.get(event.index)?.close())
      this.#check(look(event.name) ?? look(event.arguments) ?? inJson(event.input, look))
    } else if (event.type === 'tool-call-start') this.#check(look(event.name))
    else if (event.type === 'citation') this.#check(inJson([event.url, event.title, event.text, event.data], look))
  }

  #check(found: string | undefined): void {
    if (found !== undefined) throw this.#refuse(`it holds ${found}`)
  }

  #release(): readonly ChatEvent[] {
    const out: ChatEvent[] = []
    let at = 0
    for (; at < this.#queue.length; at++) {
      const held = this.#queue[at]
      if (held === undefined) break
      const { event, channel, end = 0 } = held
      if (channel === undefined || end <= channel.clear) {
        out.push(event)
        continue
      }
      if (!isDelta(event)) break
      const text = textOf(event)
      const ready = channel.clear - (end - text.length)
      if (ready > 0) {
        out.push(withText(event, text.slice(0, ready)))
        this.#queue[at] = { event: withText(event, text.slice(ready)), channel, end }
      }
      break
    }
    if (at > 0) this.#queue.splice(0, at)
    return out
  }
}
