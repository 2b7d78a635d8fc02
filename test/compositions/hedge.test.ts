import { describe, expect, it } from 'vitest'
import { Gateway, fallback, type ChatEvent, type Deployment, type Opened } from '../../src/index.js'
import { scripted, seededRandom, virtualClock, type ScriptedDeployment, type VirtualClock } from '../../src/testing/index.js'
import { expectNothingLeft } from './left-behind.js'
import { ASK, failure, ORDERS, outcomes, pair, staged, TEXT, THREE, until, wired, words, type Pair } from './support.js'

const CHAT = { model: 'json', messages: ASK }
const slow = { text: TEXT, latencyMs: 2_000 } as const
const quick = { text: TEXT, latencyMs: 100 } as const
const hedge = (afterMs: number | 'p95' = 200, budget = 1) => ({ hedge: { afterMs, budget } })
const blameless = ({ gateway }: Pick<Pair, 'gateway'>) => gateway.health().deployments.map(({ id, circuit, stats }) => [id, circuit?.state, stats?.failures, stats?.inFlight])
const WELL = [['primary', 'closed', 0, 0], ['backup', 'closed', 0, 0]]

/** A deployment that opens after so long, whatever becomes of its try. */
function deaf(clock: VirtualClock, afterMs: number) {
  let opened = 0
  let closed = 0
  const batches: ChatEvent[][] = [[{ type: 'text-delta', text: 'late' }, { type: 'finish', finishReason: 'stop', usage: {} }]]
  const answer: Opened = { status: 200, headers: {}, warnings: [], read: () => Promise.resolve(batches.shift()), close: () => void closed++ }
  const open = (): Promise<Opened> =>
    new Promise(resolve => {
      clock.after(afterMs, () => {
        opened++
        resolve(answer)
      })
    })
  const deployment: Deployment = { kind: 'deployment', id: 'deaf', provider: 'deaf', model: 'm', capabilities: {}, tags: [], reach: { upstream: { open } } }
  return { deployment, opened: () => opened, closed: () => closed }
}

describe.each(THREE)('a hedge, %s', way => {
  it('answers from whoever is first, ends the other with its reason, and blames nobody', async () => {
    const scene = pair(slow, { backup: quick, options: hedge() })
    const seen = await scene.go(way)
    expect([seen.text, seen.result?.deployment, seen.tookMs]).toEqual([TEXT, 'backup', 300])
    expect(seen.result?.attempts.map(({ deployment, outcome, code, reason, startedMs }) => [deployment, outcome, code, reason, startedMs])).toEqual([
      ['primary', 'aborted', 'aborted', 'Another deployment answered first.', 0],
      ['backup', 'success', undefined, undefined, 200],
    ])
    expect(scene.primary.calls.map(({ aborted, closed }) => [aborted, closed])).toEqual([[true, true]])
    expect(blameless(scene)).toEqual(WELL)
    expect(seen.result?.cost.nanos).toBe(seen.result?.attempts[1]?.costNanos)
    await scene.nothingLeft()
  })

  it('keeps the first where it is first after all', async () => {
    const scene = pair({ text: TEXT, latencyMs: 250 }, { backup: { text: TEXT, latencyMs: 5_000 }, options: hedge() })
    const seen = await scene.go(way)
    expect([seen.text, seen.result?.deployment, seen.tookMs]).toEqual([TEXT, 'primary', 250])
    expect(outcomes(seen)).toEqual(['primary success', 'backup aborted'])
    expect(scene.backup.calls.map(({ aborted }) => aborted)).toEqual([true])
    await scene.nothingLeft()
  })

  it('is not made where the first answers in time', async () => {
    const scene = pair(quick, { backup: quick, options: hedge() })
    expect((await scene.go(way)).result?.attempts).toHaveLength(1)
    expect(scene.backup.calls).toHaveLength(0)
    await scene.nothingLeft()
  })

  it('is not made with one candidate', async () => {
    const lone = scripted({ id: 'lone', answers: slow })
    const scene = staged([lone], hedge())
    expect((await scene.go(way)).result?.attempts).toHaveLength(1)
    await scene.nothingLeft()
  })

  it('rescues a call whose first deployment never answers, and keeps its tries within one budget', async () => {
    const scene = pair({ fail: 'silent' }, { backup: [{ fail: { status: 503 } }, quick], options: { ...hedge(), retry: { attempts: 3, maxAttempts: 3 } } })
    const seen = await scene.go(way)
    expect([seen.text, seen.result?.deployment]).toEqual([TEXT, 'backup'])
    expect(scene.primary.calls.length + scene.backup.calls.length).toBeLessThanOrEqual(3)
    expect(seen.tookMs).toBeLessThan(1_500)
    await scene.nothingLeft()
  })

  it('fails with the fault of the first where both fail, within one budget', async () => {
    const late = (status: number) => ({ latencyMs: 400, fail: { status } }) as const
    const scene = pair(late(503), { backup: late(500), options: { ...hedge(), breaker: false, retry: { attempts: 3, maxAttempts: 4 } } })
    const { error } = await scene.go(way)
    expect(['overloaded', 'attempts_failed']).toContain(error?.code)
    expect(scene.primary.calls.length + scene.backup.calls.length).toBeLessThanOrEqual(4)
    expect(error?.attempts?.filter(({ outcome }) => outcome === 'failure')).toHaveLength(scene.primary.calls.length + scene.backup.calls.length)
    await scene.nothingLeft()
  })
})

