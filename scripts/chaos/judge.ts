import { count, mostAtOnce, storiesOf, type Evidence, type Row, type Story } from './evidence.js'
import { alertsRow, booksRow, keysRow, lapsedRow, revokedRow } from './judge-books.js'
import { concurrencyRow, heldRow, requestsRow, tokensRow } from './judge-limits.js'
import { billedRow, chargedRow, standingRow } from './judge-money.js'

function callsRow({ scene }: Evidence, stories: readonly Story[]): Row {
  const wrong = stories.filter(({ end }) => end?.what.startsWith('wrong') === true)
  const open = mostAtOnce(stories.map(({ atMs, end }) => ({ startMs: atMs, endMs: end?.atMs ?? Infinity })))
  const answered = stories.filter(({ end }) => end?.what === 'answered').length
  return { promise: `${count(scene.callers)} callers in ${scene.processes} processes: answered, or a typed error`, measured: `${count(stories.length)} calls, ${count(answered)} answered, ${open} open at once, ${wrong.length} untyped${wrong.length === 0 ? '' : ` (${wrong[0]?.end?.what})`}`, ok: wrong.length === 0 && answered > 0 }
}

function reachedRow(stories: readonly Story[]): Row {
  const refused = new Map<string, number>()
  for (const { end } of stories) if (end?.what.startsWith('budget_exceeded') === true) refused.set(end.what.slice(16), (refused.get(end.what.slice(16)) ?? 0) + 1)
  return { promise: 'the budgets are reached', measured: [...refused].map(([name, times]) => `${name} refused ${count(times)}`).join(', '), ok: refused.has('total') && refused.has('rolling') }
}

function outageRow({ outage }: Evidence, stories: readonly Story[]): Row[] {
  if (outage === undefined) return []
  const { fromMs, toMs } = outage
  const refused = stories.filter(({ end }) => end?.what === 'store_unavailable')
  const waited = stories.filter(({ atMs, holds }) => atMs > fromMs && atMs < toMs && holds.length > 0).length
  const after = stories.filter(({ atMs, end }) => atMs > toMs && end?.what === 'answered').length
  const far = refused.filter(({ end }) => (end?.atMs ?? 0) < fromMs || (end?.atMs ?? 0) > toMs + 5_000).length
  return [{ promise: 'while Redis is down calls wait or are store_unavailable, and go on when it is back', measured: `down ${((toMs - fromMs) / 1_000).toFixed(1)} s: ${count(refused.length)} unavailable (${far} at other times), ${waited} waited, ${count(after)} answered after`, ok: refused.length + waited > 0 && far === 0 && after > 0 }]
}

/** Every promise, with what the run measured of it. */
export function judge(evidence: Evidence): readonly Row[] {
  const stories = storiesOf(evidence)
  const all = [...stories.values()]
  return [
    callsRow(evidence, all),
    standingRow(evidence),
    billedRow(evidence, all),
    reachedRow(all),
    chargedRow(evidence, all),
    booksRow(evidence, stories),
    requestsRow(all),
    tokensRow(all),
    concurrencyRow(all),
    heldRow(evidence, stories),
    alertsRow(evidence),
    lapsedRow(evidence),
    keysRow(evidence, all),
    revokedRow(evidence, all),
    ...outageRow(evidence, all),
  ]
}
