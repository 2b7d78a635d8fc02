import { CODES } from '../../protocol/errors.js'
import type { AttemptEnd, Deployment, Gate, GateCall, Permit, Refusal } from '../../protocol/ports.js'
import { seededRandom } from '../random.js'
import { check, ensure, equal, show, type Check } from './check.js'

/** A gate with everything free, and a deployment it admits `capacity` times. */
export interface GateSetup {
  readonly gate: Gate
  readonly deployment: Deployment
  readonly capacity: number
  /** The time on the clock of the gate, to judge `retryAtMs` by. */
  readonly now?: () => number
}

// Small enough for any window of tokens that lets `capacity` calls in.
const CALL: GateCall = { inputTokens: () => 1, maxOutputTokens: 1 }
// A failure may close a gate and a success may widen it; neither says nothing about how many may enter.
const END: AttemptEnd = { outcome: 'neutral', durationMs: 1 }

function permit({ gate, deployment }: GateSetup, what: string): Permit {
  const entered: Permit | Refusal = gate.tryEnter(deployment, CALL)
  ensure(!('refused' in entered), () => `${what}: expected a permit, found ${show(entered)}`)
  return entered
}

function refusal({ gate, deployment }: GateSetup, what: string): Refusal {
  const entered: Permit | Refusal = gate.tryEnter(deployment, CALL)
  ensure('refused' in entered, () => `${what}: expected a refusal, found a permit`)
  return entered
}

function fill(setup: GateSetup): Permit[] {
  ensure(Number.isSafeInteger(setup.capacity) && setup.capacity > 0, () => `expected a capacity above 0, found ${setup.capacity}`)
  return Array.from({ length: setup.capacity }, (_, i) => permit(setup, `entry ${i + 1} of ${setup.capacity}`))
}

function exactlyCapacity(setup: GateSetup): void {
  const permits = fill(setup)
  for (let i = 0; i < 3; i++) refusal(setup, 'one entry more than the capacity')
  for (const one of permits) one.release(END)
  for (const one of fill(setup)) one.release(END)
}

function neverExceeds(setup: GateSetup): void {
  const random = seededRandom(5)
  const held: Permit[] = []
  for (let step = 0; step < 500; step++) {
    if (random() < 0.6) {
      if (held.length < setup.capacity) held.push(permit(setup, `step ${step}, ${held.length} of ${setup.capacity} taken`))
      else refusal(setup, `step ${step}, all ${setup.capacity} taken`)
    } else held.splice(Math.floor(random() * held.length), 1)[0]?.release(END)
  }
  for (const one of held) one.release(END)
}

function releasesOnce(setup: GateSetup): void {
  const permits = fill(setup)
  const [first] = permits
  for (const outcome of ['neutral', 'neutral', 'success', 'failure'] as const) first?.release({ ...END, outcome })
  const again = permit(setup, 'an entry after one permit was released')
  refusal(setup, 'a second entry after one permit was released four times')
  first?.release(END)
  refusal(setup, 'an entry after an old permit was released again')
  for (const one of [...permits, again]) one.release(END)
  for (const one of fill(setup)) one.release(END)
}

async function wakes(setup: GateSetup): Promise<void> {
  let woken = 0
  let others = 0
  setup.gate.onFree(() => void woken++)
  setup.gate.onFree(() => void others++)
  for (const [i, one] of fill(setup).entries()) {
    const before = [woken, others]
    one.release(END)
    await Promise.resolve()
    ensure(woken > (before[0] ?? 0) && others > (before[1] ?? 0), () => `expected release ${i + 1} of ${setup.capacity} to wake both listeners`)
  }
}

async function wakesInTime(setup: GateSetup): Promise<void> {
  const permits = fill(setup)
  let entered: Permit | Refusal | undefined
  setup.gate.onFree(() => {
    if (entered === undefined || 'refused' in entered) entered = setup.gate.tryEnter(setup.deployment, CALL)
  })
  permits[0]?.release(END)
  await Promise.resolve()
  ensure(entered !== undefined && !('refused' in entered), () => `expected a woken listener to find the permit that was released, found ${show(entered)}`)
  refusal(setup, 'an entry after a listener took what was free')
}

