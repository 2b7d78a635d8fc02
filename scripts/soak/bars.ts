import { setTimeout as sleep } from 'node:timers/promises'
import type { DeploymentHealth } from '../../src/index.js'
import { MAX_ATTEMPTS, type World } from './world.js'

const ANSWERED = 0.95
const GROWTH_MB = 2
/** Rounds after which caches, histories and compiled code are as large as they get. */
export const WARM = 4

const inFlightOf = (gate: unknown): number => (gate as { inFlight?: number } | undefined)?.inFlight ?? 0

function placesOf({ keys, openAnswers = 0, stats, limits }: DeploymentHealth): number {
  return keys.inFlight + openAnswers + (stats?.inFlight ?? 0) + inFlightOf(limits?.learned) + inFlightOf(limits?.provider)
}

/** Everything that is still held, by name: before the gateway is closed, and sockets and timers after it. */
export async function held({ gateway, scripted, open }: World): Promise<Record<string, number>> {
  const look = () => {
    const { calls, shadows, deployments } = gateway.health()
    return { calls, shadows, places: deployments.reduce((sum, one) => sum + placesOf(one), 0), tries: scripted.reduce((sum, one) => sum + one.open, 0) }
  }
  for (let round = 0; round < 100 && Object.values(look()).some(count => count > 0); round++) await sleep(20)
  const before = look()
  await gateway.close()
  let atServers = await open()
  for (let round = 0; round < 100 && atServers > 0; round++) {
    await sleep(20)
    atServers = await open()
  }
  const timers = process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const counts = { ...before, sockets: gateway.health().sockets ?? 0, 'sockets at the servers': atServers, timers }
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
}

/** What a soak found out. */
export interface Found {
  readonly expected: number
  readonly calls: number
  readonly outcomes: ReadonlyMap<string, number>
  /** Megabytes: when warm, and at the end. */
  readonly heaps: readonly number[]
  readonly left: Readonly<Record<string, number>>
  readonly rejections: number
  readonly seen: World['seen']
}

export function bars({ expected, calls, outcomes, heaps, left, rejections, seen }: Found): readonly { readonly bar: string; readonly measured: string; readonly ok: boolean }[] {
  const count = (start: string): number => [...outcomes].reduce((sum, [outcome, some]) => sum + (outcome.startsWith(start) ? some : 0), 0)
  const ownEnds = count('left by') + count('typed: aborted')
  const answered = count('answered') / (calls - ownEnds)
  const [warm = NaN, end = NaN] = heaps
  return [
    { bar: `all ${expected.toLocaleString('en')} calls within 10 minutes`, measured: calls.toLocaleString('en'), ok: calls === expected },
    { bar: 'answered rightly or with a typed error', measured: `${count('wrong')} otherwise, ${rejections} unhandled rejections`, ok: count('wrong') === 0 && rejections === 0 },
    { bar: `at least ${100 * ANSWERED} % of those nobody ended are answered`, measured: `${(100 * answered).toFixed(2)} %`, ok: answered >= ANSWERED },
    { bar: `at most ${MAX_ATTEMPTS} tries a call, hedges included`, measured: `${seen.mostAttempts}`, ok: seen.mostAttempts <= MAX_ATTEMPTS },
    { bar: 'one record a call', measured: seen.records.toLocaleString('en'), ok: seen.records === calls },
    { bar: `heap after gc within ${GROWTH_MB} MB of that after ${WARM}0,000 calls`, measured: `${warm.toFixed(1)} -> ${end.toFixed(1)} MB`, ok: end - warm <= GROWTH_MB },
    { bar: 'nothing held at the end', measured: Object.keys(left).length === 0 ? 'nothing' : JSON.stringify(left), ok: Object.keys(left).length === 0 },
  ]
}
