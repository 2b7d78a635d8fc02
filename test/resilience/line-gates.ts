import { expect } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import type { AttemptEnd, Deployment, Gate, GateCall, Permit, Refusal } from '../../src/protocol/ports.js'
import { Cancel } from '../../src/resilience/cancel.js'
import { Line, type Admitted, type LineOptions, type Standing } from '../../src/resilience/line.js'
import type { LiveCandidate } from '../../src/resilience/live.js'
import { virtualClock } from '../../src/testing/clock.js'

/** A gate that a test opens and shuts: places, and a rest until an instant on its clock. */
export class FakeGate implements Gate {
  readonly listeners = new Set<() => void>()
  readonly ends: AttemptEnd[] = []
  open = 0
  tries = 0
  restsUntilMs = 0
  /** Says when the rest ends. */
  tells = true

  constructor(
    public places: number,
    readonly nowMs: () => number,
  ) {}

  tryEnter(_deployment: Deployment, _call: GateCall): Permit | Refusal {
    this.tries++
    if (this.nowMs() < this.restsUntilMs) return { refused: 'overloaded', reason: 'the breaker is open', ...(this.tells && { retryAtMs: this.restsUntilMs }) }
    if (this.open >= this.places) return { refused: 'queue_full' }
    this.open++
    let held = true
    return {
      release: end => {
        if (!held) return
        held = false
        this.open--
        this.ends.push(end)
        this.free()
      },
    }
  }

  onFree(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  free(): void {
    for (const listener of [...this.listeners]) listener()
  }
}

/** A candidate behind these gates; nothing of it is ever opened. */
export function behind(id: string, ...gates: readonly Gate[]): LiveCandidate {
  const upstream = { open: () => Promise.reject(new Error('a line opens nothing')) }
  const deployment: Deployment = { kind: 'deployment', id, provider: 'fake', model: id, capabilities: {}, tags: [], reach: { upstream } }
  return { live: { deployment, upstream, keys: undefined, gates, price: undefined, stats: () => ({ inFlight: 0, failures: 0, stuckMs: 0 }) } }
}

export const tokens = (count: number): GateCall => ({ inputTokens: () => count })
export const DONE: AttemptEnd = { outcome: 'success', durationMs: 1 }

/** The queue is loaded with the first who waits, in real time. */
export async function warmed(line: Line): Promise<Line> {
  await line.enter([behind('open')], tokens(0), new Cancel())
  return line
}

export const aborted = new GatewayError('aborted', 'The caller left.', { origin: 'caller' })
export const OUTAGE: Standing = { outage: true }

/** A line with one gate, and those who stand in it. */
export async function scene(options: LineOptions = {}, places = 1) {
  const clock = virtualClock()
  const gate = new FakeGate(places, () => clock.now())
  const line = await warmed(new Line({ clock, ...options }))
  const candidates = [behind('a', gate)]
  const cancels: Cancel[] = []
  /** What became of those who stood in line, in order. */
  const log: string[] = []
  const admitted: Admitted[] = []
  const stand = (name: string, standing: Standing = {}, size = 1) => {
    const cancel = new Cancel()
    cancels.push(cancel)
    const ended = line.enter(candidates, tokens(size), cancel, standing).then(
      entered => {
        admitted.push(entered)
        log.push(name)
        return undefined
      },
      (error: GatewayError) => {
        log.push(`${name} ${error.code}`)
        return error
      },
    )
    return { cancel, ended }
  }
  const release = async () => {
    admitted.shift()?.permits.forEach(permit => permit.release(DONE))
    await clock.advance(0)
  }
  const nothingLeft = () => expect([line.waiting, line.state(), gate.listeners.size, clock.pending, cancels.map(({ listening }) => listening).filter(count => count > 0)]).toEqual([0, { waiting: 0, bytes: 0 }, 0, 0, []])
  return { clock, gate, line, candidates, log, admitted, stand, release, nothingLeft }
}
