import { describe, expect, it } from 'vitest'
import { fallback, Gateway, GatewayError } from '../../src/index.js'
import type { AttemptEnd, GateCall, Permit } from '../../src/protocol/ports.js'
import { Breaker } from '../../src/resilience/breaker.js'
import { scripted, virtualClock } from '../../src/testing/index.js'

const deployment = scripted('x')
const CALL: GateCall = { inputTokens: () => 1 }
const DOWN: AttemptEnd = { outcome: 'failure', durationMs: 1, fault: new GatewayError('overloaded', 'down') }
const WELL: AttemptEnd = { outcome: 'success', durationMs: 1 }

function breaker(): { breaker: Breaker; enter(call?: GateCall): Permit; state(): string } {
  const clock = virtualClock()
  const one = new Breaker({}, { clock })
  return {
    breaker: one,
    state: () => one.state(clock.now()).state,
    enter: (call = CALL) => {
      const entered = one.tryEnter(deployment, call)
      if ('refused' in entered) throw new Error(entered.reason)
      return entered
    },
  }
}

describe('a crowd of tries under way', () => {
  it('that fail side by side are one failure of a row, not three', () => {
    const { enter, state } = breaker()
    const others = Array.from({ length: 20 }, () => enter())
    for (const permit of Array.from({ length: 3 }, () => enter())) permit.release(DOWN)
    expect(state()).toBe('closed')
    for (const permit of others) permit.release(WELL)
  })

  it('does not hide that three tries failed one after the other', () => {
    const { enter, state } = breaker()
    const others = Array.from({ length: 20 }, () => enter())
    for (let i = 0; i < 3; i++) enter().release(DOWN)
    expect(state()).toBe('open')
    for (const permit of others) permit.release(WELL)
  })

  it('is not judged by the few that end first', () => {
    const { enter, state } = breaker()
    const permits = Array.from({ length: 100 }, () => enter())
    // The first ends are all failures, the rest are well: three in ten.
    for (const [at, permit] of permits.entries()) {
      permit.release(at < 30 ? DOWN : WELL)
      expect(state()).toBe('closed')
    }
  })

  it('is judged once as many have ended as are left, where half of them failed', () => {
    const { enter, state } = breaker()
    const permits = Array.from({ length: 100 }, () => enter())
    for (const permit of permits.slice(0, 49)) permit.release(DOWN)
    expect(state()).toBe('closed')
    permits[49]?.release(DOWN)
    expect(state()).toBe('open')
  })
})

describe('a last resort', () => {
  it('passes an open circuit, which learns nothing from it, and no isolated one', () => {
    const { breaker: one, enter, state } = breaker()
    for (let i = 0; i < 3; i++) enter().release(DOWN)
    const before = JSON.stringify(one)
    for (const end of [WELL, DOWN]) enter({ ...CALL, lastResort: true }).release(end)
    expect([JSON.stringify(one), one.inside]).toEqual([before, 0])
    one.isolate('by hand')
    expect(one.tryEnter(deployment, { ...CALL, lastResort: true })).toMatchObject({ refused: 'overloaded' })
    expect(state()).toBe('isolated')
  })

  it('answers a call whose other candidates failed, and is not given to one that asked nobody', async () => {
    const clock = virtualClock()
    const primary = scripted({ id: 'primary', answers: [{ fail: { status: 404 } }, { fail: { status: 404 } }, { fail: { status: 503 } }] })
    const backup = scripted({ id: 'backup', answers: [{ fail: { status: 503 } }, { fail: { status: 503 } }, { fail: { status: 503 } }, 'back again'] })
    const gateway = new Gateway({ clock, routes: { both: fallback(primary, backup), alone: backup }, breaker: { probeIntervalMs: 60_000 } })
    const opening = gateway.chat({ model: 'both', messages: 'Hi' }).catch((error: unknown) => error)
    await clock.advance(20_000)
    expect(await opening).toMatchObject({ code: 'attempts_failed' })
    expect(gateway.health().deployments.map(({ state }) => state)).toEqual(['ready', 'open'])
    await expect(gateway.chat({ model: 'alone', messages: 'Hi' })).rejects.toMatchObject({ code: 'overloaded' })
    expect(backup.calls).toHaveLength(3)
    const answer = await gateway.chat({ model: 'both', messages: 'Hi' })
    expect([answer.text, answer.attempts.map(({ deployment: id, outcome }) => [id, outcome])]).toEqual(['back again', [['primary', 'failure'], ['backup', 'skipped'], ['backup', 'success']]])
    expect([primary.open, backup.open, clock.pending]).toEqual([0, 0, 0])
    await gateway.close()
  })
})
