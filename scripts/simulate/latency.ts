import { mkdirSync, writeFileSync } from 'node:fs'
import { seededRandom } from '../../src/testing/random.js'
import { average, byLot, inTurn, ours, peak, type Balancer, type Setting } from './balancers.js'
import { Events } from './events.js'
import { bar, mean, table, type Part } from './part.js'
import { plot } from './plot.js'
import { LASTS_MS, SCENARIOS, type Scenario } from './scenarios.js'
import { Host } from './world.js'

const SEEDS = 4
const BARS = { managed: 0.91, loaded: 1 }
const BALANCERS: readonly (readonly [name: string, make: (setting: Setting) => Balancer])[] = [
  ['fastest', ours],
  ['peak-EWMA of two', peak],
  ['by lot', byLot],
  ['in turn', inTurn],
  ['lowest average', average],
]

/** Milliseconds to the first event that 95 % of the calls did not exceed, fallbacks included. */
function p95({ hosts: specs, managed, perSecond, burst }: Scenario, make: (setting: Setting) => Balancer, seed: number): number {
  const events = new Events()
  const arrivals = seededRandom(seed)
  const hosts = specs.map((spec, at) => new Host(spec, events, seededRandom(1_000 * seed + at)))
  const balancer = make({ count: hosts.length, managed, events, random: seededRandom(7_777 + seed) })
  const took: number[] = []
  const call = (): void => {
    const startedMs = events.nowMs
    const line = balancer.order()
    const attempt = (at: number): void => {
      const host = line[at]
      if (host === undefined) return void took.push(events.nowMs - startedMs)
      hosts[host]?.ask(balancer.start(host), ok => (ok ? void took.push(events.nowMs - startedMs) : attempt(at + 1)))
    }
    attempt(0)
  }
  const next = (): void => {
    if (events.nowMs >= LASTS_MS) return
    call()
    wait()
  }
  const wait = (): void => {
    const times = burst !== undefined && events.nowMs % burst.everyMs < burst.forMs ? burst.times : 1
    events.after((-Math.log(1 - arrivals()) * 1_000) / (perSecond * times), next)
  }
  wait()
  events.run()
  took.sort((a, b) => a - b)
  return took[Math.floor(took.length * 0.95)] ?? 0
}

/** Mean p95 of each balancer. */
function measure(scenario: Scenario): readonly number[] {
  return BALANCERS.map(([, make]) => mean(Array.from({ length: SEEDS }, (_, seed) => p95(scenario, make, seed + 1))))
}

export const latency: Part = {
  name: 'fastest: mean p95 of the time to the first event, in ms',
  run() {
    const found = SCENARIOS.map(scenario => ({ scenario, figures: measure(scenario) }))
    const names = BALANCERS.map(([name]) => name)
    const ratio = ([mine = 0, theirs = 1]: readonly number[]) => mine / theirs
    const rows = found.map(({ scenario, figures }) => [`${scenario.managed ? 'managed' : 'load-dependent'}: ${scenario.name}`, ...figures.map(ms => ms.toFixed(0)), ratio(figures).toFixed(2)])
    const of = (managed: boolean) => mean(found.filter(({ scenario }) => scenario.managed === managed).map(({ figures }) => ratio(figures)))
    const bars = [bar('the mean ratio to peak-EWMA on managed deployments', of(true), BARS.managed), bar('the mean ratio to peak-EWMA on load-dependent ones', of(false), BARS.loaded)]
    mkdirSync('docs/plots', { recursive: true })
    writeFileSync('docs/plots/fastest.svg', plot('p95 of the time to the first event, ms', names, found.map(({ scenario, figures }) => ({ name: scenario.name, group: scenario.managed ? 'managed' : 'load-dependent', figures }))))
    return { lines: [...table([['scenario', ...names, 'fastest / peak-EWMA'], ...rows]), '', ...bars.map(({ line }) => line)], ok: bars.every(({ ok }) => ok) }
  },
}
