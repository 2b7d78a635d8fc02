import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CallRecord } from '../../src/protocol/result.js'
import { bufferOver, CONTENT, gate, record, settle } from './log-helpers.js'

describe('delivery', () => {
  it('does not call the sink inside the call that is being recorded', async () => {
    const { batches, push } = bufferOver({ maxBatch: 1 })
    push(1)
    expect(batches).toEqual([])
    await settle()
    expect(batches).toEqual([['1']])
  })

  it('does not let a lone record wait longer than maxDelayMs', async () => {
    const { clock, batches, push } = bufferOver()
    push(1)
    await clock.advance(600)
    push(2)
    await clock.advance(399)
    expect(batches).toEqual([])
    await clock.advance(1)
    expect(batches).toEqual([['1', '2']])
  })

  it('does not wait for the timer once a batch is full, and keeps batches bounded', async () => {
    const { clock, batches, push } = bufferOver()
    push(1, 2, 3, 4)
    await settle()
    expect(batches).toEqual([['1', '2', '3']])
    await clock.advance(1_000)
    expect(batches).toEqual([['1', '2', '3'], ['4']])
  })

  it('honours the batch size of the sink', async () => {
    const { batches, push } = bufferOver({ maxBatch: 2 }, { maxBatch: 100 })
    push(1, 2)
    await settle()
    expect(batches).toEqual([['1', '2']])
  })

  it('delivers a buffer smaller than a batch without waiting for room it will never have', async () => {
    const { batches, push, buffer } = bufferOver({}, { maxBuffered: 2, maxBatch: 100 })
    push(1, 2)
    await settle()
    expect(batches).toEqual([['1', '2']])
    expect(buffer.dropped).toBe(0)
  })

  it('leaves no timer armed when there is nothing to deliver', async () => {
    const { clock, buffer, push } = bufferOver()
    expect(clock.armed).toBe(0)
    push(1)
    expect(clock.armed).toBe(1)
    push(2, 3)
    await settle()
    expect(clock.armed).toBe(0)
    push(4)
    await buffer.flush()
    expect(clock.armed).toBe(0)
    const idle = buffer.flush()
    expect(clock.armed).toBe(0)
    await idle
  })

  it('never writes two batches to one sink at a time', async () => {
    const gates = [gate(), gate()]
    let calls = 0
    const { clock, push } = bufferOver({ write: () => gates[calls++]?.promise })
    push(1, 2, 3)
    await settle()
    push(4, 5, 6)
    expect(clock.armed).toBe(0)
    await clock.advance(10_000)
    expect(calls).toBe(1)
    gates[0]?.open()
    await settle()
    expect(calls).toBe(2)
  })

  it('lets other work run between the turns of a long backlog', async () => {
    const seen: string[] = []
    const deferred: (() => void)[] = []
    const { push } = bufferOver({ maxBatch: 1, write: records => void seen.push(...records.map(one => one.id)) }, { maxBatch: 4, defer: fn => void deferred.push(fn) })
    push(...Array.from({ length: 10 }, (_, i) => i))
    expect(deferred).toHaveLength(1)
    deferred.shift()?.()
    await settle()
    expect(seen).toHaveLength(4)
    expect(deferred).toHaveLength(1)
    deferred.shift()?.()
    await settle()
    expect(seen).toHaveLength(8)
  })
})

describe('bounds', () => {
  it('holds no more than maxBuffered for a sink that hangs, drops the newest and counts them', async () => {
    const first = gate()
    const seen: string[] = []
    const { buffer, push } = bufferOver(
      {
        write(records) {
          seen.push(...records.map(one => one.id))
          return seen.length <= 3 ? first.promise : undefined
        },
      },
      { maxBuffered: 5 },
    )
    push(1, 2, 3)
    await settle()
    push(4, 5, 6, 7, 8)
    expect(buffer.dropped).toBe(3)
    first.open()
    await buffer.flush()
    expect(seen).toEqual(['1', '2', '3', '4', '5'])
    push(9)
    await buffer.flush()
    expect(seen).toContain('9')
    expect(buffer.dropped).toBe(3)
  })

  it('does not let few records with huge prompts fill the memory', async () => {
    const { buffer, batches } = bufferOver({}, { maxContentChars: 200 })
    const heavy = (id: number) => record(id, { content: { ...CONTENT, text: 'x'.repeat(80) } })
    buffer.push(heavy(1))
    buffer.push(heavy(2))
    buffer.push(record(3))
    expect(buffer.dropped).toBe(1)
    await buffer.flush()
    expect(batches).toEqual([['1', '3']])
    buffer.push(record(4))
    buffer.push(heavy(5))
    await buffer.flush()
    expect(batches).toEqual([['1', '3'], ['4', '5']])
    expect(buffer.dropped).toBe(1)
  })

  it('still takes one record that alone is over the content bound, and records without content beside it', async () => {
    const { buffer, batches } = bufferOver({}, { maxContentChars: 10 })
    buffer.push(record(1, { content: CONTENT }))
    buffer.push(record(2))
    await buffer.flush()
    expect(batches).toEqual([['1', '2']])
    expect(buffer.dropped).toBe(0)
  })
})

