import { describe, expect, it } from 'vitest'
import { Gateway, mirror, type Group, type Plugin } from '../../src/index.js'
import { scripted, virtualClock, type VirtualClock } from '../../src/testing/index.js'
import { leftovers } from '../compositions/left-behind.js'
import { ask } from './cache-scene.js'
import { witness } from './support.js'

const PRICE = { input: 1, output: 1 }
const gone = (work: Promise<{ readonly text: string }>): Promise<string> => work.then(({ text }) => text, (error: { readonly code: string }) => error.code)

/** A strategy that thinks for 100 ms before it orders. */
const pondering = (clock: VirtualClock, target: ReturnType<typeof scripted>): Group & { readonly asked: string[] } => {
  const asked: string[] = []
  return {
    kind: 'group',
    strategy: 'pondering',
    targets: [target],
    asked,
    order: targets => targets,
    prepare: request => {
      asked.push(String(request.messages[0]?.content))
      return new Promise(resolve => void clock.after(100, () => resolve(undefined)))
    },
  }
}

describe('a caller who leaves while its call is planned', () => {
  function scene(plugins: readonly Plugin[] = []) {
    const clock = virtualClock()
    const target = scripted({ id: 'd', price: PRICE, answers: { text: 'Hello', latencyMs: 50 } })
    const group = pondering(clock, target)
    const seen = witness()
    const gateway = new Gateway({ routes: { smart: group }, clock, cache: true, plugins: [seen, ...plugins] })
    return { clock, target, group, gateway, records: seen.records, nothingLeft: () => expect(leftovers({ gateway, clock, deployments: [target] })).toEqual({}) }
  }

  it.each([1, 2, 4])('leaves it to the next of those who wait: %i of five leave', async leaving => {
    const { clock, target, group, gateway, records, nothingLeft } = scene()
    const aborts = Array.from({ length: 5 }, () => new AbortController())
    const calls = aborts.map(({ signal }) => gone(gateway.chat(ask(), { signal })))
    for (const abort of aborts.slice(0, leaving)) {
      await clock.advance(50)
      abort.abort()
    }
    await clock.runUntilIdle()
    expect(await Promise.all(calls)).toEqual(aborts.map((_, at) => (at < leaving ? 'aborted' : 'Hello')))
    expect([target.calls.length, group.asked.length]).toEqual([1, leaving + 1])
    expect(records.filter(({ costNanos }) => (costNanos ?? NaN) > 0)).toHaveLength(1)
    nothingLeft()
  })

  it('asks nobody where none is left', async () => {
    const { clock, target, gateway, nothingLeft } = scene()
    const aborts = [new AbortController(), new AbortController()]
    const calls = aborts.map(({ signal }) => gone(gateway.stream(ask(), { signal }).then(stream => stream.result())))
    await clock.advance(50)
    for (const abort of aborts) abort.abort()
    await clock.runUntilIdle()
    expect([await Promise.all(calls), target.calls.length]).toEqual([['aborted', 'aborted'], 0])
    nothingLeft()
    const again = gateway.chat(ask())
    await clock.runUntilIdle()
    expect((await again).text).toBe('Hello')
  })
})

it('an answer from the cache, or a joined one, is not mirrored again', async () => {
  const [main, copy] = [scripted({ id: 'main', price: PRICE, answers: { text: 'Hello', latencyMs: 10 } }), scripted({ id: 'copy', price: PRICE, answers: 'copied' })]
  const clock = virtualClock()
  const gateway = new Gateway({ routes: { smart: mirror(main, copy) }, clock, cache: true })
  const calls = [1, 2, 3].map(() => gateway.chat(ask()))
  await clock.runUntilIdle()
  await Promise.all(calls)
  expect((await gateway.chat(ask())).cached).toBe('hit')
  await clock.runUntilIdle()
  expect([main.calls.length, copy.calls.length, gateway.health().shadows]).toEqual([1, 1, 0])
})
