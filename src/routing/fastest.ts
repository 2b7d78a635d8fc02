import type { Deployment, DeploymentStats, Group, RouteTarget, RouteView } from '../protocol/ports.js'
import { bad, groupOf, least, ranked, splitOptions, unitsOf, type Unit } from './rank.js'

/** What {@link fastest} takes beside its targets. */
export interface FastestOptions {
  /** Output tokens an answer is expected to have; 0 looks at the first event alone. Default: as long as answers were, at most `maxOutputTokens`. */
  readonly outputTokens?: number
}

/** What an attempt is expected to take where nothing was measured: so little that unknown deployments get tried. */
export const UNKNOWN_MS = 50
const OPTIONS = new Set(['outputTokens'])
/** Beyond this, two drawn by lot are compared instead of all. */
const MOST_SCANNED = 16
/** How much one attempt more slows down the others. */
const OWN = 1
const MANAGED = 1 / 8
/** A target that was passed over for so long is tried again, at most once in so many calls. */
const FORGOTTEN_MS = 30_000
const CALLS_PER_TRIAL = 32

/** What the group remembers: when each target was first in line. */
class Turns {
  readonly #firstMs = new Map<RouteTarget, number>()
  #calls = 0

  /** The target that was passed over for longest, where it is time to try it. */
  stale(targets: readonly RouteTarget[], nowMs: number): RouteTarget | undefined {
    if (++this.#calls < CALLS_PER_TRIAL) return undefined
    let stalest: RouteTarget | undefined
    let sinceMs = nowMs - FORGOTTEN_MS
    for (const target of targets) {
      const firstMs = this.#firstMs.get(target)
      if (firstMs === undefined) this.#firstMs.set(target, nowMs)
      if (firstMs === undefined || firstMs > sinceMs) continue
      sinceMs = firstMs
      stalest = target
    }
    if (stalest !== undefined) this.#calls = 0
    return stalest
  }

  goes(first: RouteTarget, nowMs: number): void {
    this.#firstMs.set(first, nowMs)
  }
}

const newTurns = (): Turns => new Turns()

/**
 * Asks the one that is expected to answer first: by its typical time to the first event and for the tokens that follow, the
 * attempts open there, its failures, and whether it hangs now. What was never asked is taken for fast, so it is tried; what
 * was not asked for 30 seconds is tried again once in a while. A group counts as its best deployment.
 *
 * @example
 * fastest(openai('gpt-5.6', { managed: true }), compatible({ name: 'own', baseUrl: 'http://10.0.0.7:8000/v1' }, 'llama-4'))
 */
export function fastest(...targets: readonly Unit[]): Group
export function fastest(...targetsAndOptions: readonly [...Unit[], FastestOptions]): Group
export function fastest(...given: readonly unknown[]): Group {
  const { targets, options } = splitOptions('fastest', given, OPTIONS)
  const { outputTokens } = options
  if (outputTokens !== undefined && !(typeof outputTokens === 'number' && outputTokens >= 0 && outputTokens < Infinity)) throw bad('fastest(): outputTokens must be a number, 0 or more.')
  const group = groupOf('fastest', unitsOf('fastest', targets), (line, view) => {
    if (line.length < 2) return line
    const turns = view.state(group, newTurns)
    const ordered = front(turns.stale(line, view.nowMs), best(line, view, outputTokens))
    const [first] = ordered
    if (first !== undefined) turns.goes(first, view.nowMs)
    return ordered
  })
  return group
}

function front(target: RouteTarget | undefined, line: readonly RouteTarget[]): readonly RouteTarget[] {
  return target === undefined ? line : [target, ...line.filter(other => other !== target)]
}

function best(line: readonly RouteTarget[], view: RouteView, outputTokens: number | undefined): readonly RouteTarget[] {
  const compared = line.length > MOST_SCANNED ? two(line, view) : line
  const tokens = outputTokens ?? expectedTokens(compared, view)
  const value = (deployment: Deployment): number => price(deployment, view.stats(deployment), tokens)
  const ordered = ranked(compared, target => least(target, value))
  return compared === line ? ordered : [...ordered, ...line.filter(target => !ordered.includes(target))]
}

/** Two different ones by lot. */
function two(line: readonly RouteTarget[], { random }: RouteView): readonly RouteTarget[] {
  const first = Math.floor(random() * line.length)
  const second = (first + 1 + Math.floor(random() * (line.length - 1))) % line.length
  return line.filter((_, at) => at === first || at === second)
}

/** Milliseconds it may take there now: `exp(E) * (1 + w * inFlight) * (1 + 4 * f) + stuck`, with what follows the first event. */
function price({ managed }: Deployment, { inFlight, firstEventMs = UNKNOWN_MS, perTokenMs = 0, failures, stuckMs }: DeploymentStats, tokens: number): number {
  return (firstEventMs + tokens * perTokenMs) * (1 + (managed === true ? MANAGED : OWN) * inFlight) * (1 + 4 * failures) + stuckMs
}

/** One length for all, so that who happened to write long answers does not look slow. */
function expectedTokens(line: readonly RouteTarget[], view: RouteView): number {
  let sum = 0
  let known = 0
  for (const target of line) {
    const tokens = least(target, deployment => view.stats(deployment).outputTokens ?? Infinity)
    if (tokens === Infinity) continue
    sum += tokens
    known++
  }
  return known === 0 ? 0 : Math.min(view.request.maxOutputTokens ?? Infinity, sum / known)
}
