import type { Deployment, RouteTarget } from '../../src/protocol/ports.js'
import { weighted } from '../../src/routing/weighted.js'
import { seededRandom } from '../../src/testing/random.js'
import { routeView } from '../../src/testing/view.js'
import type { Part } from './part.js'

const WEIGHTS = [5, 3, 1, 1]
const DRAWS = 100_000
/** Chi-square with 3 degrees of freedom is beyond this once in a thousand times. */
const CRITICAL = 16.27
const MOST_SIGMAS = 3

const deployments = WEIGHTS.map((weight, at): Deployment => ({ kind: 'deployment', id: `d${at}`, provider: 'p', model: 'm', capabilities: {}, tags: [], weight, reach: { upstream: { open: () => Promise.reject(new Error('not to be opened')) } } }))
const total = WEIGHTS.reduce((sum, weight) => sum + weight, 0)

function firsts(count: number, first: (at: number) => RouteTarget | undefined): readonly number[] {
  const hits = WEIGHTS.map(() => 0)
  for (let at = 0; at < count; at++) {
    const place = deployments.indexOf(first(at) as Deployment)
    hits[place] = (hits[place] ?? 0) + 1
  }
  return hits
}

const shareOf = (at: number) => (WEIGHTS[at] ?? 0) / total

function drawn(): { line: string; ok: boolean } {
  const group = weighted(...deployments)
  const view = routeView({ random: seededRandom(1) })
  const hits = firsts(DRAWS, () => group.order(group.targets, view)[0])
  const chi = hits.reduce((sum, hit, at) => sum + (hit - DRAWS * shareOf(at)) ** 2 / (DRAWS * shareOf(at)), 0)
  return { line: `- drawn: weights ${WEIGHTS.join(', ')} give ${hits.join(', ')} of ${DRAWS} first places; chi-square ${chi.toFixed(2)}, beyond ${CRITICAL} once in a thousand`, ok: chi < CRITICAL }
}

function bound(): { line: string; ok: boolean } {
  const group = weighted(...deployments, { sticky: 'user' })
  const views = Array.from({ length: DRAWS }, (_, at) => routeView({ principal: { user: `user-${at}` } }))
  const before = views.map(view => group.order(group.targets, view)[0])
  const hits = firsts(DRAWS, at => before[at])
  const sigmas = Math.max(...hits.map((hit, at) => Math.abs(hit - DRAWS * shareOf(at)) / Math.sqrt(DRAWS * shareOf(at) * (1 - shareOf(at)))))
  const [, gone, ...rest] = deployments
  const fewer = weighted(...deployments.slice(0, 1), ...rest, { sticky: 'user' })
  const moved = views.filter((view, at) => before[at] !== gone && fewer.order(fewer.targets, view)[0] !== before[at]).length
  return { line: `- sticky: ${hits.join(', ')} of ${DRAWS} users, at most ${sigmas.toFixed(2)} sigma off; without the second one, ${moved} users of the others move`, ok: sigmas < MOST_SIGMAS && moved === 0 }
}

function inTurn(): { line: string; ok: boolean } {
  const group = weighted(...deployments, { smooth: true })
  const view = routeView()
  const rounds = Array.from({ length: 100 }, () => firsts(total, () => group.order(group.targets, view)[0]))
  const ok = rounds.every(round => round.every((hit, at) => hit === WEIGHTS[at]))
  return { line: `- smooth: each of 100 rounds of ${total} calls gave ${ok ? 'exactly the weights' : 'something else than the weights'}`, ok }
}

export const shares: Part = {
  name: 'weighted: shares',
  run() {
    const found = [drawn(), bound(), inTurn()]
    return { lines: found.map(({ line, ok }) => (ok ? line : `${line} (MISSED)`)), ok: found.every(({ ok }) => ok) }
  },
}
