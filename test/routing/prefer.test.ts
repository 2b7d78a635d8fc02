import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Candidate, Deployment, DeploymentStats, Prefer, RouteView } from '../../src/protocol/ports.js'
import type { UpstreamRequest } from '../../src/protocol/request.js'
import { applyPrefer, validatePrefer } from '../../src/routing/prefer.js'
import { routeView } from '../../src/testing/index.js'
import { measured, thrownBy, unit } from './units.js'

const a = unit('a', { provider: 'one', model: 'x', price: { input: 1, output: 1 }, dataPolicy: ['no-training', 'zero-retention'] })
const b = unit('b', { provider: 'two', model: 'y', price: { input: 5, output: 5 }, dataPolicy: ['no-training'] })
const c = unit('c', { provider: 'two', model: 'x', price: { input: 0, output: 0 } })
const d = unit('d', { provider: 'three', model: 'z' })
const line: readonly Candidate[] = [a, b, c, d].map(deployment => ({ deployment }))

function apply(prefer: Prefer, more: Partial<RouteView> = {}, candidates = line, isHealthy?: (deployment: Deployment) => boolean) {
  const { candidates: kept, excluded } = applyPrefer(candidates, routeView({ ...more, prefer }), isHealthy)
  return { kept: kept.map(({ deployment }) => deployment.id).join(''), excluded: Object.fromEntries(excluded.map(({ deployment, reason }) => [deployment, reason])) }
}
const stats = (known: Readonly<Record<string, Partial<DeploymentStats>>>) => ({ stats: measured(known) })

describe('without a preference', () => {
  it('the line is the one that was given', () => {
    expect(applyPrefer(line, routeView()).candidates).toBe(line)
  })
})

describe('some are left out, with a reason', () => {
  it.each<[string, Prefer, string]>([
    ['only, by id', { only: ['b'] }, 'b'],
    ['only, by provider', { only: ['two'] }, 'bc'],
    ['only, by provider and model', { only: ['two/x', 'd'] }, 'cd'],
    ['ignore', { ignore: ['two/x', 'one'] }, 'bd'],
    ['one promise', { dataPolicy: 'no-training' }, 'ab'],
    ['all promises', { dataPolicy: ['no-training', 'zero-retention'] }, 'a'],
    ['a price, where an unknown one is not cheap', { maxPrice: 0.0015 }, 'ac'],
    ['a price of nothing', { maxPrice: 0 }, 'c'],
    ['nothing', {}, 'abcd'],
  ])('%s', (_title, prefer, kept) => {
    const found = apply(prefer)
    expect(found.kept).toBe(kept)
    expect(Object.keys(found.excluded).join('') + kept).toHaveLength(4)
  })

  it('says why', () => {
    expect(apply({ only: ['a', 'd'], ignore: ['a'] }).excluded).toMatchObject({ a: 'prefer.ignore names it', b: 'it is not among prefer.only' })
    expect(apply({ maxPrice: 0.001 }).excluded).toMatchObject({ b: 'it is expected to cost $0.00750, more than prefer.maxPrice', d: 'its price is not known (prefer.maxPrice)' })
    expect(apply({ dataPolicy: 'zero-retention' }).excluded['b']).toBe('it does not promise "zero-retention" (prefer.dataPolicy)')
  })

  it.each<[string, UpstreamRequest, Deployment['capabilities'], boolean]>([
    ['tools', { messages: [], tools: [{ name: 't', inputSchema: {} }] }, { tools: true }, true],
    ['tools, unknown', { messages: [], tools: [{ name: 't', inputSchema: {} }] }, {}, false],
    ['a schema', { messages: [], output: { name: 'o', jsonSchema: {} } }, { jsonSchema: true, tools: false }, true],
    ['a schema, not', { messages: [], output: { name: 'o', jsonSchema: {} } }, { jsonSchema: false }, false],
    ['an image', { messages: [{ role: 'user', content: [{ type: 'image', image: 'https://x.example/i.png' }] }] }, { files: true }, false],
    ['a file', { messages: [{ role: 'user', content: [{ type: 'file', data: 'AA==', mediaType: 'application/pdf' }] }] }, { files: true }, true],
    ['a sound', { messages: [{ role: 'user', content: [{ type: 'audio', data: 'AA==', format: 'wav' }] }] }, { audio: true }, true],
    ['reasoning', { messages: [], reasoning: { effort: 'high' } }, {}, false],
    ['no reasoning', { messages: [], reasoning: { effort: 'none' } }, {}, true],
    ['nothing special', { messages: [{ role: 'user', content: 'Hello' }] }, {}, true],
  ])('requireParameters: %s', (_title, request, capabilities, stays) => {
    const candidates = [{ deployment: unit('x', { capabilities }) }]
    expect(apply({ requireParameters: true }, { request }, candidates).kept).toBe(stays ? 'x' : '')
    expect(apply({ requireParameters: false }, { request }, candidates).kept).toBe('x')
  })
})

