import { GatewayError } from './errors.js'
import { nearest, quoted } from './suggest.js'
import { checkZone, formatOf } from './zones.js'

/** How long a calendar period is. Weeks begin on Monday. */
export type Period = 'hour' | 'day' | 'week' | 'month'
/** Starts of the previous, the current and the next period, and the end of the next: epoch milliseconds, ascending. */
export type Boundaries = readonly [previous: number, current: number, next: number, end: number]

const PERIODS: readonly Period[] = ['hour', 'day', 'week', 'month']
const SECOND_MS = 1_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Days from a Monday to the first day of the epoch. */
const THURSDAY = 3
/** An hour lasts from this to as much more than an hour. */
const SHORTEST_MS = HOUR_MS / 2
/** Around a change of the clock within so many hours, the starts of hours are listed one by one. */
const AROUND = 6
const LISTED = Array.from({ length: AROUND + 4 }, (_, at) => at)

/**
 * Calendar periods by the clocks of an IANA time zone. A period of days begins at the first instant of its first date, also
 * where the clock skips midnight, and a date that the zone skipped is no period. An hour begins where the clock strikes the
 * full hour and goes by elapsed time: a clock that is put by a part of an hour makes one of 30 to 90 minutes.
 *
 * @example
 * const [, start, end] = new Calendar('day', 'Europe/Berlin').boundaries(clock.now())
 */
export class Calendar {
  readonly period: Period
  readonly #zone: string
  #format: Intl.DateTimeFormat | undefined
  #asked = false
  #known: Boundaries | undefined
  /** Ordinal of the period that begins at the last of the known boundaries. */
  #last = 0

  constructor(period: Period, zone: string) {
    if (!PERIODS.includes(period)) throw unknownPeriod(String(period))
    this.period = period
    checkZone(zone)
    this.#zone = zone
  }

  /** A look at it is quick: it has the clock of its zone, which it makes at the first. */
  get ready(): boolean {
    return this.#asked || this.#zone === 'UTC'
  }

  /** The four boundaries around an instant; the same array for all of one period, until another is asked for. */
  boundaries(nowMs: number): Boundaries {
    const known = this.#known
    if (known !== undefined && known[1] <= nowMs && nowMs < known[2]) return known
    const found = this.period === 'hour' ? this.#hours(nowMs) : known !== undefined && known[2] <= nowMs && nowMs < known[3] ? this.#following(known) : this.#dates(nowMs)
    return (this.#known = Object.freeze(found))
  }

  /** Start of the period of an instant. */
  startOf(nowMs: number): number {
    const known = this.#known
    // A look at the neighbour must not cost the next call the boundaries of its own period.
    if (known !== undefined && known[0] <= nowMs && nowMs < known[3]) return nowMs < known[1] ? known[0] : nowMs < known[2] ? known[1] : known[2]
    return this.boundaries(nowMs)[1]
  }

  /** What the clock of the zone shows, as if it were UTC. */
  #wall(atMs: number): number {
    if (!this.#asked) {
      this.#format = formatOf(this.#zone)
      this.#asked = true
    }
    if (this.#format === undefined) return atMs
    const shown = new Map<string, number>()
    for (const { type, value } of this.#format.formatToParts(atMs)) shown.set(type, Number(value))
    const part = (name: string): number => shown.get(name) ?? 0
    return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
  }

  #offset(atMs: number): number {
    const whole = Math.floor(atMs / SECOND_MS) * SECOND_MS
    return this.#wall(whole) - whole
  }

  #following([, previous, current, next]: Boundaries): Boundaries {
    return [previous, current, next, this.#after(next)]
  }

  /** The start after that of the last known period: a date that was skipped begins where the one before did. */
  #after(startMs: number): number {
    for (;;) {
      const nextMs = this.#start(++this.#last)
      if (nextMs > startMs) return nextMs
    }
  }