async function removes(setup: GateSetup): Promise<void> {
  let removed = 0
  let kept = 0
  const remove = setup.gate.onFree(() => void removed++)
  setup.gate.onFree(() => void kept++)
  ensure(typeof remove === 'function', () => 'expected onFree() to give a function that removes the listener')
  remove()
  remove()
  for (const one of fill(setup)) one.release(END)
  await Promise.resolve()
  equal(removed, 0, 'calls of a removed listener')
  ensure(kept >= setup.capacity, () => `expected a listener that was not removed to be called ${setup.capacity} times, found ${kept}`)
}

async function removesWhileWoken(setup: GateSetup): Promise<void> {
  const calls = [0, 0, 0]
  const removals = calls.map((_, i) =>
    setup.gate.onFree(() => {
      calls[i] = (calls[i] ?? 0) + 1
      removals[i]?.()
    }),
  )
  const permits = fill(setup)
  permits[0]?.release(END)
  await Promise.resolve()
  equal(calls, [1, 1, 1], 'calls of three listeners, each of which removed itself, after one release')
  for (const one of permits) one.release(END)
  for (const one of fill(setup)) one.release(END)
  await Promise.resolve()
  equal(calls, [1, 1, 1], 'calls of three listeners that had removed themselves')
}

function refusesInWords(setup: GateSetup): void {
  const permits = fill(setup)
  const { refused, retryAtMs } = refusal(setup, 'an entry beyond the capacity')
  ensure(CODES.includes(refused), () => `expected a refusal to have a code of the error table, found ${show(refused)}`)
  ensure(retryAtMs === undefined || (Number.isFinite(retryAtMs) && retryAtMs >= 0), () => `expected retryAtMs to be epoch milliseconds or absent, found ${show(retryAtMs)}`)
  const nowMs = setup.now?.() ?? 0
  ensure(retryAtMs === undefined || retryAtMs > nowMs, () => `expected retryAtMs to lie ahead of ${nowMs}, found ${show(retryAtMs)}`)
  for (const one of permits) one.release(END)
}

function commitsHarmlessly(setup: GateSetup): void {
  const permits = fill(setup)
  const [first] = permits
  first?.release(END)
  const again = permit(setup, 'an entry after one permit was released')
  first?.committed?.(1)
  refusal(setup, 'an entry after committed() of a permit that was released')
  for (const one of [...permits, again]) {
    one.committed?.(1)
    one.committed?.(1)
    one.release(END)
    one.committed?.(1)
  }
  const all = fill(setup)
  refusal(setup, 'an entry beyond the capacity, after committed() was called twice, before release() and after it')
  for (const one of all) one.release(END)
}

function isSynchronous(setup: GateSetup): void {
  const entered: unknown = setup.gate.tryEnter(setup.deployment, CALL)
  ensure(typeof entered === 'object' && entered !== null && !('then' in entered), () => 'expected tryEnter() to answer at once, not by a promise')
  ensure('release' in entered && typeof entered.release === 'function', () => `expected a permit with release(), found ${show(entered)}`)
  const released: unknown = (entered as Permit).release(END)
  equal(released, undefined, 'what release() gives')
  const permits = fill(setup)
  permits[0]?.release(END)
  permit(setup, 'an entry in the same turn as a release')
}

const CHECKS: readonly (readonly [string, (setup: GateSetup) => void | Promise<void>])[] = [
  ['capacity permits are given, and not one more', exactlyCapacity],
  ['entering and leaving in any order never exceeds the capacity', neverExceeds],
  ['release is idempotent', releasesOnce],
  ['every release wakes every listener', wakes],
  ['a woken listener finds the permit', wakesInTime],
  ['a removed listener is not called', removes],
  ['a listener may remove itself while it is called', removesWhileWoken],
  ['a refusal has a code', refusesInWords],
  ['committed may come before release, twice, or after it', commitsHarmlessly],
  ['a gate answers at once', isSynchronous],
]

/**
 * What every {@link Gate} must do. Each check asks `make` for a gate of its own.
 * @param make gives a gate with nobody inside.
 */
export function gateConformance(make: () => GateSetup): Check[] {
  return CHECKS.map(([name, body]) => check(name, () => body(make())))
}
