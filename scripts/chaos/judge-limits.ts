import { count, groupedBy, mostAtOnce, mostWithin, sum, type Evidence, type Row, type Story } from './evidence.js'
import { LIMITS } from './world.js'

const SECOND_MS = 1_000
const MINUTE_MS = 60_000

/** Only calls that reached a provider, by whom they were for. */
function asked(stories: readonly Story[]): ReadonlyMap<string, Story[]> {
  return groupedBy(stories.filter(({ served }) => served.length > 0), ({ user }) => user)
}

/** The store counts a call at some moment while it was asked for the hold. */
function when({ holds }: Story): { loMs: number; hiMs: number } {
  return { loMs: holds[0]?.loMs ?? -Infinity, hiMs: holds[0]?.hiMs ?? Infinity }
}

function refusals(stories: readonly Story[], end: string): number {
  return stories.filter(story => story.end?.what === end).length
}

export function requestsRow(stories: readonly Story[]): Row {
  const most = Math.max(...[...asked(stories).values()].map(own => mostWithin(own.map(story => ({ ...when(story), amount: 1 })), SECOND_MS)))
  const refused = refusals(stories, 'limit_exceeded user requests')
  return { promise: `at most ${LIMITS.requestsPerSecond} requests of a user in any second`, measured: `${most}; ${count(refused)} refused`, ok: most <= LIMITS.requestsPerSecond && refused > 0 }
}

export function tokensRow(stories: readonly Story[]): Row {
  const tokensOf = ({ served }: Story): number => sum(served.map(({ billed, inputTokens, outputTokens }) => (billed ? inputTokens + outputTokens : 0)))
  const most = Math.max(...[...asked(stories).values()].map(own => mostWithin(own.map(story => ({ ...when(story), hiMs: story.holds.at(-1)?.hiMs ?? Infinity, amount: tokensOf(story) })), MINUTE_MS)))
  const refused = refusals(stories, 'limit_exceeded user tokens')
  return { promise: `at most ${count(LIMITS.tokensPerMinute)} tokens of a user in any minute`, measured: `${count(most)}; ${count(refused)} refused`, ok: most <= LIMITS.tokensPerMinute && refused > 0 }
}

/** Tries of one call are one call. */
function spanOf({ served }: Story): { startMs: number; endMs: number } {
  return { startMs: Math.min(...served.map(({ startMs }) => startMs)), endMs: Math.max(...served.map(({ endMs }) => endMs)) }
}

export function concurrencyRow(stories: readonly Story[]): Row {
  const most = Math.max(...[...asked(stories).values()].map(own => mostAtOnce(own.map(spanOf))))
  const refused = refusals(stories, 'limit_exceeded user concurrency')
  return { promise: `at most ${LIMITS.concurrency} calls of a user at once`, measured: `${most}; ${count(refused)} refused`, ok: most <= LIMITS.concurrency && refused > 0 }
}

/** What came to a provider was held before, by a store that said so. */
export function heldRow({ came }: Evidence, stories: ReadonlyMap<string, Story>): Row {
  const without = came.filter(({ call, startMs }) => !(stories.get(call)?.holds.some(({ hiMs }) => hiMs <= startMs) ?? false))
  return { promise: 'nothing is sent without a hold', measured: `${count(came.length)} tries, ${without.length} without`, ok: without.length === 0 && came.length > 0 }
}
