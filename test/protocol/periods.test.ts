import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Calendar, type Period } from '../../src/protocol/periods.js'

const PERIODS: readonly Period[] = ['hour', 'day', 'week', 'month']
const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000]
const ZONES = ['UTC', ...Intl.supportedValuesOf('timeZone')]

const iso = (list: readonly number[]) => list.map(at => new Date(at).toISOString().replace(':00.000Z', 'Z'))
const around = (period: Period, zone: string, at: string) => iso(new Calendar(period, zone).boundaries(Date.parse(at)))

/** Not the way the code under test asks: the Swedish short form is the one of ISO. */
const clocks = new Map<string, Intl.DateTimeFormat>()
function wall(zone: string, atMs: number): number {
  let clock = clocks.get(zone)
  if (clock === undefined) clocks.set(zone, (clock = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })))
  const whole = Math.floor(atMs / SECOND) * SECOND
  return Date.parse(`${clock.format(whole).replace(' ', 'T')}Z`) + atMs - whole
}

/** When the clock of a zone was put, in a year. */
function changes(zone: string, year: number): number[] {
  const found: number[] = []
  const offset = (at: number) => wall(zone, at) - at
  for (let from = Date.UTC(year, 0, 1); from < Date.UTC(year + 1, 0, 1); from += 10 * DAY) {
    let [low, high] = [from, from + 10 * DAY]
    if (offset(low) === offset(high)) continue
    while (high - low > SECOND) {
      const middle = Math.floor((low + high) / 2 / SECOND) * SECOND
      if (offset(middle) === offset(low)) low = middle
      else high = middle
    }
    found.push(high)
  }
  return found
}

/** Instants from 1990 to 2050, half of them near a change of the clock where the zone has one that year. */
const moment = fc
  .record({ zone: fc.constantFrom(...ZONES), year: fc.integer({ min: 1990, max: 2049 }), share: fc.double({ min: 0, max: 1, noNaN: true }), near: fc.boolean(), which: fc.nat(1), off: fc.integer({ min: -3 * DAY, max: 3 * DAY }), close: fc.boolean() })
  .map(({ zone, year, share, near, which, off, close }) => {
    const change = near ? changes(zone, year)[which] : undefined
    const anywhere = Date.UTC(year, 0, 1) + Math.floor(share * 365 * DAY)
    return { zone, at: change === undefined ? anywhere : change + (close ? Math.trunc(off / 24) : off) }
  })
const asked = fc.tuple(fc.constantFrom(...PERIODS), moment)

describe('the boundaries of a day', () => {
  it('are where the date begins when the clock skips midnight', () => {
    expect(around('day', 'America/Sao_Paulo', '2017-10-15T12:00Z')).toEqual(['2017-10-14T03:00Z', '2017-10-15T03:00Z', '2017-10-16T02:00Z', '2017-10-17T02:00Z'])
    expect(around('day', 'Asia/Beirut', '2022-03-27T12:00Z')).toEqual(['2022-03-25T22:00Z', '2022-03-26T22:00Z', '2022-03-27T21:00Z', '2022-03-28T21:00Z'])
    expect(around('day', 'Africa/Cairo', '2024-04-26T12:00Z')).toEqual(['2024-04-24T22:00Z', '2024-04-25T22:00Z', '2024-04-26T21:00Z', '2024-04-27T21:00Z'])
  })

  it('are where the date begins when the clock skips from before midnight to after it', () => {
    // 23:30 to 00:30.
    expect(around('day', 'America/Toronto', '1919-03-31T12:00Z').slice(1, 3)).toEqual(['1919-03-31T04:30Z', '1919-04-01T04:00Z'])
  })

  it('do not end a day twice when the clock is put back at midnight, or over it', () => {
    // 24:00 to 23:00: the new date had not been shown.
    expect(around('day', 'Africa/Cairo', '2024-10-31T21:30Z')).toEqual(['2024-10-29T21:00Z', '2024-10-30T21:00Z', '2024-10-31T22:00Z', '2024-11-01T22:00Z'])
    // 00:01 to 23:01: it had been, for a minute.
    for (const at of ['2010-11-07T02:30Z', '2010-11-07T02:31Z', '2010-11-07T03:29Z', '2010-11-08T03:29Z']) {
      expect(around('day', 'America/St_Johns', at)).toEqual(['2010-11-06T02:30Z', '2010-11-07T02:30Z', '2010-11-08T03:30Z', '2010-11-09T03:30Z'])
    }
    // 01:00 to 00:00: the first of two midnights.
    expect(around('day', 'America/Havana', '2024-11-03T12:00Z').slice(1, 3)).toEqual(['2024-11-03T04:00Z', '2024-11-04T05:00Z'])
  })

  it('leave no empty day where a date was skipped', () => {
    expect(around('day', 'Pacific/Apia', '2011-12-30T09:59:59.999Z')).toEqual(['2011-12-28T10:00Z', '2011-12-29T10:00Z', '2011-12-30T10:00Z', '2011-12-31T10:00Z'])
    expect(around('day', 'Pacific/Apia', '2011-12-30T10:00Z')).toEqual(['2011-12-29T10:00Z', '2011-12-30T10:00Z', '2011-12-31T10:00Z', '2012-01-01T10:00Z'])
    expect(around('day', 'Pacific/Apia', '2011-12-31T12:00Z')).toEqual(['2011-12-30T10:00Z', '2011-12-31T10:00Z', '2012-01-01T10:00Z', '2012-01-02T10:00Z'])
  })
})

