import { getEventListeners } from 'node:events'
import { expect } from 'vitest'
import { collect } from '../../src/protocol/collect.js'
import { GatewayError } from '../../src/protocol/errors.js'
import type { ChatEvent } from '../../src/protocol/events.js'
import type { OpenContext, Opened, Wire } from '../../src/protocol/ports.js'
import type { UpstreamRequest } from '../../src/protocol/request.js'
import { virtualClock } from '../../src/testing/clock.js'
import { scripted, type ScriptedOptions } from '../../src/testing/scripted.js'

export const REQUEST: UpstreamRequest = { messages: [{ role: 'user', content: 'Why is the sky blue?' }] }

export function setup(options: string | ScriptedOptions) {
  const clock = virtualClock(0)
  const deployment = scripted(options)
  const abort = new AbortController()
  const state = { activity: 0 }
  const ctx = (wire: Wire): OpenContext => ({ wire, clock, signal: abort.signal, onActivity: () => void state.activity++ })
  const open = (wire: Wire = 'stream', request = REQUEST): Promise<Opened> => {
    if (!('upstream' in deployment.reach)) throw new Error('a scripted deployment has an upstream of its own')
    return deployment.reach.upstream.open('chat', request, ctx(wire))
  }
  return { clock, deployment, abort, state, open }
}

export async function drain(opened: Opened, into: ChatEvent[] = [], batches: number[] = []): Promise<ChatEvent[]> {
  for (let batch = await opened.read(); batch !== undefined; batch = await opened.read()) {
    into.push(...batch)
    batches.push(batch.length)
  }
  return into
}

export async function faultOf(promise: Promise<unknown>): Promise<GatewayError> {
  const fault: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!GatewayError.is(fault)) throw new Error('expected a GatewayError')
  return fault
}

export function nothingLeft({ deployment, clock, abort }: ReturnType<typeof setup>): void {
  expect([deployment.open, clock.pending, getEventListeners(abort.signal, 'abort').length]).toEqual([0, 0, 0])
  expect(deployment.calls.every(call => call.closed)).toBe(true)
}

export const textOf = (events: readonly ChatEvent[]) => collect(events).text
