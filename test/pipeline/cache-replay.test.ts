import { describe, expect, test } from 'vitest'
import { Replay } from '../../src/pipeline/replay.js'
import { GatewayError } from '../../src/protocol/errors.js'
import type { ChatEvent } from '../../src/protocol/events.js'
import { Cancel } from '../../src/resilience/cancel.js'
import type { Batch } from '../../src/state/cache-answer.js'
import { virtualClock } from '../../src/testing/clock.js'

const say = (text: string): ChatEvent => ({ type: 'text-delta', text })
const FINISH: ChatEvent = { type: 'finish', finishReason: 'stop', usage: {} }
const BATCHES: Batch[] = [
  { atMs: 0, events: [say('a')] },
  { atMs: 100, events: [say('b')] },
  { atMs: 100, events: [say('c')] },
  { atMs: 250, events: [FINISH] },
]
const gone = new GatewayError('aborted', 'gone')

function play(pace: 'full' | 'recorded') {
  const clock = virtualClock()
  const cancel = new Cancel()
  const told: (string | undefined)[] = []
  const replay = new Replay(BATCHES, pace, clock, cancel)
  const read = () => replay.read((batch, fault) => void told.push(fault?.code ?? batch?.map(event => (event.type === 'text-delta' ? event.text : event.type)).join('')))
  const left = () => ({ timers: clock.pending, listeners: cancel.listening })
  return { clock, cancel, told, replay, read, left }
}

describe('at full speed', () => {
  test('all comes at once, then nothing', () => {
    const { told, read, replay, left } = play('full')
    read()
    read()
    replay.end(gone)
    read()
    expect(told).toEqual(['abcfinish', undefined, undefined])
    expect(left()).toEqual({ timers: 0, listeners: 0 })
  })
})

describe('at the recorded pace', () => {
  test('each batch comes when it came, those of one instant together', async () => {
    const { clock, told, read, left } = play('recorded')
    read()
    read()
    await clock.advance(99)
    expect(told).toEqual(['a'])
    await clock.advance(1)
    expect(told).toEqual(['a', 'bc'])
    read()
    await clock.advance(150)
    expect(told).toEqual(['a', 'bc', 'finish'])
    expect(left()).toEqual({ timers: 0, listeners: 0 })
  })

  test('a slow reader gets what is due in one list', async () => {
    const { clock, told, read, left } = play('recorded')
    read()
    await clock.advance(1000)
    read()
    expect(told).toEqual(['a', 'bcfinish'])
    expect(left()).toEqual({ timers: 0, listeners: 0 })
  })

  test('a reader that waits is told of the abort, and no timer is left', async () => {
    for (const leave of ['end', 'cancel'] as const) {
      const { clock, told, read, replay, cancel, left } = play('recorded')
      read()
      read()
      if (leave === 'end') replay.end(gone)
      else cancel.cancel(gone)
      expect(told).toEqual(['a', 'aborted'])
      expect(left()).toEqual({ timers: 0, listeners: 0 })
      await clock.advance(1000)
      read()
      replay.end(gone)
      expect(told).toEqual(['a', 'aborted', 'aborted'])
    }
  })
})
