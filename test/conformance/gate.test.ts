import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import type { AttemptEnd, Deployment, Gate, Permit, Refusal } from '../../src/protocol/ports.js'
import { Aimd } from '../../src/resilience/aimd.js'
import { Breaker } from '../../src/resilience/breaker.js'
import { Pace } from '../../src/resilience/pace.js'
import { Slots as RealSlots } from '../../src/resilience/slots.js'
import { Windows } from '../../src/resilience/windows.js'
import { virtualClock } from '../../src/testing/clock.js'
import { gateConformance, type GateSetup } from '../../src/testing/conformance/index.js'
import { expectCaught } from './caught.js'

const deployment: Deployment = { kind: 'deployment', id: 'a', provider: 'p', model: 'm', capabilities: {}, tags: [], reach: { upstream: { open: () => Promise.reject(new Error('not here')) } } }
const REFUSED: Refusal = { refused: 'rate_limited' }

/** A plain counter. The broken ones below change one method each. */
class Slots implements Gate {
  protected taken = 0
  protected listeners = new Set<() => void>()
  constructor(protected readonly capacity: number) {}

  tryEnter(_deployment: Deployment): Permit | Refusal {
    if (this.taken >= this.capacity) return this.refuse()
    this.taken++
    return this.permit()
  }
  onFree(listener: () => void): () => void {
    const own = () => listener()
    this.listeners.add(own)
    return () => void this.listeners.delete(own)
  }
  protected refuse(): Refusal {
    return REFUSED
  }
  protected permit(): Permit {
    let released = false
    return {
      release: (end: AttemptEnd) => {
        if (released) return
        released = true
        this.leave(end)
      },
    }
  }
  protected leave(_end: AttemptEnd): void {
    this.taken--
    this.wake()
  }
  protected wake(): void {
    for (const listener of [...this.listeners]) listener()
  }
}

function setup(Kind: new (capacity: number) => Gate, capacity = 3): () => GateSetup {
  return () => ({ gate: new Kind(capacity), deployment, capacity, now: () => 1_000 })
}

describe('a sound gate passes', () => {
  for (const check of gateConformance(setup(Slots))) test(check.name, () => check.run())
  for (const check of gateConformance(setup(Slots, 1))) test(`${check.name}, with a capacity of 1`, () => check.run())
})

/** Our own gates, brought to where they refuse. */
const limited = new GatewayError('rate_limited', 'slow down', { origin: 'upstream' })
const broken = new GatewayError('overloaded', 'no', { origin: 'upstream' })
function entered(gate: Gate): Permit {
  const permit = gate.tryEnter(deployment, { inputTokens: () => 1 })
  if ('refused' in permit) throw new Error(`refused: ${permit.reason}`)
  return permit
}
function breaker(state: unknown): () => GateSetup {
  return () => {
    const clock = virtualClock()
    return { gate: new Breaker({}, { clock, state }), deployment, capacity: (state as { limit?: number }).limit ?? 1, now: () => clock.now() }
  }
}
const ours: readonly (readonly [string, () => GateSetup])[] = [
  ['slots', () => ({ gate: new RealSlots(3), deployment, capacity: 3 })],
  ['a breaker with a probe due', breaker({ state: 'open', sinceMs: 0, nextProbeMs: 0 })],
  ['a breaker on the ramp', breaker({ state: 'ramp', sinceMs: 0, limit: 4 })],
  [
    'AIMD',
    () => {
      let nowMs = 0
      const clock = { now: () => nowMs, after: () => ({ cancel: () => undefined }) }
      const gate = new Aimd({ clock })
      const all = Array.from({ length: 30 }, () => entered(gate))
      for (const permit of all) permit.release({ outcome: 'failure', fault: limited, durationMs: 1 })
      nowMs = 60_000
      return { gate, deployment, capacity: 10, now: () => clock.now() }
    },
  ],
  [
    'pacing',
    () => {
      const clock = virtualClock()
      const gate = new Pace({ clock, cooldown: true })
      entered(gate).release({ outcome: 'success', durationMs: 1, limits: { limitRequests: 100, remainingRequests: 4, resetRequestsMs: 60_000 } })
      return { gate, deployment, capacity: 1, now: () => clock.now() }
    },
  ],
  ...(['requestsPerMinute', 'inputTokensPerMinute', 'outputTokensPerMinute'] as const).map(
    name =>
      [
        `windows of ${name}`,
        (): GateSetup => {
          const clock = virtualClock()
          return { gate: new Windows({ [name]: 3 }, { clock }), deployment, capacity: 3, now: () => clock.now() }
        },
      ] as const,
  ),
]
describe.each(ours)('%s', (_name, make) => {
  for (const check of gateConformance(make)) test(check.name, () => check.run())
})

