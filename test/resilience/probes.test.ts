import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import { Breaker } from '../../src/resilience/breaker.js'
import { Probes, type ProbeContext } from '../../src/resilience/probes.js'
import { virtualClock } from '../../src/testing/clock.js'
import { seededRandom } from '../../src/testing/random.js'
import { entered, failed, fault, OK } from './support.js'

function scene(probe: (ctx: ProbeContext) => Promise<void>, options = {}) {
  const clock = virtualClock()
  const startMs = clock.now()
  const breaker = new Breaker({}, { clock })
  const probes = new Probes(options, { clock, random: seededRandom(4) })
  const askedMs: number[] = []
  let under = 0
  const seen = {
    most: 0,
    async probe(ctx: ProbeContext): Promise<void> {
      askedMs.push(clock.now() - startMs)
      seen.most = Math.max(seen.most, ++under)
      try {
        await probe(ctx)
      } finally {
        under--
      }
    },
  }
  const remove = probes.add({ breaker, probe: ctx => seen.probe(ctx) })
  const fail = (): void => {
    for (let i = 0; i < 3; i++) entered(breaker).release(failed('overloaded'))
  }
  return { clock, startMs, breaker, probes, remove, askedMs, seen, fail, state: () => breaker.state(clock.now()).state }
}
const down = (): Promise<void> => Promise.reject(fault('overloaded'))

describe('active probes', () => {
  test('ask nobody who is well, and arm no timer', async () => {
    const { clock, askedMs } = scene(down)
    expect(clock.pending).toBe(0)
    await clock.advance(600_000)
    expect(askedMs).toEqual([])
  })

  test('bring a recovered deployment back within two intervals without traffic', async () => {
    const outageMs = 60_000
    const { clock, startMs, breaker, fail, state, askedMs } = scene(() => (clock.now() - startMs < outageMs ? down() : Promise.resolve()))
    fail()
    await clock.advance(outageMs)
    expect(askedMs.length).toBeGreaterThanOrEqual(3)
    await clock.advance(30_000)
    expect(state()).toBe('ramp')
    expect(clock.pending).toBe(0)
    entered(breaker).release(OK)
  })

  test('keep their distance, with a jitter of a fifth', async () => {
    const { clock, fail, askedMs } = scene(down)
    fail()
    await clock.advance(600_000)
    const pauses = askedMs.map((atMs, at) => atMs - (askedMs[at - 1] ?? 0))
    for (const pause of pauses) {
      expect(pause).toBeGreaterThanOrEqual(12_000)
      expect(pause).toBeLessThanOrEqual(18_000)
    }
    expect(new Set(pauses).size).toBeGreaterThan(10)
  })

  test('do not put off the probe by a call: what cannot be probed can still be asked', async () => {
    const { clock, breaker, fail } = scene(down)
    fail()
    await clock.advance(15_000)
    entered(breaker).release(OK)
  })

  test('are cut off after the timeout, and a deaf one is not joined by a second', async () => {
    const heard: unknown[] = []
    const { clock, fail, state, seen } = scene(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            heard.push(signal.reason)
            reject(new Error('cut'))
          })
        }),
    )
    fail()
    await clock.advance(60_000)
    expect(heard.length).toBeGreaterThanOrEqual(2)
    expect(heard.every(reason => GatewayError.is(reason) && reason.code === 'timeout')).toBe(true)
    expect([state(), seen.most]).toEqual(['half_open', 1])
    const deaf = scene(() => new Promise(() => undefined))
    deaf.fail()
    await deaf.clock.advance(600_000)
    expect([deaf.seen.most, deaf.askedMs.length, deaf.clock.pending]).toEqual([1, 1, 0])
  })

  test('a late success after the timeout is none', async () => {
    let finish = (): void => undefined
    const { clock, fail, state } = scene(() => new Promise(resolve => (finish = resolve)))
    fail()
    await clock.advance(29_000)
    finish()
    await clock.advance(1)
    expect(state()).toBe('half_open')
  })

  test('leave a call alone that is finding out', async () => {
    const { clock, breaker, fail, askedMs } = scene(down, { intervalMs: 20_000 })
    fail()
    await clock.advance(15_000)
    const probe = entered(breaker)
    await clock.advance(40_000)
    expect(askedMs).toEqual([])
    probe.release(failed('overloaded'))
    await clock.advance(24_000)
    expect(askedMs).toHaveLength(1)
  })

  test('are not doubled when a call finds it dead in the meantime', async () => {
    const { clock, breaker, fail, seen, askedMs } = scene(() => new Promise(() => undefined), { timeoutMs: 100_000 })
    fail()
    await clock.advance(18_000)
    expect(askedMs).toHaveLength(1)
    for (let i = 0; i < 3; i++) {
      entered(breaker).release(failed('overloaded'))
      await clock.advance(19_000)
    }
    expect([seen.most, askedMs.length]).toEqual([1, 1])
  })

  test('look after a deployment that was open when they began, and stop when they are taken off', async () => {
    const { clock, breaker, probes, remove, fail } = scene(down)
    remove()
    fail()
    expect(clock.pending).toBe(0)
    const off = probes.add({ breaker, probe: () => Promise.resolve() })
    expect(clock.pending).toBe(1)
    off()
    expect(clock.pending).toBe(0)
  })

  test('end with close(), also in mid-probe, and leave nothing', async () => {
    let reason: unknown
    const { clock, fail, probes, state } = scene(
      ({ abort }) => new Promise(resolve => abort.addEventListener('abort', { handleEvent: () => ((reason = abort.reason), resolve()) })),
    )
    fail()
    await clock.advance(19_000)
    probes.close()
    await clock.advance(0)
    expect(reason).toMatchObject({ code: 'closed' })
    expect([state(), clock.pending]).toEqual(['half_open', 0])
    await clock.advance(600_000)
    expect(clock.pending).toBe(0)
  })

  test('settings that cannot be meant are refused', () => {
    expect(() => scene(down, { interval: 1 })).toThrow('Did you mean "intervalMs"?')
    expect(() => scene(down, { timeoutMs: 0 })).toThrow('probes.timeoutMs')
  })
})
