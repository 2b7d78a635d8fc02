import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Gateway } from '../../src/index.js'
import { GatewayError } from '../../src/protocol/errors.js'
import { budgetsOf, limitsOf } from '../../src/state/policies.js'
import { scripted } from '../../src/testing/index.js'

const one = scripted('Hello')
const make = (options: object): unknown => new Gateway({ routes: { smart: one, cheap: one, alias: 'cheap' }, ...options } as never)
function refused(work: () => unknown): GatewayError {
  try {
    work()
  } catch (error) {
    if (GatewayError.is(error)) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('bad policies are refused at construction, with the fix in words', () => {
  const rows: readonly (readonly [what: string, options: object, says: RegExp])[] = [
    ['negative money', { budgets: [{ usd: -1 }] }, /budgets\[0\]\.usd must be US dollars from 0 to 9000000/],
    ['money that is no number', { budgets: [{ usd: '5' }] }, /budgets\[0\]\.usd must be US dollars/],
    ['money that is NaN', { budgets: [{ usd: NaN }] }, /usd must be US dollars/],
    ['no money', { budgets: [{}] }, /usd must be US dollars/],
    ['more than can be counted exactly', { budgets: [{ usd: 9_000_001 }] }, /from 0 to 9000000/],
    ['a fraction of a nano-dollar', { budgets: [{ usd: 0.000_000_000_5 }] }, /fraction of a nano-dollar/],
    ['a fraction of a nano-dollar in a larger sum', { budgets: [{ usd: 5.000_000_000_4 }] }, /fraction of a nano-dollar/],
    ['an unknown zone', { budgets: [{ usd: 1, zone: 'Europe/Berln' }] }, /Europe\/Berln/],
    ['a zone that is no text', { budgets: [{ usd: 1, zone: 5 }] }, /IANA time zone/],
    ['an unknown window', { budgets: [{ usd: 1, window: 'mont' }] }, /Did you mean "month"/],
    ['a zone for a window without one', { budgets: [{ usd: 1, window: { rollingMs: 60_000 }, zone: 'UTC' }] }, /zone belongs to calendar windows/],
    ['a zone for all time', { budgets: [{ usd: 1, window: 'total', zone: 'UTC' }] }, /zone belongs to calendar windows/],
    ['a rolling window that is too short', { budgets: [{ usd: 1, window: { rollingMs: 10 } }] }, /1,000 at least/],
    ['a rolling window with more in it', { budgets: [{ usd: 1, window: { rollingMs: 5_000, zone: 'UTC' } }] }, /window has no option "zone"/],
    ['a shorter window with more than a longer', { budgets: [{ usd: 10, window: 'day' }, { usd: 5, window: 'month' }] }, /"budget all day" allows more than "budget all month".*Lower the one or raise the other/],
    ['two hard budgets for the same', { budgets: [{ name: 'a', usd: 10, window: 'day' }, { name: 'b', usd: 5, window: 'day' }] }, /over the same window. Keep one/],
    ['two of one name', { budgets: [{ name: 'a', usd: 1, window: 'day' }, { name: 'a', usd: 2, window: 'month' }] }, /two entries are called "a".*"name" of its own/],
    ['a downgrade to itself', { budgets: [{ usd: 1, of: { route: 'smart' }, downgrade: 'smart' }] }, /points to itself. Name a cheaper route/],
    ['a downgrade to itself by another name', { budgets: [{ usd: 1, of: { route: 'cheap' }, downgrade: 'alias' }] }, /points to itself/],
    ['a route that leads down to itself', { routes: { smart: { use: one, downgrade: 'smart' } } }, /routes\["smart"\]\.downgrade points to itself/],
    ['a downgrade to nowhere', { budgets: [{ usd: 1, downgrade: 'chep' }] }, /no route "chep". Did you mean "cheap"/],
    ['a downgrade of all routes to nowhere', { downgrade: { to: 'chep' } }, /options\.downgrade: there is no route "chep"/],
    ['a downgrade at no share', { budgets: [{ usd: 1, downgrade: { at: 1.5 } }] }, /downgrade\.at must be a share above 0 and at most 1/],
    ['an unknown option of a downgrade', { budgets: [{ usd: 1, downgrade: { too: 'cheap' } }] }, /Did you mean "to"/],
    ['an unknown option of a budget', { budgets: [{ usd: 1, windw: 'day' }] }, /Did you mean "window"/],
    ['an unknown dimension', { budgets: [{ usd: 1, of: { teem: 'x' } }] }, /Did you mean "team"/],
    ['a budget of a deployment', { budgets: [{ usd: 1, of: { deployment: 'x' } }] }, /Use "provider"/],
    ['an empty name of a team', { budgets: [{ usd: 1, of: { team: '' } }] }, /of\.team must be a name of 1 to 200/],
    ['shares that are none', { budgets: [{ usd: 1, alertAt: [0] }] }, /shares above 0/],
    ['shares that are no list', { budgets: [{ usd: 1, alertAt: 0.5 }] }, /shares above 0/],
    ['hard as a text', { budgets: [{ usd: 1, hard: 'yes' }] }, /hard must be true or false/],
    ['an unknown end of a lapsed hold', { budgets: [{ usd: 1, onLapsed: 'forget' }] }, /"charge" or "release"/],
    ['an unknown way with store errors', { budgets: [{ usd: 1, onStoreError: 'retry' }] }, /"refuse" or "allow"/],
    ['budgets that are no list', { budgets: { usd: 1 } }, /budgets must be a list/],
    ['a budget that is none', { budgets: [5] }, /budgets\[0\] must be an object/],
    ['a limit of nothing', { limits: [{ of: { team: '*' } }] }, /limits\[0\] limits nothing/],
    ['a limit with a typing error', { limits: [{ requestPerMinute: 1 }] }, /Did you mean "requestsPerMinute"/],
    ['half a request', { limits: [{ requestsPerMinute: 1.5 }] }, /whole number, 0 or more/],
    ['a negative limit', { limits: [{ concurrency: -1 }] }, /whole number, 0 or more/],
    ['a limit in money', { limits: [{ usd: 1 }] }, /limits\[0\] has no option "usd"/],
    ['an assumed price that is none', { onUnknownPrice: { assume: { input: -1, output: 2 } } }, /onUnknownPrice\.assume\.input must be a number/],
    ['half an assumed price', { onUnknownPrice: { assume: { input: 1 } } }, /onUnknownPrice\.assume\.output must be a number/],
    ['an unknown way with prices', { onUnknownPrice: 'ignore' }, /onUnknownPrice: must be "refuse", "allow"/],
    ['an alert target that is none', { onAlert: 'slack' }, /onAlert must be a function of an alert/],
    ['a webhook with credentials in its address', { onAlert: [{ url: 'https://user:pw@example.com/' }] }, /onAlert\[0\]\.url .*without credentials/],
    ['a store that is none', { store: { get: () => undefined } }, /must be a store/],
    ['an unknown way with store errors of all', { onStoreError: 'retry' }, /"refuse", "allow"/],
  ]

  it.each(rows)('%s', (_what, options, says) => {
    const error = refused(() => make(options))
    expect([error.code, error.message]).toEqual(['invalid_config', expect.stringMatching(says)])
  })

  it('and by setBudgets and setLimits, which then change nothing', () => {
    const gateway = new Gateway({ routes: { smart: one } })
    expect(refused(() => gateway.setBudgets([{ usd: -1 }])).code).toBe('invalid_config')
    expect(refused(() => gateway.setBudgets([{ usd: 1, downgrade: { to: 'nowhere' } }])).message).toContain('no route "nowhere"')
    expect(refused(() => gateway.setLimits([{}])).message).toContain('limits nothing')
  })
})

describe('what is meant is taken', () => {
  it('one way down for all routes may name one of them', () => {
    expect(make({ downgrade: 'cheap' })).toBeInstanceOf(Gateway)
  })

  it('every whole number of nano-dollars, written as dollars, is that number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_000_000 * 1e9 }), nanos => {
        const [budget] = budgetsOf([{ usd: nanos / 1e9 }], 'budgets')
        expect(Math.abs((budget?.meters[0]?.limit ?? -1) - nanos)).toBeLessThanOrEqual(nanos > 2 ** 50 ? 1 : 0)
      }),
    )
    expect(budgetsOf([{ usd: 0.1 + 0.2 }], 'budgets')[0]?.meters[0]?.limit).toBe(300_000_000)
  })

  it('each amount of a limit is a meter over its window', () => {
    const [limit] = limitsOf([{ requestsPerSecond: 1, tokensPerDay: 2, concurrency: 3 }], 'limits')
    expect(limit?.meters).toEqual([{ kind: 'concurrency', limit: 3 }, { kind: 'requests', windowMs: 1_000, limit: 1 }, { kind: 'tokens', windowMs: 86_400_000, limit: 2 }])
  })
})