test('a breaker in mid-probe is a refusal in words, and a closed one lets everybody in', () => {
  const gate = new Breaker({}, { clock: virtualClock() })
  for (let i = 0; i < 3; i++) entered(gate).release({ outcome: 'failure', fault: broken, durationMs: 1 })
  expect(gate.tryEnter(deployment, { inputTokens: () => 1 })).toMatchObject({ refused: 'overloaded' })
})

class OneTooMany extends Slots {
  constructor(capacity: number) {
    super(capacity + 1)
  }
}
class OneTooFew extends Slots {
  constructor(capacity: number) {
    super(capacity - 1)
  }
}
class ReleasesAgain extends Slots {
  protected override permit(): Permit {
    return { release: end => this.leave(end) }
  }
}
class Leaks extends Slots {
  #left = 0
  protected override leave(): void {
    if (++this.#left % 50 !== 0) this.taken--
    this.wake()
  }
}
class WakesOnlyWhenFull extends Slots {
  protected override leave(): void {
    if (this.taken-- === this.capacity) this.wake()
  }
}
class WakesOne extends Slots {
  protected override wake(): void {
    for (const listener of [...this.listeners].slice(0, 1)) listener()
  }
}
class WakesTooEarly extends Slots {
  protected override leave(): void {
    this.wake()
    this.taken--
  }
}
class NeverRemoves extends Slots {
  override onFree(listener: () => void): () => void {
    super.onFree(listener)
    return () => undefined
  }
}
class RemovesAll extends Slots {
  override onFree(listener: () => void): () => void {
    super.onFree(listener)
    return () => this.listeners.clear()
  }
}
class SkipsAfterRemoval extends Slots {
  #list: (() => void)[] = []
  override onFree(listener: () => void): () => void {
    this.#list.push(listener)
    return () => {
      const at = this.#list.indexOf(listener)
      if (at >= 0) this.#list.splice(at, 1)
    }
  }
  protected override wake(): void {
    for (let i = 0; i < this.#list.length; i++) this.#list[i]?.()
  }
}
class RefusesInItsOwnWords extends Slots {
  protected override refuse(): Refusal {
    return { refused: 'full' } as unknown as Refusal
  }
}
class NamesNoTime extends Slots {
  protected override refuse(): Refusal {
    return { ...REFUSED, retryAtMs: NaN }
  }
}
class NamesThePast extends Slots {
  protected override refuse(): Refusal {
    return { ...REFUSED, retryAtMs: 1_000 }
  }
}
class FreesAtCommit extends Slots {
  protected override permit(): Permit {
    const permit = super.permit()
    return { release: end => permit.release(end), committed: () => void this.taken-- }
  }
}
class AnswersLater extends Slots {
  override tryEnter(wanted: Deployment): Permit {
    return Promise.resolve(super.tryEnter(wanted)) as unknown as Permit
  }
}
class FreesLater extends Slots {
  protected override leave(): void {
    void Promise.resolve().then(() => super.leave({ outcome: 'neutral', durationMs: 0 }))
  }
}

describe('a broken gate is caught', () => {
  test.each([
    [OneTooMany, 'capacity permits are given, and not one more'],
    [OneTooFew, 'capacity permits are given, and not one more'],
    [OneTooMany, 'entering and leaving in any order never exceeds the capacity'],
    [Leaks, 'entering and leaving in any order never exceeds the capacity'],
    [ReleasesAgain, 'release is idempotent'],
    [WakesOnlyWhenFull, 'every release wakes every listener'],
    [WakesOne, 'every release wakes every listener'],
    [WakesTooEarly, 'a woken listener finds the permit'],
    [NeverRemoves, 'a removed listener is not called'],
    [RemovesAll, 'a removed listener is not called'],
    [SkipsAfterRemoval, 'a listener may remove itself while it is called'],
    [RefusesInItsOwnWords, 'a refusal has a code'],
    [NamesNoTime, 'a refusal has a code'],
    [NamesThePast, 'a refusal has a code'],
    [FreesAtCommit, 'committed may come before release, twice, or after it'],
    [AnswersLater, 'a gate answers at once'],
    [FreesLater, 'a gate answers at once'],
  ])('%o', async (Broken, name) => {
    await expectCaught(gateConformance(setup(Broken)), name)
  })
})
