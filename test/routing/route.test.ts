import { describe, expect, it } from 'vitest'
import { fallback, GatewayError, mirror, route, when } from '../../src/index.js'
import { flatten, type Mirrored } from '../../src/routing/flatten.js'
import type { Group } from '../../src/protocol/ports.js'
import { routeView, seededRandom } from '../../src/testing/index.js'
import { idsOf, thrownBy, unit } from './units.js'

const [a, b, c] = [unit('a'), unit('b'), unit('c')]
const order = (group: Group, options: Parameters<typeof routeView>[0] = {}) => idsOf(group.order(group.targets, routeView(options)))

describe('route', () => {
  it('gives the first rule that is met, and nobody after it', () => {
    const group = route(when(view => view.kind === 'stream', a), when(() => true, b), c)
    expect(order(group, { kind: 'stream' })).toEqual(['a'])
    expect(order(group)).toEqual(['b'])
  })

  it('gives the plain target to all others, and nobody where there is none', () => {
    expect(order(route(when(() => false, a), b))).toEqual(['b'])
    expect(order(route(when(() => false, a)))).toEqual([])
  })

  it('takes one target under several rules', () => {
    const group = route(when({ tags: 'x' }, a), when({ tags: 'y' }, b), a)
    expect(idsOf(group.targets)).toEqual(['a', 'b'])
    expect(order(group)).toEqual(['a'])
  })

  it.each<[string, Parameters<typeof when>[0], Parameters<typeof routeView>[0], Parameters<typeof routeView>[0]]>([
    ['tags, all of them', { tags: ['vip', 'eu'] }, { principal: { tags: ['eu', 'x', 'vip'] } }, { principal: { tags: ['vip'] } }],
    ['regions, one of them', { regions: ['eu', 'uk'] }, { metadata: { region: 'uk' } }, { metadata: { region: 'us' } }],
    ['no region', { regions: 'undefined' }, { metadata: { region: 'undefined' } }, {}],
    ['data policy asked for', { dataPolicy: 'no-training' }, { prefer: { dataPolicy: ['no-training', 'x'] } }, {}],
    ['principal', { principal: { team: ['ads', 'web'], user: 'ann' } }, { principal: { team: 'web', user: 'ann' } }, { principal: { team: 'web' } }],
    ['metadata', { metadata: { tier: 2, beta: true } }, { metadata: { tier: 2, beta: true, more: 1 } }, { metadata: { tier: '2', beta: true } }],
  ])('matches %s', (_title, condition, yes, no) => {
    const group = route(when(condition, a), b)
    expect(order(group, yes)).toEqual(['a'])
    expect(order(group, no)).toEqual(['b'])
  })

  it('refuses the call where a condition throws or does not tell', () => {
    const cause = new TypeError('no such field')
    const broken = route(when(() => { throw cause }, a), b)
    expect(thrownBy(() => order(broken))).toMatchObject({ code: 'refused', origin: 'gateway', cause })
    const late = route(when((() => Promise.resolve(false)) as never, a), b)
    expect(thrownBy(() => order(late)).message).toMatch(/has to tell at once/)
    const own = new GatewayError('refused', 'not on Sundays')
    expect(thrownBy(() => order(route(when(() => { throw own }, a), b)))).toBe(own)
  })

  it.each<[string, () => unknown, RegExp]>([
    ['a plain target before rules', () => route(a, when(() => true, b)), /Put it last/],
    ['no rule', () => route(), /at least one/],
    ['something else', () => route('a' as never), /when\(condition, target\)/],
    ['a rule without a target', () => when(() => true, undefined as never), /second/],
    ['an unknown condition', () => when({ tag: 'x' } as never, a), /Did you mean "tags"/],
    ['an empty condition', () => when({}, a), /empty condition/],
    ['a wrong type', () => when({ regions: [1] } as never, a), /list of texts/],
    ['an unknown person', () => when({ principal: { teem: 'x' } } as never, a), /Did you mean "team"/],
    ['an object to meet', () => when({ metadata: { a: {} } } as never, a), /give a function/],
  ])('is refused: %s', (_title, make, message) => {
    const error = thrownBy(make)
    expect(error.code).toBe('invalid_config')
    expect(error.message).toMatch(message)
  })
})

describe('mirror', () => {
  const shadowsOf = (group: Group, random = seededRandom(1)) => {
    const mirrored: Mirrored[] = []
    const line = flatten(group, routeView({ random }), { mirrored })
    return { ids: line.map(({ deployment }) => deployment.id), shadows: mirrored.flatMap(({ shadows }) => shadows) }
  }

  it('asks the main target alone, and copies the call', () => {
    const group = mirror(fallback(a, b), c)
    expect(shadowsOf(group)).toEqual({ ids: ['a', 'b'], shadows: [{ target: c, bill: false }] })
    expect(idsOf(group.targets)).toEqual(['fallback', 'c'])
  })

  it('says whose places it copies, and none where all of them were taken before it', () => {
    const mirrored: Mirrored[] = []
    flatten(fallback(a, mirror(b, c), mirror(a, unit('d'))), routeView(), { mirrored })
    expect(mirrored.map(({ places }) => places.map(({ deployment }) => deployment.id))).toEqual([['b'], []])
  })

  it('copies its share', () => {
    const random = seededRandom(8)
    const group = mirror(a, b, { share: 0.2, bill: true })
    let copies = 0
    for (let at = 0; at < 5_000; at++) copies += shadowsOf(group, random).shadows.length
    expect(Math.abs(copies - 1_000)).toBeLessThan(3 * Math.sqrt(5_000 * 0.2 * 0.8))
    expect(shadowsOf(mirror(a, b, { share: 0 })).shadows).toEqual([])
    expect(shadowsOf(group, () => 0).shadows).toEqual([{ target: b, bill: true }])
  })

  it.each<[string, () => unknown, RegExp]>([
    ['itself', () => mirror(a, a), /there already/],
    ['a share in percent', () => mirror(a, b, { share: 10 }), /from 0 to 1/],
    ['an unknown option', () => mirror(a, b, { shar: 1 } as never), /Did you mean "share"/],
    ['bill by name', () => mirror(a, b, { bill: 'yes' } as never), /true or false/],
  ])('refuses %s', (_title, make, message) => {
    expect(thrownBy(make)).toMatchObject({ code: 'invalid_config', message: expect.stringMatching(message) as string })
  })
})
