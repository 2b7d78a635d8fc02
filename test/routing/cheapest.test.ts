import { describe, expect, it } from 'vitest'
import { balanced, cheapest, fallback, mirror, weighted } from '../../src/index.js'
import { routeView, seededRandom } from '../../src/testing/index.js'
import { idsOf, priced, thrownBy, unit } from './units.js'

const free = priced('free', 0)
const low = priced('low', 1)
const high = priced('high', 3)
const unknown = unit('unknown')
const order = (group: ReturnType<typeof cheapest>, options: Parameters<typeof routeView>[0] = {}) => idsOf(group.order(group.targets, routeView(options)))

describe('cheapest', () => {
  it('goes by the expected cost; 0 is a price, and what is unknown is not cheap', () => {
    expect(order(cheapest(unknown, high, free, low))).toEqual(['free', 'low', 'high', 'unknown'])
  })

  it('asks what this request costs, not what a unit costs', () => {
    const longPrompts = unit('long prompts', { price: { input: 1, output: 20 } })
    const longAnswers = unit('long answers', { price: { input: 9, output: 2 } })
    const cost = (input: number, output: number) => ({ cost: ({ price }: typeof low) => price && input * price.input + output * price.output })
    const group = cheapest(longPrompts, longAnswers)
    expect(order(group, cost(9_000, 100))[0]).toBe('long prompts')
    expect(order(group, cost(100, 9_000))[0]).toBe('long answers')
  })

  it('keeps the order of equals, and of those without a price', () => {
    expect(order(cheapest(priced('x', 2), priced('y', 2), priced('z', 2)))).toEqual(['x', 'y', 'z'])
    expect(order(cheapest(unit('x'), unit('y')), { cost: () => NaN })).toEqual(['x', 'y'])
  })

  it('prices a chain by its first deployment, what is mirrored by who answers, and others by their cheapest', () => {
    expect(order(cheapest(low, fallback(high, free)))).toEqual(['low', 'fallback'])
    expect(order(cheapest(low, mirror(high, free)))).toEqual(['low', 'mirror'])
    expect(order(cheapest(low, weighted([high, 1], [free, 1])))).toEqual(['weighted', 'low'])
    expect(order(cheapest(low, fallback({ use: free, only: ['context_length'] }, high)))).toEqual(['low', 'fallback'])
  })

  it('refuses what is no target', () => {
    expect(thrownBy(() => cheapest())).toMatchObject({ code: 'invalid_config' })
    expect(thrownBy(() => cheapest(low, low))).toMatchObject({ code: 'invalid_config' })
    expect(thrownBy(() => balanced('low' as never)).message).toMatch(/Make one with a factory/)
  })
})

describe('balanced', () => {
  it('draws by 1 / cost²', () => {
    const group = balanced(low, high)
    const view = routeView({ random: seededRandom(3) })
    let hits = 0
    for (let at = 0; at < 20_000; at++) if (group.order(group.targets, view)[0] === low) hits++
    expect(Math.abs(hits - 18_000)).toBeLessThan(3 * Math.sqrt(20_000 * 0.9 * 0.1))
  })

  it('puts what is free first and what has no price last, each kind by lot', () => {
    const group = balanced(unknown, low, free, unit('other'), priced('gift', 0), high)
    const seen = Array.from({ length: 60 }, (_, seed) => order(group, { random: seededRandom(seed) }))
    for (const line of seen) {
      expect(line.slice(0, 2).sort()).toEqual(['free', 'gift'])
      expect(line.slice(4).sort()).toEqual(['other', 'unknown'])
    }
    expect(new Set(seen.map(([first]) => first)).size).toBe(2)
    expect(new Set(seen.map(line => line[4])).size).toBe(2)
  })

  it('bears the ends of chance and of prices', () => {
    for (const random of [() => 0, () => 1 - 2 ** -32]) expect(order(balanced(priced('a', 1e200), low, unknown, free), { random, cost: ({ price }) => price?.input }).sort()).toEqual(['a', 'free', 'low', 'unknown'])
  })
})
