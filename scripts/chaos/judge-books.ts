import type { CallRecord } from '../../src/index.js'
import { alertsIn, count, sum, type Evidence, type Row, type Story } from './evidence.js'
import { KEY_AGE_MS, ROLLING_MS, SHARES } from './world.js'

/** Whose spend a call is part of: its own row where it has one, else that of its key. */
const bucketOf = ({ principal }: CallRecord): string => principal?.key ?? principal?.project ?? ''

interface Lost {
  readonly call: string
  readonly nanos: number
  /** Its settle was not answered when the process died. */
  readonly perhaps: boolean
}

/** Calls of the killed process that were settled, and whose record went down with it. */
function lostOf({ journals, killed, records }: Evidence): readonly Lost[] {
  const known = new Set(records.flatMap(({ metadata }) => (typeof metadata?.['call'] === 'string' ? [metadata['call']] : [])))
  const journal = journals[killed.index] ?? []
  const answered = new Map(journal.flatMap(line => (line.is === 'settled' ? [[line.hold, line.lived] as const] : [])))
  return journal.flatMap(line => {
    if (line.is !== 'settling' || line.nanos === 0 || known.has(line.call) || answered.get(line.hold) === false) return []
    return [{ call: line.call, nanos: line.nanos, perhaps: !answered.has(line.hold) }]
  })
}

/** Some of the amounts add up to it. */
function isSumOfSome(wanted: number, amounts: readonly number[]): boolean {
  let sums = new Set([0])
  for (const amount of amounts) sums = new Set([...sums, ...[...sums].map(one => one + amount)])
  return sums.has(wanted)
}

/** `spend()` against the records of all processes, row by row. */
export function booksRow(evidence: Evidence, stories: ReadonlyMap<string, Story>): Row {
  const { spend, records } = evidence
  const written = new Map<string, number>()
  for (const record of records) written.set(bucketOf(record), (written.get(bucketOf(record)) ?? 0) + (record.costNanos ?? 0))
  const stored = new Map([...spend.byProject, ...spend.byKey].flatMap(({ of, nanos }) => (of === null ? [] : [[of, nanos] as const])))
  const lost = lostOf(evidence)
  const lostIn = (bucket: string, perhaps: boolean): readonly number[] => lost.filter(one => one.perhaps === perhaps && (stories.get(one.call)?.key ?? one.call) === bucket).map(({ nanos }) => nanos)
  let explained = 0
  const wrong: string[] = []
  for (const bucket of new Set([...written.keys(), ...stored.keys()])) {
    const rest = (stored.get(bucket) ?? 0) - (written.get(bucket) ?? 0) - sum(lostIn(bucket, false))
    if (!isSumOfSome(rest, lostIn(bucket, true))) wrong.push(`${bucket}: stored ${stored.get(bucket) ?? 0}, written ${written.get(bucket) ?? 0}`)
    else if (rest > 0) explained++
  }
  const total = spend.all[0]?.nanos ?? 0
  const sure = lost.filter(({ perhaps }) => !perhaps).length
  return { promise: 'spend() is the sum of the records of all processes', measured: `${total} nano-dollars in ${count(records.length)} records; ${sure + explained} records were lost with the killed process; ${wrong.length} rows otherwise${wrong.length === 0 ? '' : ` (${wrong.slice(0, 4).join('; ')})`}`, ok: wrong.length === 0 && total > 0 }
}

/** Every hold of the killed process that nobody settled has one record, and one alert. */
export function lapsedRow({ records, journals, killed, holdsLeft, readings }: Evidence): Row {
  const lapsed = records.filter(({ system }) => system !== undefined && 'lapsed' in system)
  const journal = journals[killed.index] ?? []
  const asked = new Set(journal.flatMap(line => (line.is === 'settling' ? [line.hold] : [])))
  const open = journal.filter(line => line.is === 'held' && !asked.has(line.hold)).length
  const held = sum(readings.map(reading => reading.held))
  return { promise: 'no hold is left after its lease; what the killed process held is charged and written down', measured: `${open} open at the kill, ${lapsed.length} lapsed; ${holdsLeft} left, ${held} held`, ok: holdsLeft === 0 && held === 0 && open > 0 && lapsed.length >= open }
}

