import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { scripted, seededRandom, virtualClock, type VirtualClock } from '../../src/testing/index.js'
import { failure, ORDERS, pair, staged, TEXT, THREE, wired, type Seen } from './support.js'

const OUTAGE_MS = 60_000
const EVERY_MS = 4_000
const DOWN = { fail: { status: 503 } } as const

/** A deployment that answers 503 for the first minute of a clock. */
function downAtFirst(clock: VirtualClock): () => typeof DOWN | string {
  const beganMs = clock.now()
  return () => (clock.now() - beganMs < OUTAGE_MS ? DOWN : TEXT)
}

interface Watched {
  readonly startedMs: number
  readonly seen: Seen
}

/** Twenty calls, one every four seconds; real sockets get the real time they need. */
async function everyFourSeconds(clock: VirtualClock, go: () => Promise<Seen>, count = 20): Promise<Watched[]> {
  const out: Watched[] = []
  const beganMs = clock.now()
  for (let at = 0; at < count; at++) {
    const startedMs = clock.now() - beganMs
    let seen: Seen | undefined
    const call = go().then(one => void (seen = one))
    while (seen === undefined && clock.now() - beganMs < startedMs + EVERY_MS - 20) {
      await sleep(1)
      if (seen === undefined) await clock.advance(20)
    }
    await call
    if (seen !== undefined) out.push({ startedMs, seen })
    await clock.advance(Math.max(0, beganMs + startedMs + EVERY_MS - clock.now()))
  }
  return out
}

/** What FAILOVER row 15 asks of the twenty calls. */
function expectRow15(watched: readonly Watched[], triesMs: readonly number[]): void {
  expect(watched.map(({ seen }) => [seen.text, seen.error?.code])).toEqual(watched.map(() => [TEXT, undefined]))
  expect(triesMs.filter(ms => ms < OUTAGE_MS).length).toBeLessThanOrEqual(8)
  const back = watched.find(({ startedMs, seen }) => startedMs >= OUTAGE_MS && seen.result?.deployment === 'primary')
  expect((back?.startedMs ?? Infinity) - OUTAGE_MS).toBeLessThanOrEqual(30_000)
  for (const { startedMs, seen } of watched) if (startedMs >= (back?.startedMs ?? Infinity)) expect(seen.result?.deployment).toBe('primary')
}

describe.each(THREE)('row 15, %s', way => {
  it('a route that is down for a minute costs no answer, is asked by one probe per interval, and is back within 30 s', async () => {
    const clock = virtualClock()
    const scene = pair(downAtFirst(clock), { options: { clock } })
    const beganMs = clock.now()
    const watched = await everyFourSeconds(clock, () => scene.go(way))
    expectRow15(watched, scene.primary.calls.map(({ startedMs }) => startedMs - beganMs))
    // The first call asks three times; then one probe per interval.
    const tries = scene.primary.calls.map(({ startedMs }) => startedMs - beganMs).filter(ms => ms < OUTAGE_MS)
    for (const [at, ms] of tries.slice(3).entries()) expect(ms - (tries[at + 2] ?? 0)).toBeGreaterThanOrEqual(15_000)
    expect(watched[5]?.seen.result?.attempts[0]).toMatchObject({ deployment: 'primary', outcome: 'skipped', code: 'overloaded', reason: expect.stringMatching(/circuit is open.*next probe in \d+ s/) as string })
    expect(clock.pending).toBe(0)
    await scene.nothingLeft()
  })
})

describe.each(ORDERS)('row 15 on sockets, %s first, %s behind it', (...order) => {
  it.each(THREE)('%s', async way => {
    const clock = virtualClock()
    const beganMs = clock.now()
    const triesMs: number[] = []
    const scene = await wired(order, () => {
      triesMs.push(clock.now() - beganMs)
      return clock.now() - beganMs < OUTAGE_MS ? { status: 503 } : undefined
    }, { options: { clock, random: seededRandom(5) } })
    expectRow15(await everyFourSeconds(clock, () => scene.go(way)), triesMs)
    expect(clock.pending).toBe(0)
    await scene.nothingLeft()
  }, 40_000)
})

