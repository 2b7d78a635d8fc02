import { describe, expect, it } from 'vitest'
import { Gateway, keyvCache, type CacheOptions, type EmbedRequest } from '../../src/index.js'
import { scripted, virtualClock, type ScriptedOptions } from '../../src/testing/index.js'
import { leftovers } from '../compositions/left-behind.js'
import { thrown, witness } from './support.js'

const PRICE = { input: 1, output: 2 }

function scene({ answers = '', embed = {}, cache = true }: { answers?: ScriptedOptions['answers']; embed?: NonNullable<ScriptedOptions['embed']>; cache?: boolean | CacheOptions } = {}) {
  const deployment = scripted({ id: 'd', provider: 'p', model: 'vec', price: PRICE, answers, embed })
  const [clock, seen] = [virtualClock(), witness()]
  const gateway = new Gateway({ routes: { v: deployment }, clock, cache, retry: { attempts: 1 }, plugins: [seen] })
  return {
    clock, deployment, gateway, records: seen.records,
    embed: (input: EmbedRequest['input'] = ['abcd', 'ef'], more: Partial<EmbedRequest> = {}) => gateway.embed({ model: 'v', input, ...more } as never),
    nothingLeft: () => expect(leftovers({ gateway, clock, deployments: [deployment] })).toEqual({}),
  }
}
const numbers = (embeddings: readonly Float32Array[]): number[][] => embeddings.map(vector => [...vector])

describe('a cache', () => {
  it('gives the same texts the same vectors, bit for bit, and asks nobody', async () => {
    const odd = [0.1, -1e-38, 3.4e38, -0]
    const t = scene({ embed: { vector: () => odd } })
    const first = await t.embed()
    const second = await t.embed()
    expect(numbers(second.embeddings)).toEqual([odd.map(Math.fround), odd.map(Math.fround)])
    expect([first.cached, second.cached, second.cost.nanos, second.cost.saved]).toEqual([false, 'hit', 0, 2e-6])
    expect(second).toMatchObject({ usage: first.usage, deployment: 'd', provider: 'p', model: 'test' in first ? '' : first.model })
    expect(t.deployment.calls).toHaveLength(1)
    t.nothingLeft()
  })

  it('keeps a call whole, over all its batches', async () => {
    const t = scene({ embed: { maxInputs: 1 } })
    await t.embed(['a', 'bb', 'ccc'])
    const { embeddings, cached } = await t.embed(['a', 'bb', 'ccc'])
    expect([cached, embeddings.map(([length]) => length)]).toEqual(['hit', [1, 2, 3]])
    expect(t.deployment.calls).toHaveLength(3)
  })

  it.each([['other texts', { input: ['abcd'] }], ['another order', { input: ['ef', 'abcd'] }], ['other dimensions', { dimensions: 3 }], ['another input type', { inputType: 'query' }], ['anyModel', { anyModel: true }]] as const)('asks anew for %s', async (_, more) => {
    const t = scene()
    await t.embed()
    await t.gateway.embed({ model: 'v', input: ['abcd', 'ef'], ...more })
    expect(t.deployment.calls).toHaveLength(2)
  })

  it('gives no answer of a chat to a call for embeddings', async () => {
    const t = scene({ answers: 'Hello' })
    await t.gateway.chat({ model: 'v', messages: 'abcd', maxOutputTokens: 1 })
    expect((await t.embed('abcd')).cached).toBe(false)
  })

  it('in a store of somebody else keeps vectors as text', async () => {
    const map = new Map<string, unknown>()
    const t = scene({ cache: { store: keyvCache({ get: key => map.get(key), set: (key, value) => map.set(key, value), delete: key => map.delete(key), clear: () => map.clear() }) } })
    await t.embed()
    await t.gateway.flush()
    expect(numbers((await t.embed()).embeddings)).toEqual([[4, 97, 1], [2, 101, 1]])
    expect([...map.values()].every(value => typeof value === 'string')).toBe(true)
    // What another program wrote there is a miss.
    for (const key of map.keys()) map.set(key, '{"version":1,"storedAtMs":0,"batches":[[0,"{\\"type\\":\\"embedding\\",\\"index\\":0,\\"vector\\":\\"%%\\"}"]]}')
    expect((await t.embed()).cached).toBe(false)
  })
})

describe('identical calls at once', () => {
  it('are one request, and each has vectors of its own to change', async () => {
    const t = scene({ answers: { latencyMs: 10 } })
    const work = Promise.all(Array.from({ length: 5 }, () => t.embed()))
    await t.clock.runUntilIdle()
    const results = await work
    expect(t.deployment.calls).toHaveLength(1)
    expect(results.map(({ cached }) => cached).sort()).toEqual([false, 'joined', 'joined', 'joined', 'joined'].sort())
    results[0]?.embeddings[0]?.fill(0)
    for (const { embeddings } of results.slice(1)) expect([...(embeddings[0] ?? [])]).toEqual([4, 97, 1])
    expect([...((await t.embed()).embeddings[0] ?? [])]).toEqual([4, 97, 1])
    expect(t.records.reduce((sum, { costNanos }) => sum + (costNanos ?? 0), 0)).toBe(2_000)
    t.nothingLeft()
  })

  it('fail together, and who leaves does not end the others', async () => {
    const t = scene({ answers: [{ fail: { status: 400 }, latencyMs: 10 }, { latencyMs: 10 }], embed: { maxInputs: 1 } })
    const failing = Promise.all([thrown(() => t.embed()), thrown(() => t.embed())])
    await t.clock.runUntilIdle()
    expect((await failing).map(({ code }) => code)).toEqual(['invalid_request', 'invalid_request'])
    const abort = new AbortController()
    const left = thrown(() => t.gateway.embed({ model: 'v', input: 'abcd' }, { signal: abort.signal }))
    const stays = t.embed('abcd')
    await t.clock.advance(1)
    abort.abort()
    await t.clock.runUntilIdle()
    expect((await left).code).toBe('aborted')
    expect((await stays).embeddings).toHaveLength(1)
    t.nothingLeft()
  })
})