describe('the boundaries of weeks and months', () => {
  it('begin weeks on Monday, also before the epoch and across a skipped date', () => {
    expect(around('week', 'Europe/Berlin', '2024-03-31T21:59:59.999Z')).toEqual(['2024-03-17T23:00Z', '2024-03-24T23:00Z', '2024-03-31T22:00Z', '2024-04-07T22:00Z'])
    expect(around('week', 'UTC', '1970-01-01T00:00Z')).toEqual(['1969-12-22T00:00Z', '1969-12-29T00:00Z', '1970-01-05T00:00Z', '1970-01-12T00:00Z'])
    expect(around('week', 'Pacific/Apia', '2011-12-30T12:00Z')).toEqual(['2011-12-19T10:00Z', '2011-12-26T10:00Z', '2012-01-01T10:00Z', '2012-01-08T10:00Z'])
  })

  it('make months of 28 to 31 days, with the hour of a changed clock', () => {
    expect(around('month', 'Europe/Berlin', '2024-03-15T00:00Z')).toEqual(['2024-01-31T23:00Z', '2024-02-29T23:00Z', '2024-03-31T22:00Z', '2024-04-30T22:00Z'])
    expect(around('month', 'America/New_York', '2023-02-28T23:59Z')).toEqual(['2023-01-01T05:00Z', '2023-02-01T05:00Z', '2023-03-01T05:00Z', '2023-04-01T04:00Z'])
    expect(around('month', 'UTC', '1969-12-31T23:59Z')).toEqual(['1969-11-01T00:00Z', '1969-12-01T00:00Z', '1970-01-01T00:00Z', '1970-02-01T00:00Z'])
  })
})

