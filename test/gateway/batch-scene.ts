import { expect } from 'vitest'
import { fallback, Gateway, type BatchItem, type ChatRequest } from '../../src/index.js'
import { scripted, virtualClock, type Script, type ScriptedOptions } from '../../src/testing/index.js'
import { all } from './support.js'

export type Ask = ChatRequest<'smart'>
export type Item = BatchItem<Ask>
export const ask = (text: string): Ask => ({ model: 'smart', messages: text })
export const asks = (count: number): Ask[] => Array.from({ length: count }, (_, at) => ask(`question ${at}`))

/** A source that counts what was taken from it, and whether it was closed. */
export function counted(count: number) {
  const seen = { taken: 0, closed: false }
  function* requests(): Generator<Ask> {
    try {
      for (let at = 0; at < count; at++) {
        seen.taken++
        yield ask(`question ${at}`)
      }
    } finally {
      seen.closed = true
    }
  }
  return { seen, requests: requests() }
}

export function scene(answers: Script | ScriptedOptions['answers'] = { text: 'Hello', latencyMs: 10 }, price?: ScriptedOptions['price']) {
  const deployment = scripted({ id: 'd', answers, ...(price && { price }) })
  const clock = virtualClock()
  const gateway = new Gateway({ routes: { smart: fallback(deployment) }, clock, retry: { attempts: 1 } })
  return { deployment, clock, gateway, nothingLeft: () => expect([deployment.open, clock.pending, gateway.health().calls]).toEqual([0, 0, 0]) }
}

/** Reads to the end while time passes. */
export async function read(clock: ReturnType<typeof virtualClock>, items: AsyncIterable<Item>): Promise<Item[]> {
  const reading = all(items)
  let over = false
  void reading.then(
    () => (over = true),
    () => (over = true),
  )
  for (let round = 0; round < 1_000 && !over; round++) await clock.advance(10)
  return reading
}