describe('a hedge', () => {
  it('that is under way when the caller aborts is ended on both sides and counted for nobody', async () => {
    const scene = pair(slow, { backup: slow, options: hedge() })
    const caller = new AbortController()
    scene.signals.push(caller.signal)
    const chat = failure(scene.gateway.chat(CHAT, { signal: caller.signal }))
    await scene.clock.advance(500)
    expect([scene.primary.open, scene.backup.open]).toEqual([1, 1])
    caller.abort()
    expect(await chat).toMatchObject({ code: 'aborted', origin: 'caller' })
    expect([scene.primary.open, scene.backup.open]).toEqual([0, 0])
    expect(blameless(scene)).toEqual(WELL)
    expect(scene.records).toMatchObject([{ outcome: 'aborted', costNanos: 0, attempts: [{ outcome: 'aborted' }, { outcome: 'aborted' }] }])
    // What is known of their latency is how long they had been silent, and no more than that.
    expect(scene.gateway.health().deployments.map(({ stats }) => stats?.firstEventMs)).toEqual([500, 300])
    await scene.nothingLeft()
  })

  it('that lost bills what had come of it, and gives its slot back', async () => {
    const limits = { concurrency: 1 }
    // A chat on a stream commits at its finish, so both sides have said something by then.
    const scene = pair({ text: TEXT, chunkMs: 20 }, { primary: { limits }, other: { limits }, backup: { text: words(3), chunkMs: 1 }, options: hedge() })
    const seen = await scene.go('chat on a stream')
    expect([seen.text, seen.result?.deployment]).toEqual([words(3), 'backup'])
    const [lost, won] = seen.result?.attempts ?? []
    expect([lost?.outcome, won?.outcome]).toEqual(['aborted', 'success'])
    expect(lost?.usage?.outputTokens).toBeGreaterThan(0)
    expect(seen.result?.cost).toMatchObject({ nanos: (lost?.costNanos ?? 0) + (won?.costNanos ?? 0), estimated: true })
    await scene.nothingLeft()
  })

  it('whose loser does not heed its signal and commits later is closed all the same', async () => {
    const clock = virtualClock()
    const { deployment, opened, closed } = deaf(clock, 1_000)
    const backup = scripted({ id: 'backup', answers: quick })
    const gateway = new Gateway({ clock, routes: { json: fallback(deployment, backup) }, ...hedge() })
    const chat = gateway.chat({ model: 'json', messages: ASK })
    await clock.advance(300)
    expect((await chat).deployment).toBe('backup')
    expect([opened(), closed()]).toEqual([0, 0])
    await clock.runUntilIdle()
    expect(opened()).toBe(1)
    expect(closed()).toBeGreaterThanOrEqual(1)
    await expectNothingLeft({ gateway, clock, deployments: [backup] })
  })

  it('shares the tries of the call with its retries, however their waits fall', async () => {
    const late = (status: number) => ({ latencyMs: 300, fail: { status } }) as const
    for (let seed = 1; seed <= 40; seed++) {
      const scene = pair(late(503), { backup: late(500), options: { ...hedge(100), random: seededRandom(seed), breaker: false, retry: { attempts: 4, maxAttempts: 4 + (seed % 3) } } })
      const { error } = await scene.go('chat on JSON')
      expect(scene.primary.calls.length + scene.backup.calls.length).toBeLessThanOrEqual(4 + (seed % 3))
      expect(error?.attempts).toHaveLength(scene.primary.calls.length + scene.backup.calls.length)
      await scene.nothingLeft()
    }
  })

  it('that waits in line for a place takes none once the tries are spent', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const limits = { concurrency: 1 }
      const late = { latencyMs: 300, fail: { status: 503 } } as const
      const scene = pair(late, { backup: late, primary: { limits }, other: { limits }, options: { ...hedge(50), random: seededRandom(seed), breaker: false, retry: { attempts: 3, maxAttempts: 3 } } })
      const calls = Array.from({ length: 3 }, () => failure(scene.gateway.chat(CHAT)))
      await scene.clock.runUntilIdle()
      for (const error of await Promise.all(calls)) expect(error.attempts?.filter(({ outcome }) => outcome !== 'skipped').length).toBeLessThanOrEqual(3)
      await scene.nothingLeft()
    }
  })

  it('keeps to its budget: a hundred slow calls at .05 are hedged ten times and five', async () => {
    const scene = pair(slow, { backup: quick, options: hedge(200, 0.05) })
    for (let at = 0; at < 100; at++) expect((await scene.go('chat on JSON')).text).toBe(TEXT)
    expect(scene.backup.calls.length).toBeGreaterThanOrEqual(10)
    expect(scene.backup.calls.length).toBeLessThanOrEqual(15)
    expect(scene.primary.calls).toHaveLength(100)
    await scene.nothingLeft()
  })

  it('keeps to its budget where all come at once, too', async () => {
    const scene = pair(slow, { backup: quick, options: hedge(200, 0.05) })
    const calls = Array.from({ length: 100 }, () => scene.gateway.chat(CHAT))
    await scene.clock.runUntilIdle()
    await Promise.all(calls)
    expect(scene.backup.calls.length).toBeGreaterThanOrEqual(10)
    expect(scene.backup.calls.length).toBeLessThanOrEqual(15)
    await scene.nothingLeft()
  })

  it("after 'p95' is made once that was measured, and after that long", async () => {
    let latencyMs = 400
    const scene = pair(() => ({ text: TEXT, latencyMs }), { backup: quick, options: hedge('p95') })
    latencyMs = 60_000
    expect((await scene.go('chat on JSON', { deadlines: { answerMs: 5_000 } })).result?.attempts[0]).toMatchObject({ outcome: 'failure', durationMs: 5_000 })
    latencyMs = 400
    for (let at = 0; at < 30; at++) await scene.go('chat on JSON')
    const p95 = scene.gateway.health().deployments[0]?.stats?.p95FirstEventMs ?? 0
    expect(p95).toBeGreaterThanOrEqual(399)
    expect(p95).toBeLessThan(1_000)
    latencyMs = 60_000
    const seen = await scene.go('chat on JSON')
    expect([seen.result?.deployment, Math.abs((seen.result?.attempts[1]?.startedMs ?? 0) - p95) < 1]).toEqual(['backup', true])
    await scene.nothingLeft()
  })

  it('can be turned off by a route, and on by another', async () => {
    const [a, b] = [scripted({ id: 'a', answers: slow }), scripted({ id: 'b', answers: quick })]
    const clock = virtualClock()
    const gateway = new Gateway({ clock, ...hedge(), routes: { on: fallback(a, b), off: { use: fallback(a, b), hedge: false } } })
    const calls = [gateway.chat({ model: 'on', messages: ASK }), gateway.chat({ model: 'off', messages: ASK })]
    await clock.runUntilIdle()
    expect((await Promise.all(calls)).map(({ deployment }) => deployment)).toEqual(['b', 'a'])
    await expectNothingLeft({ gateway, clock, deployments: [a, b] })
  })

  it('does not ask a deployment whose circuit is open', async () => {
    const scene = pair(slow, { backup: { fail: { status: 503 } }, options: { ...hedge(), breaker: { failures: 1 } } })
    expect((await scene.go('chat on JSON')).result?.deployment).toBe('primary')
    const asked = (one: ScriptedDeployment): number => one.calls.length
    const before = asked(scene.backup)
    expect((await scene.go('chat on JSON')).result?.deployment).toBe('primary')
    expect(asked(scene.backup)).toBe(before)
    await scene.nothingLeft()
  })
})

