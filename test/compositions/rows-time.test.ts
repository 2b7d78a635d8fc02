import { describe, expect, it } from 'vitest'
import { always, isStream, outcomes, pair, restarts, starts, TEXT, THREE, words, type Way } from './support.js'

const silent = (way: Way): number => (way === 'chat on JSON' ? 30_000 : 10_000)

describe.each(THREE)('%s, on a clock', way => {
  it('row 1: a 429 that asks for two seconds is not asked again before them', async () => {
    const scene = pair([{ fail: { status: 429, retryAfterMs: 2_000 } }, TEXT])
    const seen = await scene.go(way)
    expect(seen.text).toBe(TEXT)
    const [, second = 0, ...more] = starts(scene.primary)
    expect(second).toBeGreaterThanOrEqual(2_000)
    expect(second).toBeLessThanOrEqual(2_500)
    expect(more).toEqual([])
    expect(scene.backup.calls).toHaveLength(0)
    expect(outcomes(seen)).toEqual(['primary rate_limited', 'primary success'])
    expect(seen.result?.attempts[0]?.waitedMs).toBeCloseTo(second, 1)
    await scene.nothingLeft()
  })

  it('row 2: a 429 without a header is backed off from with jitter, then left for the fallback', async () => {
    const scene = pair({ fail: { status: 429 } })
    const seen = await scene.go(way)
    expect(seen.text).toBe(TEXT)
    expect(seen.result?.deployment).toBe('backup')
    const [, second = 0, third = 0, ...more] = starts(scene.primary)
    expect(more).toEqual([])
    expect(second).toBeGreaterThan(0)
    expect(second).toBeLessThanOrEqual(500)
    expect(third - second).toBeGreaterThan(0)
    expect(third - second).toBeLessThanOrEqual(1_000)
    expect(seen.tookMs).toBeLessThanOrEqual(3_000)
    expect(scene.backup.calls).toHaveLength(1)
    await scene.nothingLeft()
  })

  it('row 6: a route that accepts and never answers is asked once, and left after the first deadline', async () => {
    const scene = pair({ fail: 'silent' })
    const seen = await scene.go(way)
    expect(seen.text).toBe(TEXT)
    expect(seen.tookMs).toBe(silent(way))
    expect(scene.primary.calls.map(({ aborted, closed }) => [aborted, closed])).toEqual([[true, true]])
    expect(outcomes(seen)).toEqual(['primary timeout', 'backup success'])
    expect(seen.result?.attempts[0]?.deadline).toBe(way === 'chat on JSON' ? 'answer' : 'first-event')
    expect(seen.result?.cost.nanos).toBe(seen.result?.attempts[1]?.costNanos)
    await scene.nothingLeft()
  })

  it('row 7: headers at once and no content in time move to the fallback', async () => {
    // On the JSON wire nothing can be seen of an answer before all of it: there the body never comes.
    const scene = pair(way === 'chat on JSON' ? { text: TEXT, fail: 'stall', failAfter: 0 } : { text: TEXT, firstEventMs: 20_000 })
    const seen = await scene.go(way)
    expect(seen.text).toBe(TEXT)
    expect(seen.result?.deployment).toBe('backup')
    expect(seen.tookMs).toBe(silent(way))
    expect(scene.primary.calls).toHaveLength(1)
    await scene.nothingLeft()
  })

  it('row 9: twenty words and then silence are bounded, and the gateway stays healthy', async () => {
    const scene = pair([{ text: TEXT, chunkMs: 10, fail: 'stall', failAfter: 20 }, TEXT])
    const seen = await scene.go(way)
    expect(seen.text).toBe(TEXT)
    expect(seen.tookMs).toBeGreaterThanOrEqual(30_000)
    expect(seen.tookMs).toBeLessThanOrEqual(45_000)
    expect(outcomes(seen)).toEqual(['primary timeout', 'backup success'])
    expect(seen.result?.attempts[0]?.deadline).toBe(way === 'chat on JSON' ? 'answer' : 'idle')
    expect(restarts(seen)).toBe(isStream(way) ? 1 : 0)
    const again = await scene.go(way)
    expect([again.text, again.result?.deployment, again.tookMs]).toEqual([TEXT, 'primary', 0])
    await scene.nothingLeft()
  })
})

describe('row 9 for streams that do not restart', () => {
  const stalled = { text: TEXT, chunkMs: 10, fail: 'stall', failAfter: 20 } as const

  it('a stream that falls silent ends with a typed error and its half answer, never as a short success', async () => {
    const scene = pair(stalled)
    const { error, events, tookMs } = await scene.go('error')
    expect([error?.code, error?.deadline, error?.partial?.text]).toEqual(['timeout', 'idle', words(20)])
    expect(events.some(event => event.type === 'finish')).toBe(false)
    expect(tookMs).toBeLessThanOrEqual(45_000)
    expect(scene.backup.calls).toHaveLength(0)
    await scene.nothingLeft()
  })

  it('a stream that falls silent goes on where it stopped, on a fallback that can', async () => {
    const scene = pair(stalled, { other: { capabilities: { prefill: true } } })
    const seen = await scene.go('continue')
    expect(seen.text).toBe(TEXT)
    expect(restarts(seen)).toBe(0)
    expect(scene.backup.calls[0]?.request.messages.at(-1)).toEqual({ role: 'assistant', content: words(20) })
    expect(seen.result?.warnings.map(warning => warning.code)).toEqual(['changed'])
    await scene.nothingLeft()
  })

  it('a stream that falls silent starts over where nobody can go on', async () => {
    const scene = pair(stalled)
    const seen = await scene.go('continue')
    expect([seen.text, restarts(seen)]).toEqual([TEXT, 1])
    expect(scene.backup.calls.map(call => call.request.prefill ?? false)).toEqual([false])
    await scene.nothingLeft()
  })
})

describe('deadlines that are not due', () => {
  it('a slow JSON answer within its deadline is waited for and not asked for twice', async () => {
    const scene = pair({ text: TEXT, firstEventMs: 20_000 })
    const seen = await scene.go('chat on JSON')
    expect([seen.text, seen.tookMs, seen.result?.deployment]).toEqual([TEXT, 20_000, 'primary'])
    await scene.nothingLeft()
  })

  it('a silent fallback does not give the silent primary a second turn', async () => {
    const scene = pair(always({ fail: 'silent' }), { backup: { fail: 'silent' } })
    const { error, tookMs } = await scene.go('chat on a stream')
    expect([error?.code, error?.deadline, tookMs]).toEqual(['timeout', 'first-event', 20_000])
    expect([scene.primary.calls.length, scene.backup.calls.length]).toEqual([1, 1])
    await scene.nothingLeft()
  })
})
