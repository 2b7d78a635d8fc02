import { billOf, count, groupedBy, mostWithin, sum, type Counted, type Evidence, type Row, type Story } from './evidence.js'
import { ROLLING_MS, TEAMS } from './world.js'

const usd = (nanos: number): string => `$${(nanos / 1e9).toFixed(6)}`

/** What the store says, asked all along. */
export function standingRow({ readings, looks }: Evidence): Row {
  const budgets = readings.filter(({ kind }) => kind === 'nanos')
  const over = budgets.filter(({ most, limit }) => most > limit)
  const total = budgets.find(({ policy }) => policy === 'total')
  const share = total === undefined ? 0 : (100 * total.most) / total.limit
  const worst = over.length === 0 ? '' : `; over: ${over.map(({ policy, of, most, limit }) => `${policy} ${of} by ${most - limit} nano-dollars`).slice(0, 5).join(', ')}`
  return { promise: 'no hard budget passed by charges and holds, as the store has them', measured: `${count(looks)} looks at ${budgets.length} counters; the total at ${share.toFixed(3)} %${worst}`, ok: over.length === 0 && looks > 10 && budgets.length > TEAMS.length }
}

const moneyOf = ({ served }: Story): number => sum(served.map(billOf))

/** What the providers bill, under each budget. */
export function billedRow(evidence: Evidence, stories: readonly Story[]): Row {
  const { scene: { usd: limits } } = evidence
  const groups: [name: string, limit: number, billed: number][] = [
    ['total', limits.total, sum(stories.map(moneyOf))],
    ...[...groupedBy(stories, teamOf)].map(([team, own]): [string, number, number] => [`team ${team}`, limits.team, sum(own.map(moneyOf))]),
    ...[...groupedBy(stories, ({ key }) => key)].map(([key, own]): [string, number, number] => [`key ${key}`, limits.key, sum(own.map(moneyOf))]),
    ['rolling', limits.rolling, mostWithin(stories.flatMap(moments), ROLLING_MS)],
    ['hour', limits.hour, hourly(evidence, stories)],
  ]
  const over = groups.filter(([, limit, billed]) => billed > Math.round(limit * 1e9))
  const tightest = [...groups].sort(([, a, x], [, b, y]) => y / b - x / a).slice(0, 2).map(([name, limit, billed]) => `${name} ${((billed / limit) * 1e-7).toFixed(1)} %`).join(', ')
  return { promise: 'nor by what the providers bill', measured: `${usd(groups[0]?.[2] ?? 0)} billed; closest: ${tightest}${over.length === 0 ? '' : `; over: ${over.map(([name]) => name).join(', ')}`}`, ok: over.length === 0 && (groups[0]?.[2] ?? 0) > 0 }
}

/** The team of a call is in the counters it held something of. */
function teamOf({ holds }: Story): string | undefined {
  return holds[0]?.claims.map(([key]) => /^budget:team:nanos:day:(.*)$/.exec(key)?.[1]).find(team => team !== undefined)
}

/** Money counts in a rolling window where it was held. */
function moments({ holds }: Story): Counted[] {
  return holds.flatMap(({ loMs, hiMs, charges }) => charges.filter(([key]) => key.startsWith('budget:rolling:')).map(([, amount]) => ({ loMs, hiMs, amount })))
}

/** Of the calls that held something of the hour; a run that crosses a full hour has two, of which each has the whole budget. */
function hourly({ scene }: Evidence, stories: readonly Story[]): number {
  const own = stories.filter(({ holds }) => holds.some(({ claims }) => claims.some(([key]) => key.startsWith('budget:hour:'))))
  return mostWithin(own.map(story => ({ loMs: story.holds[0]?.loMs ?? 0, hiMs: story.holds.at(-1)?.hiMs ?? 0, amount: moneyOf(story) })), scene.loadMs * 10)
}

/** What is wrong with the charge of a call, if anything. */
function wrongIn(story: Story, bill: number, written: number | undefined): string | undefined {
  const charged = sum(story.holds.flatMap(({ charges }) => charges.filter(([key]) => key === 'budget:total:nanos:').map(([, amount]) => amount)))
  if (bill > charged) return `${story.call} billed ${bill}, charged ${charged}`
  const exact = story.served.every(one => one.whole || !one.billed)
  // A record of nothing belongs to a hold that had lapsed: what it held is in a record of its own.
  return exact && written !== undefined && written !== 0 && written !== bill ? `${story.call} billed ${bill}, recorded ${written}` : undefined
}

/** What a call was charged, against its bill: alike where the answer was whole, and never less. */
export function chargedRow({ records }: Evidence, stories: readonly Story[]): Row {
  const cost = new Map<string, number>()
  for (const { metadata, costNanos } of records) if (typeof metadata?.['call'] === 'string') cost.set(metadata['call'], costNanos ?? 0)
  const billed = stories.filter(story => moneyOf(story) > 0)
  const whole = billed.filter(({ served }) => served.every(one => one.whole || !one.billed)).length
  const wrong = stories.flatMap(story => wrongIn(story, moneyOf(story), cost.get(story.call)) ?? [])
  const told = wrong.length === 0 ? '' : ` (${wrong.slice(0, 3).join('; ')})`
  return { promise: 'each call is charged what was billed: to the nano-dollar where the answer was whole, else no less', measured: `${count(whole)} whole, ${count(billed.length - whole)} cut, left or killed; ${wrong.length} otherwise${told}`, ok: wrong.length === 0 && whole > 0 && billed.length > whole }
}
