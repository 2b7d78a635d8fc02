import { base64 } from '../protocol/canonical.js'
import type { ChatEvent, Usage } from '../protocol/events.js'
import { isObject } from '../protocol/json.js'

/** Events that arrived together, `atMs` after the first of their answer. */
export interface Batch {
  readonly atMs: number
  readonly events: readonly ChatEvent[]
}

/** Who gave an answer, and what it cost. */
export interface AnswerOrigin {
  readonly provider: string
  /** The model that was asked, as the deployment names it. */
  readonly model: string
  readonly deployment: string
  readonly usage: Usage
  /** Nano-dollars that asking for it cost, with the tries it took; `null` where no price is known. */
  readonly costNanos: number | null
}

/**
 * A finished answer as a {@link CacheStore} keeps it: plain JSON, version 1. A store need not look inside; `size` is what it
 * weighs, in bytes, counted as two per character.
 */
export interface CachedAnswer extends AnswerOrigin {
  readonly version: 1
  /** Epoch milliseconds. */
  readonly storedAtMs: number
  /** Batches: when, in milliseconds from the first, then each event as a text. */
  readonly batches: readonly (readonly [number, ...string[]])[]
  readonly size: number
}

/** An answer that was cut by its length is whole as asked; a filtered one might pass the next time. */
const KEPT = new Set(['stop', 'length', 'tool-calls'])
const ENTRY_BYTES = 256
const BATCH_BYTES = 64

/**
 * The form to store, or `undefined` where the answer is not one to give again: not finished, filtered, restarted on the
 * way, with a frame that could not be read, or larger than `maxBytes`.
 */
export function answerOf(batches: readonly Batch[], origin: AnswerOrigin, storedAtMs: number, maxBytes: number): CachedAnswer | undefined {
  const last = batches.at(-1)?.events.at(-1)
  if (last?.type !== 'finish' || !KEPT.has(last.finishReason)) return undefined
  let size = ENTRY_BYTES
  const kept: [number, ...string[]][] = []
  for (const { atMs, events } of batches) {
    const one: [number, ...string[]] = [atMs]
    size += BATCH_BYTES
    for (const event of events) {
      if (event.type === 'restart' || (event.type === 'warning' && event.warning.code === 'frame_skipped')) return undefined
      const text = textOf(event)
      size += 2 * text.length
      if (size > maxBytes) return undefined
      one.push(text)
    }
    kept.push(one)
  }
  const { provider, model, deployment, usage, costNanos } = origin
  return { version: 1, storedAtMs, provider, model, deployment, usage, costNanos, batches: kept, size }
}

/** The events of what a store gave back, new objects each time; `undefined` where it is not an answer of ours. */
export function batchesOf(found: unknown): readonly Batch[] | undefined {
  if (!isObject(found) || found['version'] !== 1 || typeof found['storedAtMs'] !== 'number' || !Array.isArray(found['batches'])) return undefined
  try {
    const batches = (found as unknown as CachedAnswer).batches.map(([atMs, ...texts]) => ({ atMs, events: texts.map(eventOf) }))
    return batches.at(-1)?.events.at(-1)?.type === 'finish' ? batches : undefined
  } catch {
    // Another program's value under our key, or half of ours.
    return undefined
  }
}

/** Roughly the characters an event holds. */
export function charsOf(event: ChatEvent): number {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
    case 'refusal-delta':
      return event.text.length
    case 'tool-call-delta':
      return event.arguments.length
    case 'tool-call':
      return 2 * event.arguments.length
    case 'file':
      return event.data.length
    case 'embedding':
      return event.vector.byteLength
    default:
      return JSON.stringify(event).length
  }
}

/** One letter and the text for what there is most of; the others, which begin with a brace, as JSON. */
function textOf(event: ChatEvent): string {
  if (event.type === 'text-delta') return `t${event.text}`
  if (event.type === 'reasoning-delta') return `r${event.text}`
  if (event.type === 'file' && event.data instanceof Uint8Array) return JSON.stringify({ ...event, data: { base64: base64(event.data) } })
  if (event.type === 'embedding') return JSON.stringify({ ...event, vector: packed(event.vector) })
  return JSON.stringify(event)
}

function eventOf(text: string): ChatEvent {
  if (text.startsWith('t')) return { type: 'text-delta', text: text.slice(1) }
  if (text.startsWith('r')) return { type: 'reasoning-delta', text: text.slice(1) }
  const event = JSON.parse(text) as ChatEvent
  if (event.type === 'embedding') return { ...event, vector: unpacked(event.vector) }
  if (event.type !== 'file' || !isObject(event.data)) return event
  return { ...event, data: bytesOf((event.data as Record<string, unknown>)['base64']) }
}

/** Base64 of 32-bit floats, low byte first, so that machines of both kinds may share a store. */
function packed(vector: Float32Array): string {
  const view = new DataView(new ArrayBuffer(4 * vector.length))
  for (let at = 0; at < vector.length; at++) view.setFloat32(4 * at, vector[at] ?? 0, true)
  return base64(new Uint8Array(view.buffer))
}

function unpacked(text: unknown): Float32Array {
  const { buffer } = bytesOf(text)
  const view = new DataView(buffer)
  return Float32Array.from({ length: Math.floor(buffer.byteLength / 4) }, (_, at) => view.getFloat32(4 * at, true))
}

function bytesOf(text: unknown): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(String(text)), char => char.charCodeAt(0))
}