describe('failing sinks', () => {
  it.each([
    ['throws', () => { throw new Error('no') }],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('offers a batch once more after a pause when the sink %s, then counts it as dropped', async (_, write) => {
    let calls = 0
    const { clock, buffer, push } = bufferOver({ write: () => (calls++, write()) })
    push(1, 2, 3)
    await settle()
    expect(calls).toBe(1)
    await clock.advance(999)
    expect(calls).toBe(1)
    await clock.advance(1)
    expect(calls).toBe(2)
    expect(buffer.dropped).toBe(3)
    expect(clock.armed).toBe(0)
    await clock.advance(60_000)
    expect(calls).toBe(2)
  })

  it('loses nothing when the second try succeeds, even if the first emptied its array', async () => {
    const seen: string[][] = []
    const { clock, buffer, push } = bufferOver({
      write(records) {
        seen.push(records.map(one => one.id))
        if (seen.length > 1) return
        ;(records as CallRecord[]).length = 0
        throw new Error('first')
      },
    })
    push(1, 2, 3)
    await settle()
    await clock.advance(1_000)
    expect(seen).toEqual([['1', '2', '3'], ['1', '2', '3']])
    expect(buffer.dropped).toBe(0)
  })

  it('goes on with the next batch after one was lost', async () => {
    const seen: string[] = []
    const { clock, buffer, push } = bufferOver({
      write(records) {
        if (records[0]?.id === '1') throw new Error('poison')
        seen.push(...records.map(one => one.id))
      },
    })
    push(1, 2, 3, 4)
    await clock.advance(5_000)
    expect(seen).toEqual(['4'])
    expect(buffer.dropped).toBe(3)
  })
})

describe('any history', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('push' as const), n: fc.integer({ min: 1, max: 6 }) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), n: fc.integer({ min: 1, max: 2_500 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const), n: fc.constant(0) }) },
  )
  const mood = fc.constantFrom('ok', 'slow', 'throw', 'reject', 'late')

  it('every record is written once or counted as dropped, in order, in bounded batches, one at a time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.array(mood, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 5 }), async (steps, moods, maxBuffered, maxBatch) => {
        const kept: number[] = []
        let calls = 0
        let busy = 0
        let pushed = 0
        const { clock, buffer } = bufferOver(
          {
            async write(records) {
              expect(records.length).toBeLessThanOrEqual(Math.min(maxBatch, maxBuffered))
              expect(++busy).toBe(1)
              const now = moods[calls++ % moods.length]
              try {
                if (now === 'slow' || now === 'late') await new Promise<void>(resolve => clock.after(700, resolve))
                if (now !== 'ok' && now !== 'slow') throw new Error('no')
                kept.push(...records.map(one => Number(one.id)))
              } finally {
                busy--
              }
            },
          },
          { maxBuffered, maxBatch, maxFlushMs: 60_000 },
        )
        for (const { do: what, n } of steps) {
          if (what === 'push') for (let i = 0; i < n; i++) buffer.push(record(pushed++))
          else if (what === 'wait') await clock.advance(n)
          else void buffer.flush()
          expect(pushed - kept.length - buffer.dropped).toBeLessThanOrEqual(maxBuffered)
        }
        const closed = buffer.close()
        // In steps, so that a write which begins meanwhile ends within the time that closing gives it.
        for (let passed = 0; passed < 60; passed++) await clock.advance(1_000)
        await closed
        expect(kept.length + buffer.dropped).toBe(pushed)
        expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b))
        expect(clock.armed).toBe(0)
      }),
      { numRuns: 150 },
    )
  })
})
