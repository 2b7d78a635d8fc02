import { expect, test } from 'vitest'
import { memoryStore } from '../../src/state/memory.js'
import { virtualClock } from '../../src/testing/clock.js'

test('a hold that was settled holds nothing: settled again it changes nothing, also where another has its place', () => {
  const { prompt } = memoryStore({ clock: virtualClock() })
  const held = () => {
    const verdict = prompt?.acquire([{ key: 'k', amount: 2, limit: 10 }], { ttlMs: 1_000, left: () => ({}) })
    if (prompt === undefined || verdict?.ok !== true) throw new Error('refused')
    return (amount: number) => prompt.settle(verdict.hold, [{ key: 'k', amount }])
  }
  const first = held()
  expect([first(1), first(1)]).toEqual([[{ key: 'k', charged: 1, held: 0 }], undefined])
  const second = held()
  expect([first(1), second(2)]).toEqual([undefined, [{ key: 'k', charged: 3, held: 0 }]])
})
