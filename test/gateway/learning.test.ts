import { describe, expect, it } from 'vitest'
import { fallback, Gateway, type CallRecord, type Deployment, type Group, type Report, type RouteConfig } from '../../src/index.js'
import { scripted, virtualClock } from '../../src/testing/index.js'
import { expectNothingLeft } from '../compositions/left-behind.js'
import { thrown, witness } from './support.js'

const ASK = { model: 'smart', messages: 'Hi' } as const
const isReport = (about: CallRecord | Report): about is Report => 'score' in about

/** A strategy that writes down what it is told, and asks first whom its preparation names. */
function taught(targets: readonly Deployment[], prepare: () => Promise<unknown> = () => Promise.resolve(undefined)) {
  const told: (CallRecord | Report)[] = []
  const prepared: unknown[] = []
  const group: Group = {
    kind: 'group',
    strategy: 'taught',
    targets,
    prepare,
    order(given, view) {
      prepared.push(view.prepared)
      return [...given].sort((one, other) => Number((other as Deployment).id === view.prepared) - Number((one as Deployment).id === view.prepared))
    },
    learn: about => void told.push(about),
  }
  return { group, told, prepared, reports: () => told.filter(isReport), records: () => told.filter(about => !isReport(about)) as CallRecord[] }
}

function scene(target: RouteConfig) {
  const clock = virtualClock()
  const seen = witness()
  const gateway = new Gateway({ clock, plugins: [seen], routes: { smart: target, other: scripted({ id: 'other', answers: 'other' }) } })
  return { clock, gateway, seen: seen.records, nothingLeft: () => expectNothingLeft({ gateway, clock }) }
}

describe('a strategy that learns', () => {
  const pair = () => [scripted({ id: 'a', answers: 'a' }), scripted({ id: 'b', answers: 'b' })]

  it('is given what it prepared, call by call', async () => {
    const names = ['b', 'a', 'b']
    const strategy = taught(pair(), () => Promise.resolve(names.shift()))
    const at = scene(strategy.group)
    const by: string[] = []
    for (let call = 0; call < 3; call++) by.push((await at.gateway.chat(ASK)).deployment)
    expect([by, strategy.prepared]).toEqual([['b', 'a', 'b'], ['b', 'a', 'b']])
    await at.nothingLeft()
  })

  it('that fails to prepare still orders, without it', async () => {
    const strategy = taught(pair(), () => Promise.reject(new Error('no model')))
    const at = scene(strategy.group)
    expect([(await at.gateway.chat(ASK)).deployment, strategy.prepared]).toEqual(['a', [undefined]])
    await at.nothingLeft()
  })

  it('that hangs in preparation ends with the deadline of the call, and asks nobody', async () => {
    const targets = pair()
    const at = scene(taught(targets, () => new Promise(() => undefined)).group)
    const error = thrown(() => at.gateway.chat(ASK, { deadlines: { totalMs: 1_000 } }))
    await at.clock.advance(1_000)
    expect(await error).toMatchObject({ code: 'timeout', deadline: 'total' })
    expect(targets.every(({ calls }) => calls.length === 0)).toBe(true)
    await at.nothingLeft()
  })

  it('that hangs in preparation is left by an abort at once', async () => {
    const at = scene(taught(pair(), () => new Promise(() => undefined)).group)
    const caller = new AbortController()
    const error = thrown(() => at.gateway.chat(ASK, { signal: caller.signal }))
    await at.clock.advance(10)
    caller.abort()
    expect((await error).code).toBe('aborted')
    await at.nothingLeft()
  })

  it('sees the record of each of its calls, as the observers do, and of no other', async () => {
    const strategy = taught(pair())
    const at = scene(fallback(strategy.group))
    await at.gateway.chat(ASK)
    await at.gateway.chat({ model: 'other', messages: 'Hi' })
    await (await at.gateway.stream(ASK)).result()
    expect(strategy.told).toEqual(at.seen.filter(({ model }) => model === 'smart'))
    expect(strategy.told.every(about => Object.isFrozen(about))).toBe(true)
    await at.nothingLeft()
  })

  it('sees calls that failed or were aborted, too', async () => {
    const strategy = taught([scripted({ id: 'a', answers: { fail: { status: 400 } } })])
    const at = scene(strategy.group)
    await thrown(() => at.gateway.chat(ASK))
    await thrown(() => at.gateway.chat(ASK, { signal: AbortSignal.abort() }))
    expect(strategy.records().map(({ outcome }) => outcome)).toContain('failure')
    await at.nothingLeft()
  })

  it('is told the scores that the application reports, each with its record', async () => {
    const strategy = taught(pair())
    const at = scene(strategy.group)
    const [one, two] = [await at.gateway.chat(ASK), await at.gateway.chat(ASK)]
    expect(at.gateway.report(two.id, { score: 1 })).toBe(true)
    expect(at.gateway.report(one.id, { score: 0 })).toBe(true)
    expect(at.gateway.report(one.id, { score: 0.5 })).toBe(true)
    expect(strategy.reports().map(({ id, score, record }) => [id, score, record.id])).toEqual([[two.id, 1, two.id], [one.id, 0, one.id], [one.id, 0.5, one.id]])
    await at.nothingLeft()
  })

  it('is not told of a call nobody knows, nor of one whose route does not learn', async () => {
    const strategy = taught(pair())
    const at = scene(strategy.group)
    expect(at.gateway.report('call_0', { score: 1 })).toBe(false)
    const { id } = await at.gateway.chat({ model: 'other', messages: 'Hi' })
    expect([at.gateway.report('call_0', { score: 1 }), at.gateway.report(id, { score: 1 }), at.gateway.report('constructor', { score: 1 })]).toEqual([false, false, false])
    expect(strategy.reports()).toEqual([])
    await at.nothingLeft()
  })

  it.each([NaN, Infinity, '1', undefined, null])('a score of %s is refused with a typed error, whether or not the call is known', async score => {
    const strategy = taught(pair())
    const at = scene(strategy.group)
    const { id } = await at.gateway.chat(ASK)
    for (const of of [id, 'call_0']) expect((await thrown(() => at.gateway.report(of, { score } as never))).code).toBe('invalid_request')
    expect(strategy.reports()).toEqual([])
    await at.nothingLeft()
  })

  it('that throws while it learns fails no call and keeps the next strategy from nothing', async () => {
    const [first, second] = [taught(pair()), taught([scripted({ id: 'c', answers: 'c' })])]
    const at = scene(fallback({ ...first.group, learn: () => { throw new Error('broken') } }, second.group))
    const { id, text } = await at.gateway.chat(ASK)
    expect([text, second.records().map(record => record.id), at.gateway.report(id, { score: 1 }), second.reports().length]).toEqual(['a', [id], true, 1])
    await at.nothingLeft()
  })

  it('can be reported to for the last ten thousand calls, and forgets what came before', async () => {
    const strategy = taught(pair())
    const at = scene(strategy.group)
    const first = await at.gateway.chat(ASK)
    let last = first
    for (let call = 0; call < 10_000; call++) last = await at.gateway.chat(ASK)
    expect([at.gateway.report(first.id, { score: 1 }), at.gateway.report(last.id, { score: 1 })]).toEqual([false, true])
    await at.nothingLeft()
  })
})
