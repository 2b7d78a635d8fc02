import { describe, expect, it } from 'vitest'
import { fallback, fastest, weighted } from '../../src/index.js'
import type { DeploymentStats, RouteView } from '../../src/protocol/ports.js'
import { routeView, seededRandom } from '../../src/testing/index.js'
import { idsOf, measured, thrownBy, unit } from './units.js'

const [a, b, c] = [unit('a'), unit('b'), unit('c')]
type Group = ReturnType<typeof fastest>
const order = (group: Group, known: Readonly<Record<string, Partial<DeploymentStats>>> = {}, options: Partial<RouteView> = {}) => idsOf(group.order(group.targets, routeView({ stats: measured(known), ...options })))

describe('fastest', () => {
  it('goes by the typical time to the first event', () => {
    expect(order(fastest(a, b, c), { a: { firstEventMs: 300 }, b: { firstEventMs: 100 }, c: { firstEventMs: 200 } })).toEqual(['b', 'c', 'a'])
  })

  it('tries those nobody knows, as if they took 50 ms', () => {
    expect(order(fastest(a, b, c), { a: { firstEventMs: 51 }, c: { firstEventMs: 49 } })).toEqual(['c', 'b', 'a'])
  })

  it('counts each open attempt once more, and an eighth where latency does not depend on us', () => {
    expect(order(fastest(a, b), { a: { firstEventMs: 100, inFlight: 1 }, b: { firstEventMs: 199 } })).toEqual(['b', 'a'])
    expect(order(fastest(a, b), { a: { firstEventMs: 100, inFlight: 1 }, b: { firstEventMs: 201 } })).toEqual(['a', 'b'])
    const managed = unit('a', { managed: true })
    expect(order(fastest(managed, b), { a: { firstEventMs: 100, inFlight: 8 }, b: { firstEventMs: 199 } })).toEqual(['b', 'a'])
    expect(order(fastest(managed, b), { a: { firstEventMs: 100, inFlight: 8 }, b: { firstEventMs: 201 } })).toEqual(['a', 'b'])
  })

  it('counts failures up to five times, and what hangs in full', () => {
    expect(order(fastest(a, b), { a: { firstEventMs: 100, failures: 1 }, b: { firstEventMs: 499 } })).toEqual(['b', 'a'])
    expect(order(fastest(a, b), { a: { firstEventMs: 100, failures: 1 }, b: { firstEventMs: 501 } })).toEqual(['a', 'b'])
    expect(order(fastest(a, b), { a: { firstEventMs: 100, stuckMs: 150 }, b: { firstEventMs: 249 } })).toEqual(['b', 'a'])
  })

  it('looks at the tokens that follow where answers are long', () => {
    const known = { a: { firstEventMs: 100, perTokenMs: 20, outputTokens: 400 }, b: { firstEventMs: 900, perTokenMs: 10, outputTokens: 200 } }
    expect(order(fastest(a, b), known)).toEqual(['b', 'a'])
    expect(order(fastest(a, b), known, { request: { messages: [], maxOutputTokens: 50 } })).toEqual(['a', 'b'])
    expect(order(fastest(a, b, { outputTokens: 0 }), known)).toEqual(['a', 'b'])
    expect(order(fastest(a, b, { outputTokens: 81 }), known)).toEqual(['b', 'a'])
  })

  it('does not call one slow for the long answers it was asked for', () => {
    const known = { a: { firstEventMs: 100, perTokenMs: 10, outputTokens: 4_000 }, b: { firstEventMs: 150, perTokenMs: 10, outputTokens: 10 } }
    expect(order(fastest(a, b), known)).toEqual(['a', 'b'])
  })

  it('counts a group as what it begins with', () => {
    const known = { a: { firstEventMs: 300 }, b: { firstEventMs: 100 }, c: { firstEventMs: 200 } }
    expect(order(fastest(fallback(a, b), c), known)).toEqual(['c', 'fallback'])
    expect(order(fastest(c, weighted([a, 1], [b, 1])), known)).toEqual(['weighted', 'c'])
  })

  it('compares two by lot among more than 16, and keeps all the others behind them', () => {
    const many = Array.from({ length: 17 }, (_, at) => unit(`d${at}`))
    const known = Object.fromEntries(many.map(({ id }, at) => [id, { firstEventMs: 100 + at }]))
    const group = fastest(...many)
    const firsts = new Set<string | undefined>()
    for (let seed = 0; seed < 300; seed++) {
      const line = order(group, known, { random: seededRandom(seed) })
      expect(new Set(line).size).toBe(17)
      expect(Number(line[0]?.slice(1))).toBeLessThan(Number(line[1]?.slice(1)))
      firsts.add(line[0])
    }
    expect(firsts.size).toBe(16)
    const sixteen = fastest(...many.slice(1))
    for (let seed = 0; seed < 20; seed++) expect(order(sixteen, known, { random: seededRandom(seed) })[0]).toBe('d1')
  })

  it('tries one again that was passed over for 30 seconds, once in 32 calls at most', () => {
    const group = fastest(a, b)
    const known = { a: { firstEventMs: 100 }, b: { firstEventMs: 900 } }
    const now = { ms: 0 }
    const base = routeView({ stats: measured(known) })
    const call = (): string => idsOf(group.order(group.targets, { ...base, nowMs: now.ms }))[0] ?? ''
    const taken = Array.from({ length: 200 }, () => {
      now.ms += 1_000
      return call()
    })
    const tries = taken.flatMap((id, at) => (id === 'b' ? [at] : []))
    expect(tries.length).toBe(5)
    for (const [at, place] of tries.entries()) expect(place - (tries[at - 1] ?? -100)).toBeGreaterThanOrEqual(32)
  })

  it.each<[string, () => unknown, RegExp]>([
    ['nobody', () => fastest(), /at least one/],
    ['a target twice', () => fastest(a, a), /there already/],
    ['an unknown option', () => fastest(a, { outputToken: 3 } as never), /Did you mean "outputTokens"/],
    ['a length that is none', () => fastest(a, { outputTokens: -1 }), /0 or more/],
  ])('refuses %s', (_title, make, message) => {
    expect(thrownBy(make)).toMatchObject({ code: 'invalid_config', message: expect.stringMatching(message) as string })
  })
})
