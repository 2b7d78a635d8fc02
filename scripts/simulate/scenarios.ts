import type { HostSpec } from './world.js'

/** Hosts and the calls that come to them. */
export interface Scenario {
  readonly name: string
  /** Latency does not depend on our load. */
  readonly managed: boolean
  readonly hosts: readonly HostSpec[]
  readonly perSecond: number
  /** Every so often, for a while, so many times more calls. */
  readonly burst?: { readonly everyMs: number; readonly forMs: number; readonly times: number }
}

export const LASTS_MS = 240_000

const fleet = (medians: readonly number[], more: Partial<HostSpec> = {}): HostSpec[] => medians.map(medianMs => ({ medianMs, holdMs: 1_500, ...more }))
const same = (count: number, more: Partial<HostSpec> = {}) => fleet(Array.from({ length: count }, () => 400), more)
const first = (hosts: readonly HostSpec[], trouble: Omit<NonNullable<HostSpec['trouble']>, 'fromMs' | 'toMs'>, fromMs = 60_000, toMs = 150_000): HostSpec[] => hosts.map((host, at) => (at === 0 ? { ...host, trouble: { fromMs, toMs, ...trouble } } : host))

/** Calls a second that keep the places of these hosts busy for this share of the time. */
function rateFor(hosts: readonly HostSpec[], load: number): number {
  return load * hosts.reduce((sum, { medianMs, sigma = 0.6, holdMs, servers = 0 }) => sum + servers / ((medianMs * Math.exp(sigma ** 2 / 2) + holdMs) / 1_000), 0)
}

const managed = (name: string, hosts: readonly HostSpec[], perSecond = 20, burst?: Scenario['burst']): Scenario => ({ name, managed: true, hosts, perSecond, ...(burst && { burst }) })
const loaded = (name: string, hosts: readonly HostSpec[], load: number, burst?: Scenario['burst']): Scenario => ({ name, managed: false, hosts, perSecond: rateFor(hosts, load), ...(burst && { burst }) })

const sizes = (servers: readonly number[]): HostSpec[] => servers.map(count => ({ medianMs: 400, holdMs: 1_500, servers: count }))
const mixed = [300, 400, 600, 900].map((medianMs, at): HostSpec => ({ medianMs, holdMs: 1_500, servers: [6, 8, 10, 12][at] ?? 8 }))
const BURST = { everyMs: 60_000, forMs: 8_000, times: 2 }

export const SCENARIOS: readonly Scenario[] = [
  managed('alike', same(4)),
  managed('unlike', fleet([300, 400, 600, 900])),
  managed('Pareto tails', same(5, { pareto: 1.6 })),
  managed('unlike, Pareto tails', fleet([300, 400, 600], { pareto: 1.8 })),
  managed('one turns 10 times slower', first(fleet([300, 400, 500]), { slow: 10 })),
  managed('one fails 30 %', first(fleet([300, 400, 500]), { errors: 0.3 })),
  managed('one hangs', first(fleet([300, 400, 500]), { hangs: true }, 60_000, 100_000)),
  managed('bursts', fleet([300, 400, 500]), 20, { everyMs: 40_000, forMs: 8_000, times: 5 }),
  managed('few calls', fleet([300, 450, 900]), 1),
  managed('20 hosts', fleet(Array.from({ length: 20 }, (_, at) => 300 + 25 * at)), 60),
  loaded('alike', sizes([8, 8, 8, 8]), 0.7),
  loaded('places 4, 8, 16', sizes([4, 8, 16]), 0.75),
  loaded('unlike in speed and places', mixed, 0.75),
  loaded('one turns 4 times slower', first(sizes([8, 8, 8, 8]), { slow: 4 }), 0.6),
  loaded('one fails 30 %', first(sizes([8, 8, 8, 8]), { errors: 0.3 }), 0.65),
  loaded('one hangs', first(sizes([8, 8, 8, 8]), { hangs: true }, 60_000, 100_000), 0.6),
  loaded('bursts', sizes([8, 8, 8, 8]), 0.5, BURST),
  loaded('20 hosts', sizes(Array.from({ length: 20 }, (_, at) => 3 + (at % 4))), 0.75),
]