describe('the boundaries of an hour', () => {
  it('strike with the local clock where it is off by a part of an hour', () => {
    expect(around('hour', 'Asia/Kolkata', '2024-01-01T00:00Z')).toEqual(['2023-12-31T22:30Z', '2023-12-31T23:30Z', '2024-01-01T00:30Z', '2024-01-01T01:30Z'])
    expect(around('hour', 'Asia/Kathmandu', '2024-01-01T00:15Z')).toEqual(['2023-12-31T23:15Z', '2024-01-01T00:15Z', '2024-01-01T01:15Z', '2024-01-01T02:15Z'])
  })

  it('count an hour that the clock shows twice as two, and make none of one it skips', () => {
    expect(around('hour', 'Europe/Berlin', '2024-10-27T01:00Z')).toEqual(['2024-10-27T00:00Z', '2024-10-27T01:00Z', '2024-10-27T02:00Z', '2024-10-27T03:00Z'])
    expect(around('hour', 'Europe/Berlin', '2024-03-31T01:00Z')).toEqual(['2024-03-31T00:00Z', '2024-03-31T01:00Z', '2024-03-31T02:00Z', '2024-03-31T03:00Z'])
  })

  it('make one of 90 minutes where the clock is put by half an hour, either way', () => {
    expect(around('hour', 'Australia/Lord_Howe', '2024-10-05T15:30Z')).toEqual(['2024-10-05T13:30Z', '2024-10-05T14:30Z', '2024-10-05T16:00Z', '2024-10-05T17:00Z'])
    expect(around('hour', 'Australia/Lord_Howe', '2024-04-06T14:00Z')).toEqual(['2024-04-06T13:00Z', '2024-04-06T14:00Z', '2024-04-06T15:30Z', '2024-04-06T16:30Z'])
  })

  it('make one of 30 minutes where the clock goes from the half hour to the full one', () => {
    expect(around('hour', 'Asia/Pyongyang', '2018-05-04T15:00Z')).toEqual(['2018-05-04T14:30Z', '2018-05-04T15:00Z', '2018-05-04T16:00Z', '2018-05-04T17:00Z'])
  })

  it('split what would be too long, and join what would be too short', () => {
    // 00:00 to 00:15.
    expect(around('hour', 'Asia/Kathmandu', '1985-12-31T18:30Z')).toEqual(['1985-12-31T17:30Z', '1985-12-31T18:30Z', '1985-12-31T19:15Z', '1985-12-31T20:15Z'])
    // From the time of the sun, 00:23:24 to 00:00: the clock strikes again so soon after.
    expect(around('hour', 'America/Mexico_City', '1922-01-01T07:00Z')).toEqual(['1922-01-01T05:36:36.000Z', '1922-01-01T06:36:36.000Z', '1922-01-01T08:00Z', '1922-01-01T09:00Z'])
    // 00:00 to 00:44:30.
    expect(around('hour', 'Africa/Monrovia', '1972-01-07T00:50Z').slice(0, 3)).toEqual(['1972-01-06T22:44:30.000Z', '1972-01-06T23:44:30.000Z', '1972-01-07T01:00Z'])
  })

  it('move on one by one through a change of the clock as they are from the start', () => {
    for (const zone of ['Australia/Lord_Howe', 'Asia/Pyongyang', 'America/Caracas', 'Asia/Kathmandu', 'Africa/Monrovia', 'Europe/Berlin']) {
      for (const change of [1972, 1985, 2007, 2015, 2016, 2018, 2024].flatMap(year => changes(zone, year))) {
        const calendar = new Calendar('hour', zone)
        let before = calendar.boundaries(change - 10 * HOUR)
        while (before[1] < change + 10 * HOUR) {
          const now = calendar.boundaries(before[2])
          expect([now[0], now[1], now[2]]).toEqual([before[1], before[2], before[3]])
          expect(now[2] - now[1]).toBeGreaterThanOrEqual(30 * MINUTE)
          expect(now[2] - now[1]).toBeLessThanOrEqual(90 * MINUTE)
          before = now
        }
      }
    }
  })
})