describe.each(ORDERS)('a hedge on sockets, %s first', (...order) => {
  it.each(THREE)('closes the socket of its loser within 100 ms (%s)', async way => {
    const scene = await wired(order, 'silent', { options: hedge(30) })
    const startedMs = Date.now()
    const seen = await scene.go(way)
    expect([seen.text, seen.result?.deployment]).toEqual([TEXT, 'backup'])
    const endedMs = Date.now()
    await until(() => scene.primary.closedByClient === 1)
    expect((scene.primary.requests[0]?.closedByClientMs ?? Infinity) - endedMs).toBeLessThanOrEqual(100)
    expect(endedMs - startedMs).toBeLessThan(5_000)
    await scene.nothingLeft()
  })

  it('closes both sockets within 100 ms of the abort of the caller', async () => {
    const scene = await wired(order, 'silent', { backup: 'silent', options: hedge(20) })
    const caller = new AbortController()
    scene.signals.push(caller.signal)
    const chat = failure(scene.gateway.chat(CHAT, { signal: caller.signal }))
    await until(() => scene.primary.openRequests === 1 && scene.backup.openRequests === 1)
    const abortedMs = Date.now()
    caller.abort()
    expect((await chat).code).toBe('aborted')
    await until(() => scene.primary.closedByClient === 1 && scene.backup.closedByClient === 1)
    for (const { requests } of [scene.primary, scene.backup]) expect((requests[0]?.closedByClientMs ?? Infinity) - abortedMs).toBeLessThanOrEqual(100)
    expect(blameless(scene)).toEqual(WELL)
    await scene.nothingLeft()
  })
})