describe.each(THREE)('row 15 with one deployment alone, %s', way => {
  it('calls fail fast, with the last code and when to come back; one probe per interval goes out', async () => {
    const clock = virtualClock()
    const beganMs = clock.now()
    const lone = scripted({ id: 'lone', answers: downAtFirst(clock) })
    const scene = staged([lone], { clock })
    const watched = await everyFourSeconds(clock, () => scene.go(way))
    const down = watched.filter(({ startedMs }) => startedMs < OUTAGE_MS)
    for (const [at, { seen }] of down.entries()) {
      expect(seen.error?.code).toBe('overloaded')
      const tried = seen.error?.attempts?.some(({ outcome }) => outcome === 'failure') === true
      // A probe that fails may back off once before it finds the circuit open again; nobody else waits.
      if (at > 0) expect(seen.tookMs).toBeLessThanOrEqual(tried ? 500 : 0)
      if (!tried) {
        expect(seen.error?.retryAfterMs).toBeGreaterThan(0)
        expect(seen.error?.retryAfterMs).toBeLessThanOrEqual(15_000)
        expect(seen.error?.message).toContain('lone')
      }
    }
    const tries = lone.calls.map(({ startedMs }) => startedMs - beganMs).filter(ms => ms < OUTAGE_MS)
    expect(tries.length).toBeLessThanOrEqual(8)
    for (const [at, ms] of tries.slice(3).entries()) expect(ms - (tries[at + 2] ?? 0)).toBeGreaterThanOrEqual(15_000)
    const back = watched.find(({ startedMs, seen }) => startedMs >= OUTAGE_MS && seen.error === undefined)
    expect((back?.startedMs ?? Infinity) - OUTAGE_MS).toBeLessThanOrEqual(30_000)
    await scene.nothingLeft()
  })
})

describe('eight calls at once with the first model down', () => {
  it.each(THREE)('are eight answers of the second, and the dead one is left alone after them (%s)', async way => {
    const scene = pair(DOWN)
    const calls = Array.from({ length: 8 }, () => scene.go(way))
    await scene.clock.runUntilIdle()
    expect((await Promise.all(calls)).map(({ text, result }) => [text, result?.deployment])).toEqual(Array.from({ length: 8 }, () => [TEXT, 'backup']))
    const tries = scene.primary.calls.length
    expect(tries).toBeLessThanOrEqual(16)
    await scene.go(way)
    expect(scene.primary.calls).toHaveLength(tries)
    await scene.nothingLeft()
  })
})

describe('an open circuit', () => {
  it('lets exactly one probe through where a hundred calls come at once', async () => {
    const clock = virtualClock()
    const beganMs = clock.now()
    const scene = pair(() => (clock.now() - beganMs < 5_000 ? DOWN : { text: TEXT, latencyMs: 100 }), { options: { clock } })
    await scene.go('chat on JSON')
    const opened = scene.primary.calls.length
    await clock.advance(20_000)
    const calls = Array.from({ length: 100 }, () => scene.gateway.chat({ model: 'json', messages: 'Hi' }))
    await clock.advance(50)
    expect(scene.primary.calls.length - opened).toBe(1)
    expect(scene.gateway.health().deployments[0]?.state).toBe('half_open')
    await clock.runUntilIdle()
    const by = (await Promise.all(calls)).map(({ deployment }) => deployment)
    expect([by.filter(id => id === 'primary').length, by.filter(id => id === 'backup').length]).toEqual([1, 99])
    await scene.nothingLeft()
  })

  it('lets one probe through again where the first is aborted, and the abort is counted for nobody', async () => {
    const clock = virtualClock()
    const beganMs = clock.now()
    const scene = pair(() => (clock.now() - beganMs < 5_000 ? DOWN : { text: TEXT, latencyMs: 1_000 }), { options: { clock } })
    await scene.go('chat on JSON')
    await clock.advance(20_000)
    const caller = new AbortController()
    const probe = failure(scene.gateway.chat({ model: 'json', messages: 'Hi' }, { signal: caller.signal }))
    await clock.advance(500)
    caller.abort()
    expect((await probe).code).toBe('aborted')
    expect(scene.gateway.health().deployments[0]?.state).toBe('half_open')
    const seen = await scene.go('chat on JSON')
    expect([seen.text, seen.result?.deployment, scene.gateway.health().deployments[0]?.state]).toEqual([TEXT, 'primary', 'ramp'])
    await scene.nothingLeft()
  })

  it('is the business of one gateway: another over the same deployment objects asks as if nothing had been', async () => {
    const [primary, backup] = [scripted({ id: 'primary', answers: DOWN }), scripted({ id: 'backup', answers: TEXT })]
    const [one, two] = [staged([primary, backup]), staged([primary, backup])]
    await one.go('chat on JSON')
    expect([one.gateway.health().deployments[0]?.state, primary.calls.length]).toEqual(['open', 3])
    await two.go('chat on JSON')
    expect([two.gateway.health().deployments[0]?.state, primary.calls.length]).toEqual(['open', 6])
    await two.gateway.restore('primary')
    expect([one, two].map(({ gateway }) => gateway.health().deployments[0]?.state)).toEqual(['open', 'ready'])
    expect((await one.go('chat on JSON')).result?.attempts.map(({ outcome }) => outcome)).toEqual(['skipped', 'success'])
    await one.nothingLeft()
    await two.nothingLeft()
  })
})
