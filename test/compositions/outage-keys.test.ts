import { describe, expect, it } from 'vitest'
import { Gateway, GatewayError, openai } from '../../src/index.js'
import { virtualClock } from '../../src/testing/index.js'
import { ASK } from './support.js'

const COMPLETION = { id: 'c1', object: 'chat.completion', model: 'm-1', choices: [{ index: 0, message: { role: 'assistant', content: 'well' }, finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 1 } }
const LIMITED = { error: { message: 'slow', code: 'rate_limit_exceeded' } }

async function ask(apiKey: string[] | (() => string), downMs: number, retryAfter?: string) {
  const clock = virtualClock()
  const startMs = clock.now()
  const times: number[] = []
  const fetch = (): Promise<Response> => {
    times.push(clock.now() - startMs)
    const down = clock.now() - startMs < downMs
    const headers = { 'content-type': 'application/json', ...(down && retryAfter !== undefined && { 'retry-after': retryAfter }) }
    return Promise.resolve(new Response(JSON.stringify(down ? LIMITED : COMPLETION), { status: down ? 429 : 200, headers }))
  }
  const gateway = new Gateway({ clock, fetch, random: () => 0.5, queue: true, routes: { smart: openai('gpt-4.1', { apiKey, id: 'a' }) } })
  const chat = gateway.chat({ model: 'smart', messages: ASK }).then(
    ({ text }) => text,
    (error: unknown) => (error instanceof GatewayError ? error.code : String(error)),
  )
  await clock.advance(60_000)
  const outcome = await chat
  const { deployments } = gateway.health()
  expect([clock.pending, deployments[0]?.keys.inFlight, deployments[0]?.stats?.inFlight]).toEqual([0, 0, 0])
  await gateway.close()
  return { outcome, times }
}

describe('an outage in which the keys of the only deployment rest', () => {
  it('is waited out to the moment the provider named, without asking in between', async () => {
    expect(await ask(['k1', 'k2'], 20_000, '20')).toEqual({ outcome: 'well', times: [0, 0, 20_000] })
  })

  it('without a moment named is tried again at growing intervals, within the tries of the call', async () => {
    const { outcome, times } = await ask(['k1'], 5_000)
    expect(outcome).toBe('well')
    expect(times.length).toBeLessThanOrEqual(6)
    expect(times.at(-1)).toBeGreaterThanOrEqual(5_000)
  })

  it('that lasts longer than a call may wait is told at once', async () => {
    expect(await ask(['k1', 'k2'], 120_000, '60')).toEqual({ outcome: 'queue_timeout', times: [0, 0] })
  })

  it('where no key can be had at all is given up, not asked for in a circle', async () => {
    let asked = 0
    const { outcome, times } = await ask(() => {
      asked++
      throw new Error('no key today')
    }, 0)
    expect([outcome, times]).toEqual(['credential_rejected', []])
    expect(asked).toBeLessThan(10)
  })
})

describe('a token that is asked for at each try', () => {
  async function tokens(given: readonly string[]) {
    const sent: (string | null)[] = []
    const clock = virtualClock()
    const fetch = (_: unknown, init?: RequestInit): Promise<Response> => {
      const token = new Headers(init?.headers).get('authorization')
      sent.push(token)
      const fine = token === 'Bearer fresh'
      return Promise.resolve(new Response(JSON.stringify(fine ? COMPLETION : { error: { message: 'expired', code: 'invalid_api_key' } }), { status: fine ? 200 : 401, headers: { 'content-type': 'application/json' } }))
    }
    let at = 0
    const gateway = new Gateway({ clock, fetch, routes: { smart: openai('gpt-4.1', { id: 'a', apiKey: () => given[Math.min(at++, given.length - 1)] ?? '' }) } })
    const outcome = await gateway.chat({ model: 'smart', messages: ASK }).then(({ text }) => text, (error: unknown) => (error instanceof GatewayError ? error.code : String(error)))
    expect([clock.pending, gateway.health().calls]).toEqual([0, 0])
    await gateway.close()
    return { outcome, sent }
  }

  it('and has expired meanwhile is replaced by a fresh one, once', async () => {
    expect(await tokens(['stale', 'fresh'])).toEqual({ outcome: 'well', sent: ['Bearer stale', 'Bearer fresh'] })
    expect(await tokens(['stale', 'stale', 'fresh'])).toEqual({ outcome: 'credential_rejected', sent: ['Bearer stale', 'Bearer stale'] })
  })
})
