import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import { Cancel } from '../../src/resilience/cancel.js'
import { hedged, RetryBudget, type Side } from '../../src/resilience/hedge.js'
import { virtualClock } from '../../src/testing/clock.js'

class Answer {
  readonly ends: string[] = []
  constructor(readonly side: Side) {}
  end(outcome: string, fault?: GatewayError): void {
    this.ends.push(`${outcome} ${fault?.code ?? ''}`)
  }
}
/** When a side settles, and how; `declines` and `throws` are for the second alone. */
interface Course {
  readonly afterMs: number
  readonly how: 'commits' | 'fails'
}
interface Play {
  readonly first: Course
  readonly second: Course | 'declines' | 'throws'
  readonly delayMs: number
  readonly cancelMs: number | undefined
}

async function play({ first, second, delayMs, cancelMs }: Play) {
  const clock = virtualClock()
  const startMs = clock.now()
  const cancel = new Cancel()
  const answers: Answer[] = []
  const lost: Side[] = []
  const started: number[] = []
  let settledMs: number | undefined
  const side = (name: Side, { afterMs, how }: Course): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const settle = (): void => {
        if (how === 'fails') return reject(new GatewayError('overloaded', `${name} failed.`))
        const answer = new Answer(name)
        answers.push(answer)
        resolve(answer)
      }
      if (afterMs === 0) settle()
      else clock.after(afterMs, settle)
    })
  const next = (): Promise<Answer> | undefined => {
    started.push(clock.now() - startMs)
    if (second === 'throws') throw new Error('private')
    return second === 'declines' ? undefined : side('second', second)
  }
  if (cancelMs === 0) cancel.cancel(new GatewayError('aborted', 'The caller left.'))
  else if (cancelMs !== undefined) clock.after(cancelMs, () => cancel.cancel(new GatewayError('aborted', 'The caller left.')))
  const settled = (): void => {
    settledMs = clock.now() - startMs
  }
  const outcome = hedged(side('first', first), next, delayMs, clock, cancel, name => void lost.push(name)).then(
    winner => (settled(), { winner }),
    (error: GatewayError) => (settled(), { error }),
  )
  await clock.runUntilIdle()
  const { winner, error } = { winner: undefined, error: undefined, ...(await outcome) }
  return { winner, error, answers, lost, started, settledMs, pending: clock.pending, listening: cancel.listening }
}

const commits = (afterMs: number): Course => ({ afterMs, how: 'commits' })
const fails = (afterMs: number): Course => ({ afterMs, how: 'fails' })
const plain = { delayMs: 100, cancelMs: undefined }

describe('a hedge', () => {
  it('is not started where the first answers in time', async () => {
    const { winner, started, answers } = await play({ ...plain, first: commits(99), second: commits(1) })
    expect([winner?.side, started, answers[0]?.ends]).toEqual(['first', [], []])
  })

  it('that answers first wins, and the other is told at once and ended when it commits', async () => {
    const { winner, started, answers, lost, settledMs } = await play({ ...plain, first: commits(1_000), second: commits(50) })
    expect([winner?.side, settledMs, started, lost]).toEqual(['second', 150, [100], ['first']])
    expect(answers.map(({ side, ends }) => [side, ends])).toEqual([['second', []], ['first', ['neutral aborted']]])
  })

  it('that loses is ended', async () => {
    const { winner, answers, lost } = await play({ ...plain, first: commits(120), second: commits(50) })
    expect([winner?.side, lost, answers[1]?.ends]).toEqual(['first', ['second'], ['neutral aborted']])
  })

  it('is not there for a fault before the delay: that is for the walk', async () => {
    const { error, started, settledMs } = await play({ ...plain, first: fails(10), second: commits(1) })
    expect([error?.message, started, settledMs]).toEqual(['first failed.', [], 10])
  })

  it.each<[string, Course, Course, string]>([
    ['the first', fails(110), commits(50), 'second'],
    ['the second', commits(200), fails(5), 'first'],
  ])('saves a call from a fault of %s', async (_, first, second, winner) => {
    expect((await play({ ...plain, first, second })).winner?.side).toBe(winner)
  })

  it.each<[string, Course, Course]>([
    ['first to last', fails(110), fails(50)],
    ['last to first', fails(400), fails(50)],
  ])('where both fail (%s) fails as the first did', async (_, first, second) => {
    expect((await play({ ...plain, first, second })).error?.message).toBe('first failed.')
  })

  it.each(['declines', 'throws'] as const)('that %s leaves the first to it', async second => {
    expect((await play({ ...plain, first: commits(300), second })).winner?.side).toBe('first')
    expect((await play({ ...plain, first: fails(300), second })).error?.message).toBe('first failed.')
  })

  it('that was cancelled before it began starts nothing', async () => {
    const { error, started, answers } = await play({ ...plain, first: commits(300), second: commits(1), cancelMs: 0 })
    expect([error?.code, started, answers[0]?.ends]).toEqual(['aborted', [], ['neutral aborted']])
  })
})