export function alertsRow(evidence: Evidence): Row {
  const { journals, killed, readings } = evidence
  const told = alertsIn(journals).filter(({ alert }) => alert.kind === 'share' || alert.kind === 'exceeded')
  const nameOf = ({ alert: { kind, policy, of, share, period } }: (typeof told)[number]): string => [kind, policy, ...Object.values(of), share ?? '', policy === 'rolling' ? '' : (period ?? '')].join(' ')
  const names = told.map(nameOf)
  const twice = [...new Set(names.filter((name, at) => !name.includes('rolling') && names.indexOf(name) !== at))]
  const soon = soonAgain(journals)
  const won = (journals[killed.index] ?? []).flatMap(line => (line.is === 'alert-asked' ? [line.key] : []))
  const settled = settledIn(journals)
  const missing: string[] = []
  for (const { key, policy, of, kind, charged, limit } of readings) {
    if (kind !== 'nanos' || policy === 'rolling') continue
    // What lapsed is charged without a settle, and told of with the next one.
    const due = Math.min(charged, settled.get(key) ?? 0)
    for (const share of SHARES) {
      const name = `share ${policy}${of === '' ? '' : ` ${of}`} ${share}`
      if (due >= share * limit && !names.some(one => one.startsWith(name)) && !won.includes(`alert:share:${share}:${key}`)) missing.push(name)
    }
  }
  return { promise: 'each alert is told once over all processes', measured: `${told.length} told (${told.filter(({ alert }) => alert.policy === 'rolling').length} of the rolling window), ${twice.length + soon} twice, ${missing.length} never${[...twice, ...missing].length === 0 ? '' : ` (${[...twice, ...missing].slice(0, 4).join('; ')})`}`, ok: twice.length + soon + missing.length === 0 && told.length > 0 }
}

/** What was charged by settles, by counter. */
function settledIn(journals: Evidence['journals']): ReadonlyMap<string, number> {
  const charged = new Map<string, number>()
  for (const journal of journals) for (const line of journal) {
    if (line.is === 'settled' && line.lived) for (const [key, amount] of line.charges) charged.set(key, (charged.get(key) ?? 0) + amount)
  }
  return charged
}

/** Alerts of a rolling window that were won again before the first had left it. */
function soonAgain(journals: Evidence['journals']): number {
  const won = journals.flatMap(journal => journal.flatMap(line => (line.is === 'alert-won' && line.key.includes(':budget:rolling:') ? [line] : [])))
  return won.filter(one => won.some(other => other !== one && other.key === one.key && other.loMs >= one.loMs && other.hiMs - one.loMs < ROLLING_MS)).length
}

export function keysRow({ keys, revoked, outage, killed }: Evidence, stories: readonly Story[]): Row {
  const sinceMs = outage?.toMs ?? killed.atMs
  const good = keys.filter(({ id }) => id !== revoked.id)
  const used = good.filter(({ id }) => stories.some(({ key, atMs, end, served }) => key === id && atMs > sinceMs && (served.length > 0 || /^(limit|budget)_exceeded/.test(end?.what ?? ''))))
  const refused = stories.filter(({ key, end }) => key !== undefined && key !== revoked.id && end?.what === 'unauthenticated').length
  return { promise: `keys made by one process hold in all, also after the ${outage === undefined ? 'kill' : 'restart'}`, measured: `${used.length} of ${good.length} used since, ${refused} refusals`, ok: used.length === good.length && refused === 0 }
}

export function revokedRow({ revoked, scene }: Evidence, stories: readonly Story[]): Row {
  const own = stories.filter(({ key, atMs }) => key === revoked.id && atMs > revoked.atMs + KEY_AGE_MS)
  const through = own.filter(({ served, end }) => served.length > 0 || (end !== undefined && end.what !== 'unauthenticated' && end.what !== 'store_unavailable'))
  const refused = own.filter(({ end }) => end?.what === 'unauthenticated').length
  const processes = new Set(own.filter(({ end }) => end?.what === 'unauthenticated').map(({ call }) => call.split('-')[0])).size
  return { promise: `a revoked key is refused in every process after ${KEY_AGE_MS / 1_000} s`, measured: `${refused} refused in ${processes} processes, ${through.length} let through`, ok: through.length === 0 && processes === scene.processes }
}
