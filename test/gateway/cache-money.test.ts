import { describe, expect, it } from 'vitest'
import { Gateway, type CallRecord } from '../../src/index.js'
import { scripted, seededRandom, virtualClock } from '../../src/testing/index.js'
import { leftovers } from '../compositions/left-behind.js'
import { witness } from './support.js'

/** Half a nano-dollar is in it: 37.5 an input token, 152.25 an output token. */
const PRICE = { input: 0.0375, output: 0.15225 }
const CALLS = 1_000
const QUESTIONS = 600

const inputOf = (question: number): number => 100 + 7 * question
const outputOf = (question: number): number => 10 + (question % 89)
const costOf = (question: number): number => Math.round(inputOf(question) * 37.5 + outputOf(question) * 152.25)
const sum = (records: readonly CallRecord[], of: (record: CallRecord) => number | null | undefined): number => records.reduce((all, record) => all + (of(record) ?? 0), 0)

/** Each question once, and 400 of them again, in an order of chance in which a repeat may also come first. */
function questions(seed: number): number[] {
  const die = seededRandom(seed)
  const list = Array.from({ length: CALLS }, (_, at) => (at < QUESTIONS ? at : Math.floor(die() * QUESTIONS)))
  for (let at = list.length - 1; at > 0; at--) {
    const other = Math.floor(die() * (at + 1))
    ;[list[at], list[other]] = [list[other] ?? 0, list[at] ?? 0]
  }
  return list
}

describe.each([
  ['one after the other', 1],
  ['fifty at once', 50],
  ['all at once', CALLS],
] as const)('a thousand calls with four hundred repeats, %s', (_, atOnce) => {
  it('bill the six hundred, to the nano-dollar, and name what the others saved', async () => {
    const target = scripted({
      id: 'd',
      price: PRICE,
      answers: (_, request) => {
        const question = Number(request.messages[0]?.content)
        return { text: `answer ${question}`, latencyMs: 5 + (question % 30), usage: { inputTokens: inputOf(question), outputTokens: outputOf(question) } }
      },
    })
    const [clock, seen] = [virtualClock(), witness()]
    const gateway = new Gateway({ routes: { smart: target }, clock, cache: true, plugins: [seen] })
    const list = questions(atOnce)
    const texts: string[] = []
    let next = 0
    // A question is asked one way only: a chat and a stream that run at the same time do not share a flight.
    const worker = async (): Promise<void> => {
      for (let at = next++; at < list.length; at = next++) {
        const question = list[at] ?? NaN
        const request = { model: 'smart', messages: `${question}` } as const
        const result = await (question % 3 === 0 ? (await gateway.stream(request)).result() : gateway.chat(request))
        texts[at] = result.text
      }
    }
    const working = Promise.all(Array.from({ length: atOnce }, worker))
    await clock.runUntilIdle(600_000)
    await working

    expect(texts).toEqual(list.map(question => `answer ${question}`))
    expect(target.calls).toHaveLength(QUESTIONS)
    const { records } = seen
    const due = Array.from({ length: QUESTIONS }, (_, question) => costOf(question)).reduce((a, b) => a + b)
    const asIfAsked = list.reduce((all, question) => all + costOf(question), 0)
    expect([records.length, records.filter(({ cached }) => cached !== undefined).length]).toEqual([CALLS, CALLS - QUESTIONS])
    expect(sum(records, ({ costNanos }) => costNanos)).toBe(due)
    expect(sum(records, ({ savedNanos }) => savedNanos)).toBe(asIfAsked - due)
    expect(records.flatMap(({ attempts }) => attempts).reduce((all, { costNanos = 0 }) => all + costNanos, 0)).toBe(due)
    expect(gateway.health().cache).toMatchObject({ kept: QUESTIONS, failures: 0 })
    expect(leftovers({ gateway, clock, deployments: [target] })).toEqual({})
  })
})
