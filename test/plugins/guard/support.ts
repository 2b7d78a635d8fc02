import { Gateway, type CallRecord, type ChatEvent, type ChatRequest, type GatewayOptions, type Plugin } from 'sallyport'
import type { Detector, GuardReport } from 'sallyport/guard'
import { scripted, seededRandom, virtualClock, type Script } from 'sallyport/testing'
import type { FlushReason } from '../../../src/protocol/ports.js'
import { witness } from '../../gateway/support.js'

export const ASK = { model: 'smart', messages: 'Hi' } as const

/** A gateway with guards over one scripted deployment. */
export function scene(plugins: readonly Plugin[], answers: Script | Script[] = 'fine', options: Partial<GatewayOptions> = {}) {
  const deployment = scripted({ id: 'd', answers })
  const clock = virtualClock()
  const seen = witness(true)
  const gateway = new Gateway({ routes: { smart: deployment }, clock, random: seededRandom(7), plugins: [...plugins, seen], ...options } as GatewayOptions)
  const chat = (request: Partial<ChatRequest> = {}) => gateway.chat({ ...ASK, ...request } as never)
  const records: readonly CallRecord[] = seen.records
  return { deployment, clock, gateway, chat, records }
}

/** Everything a stream told before its end, and how it ended. */
export async function read(gateway: Gateway, request: Partial<ChatRequest> = {}): Promise<{ readonly text: string; readonly error: unknown }> {
  let text = ''
  try {
    for await (const piece of (await gateway.stream({ ...ASK, ...request } as never)).textStream) text += piece
  } catch (error) {
    return { text, error }
  }
  return { text, error: undefined }
}

/** Finds `secret-` and digits, and keys that are written in lines. */
export const MARKED: Detector = {
  maxLength: 8_192,
  detect: text => [...text.matchAll(/\bsecret-\d{4,32}\b|-----BEGIN KEY-----[^-]{0,4096}-----END KEY-----/g)].map(({ index, 0: found }) => ({ type: 'SECRET', start: index, end: index + found.length, score: 1, reason: 'prefix' })),
}

/** Hooks of one guard, as the gateway opens them. */
export function opened(plugin: Plugin) {
  const hooks = plugin.open?.({ id: 'c', kind: 'stream', model: 'm', clock: virtualClock(), onEnd: () => undefined })
  const list = (given: ChatEvent | readonly ChatEvent[] | undefined): readonly ChatEvent[] => (given === undefined ? [] : Array.isArray(given) ? given : [given as ChatEvent])
  return { event: (event: ChatEvent) => list(hooks?.event?.(event)), flush: (reason: FlushReason) => list(hooks?.flush?.(reason)) }
}

/** The text of an answer in these pieces, as far as a guard lets it through. */
export function passed(plugin: Plugin, pieces: readonly string[]): { readonly text: string; readonly refused: boolean } {
  const { event, flush } = opened(plugin)
  let text = ''
  const take = (events: readonly ChatEvent[]): void => {
    for (const one of events) if (one.type === 'text-delta') text += one.text
  }
  try {
    for (const piece of pieces) take(event({ type: 'text-delta', text: piece }))
    take(flush('finish'))
  } catch {
    return { text, refused: true }
  }
  return { text, refused: false }
}

export function reports(): { readonly onReport: (report: GuardReport) => void; readonly told: GuardReport[] } {
  const told: GuardReport[] = []
  return { told, onReport: report => void told.push(report) }
}
