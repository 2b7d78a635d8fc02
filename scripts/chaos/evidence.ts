import type { Alert, CallRecord, SpendRow } from '../../src/index.js'
import type { Line } from './journal.js'
import type { Reading } from './monitor.js'
import type { Came, Served } from './provider.js'
import { PRICE, type KnownKey, type Scene } from './world.js'

/** Everything a run leaves behind for its judge. */
export interface Evidence {
  readonly scene: Scene
  readonly keys: readonly KnownKey[]
  readonly revoked: { readonly id: string; readonly atMs: number }
  readonly killed: { readonly index: number; readonly atMs: number }
  readonly outage?: { readonly fromMs: number; readonly toMs: number }
  /** By process. */
  readonly journals: readonly (readonly Line[])[]
  readonly records: readonly CallRecord[]
  readonly came: readonly Came[]
  readonly served: readonly Served[]
  readonly readings: readonly Reading[]
  readonly looks: number
  readonly holdsLeft: number
  readonly spend: { readonly all: readonly SpendRow[]; readonly byProject: readonly SpendRow[]; readonly byKey: readonly SpendRow[] }
}
/** One promise, and what came of it. */
export interface Row {
  readonly promise: string
  readonly measured: string
  readonly ok: boolean
}
/** A hold, as its process saw it made and ended. */
interface Hold {
  readonly loMs: number
  readonly hiMs: number
  readonly claims: readonly (readonly [key: string, amount: number])[]
  /** What was charged of it: what it held, where nobody settled it. */
  charges: readonly (readonly [key: string, amount: number])[]
}
/** One call, over all that was written down about it. */
export interface Story {
  readonly call: string
  readonly user: string
  readonly key?: string
  readonly atMs: number
  end?: { readonly atMs: number; readonly what: string }
  readonly holds: Hold[]
  readonly served: Served[]
}

const TOKEN_NANOS = { input: PRICE.input * 1_000, output: PRICE.output * 1_000 } as const

export function billOf({ billed, inputTokens, outputTokens }: Served): number {
  return billed ? inputTokens * TOKEN_NANOS.input + outputTokens * TOKEN_NANOS.output : 0
}

/** What was written down about each call. */
export function storiesOf({ journals, served }: Pick<Evidence, 'journals' | 'served'>): ReadonlyMap<string, Story> {
  const stories = new Map<string, Story>()
  for (const journal of journals) {
    const holds = new Map<string, Hold>()
    for (const line of journal) {
      if (line.is === 'asked') stories.set(line.call, { call: line.call, user: line.user, ...(line.key !== undefined && { key: line.key }), atMs: line.atMs, holds: [], served: [] })
      else if (line.is === 'held') {
        const hold: Hold = { loMs: line.loMs, hiMs: line.hiMs, claims: line.claims, charges: line.claims }
        holds.set(line.hold, hold)
        stories.get(line.call)?.holds.push(hold)
      } else if (line.is === 'settled' && line.lived) {
        const hold = holds.get(line.hold)
        if (hold !== undefined) hold.charges = line.charges
      } else if (line.is === 'ended') {
        const story = stories.get(line.call)
        if (story !== undefined) story.end = { atMs: line.atMs, what: line.end }
      }
    }
  }
  for (const one of served) stories.get(one.call)?.served.push(one)
  return stories
}

export function alertsIn(journals: Evidence['journals']): readonly { readonly alert: Alert; readonly atMs: number }[] {
  return journals.flatMap(journal => journal.flatMap(line => (line.is === 'alert' ? [line] : [])))
}

/** Something that counted at a moment between two others. */
export interface Counted {
  readonly loMs: number
  readonly hiMs: number
  readonly amount: number
}

/** The most that certainly counted within one window: only what lies wholly in it. */
export function mostWithin(all: readonly Counted[], windowMs: number): number {
  const sorted = [...all].sort((a, b) => a.loMs - b.loMs)
  let most = 0
  for (const [at, { loMs }] of sorted.entries()) {
    let sum = 0
    for (let next = at; next < sorted.length; next++) {
      const one = sorted[next]
      if (one === undefined || one.loMs >= loMs + windowMs) break
      if (one.hiMs < loMs + windowMs) sum += one.amount
    }
    most = Math.max(most, sum)
  }
  return most
}

/** The most that were open at once; what ends at the moment another begins is over. */
export function mostAtOnce(spans: readonly { readonly startMs: number; readonly endMs: number }[]): number {
  const steps = spans.flatMap(({ startMs, endMs }) => [[startMs, 1], [endMs, -1]] as const).sort(([a, up], [b, down]) => a - b || up - down)
  let open = 0
  let most = 0
  for (const [, step] of steps) most = Math.max(most, (open += step))
  return most
}

export function groupedBy<T>(all: Iterable<T>, keyOf: (one: T) => string | undefined): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const key = keyOf(one)
    if (key === undefined) continue
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [one])
    else group.push(one)
  }
  return groups
}

export const sum = (amounts: Iterable<number>): number => [...amounts].reduce((total, amount) => total + amount, 0)
export const count = (n: number): string => n.toLocaleString('en')