describe('in every zone', () => {
  it('an instant lies in its period, and the next period begins where it ends', () => {
    fc.assert(
      fc.property(asked, ([period, { zone, at }]) => {
        const own = new Calendar(period, zone).boundaries(at)
        const [previous, current, next, end] = own
        expect(own.every(Number.isSafeInteger)).toBe(true)
        expect(previous < current && current <= at && at < next && next < end).toBe(true)
        // Asked anew for each of them, and by one calendar that goes back and forth.
        const walker = new Calendar(period, zone)
        for (const calendar of [undefined, walker]) {
          const ask = (instant: number) => (calendar ?? new Calendar(period, zone)).boundaries(instant)
          expect(ask(current)).toEqual(own)
          expect(ask(next).slice(0, 3)).toEqual([current, next, end])
          expect(ask(next - 1)).toEqual(own)
          expect(ask(previous).slice(1)).toEqual([previous, current, next])
          expect(ask(end).slice(0, 2)).toEqual([next, end])
          expect(ask(current - 1).slice(1)).toEqual([previous, current, next])
        }
        expect([previous, current, next].map(start => walker.startOf(start))).toEqual([previous, current, next])
      }),
      { numRuns: 1_000 },
    )
  })

  it('a boundary is where the clock first shows the full hour, midnight, Monday or the 1st, or skips it', () => {
    fc.assert(
      fc.property(asked, ([period, { zone, at }]) => {
        for (const start of new Calendar(period, zone).boundaries(at)) {
          const shown = wall(zone, start)
          const date = new Date(shown)
          if (period === 'hour') {
            expect(shown % HOUR).toBe(0)
            continue
          }
          const midnight = Math.floor(shown / DAY) * DAY
          const first = period === 'day' ? midnight : period === 'week' ? midnight - ((date.getUTCDay() + 6) % 7) * DAY : Date.UTC(date.getUTCFullYear(), date.getUTCMonth())
          const justBefore = wall(zone, start - 1)
          expect(justBefore).toBeLessThan(first)
          if (shown !== first) expect(shown - justBefore).toBeGreaterThan(1)
          expect(shown).toBeGreaterThanOrEqual(first)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('no period is shorter or longer than a changed clock makes it', () => {
    // Antarctica/Vostok, 1994.
    const most = 7 * HOUR
    const bounds: Readonly<Record<Period, readonly [number, number]>> = { hour: [30 * MINUTE, 90 * MINUTE], day: [DAY - most, DAY + most], week: [6 * DAY - most, 7 * DAY + most], month: [28 * DAY - most, 31 * DAY + most] }
    fc.assert(
      fc.property(asked, ([period, { zone, at }]) => {
        const list = new Calendar(period, zone).boundaries(at)
        const [shortest, longest] = bounds[period]
        for (const [from, to] of [list.slice(0, 2), list.slice(1, 3), list.slice(2)] as [number, number][]) {
          expect(to - from).toBeGreaterThanOrEqual(shortest)
          expect(to - from).toBeLessThanOrEqual(longest)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('the cost of a look at the calendar', () => {
  it('is nothing inside a period: the same array, and nobody asks for the time zone', () => {
    fc.assert(
      fc.property(asked, fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { maxLength: 5 }), ([period, { zone, at }], shares) => {
        const calendar = new Calendar(period, zone)
        const own = calendar.boundaries(at)
        const [previous, current, next] = own
        const parts = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts')
        try {
          for (const instant of [current, next - 1, next - 0.5, ...shares.map(share => Math.min(next - 1, Math.floor(current + share * (next - current))))]) expect(calendar.boundaries(instant)).toBe(own)
          // A look at the neighbours does not make it forget.
          expect([calendar.startOf(previous), calendar.startOf(next), calendar.startOf(at)]).toEqual([previous, next, current])
          expect(calendar.boundaries(at)).toBe(own)
          expect(parts).not.toHaveBeenCalled()
        } finally {
          parts.mockRestore()
        }
      }),
    )
  })

  it('is a handful of questions where a period ends', () => {
    const parts = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts')
    try {
      for (const period of PERIODS) {
        const calendar = new Calendar(period, 'Europe/Berlin')
        let [, , next] = calendar.boundaries(Date.UTC(2024, 0, 15))
        for (let times = 0; times < 40; times++) {
          parts.mockClear()
          next = calendar.boundaries(next)[2]
          expect(parts.mock.calls.length).toBeLessThanOrEqual(4)
        }
      }
    } finally {
      parts.mockRestore()
    }
  })

  it('cannot be changed by who was told', () => {
    const told = new Calendar('day', 'UTC').boundaries(0)
    expect(() => (told as unknown as number[]).push(1)).toThrow(TypeError)
  })
})

describe('a calendar that cannot be', () => {
  const refused = (period: unknown, zone: unknown, message: RegExp) =>
    expect(() => new Calendar(period as Period, zone as string)).toThrow(expect.objectContaining({ code: 'invalid_config', message: expect.stringMatching(message) }))

  it('is refused for a period nobody knows', () => {
    refused('days', 'UTC', /"days".*Did you mean "day".*"month"/)
    refused('quarter', 'UTC', /"quarter".*hour, day, week, month/)
    refused(undefined, 'UTC', /"undefined"/)
    refused('toString', 'UTC', /"toString"/)
  })

  it('is refused for a zone nobody knows, with the one that was meant', () => {
    refused('day', 'Europe/Berln', /"Europe\/Berln".*Did you mean "Europe\/Berlin"/)
    refused('day', 'New York', /Did you mean "America\/New_York"/)
    refused('day', 'nowhere at all', /"nowhere at all".*such as "Europe\/Berlin"/)
  })

  it('is refused where the engine would take the zone of the machine, or take it on some versions only', () => {
    for (const zone of [undefined, null, '', '+02:00', '-0330', 2]) refused('day', zone, /^No time zone is named/)
  })

  it('is not refused for an old name of a zone, or another case', () => {
    for (const zone of ['Asia/Calcutta', 'Asia/Kolkata', 'europe/berlin', 'utc', 'CET', 'Etc/GMT-2', 'US/Pacific']) expect(new Calendar('day', zone).startOf(0)).toBeLessThanOrEqual(0)
  })
})