  #dates(nowMs: number): Boundaries {
    let ordinal = ordinalOf(this.period, nowMs + this.#offset(nowMs))
    let current = this.#start(ordinal)
    this.#last = ordinal
    let next = this.#after(current)
    // A clock put back over midnight shows the date before for a second time.
    while (next <= nowMs) {
      ordinal = this.#last
      current = next
      next = this.#after(current)
    }
    let previous = current
    while (previous === current) previous = this.#start(--ordinal)
    return [previous, current, next, this.#after(next)]
  }

  /** The first instant at which the clock shows the first date of a period, or a later one. */
  #start(ordinal: number): number {
    const wall = wallOf(this.period, ordinal)
    const before = this.#offset(wall - DAY_MS)
    const after = this.#offset(wall + DAY_MS)
    if (before === after) return wall - before
    const [early, late] = [wall - Math.max(before, after), wall - Math.min(before, after)]
    if (early + this.#offset(early) === wall) return early
    if (late + this.#offset(late) === wall) return late
    // Midnight is skipped: mostly the clock is put at midnight itself, and nothing is to be searched.
    return this.#offset(late - SECOND_MS) === before ? late : this.#first(early, late, atMs => atMs + this.#offset(atMs) >= wall)
  }

  #hours(nowMs: number): Boundaries {
    const [fromMs, toMs] = [nowMs - AROUND * HOUR_MS, nowMs + AROUND * HOUR_MS]
    const before = pastHour(this.#offset(fromMs))
    const after = pastHour(this.#offset(toMs))
    if (before === after) {
      const start = struck(nowMs, before)
      return [start - HOUR_MS, start, start + HOUR_MS, start + 2 * HOUR_MS]
    }
    const change = this.#first(fromMs, toMs, atMs => pastHour(this.#offset(atMs)) === after)
    const starts = hoursAround(change, before, after)
    const at = starts.findLastIndex(start => start <= nowMs)
    return starts.slice(at - 1, at + 3) as unknown as Boundaries
  }

  /** The first whole second for which it holds, where it holds at the end and not at the start. */
  #first(fromMs: number, toMs: number, holds: (atMs: number) => boolean): number {
    let [low, high] = [Math.floor(fromMs / SECOND_MS), Math.ceil(toMs / SECOND_MS)]
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (holds(middle * SECOND_MS)) high = middle
      else low = middle
    }
    return high * SECOND_MS
  }
}

/** The periods of an hour around the instant at which the clock is put by a part of an hour. */
function hoursAround(change: number, before: number, after: number): readonly number[] {
  const last = struck(change - 1, before)
  const first = struck(change - 1, after) + HOUR_MS
  const between = first - last
  const middle = between > HOUR_MS + SHORTEST_MS ? [last + HOUR_MS] : []
  // Too short to stand alone, it takes the hour after it in.
  const from = between < SHORTEST_MS ? first + HOUR_MS : first
  return [...LISTED.map(at => last - at * HOUR_MS).reverse(), ...middle, ...LISTED.map(at => from + at * HOUR_MS)]
}

/** When the clock last struck the full hour, up to an instant. */
function struck(atMs: number, pastHourMs: number): number {
  return Math.floor((atMs + pastHourMs) / HOUR_MS) * HOUR_MS - pastHourMs
}

/** By how much an offset is more than whole hours. */
function pastHour(offset: number): number {
  return ((offset % HOUR_MS) + HOUR_MS) % HOUR_MS
}

/** Number of the period a date lies in; `wall` is what a clock shows, as if it were UTC. */
function ordinalOf(period: Period, wall: number): number {
  const day = Math.floor(wall / DAY_MS)
  if (period === 'day') return day
  if (period === 'week') return Math.floor((day + THURSDAY) / 7)
  const date = new Date(wall)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}

/** Midnight of its first date. */
function wallOf(period: Period, ordinal: number): number {
  if (period === 'day') return ordinal * DAY_MS
  if (period === 'week') return (ordinal * 7 - THURSDAY) * DAY_MS
  return Date.UTC(Math.floor(ordinal / 12), ((ordinal % 12) + 12) % 12)
}

function unknownPeriod(given: string): GatewayError {
  const near = nearest(given, PERIODS)
  return new GatewayError('invalid_config', `A calendar period cannot be ${quoted(given)}. ${near === undefined ? '' : `Did you mean "${near}"? `}Known: ${PERIODS.join(', ')}; such as "month".`)
}