test('whatever comes in whatever order there is one winner or one error, every loser is ended once, and nothing is left', async () => {
  const ms = fc.integer({ min: 0, max: 12 })
  const course: fc.Arbitrary<Course> = fc.record({ afterMs: ms, how: fc.constantFrom('commits' as const, 'fails' as const) })
  const plays: fc.Arbitrary<Play> = fc.record({ first: course, second: fc.oneof({ weight: 6, arbitrary: course }, fc.constantFrom('declines' as const, 'throws' as const)), delayMs: ms, cancelMs: fc.option(ms, { nil: undefined }) })
  await fc.assert(
    fc.asyncProperty(plays, async course => {
      const { winner, error, answers, lost, started, settledMs = NaN, pending, listening } = await play(course)
      expect([winner === undefined, pending, listening]).toEqual([error !== undefined, 0, 0])
      for (const answer of answers) expect(answer.ends).toEqual(answer === winner ? [] : ['neutral aborted'])
      expect(started.length).toBeLessThanOrEqual(1)
      expect(new Set(lost).size).toBe(lost.length)
      if (winner !== undefined) expect(lost).not.toContain(winner.side)
      if (course.cancelMs !== undefined) expect(settledMs).toBeLessThanOrEqual(course.cancelMs)
      if (error !== undefined && error.code !== 'aborted') expect(error.message).toBe('first failed.')
    }),
    { numRuns: 300 },
  )
})

describe('a retry budget', () => {
  it('starts with its burst, then gives one for each twenty calls', () => {
    const budget = new RetryBudget()
    const taken = (): number => {
      let count = 0
      while (budget.tryTake()) count++
      return count
    }
    expect(taken()).toBe(10)
    for (let call = 0; call < 19; call++) budget.deposit()
    expect(taken()).toBe(0)
    budget.deposit()
    expect(taken()).toBe(1)
    for (let call = 0; call < 100_000; call++) budget.deposit()
    expect(taken()).toBe(10)
    expect(budget.state).toEqual({ tokens: 0, taken: 21, refused: 4 })
  })

  it('gives one for ten tenths, which floating point makes a little less', () => {
    const budget = new RetryBudget({ ratio: 0.1, burst: 1 })
    budget.tryTake()
    for (let call = 0; call < 10; call++) budget.deposit()
    expect(budget.tryTake()).toBe(true)
  })

  it('never gives more than its burst and its share of the calls', () => {
    const settings = { ratio: fc.double({ min: 0, max: 1, noNaN: true }), burst: fc.integer({ min: 0, max: 20 }), calls: fc.array(fc.boolean(), { maxLength: 300 }) }
    fc.assert(
      fc.property(fc.record(settings), ({ ratio, burst, calls }) => {
        const budget = new RetryBudget({ ratio, burst })
        let deposits = 0
        let taken = 0
        for (const wants of calls) {
          budget.deposit()
          deposits++
          if (wants && budget.tryTake()) taken++
          expect(taken).toBeLessThanOrEqual(burst + ratio * deposits + 1e-6)
          expect(budget.state.tokens).toBeGreaterThanOrEqual(0)
          expect(budget.state.tokens).toBeLessThanOrEqual(burst)
        }
      }),
    )
  })
})
