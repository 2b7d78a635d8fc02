import { describe, expect, it } from 'vitest'
import { bufferOver, gate, hang, settle, watched } from './log-helpers.js'

describe('flush', () => {
  it('delivers at once what a serverless function would lose when it is frozen', async () => {
    const { clock, batches, buffer, push } = bufferOver()
    push(1)
    await buffer.flush()
    expect(batches).toEqual([['1']])
    expect(clock.now()).toBe(0)
  })

  it('waits for the batch being written, not only for those in line', async () => {
    const slow = gate()
    const { buffer, push } = bufferOver({ write: () => slow.promise })
    push(1, 2, 3)
    await settle()
    const done = await watched(buffer.flush())
    expect(done()).toBe(false)
    slow.open()
    await settle()
    expect(done()).toBe(true)
  })

  it('is not held up by records that come after it', async () => {
    const gates = [gate(), gate()]
    let calls = 0
    const { buffer, push } = bufferOver({ maxBatch: 1, write: () => gates[calls++]?.promise })
    push(1)
    const done = await watched(buffer.flush())
    push(2)
    gates[0]?.open()
    await settle()
    expect(calls).toBe(2)
    expect(done()).toBe(true)
  })

  it('does not sit out the pause before a second try', async () => {
    let calls = 0
    const { clock, buffer, push } = bufferOver({ write: () => (calls++ === 0 ? Promise.reject(new Error('once')) : undefined) })
    push(1, 2, 3)
    await settle()
    expect(calls).toBe(1)
    await buffer.flush()
    expect(calls).toBe(2)
    expect(clock.armed).toBe(0)
    expect(buffer.dropped).toBe(0)
  })

  it('gives up on a hanging sink after its bound and keeps the records', async () => {
    const { clock, buffer, push } = bufferOver({ write: hang })
    push(1)
    const done = await watched(buffer.flush())
    await clock.advance(4_999)
    expect(done()).toBe(false)
    await clock.advance(1)
    expect(done()).toBe(true)
    expect(buffer.dropped).toBe(0)
    expect(clock.armed).toBe(0)
  })

  it('after a flush that gave up, batches are gathered again as before', async () => {
    const slow = gate()
    const sizes: number[] = []
    const { clock, buffer, push } = bufferOver({ write: records => (sizes.push(records.length), sizes.length === 1 ? slow.promise : undefined) })
    push(1)
    void buffer.flush()
    push(2)
    void buffer.flush()
    await clock.advance(5_000)
    slow.open()
    await settle()
    expect(sizes).toEqual([1])
    push(3)
    await clock.advance(1_000)
    expect(sizes).toEqual([1, 2])
  })

  it('empties the sink too, after the records have reached it, and survives its failure', async () => {
    const order: string[] = []
    const { buffer, push } = bufferOver({
      write: () => void order.push('write'),
      flush: () => (order.push('flush'), Promise.reject(new Error('no'))),
    })
    push(1)
    await buffer.flush()
    expect(order).toEqual(['write', 'flush'])
  })
})

describe('close', () => {
  it('delivers what is left, closes the sink once and leaves no timer', async () => {
    const order: string[] = []
    const { clock, buffer, push } = bufferOver({ write: records => void order.push(...records.map(one => one.id)), close: async () => void order.push('close') })
    push(1, 2, 3, 4)
    await Promise.all([buffer.close(), buffer.close()])
    await buffer.close()
    expect(order).toEqual(['1', '2', '3', '4', 'close'])
    expect(clock.armed).toBe(0)
    expect(buffer.dropped).toBe(0)
  })

  it('counts what comes after it, and flush no longer touches the sink', async () => {
    let flushed = 0
    const { buffer, push, batches, clock } = bufferOver({ flush: async () => void flushed++ })
    await buffer.close()
    push(1, 2)
    const idle = buffer.flush()
    expect(clock.armed).toBe(0)
    await idle
    await clock.advance(10_000)
    expect(flushed).toBe(1)
    expect(buffer.dropped).toBe(2)
    expect(batches).toEqual([])
  })

  it('ends in bounded time when write and close both hang, and counts what was not written', async () => {
    const { clock, buffer, push } = bufferOver({ write: hang, close: hang })
    push(1, 2, 3, 4)
    const done = await watched(buffer.close())
    await clock.advance(5_000)
    expect(done()).toBe(false)
    await clock.advance(5_000)
    expect(done()).toBe(true)
    expect(buffer.dropped).toBe(4)
    expect(clock.armed).toBe(0)
  })

  it('does not count twice, nor write on, when a hanging write ends after close', async () => {
    const slow = gate()
    let calls = 0
    const { clock, buffer, push } = bufferOver({ write: () => (calls++, slow.promise) })
    push(1, 2, 3, 4)
    void buffer.close()
    await clock.advance(5_000)
    slow.fail(new Error('late'))
    await clock.advance(60_000)
    expect(calls).toBe(1)
    expect(buffer.dropped).toBe(4)
  })

  it('a flush that is still waiting when close gives up does not touch the closed sink', async () => {
    const order: string[] = []
    const { clock, buffer, push } = bufferOver({ write: hang, flush: async () => void order.push('flush'), close: async () => void order.push('close') })
    push(1)
    void buffer.close()
    await clock.advance(3_000)
    const done = await watched(buffer.flush())
    await clock.advance(2_000)
    expect(done()).toBe(true)
    expect(order).toEqual(['close'])
  })

  it('ends although the sink throws while closing', async () => {
    const { buffer } = bufferOver({ close: () => { throw new Error('no') } })
    await expect(buffer.close()).resolves.toBeUndefined()
  })
})