describe('the order of those who stay', () => {
  const known = stats({ a: { firstEventMs: 900, perTokenMs: 5 }, b: { firstEventMs: 200, perTokenMs: 50 }, c: { firstEventMs: 400 } })

  it.each<[string, Prefer, string]>([
    ['order, the others follow', { order: ['d', 'two'] }, 'dbca'],
    ['order by several names of one', { order: ['two/x', 'two', 'nobody'] }, 'cbad'],
    ['sort by price, unknown last', { sort: 'price' }, 'cabd'],
    ['sort by latency', { sort: 'latency' }, 'bcad'],
    ['sort by throughput', { sort: 'throughput' }, 'abcd'],
    ['order before sort', { order: ['d'], sort: 'price' }, 'dcab'],
    ['slow ones last, unknown ones are not slow', { maxLatencyMs: 300 }, 'bdac'],
    ['few tokens a second', { minThroughput: 100 }, 'acdb'],
    ['slow even where named first', { order: ['a'], maxLatencyMs: 500 }, 'bcda'],
    ['left out and sorted', { ignore: ['c'], sort: 'price' }, 'abd'],
  ])('%s', (_title, prefer, kept) => {
    expect(apply(prefer, known).kept).toBe(kept)
  })

  it('never fails a request because everyone is slow', () => {
    expect(apply({ maxLatencyMs: 1, minThroughput: 1e9 }, known).kept).toBe('dabc')
  })

  it('puts those who are not well behind all', () => {
    expect(apply({ order: ['b'] }, known, line, ({ id }) => id !== 'b').kept).toBe('acdb')
  })

  it('keeps a conditional candidate behind the one it follows, with its condition', () => {
    const onlyAfter = ['context_length'] as const
    const chain: readonly Candidate[] = [{ deployment: a, onlyAfter }, { deployment: b }, { deployment: d, onlyAfter }, { deployment: c, note: { variant: 'v' } }]
    const { candidates } = applyPrefer(chain, routeView({ prefer: { sort: 'price' } }))
    expect(candidates).toEqual([chain[0], chain[3], chain[1], chain[2]])
  })

  it('loses and invents nobody', () => {
    const wishes = fc.record<Prefer>({ order: fc.subarray(['a', 'two', 'three/z']), sort: fc.constantFrom('price' as const, 'latency' as const, 'throughput' as const), maxLatencyMs: fc.nat(1_000), minThroughput: fc.nat(300), ignore: fc.subarray(['a', 'two/x']), maxPrice: fc.constantFrom(0, 0.002, 1) }, { requiredKeys: [] })
    fc.assert(
      fc.property(wishes, fc.shuffledSubarray([...line]), (prefer, candidates) => {
        const { candidates: kept, excluded } = applyPrefer(candidates, routeView({ ...known, prefer }))
        expect([...kept.map(({ deployment }) => deployment.id), ...excluded.map(({ deployment }) => deployment)].sort()).toEqual(candidates.map(({ deployment }) => deployment.id).sort())
      }),
    )
  })
})

describe('a preference nobody knows is an error', () => {
  it.each<[string, unknown, RegExp]>([
    ['a wrong name', { maxLatency: 5 }, /Did you mean "maxLatencyMs"/],
    ['no object', 'price', /must be an object/],
    ['a wrong sort', { sort: 'prise' }, /Did you mean "price"/],
    ['a list of numbers', { order: [1] }, /prefer.order must be a list/],
    ['a text for a list', { only: 'a' }, /prefer.only must be a list/],
    ['a negative price', { maxPrice: -1 }, /US dollars, 0 or more/],
    ['no number', { minThroughput: NaN }, /tokens per second/],
    ['yes for true', { requireParameters: 'yes' }, /true or false/],
    ['an empty promise', { dataPolicy: '' }, /a text or a list/],
  ])('%s', (_title, prefer, message) => {
    expect(thrownBy(() => validatePrefer(prefer))).toMatchObject({ code: 'invalid_request', origin: 'caller', message: expect.stringMatching(message) as string })
  })

  it('and every known one passes', () => {
    expect(() => validatePrefer({ order: ['a'], only: [], ignore: ['b'], sort: 'latency', maxPrice: 0, minThroughput: 1, maxLatencyMs: 1, requireParameters: true, dataPolicy: ['x'] })).not.toThrow()
    expect(() => validatePrefer({ sort: undefined, dataPolicy: 'x' })).not.toThrow()
  })
})
