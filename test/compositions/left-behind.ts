import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { LoopbackProvider } from '../../scripts/loopback/index.js'
import type { Clock } from '../../src/protocol/ports.js'
import type { Health } from '../../src/index.js'
import type { ScriptedDeployment } from '../../src/testing/index.js'

/** What a composition was made of; what is left out is not looked at. */
export interface Scene {
  readonly gateway: { health(): Health; close(): Promise<void> }
  readonly clock?: { readonly pending: number }
  readonly deployments?: readonly Pick<ScriptedDeployment, 'id' | 'open'>[]
  readonly providers?: readonly Pick<LoopbackProvider, 'openSockets' | 'openRequests'>[]
  readonly signals?: readonly AbortSignal[]
}

/** Gates show their state as it is; what each has in flight is named alike. */
function inFlightOf(gate: unknown): number {
  return (gate as { inFlight?: number } | undefined)?.inFlight ?? 0
}

/** Everything that is still held, by name; empty where nothing is. */
export function leftovers({ gateway, clock, deployments = [], signals = [] }: Scene): Record<string, number> {
  const health = gateway.health()
  const counts: [string, number][] = [
    ['calls', health.calls],
    ['timers', clock?.pending ?? 0],
    ['shadows', health.shadows],
    ...health.deployments.flatMap(({ id, keys, openAnswers = 0, stats, limits }): [string, number][] => [
      [`keys of ${id}`, keys.inFlight],
      [`slots of ${id}`, openAnswers],
      [`latencies of ${id}`, stats?.inFlight ?? 0],
      [`learned limit of ${id}`, inFlightOf(limits?.learned)],
      [`told limit of ${id}`, inFlightOf(limits?.provider)],
    ]),
    ...deployments.map(({ id, open }): [string, number] => [`tries of ${id}`, open]),
    ...signals.map((signal, at): [string, number] => [`listeners of signal ${at}`, getEventListeners(signal, 'abort').length]),
  ]
  return Object.fromEntries(counts.filter(([, count]) => count !== 0))
}

/** Asks again for at most `boundMs` of real time: bytes that are on their way need a moment. */
async function settled(ask: () => Record<string, number>, boundMs: number): Promise<Record<string, number>> {
  const endMs = performance.now() + boundMs
  while (Object.keys(ask()).length > 0 && performance.now() < endMs) await sleep(5)
  return ask()
}

/** Nothing may be left of the calls that were made, and after `close()` no socket on either side. */
export async function expectNothingLeft(scene: Scene): Promise<void> {
  const { gateway, providers = [] } = scene
  // The drain of an answer that ended before its connection did is bounded by a timer of its own.
  expect(await settled(() => leftovers(scene), providers.length > 0 ? 600 : 0)).toEqual({})
  await gateway.close()
  expect(gateway.health().sockets ?? 0).toBe(0)
  const open = () => Object.fromEntries(providers.flatMap(({ openSockets, openRequests }, at) => [[`sockets at server ${at}`, openSockets], [`requests at server ${at}`, openRequests]] as const).filter(([, count]) => count > 0))
  expect(await settled(open, 1_000)).toEqual({})
}

/** Real time whose armed timers can be counted. */
export function countedClock(): Clock & { readonly pending: number } {
  const armed = new Set<NodeJS.Timeout>()
  return {
    now: () => performance.timeOrigin + performance.now(),
    after(ms, fn) {
      const timer = setTimeout(() => {
        armed.delete(timer)
        fn()
      }, Math.min(ms, 2 ** 31 - 1))
      armed.add(timer)
      return {
        cancel: () => {
          clearTimeout(timer)
          armed.delete(timer)
        },
      }
    },
    get pending() {
      return armed.size
    },
  }
}
