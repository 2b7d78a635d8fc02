import { expect, test } from 'vitest'
import fc from 'fast-check'
import { GatewayError } from '../../src/protocol/errors.js'
import { Secret } from '../../src/protocol/secret.js'
import { isCooling, KeyPool, type KeyLease } from '../../src/resilience/keypool.js'

const pool = (...keys: string[]) => new KeyPool(keys.map(key => new Secret(key)))
const lend = async (keys: KeyPool, nowMs = 0): Promise<KeyLease> => {
  const lent = await keys.lend(nowMs)
  if (isCooling(lent)) throw new Error('every key cools')
  return lent
}
const rejected = new GatewayError('credential_rejected', 'no', { status: 401 })

test('two calls at once do not share a key while another is free', async () => {
  const keys = pool('a', 'b')
  const first = await lend(keys)
  const second = await lend(keys)
  expect(new Set([first.secret?.reveal(), second.secret?.reveal()])).toEqual(new Set(['a', 'b']))
})

test('a rejected key is not seen by other calls until it has rested', async () => {
  const keys = pool('dead', 'good')
  const first = await lend(keys)
  expect(first.secret?.reveal()).toBe('dead')
  first.release(rejected, 0)
  for (let i = 0; i < 5; i++) {
    const lease = await lend(keys, 1_000)
    expect(lease.secret?.reveal()).toBe('good')
    lease.release(undefined, 1_000)
  }
  expect((await lend(keys, 30_000)).secret?.reveal()).toBe('dead')
})

test('when every key rests, the earliest return is told', async () => {
  const keys = pool('a', 'b')
  ;(await lend(keys)).release(rejected, 0)
  ;(await lend(keys)).release(new GatewayError('rate_limited', 'slow', { retryAfterMs: 4_000 }), 0)
  const lent = await keys.lend(1_000)
  expect(lent).toMatchObject({ untilMs: 4_000 })
})

test('a lone key without a wait of its own does not rest: the backoff of the call holds it back', async () => {
  const keys = pool('a')
  ;(await lend(keys)).release(new GatewayError('rate_limited', 'slow'), 0)
  expect(keys.state(0).cooling).toBe(0)
})

test('a fault that blames nobody or the deployment leaves the key alone', async () => {
  const keys = pool('a')
  ;(await lend(keys)).release(new GatewayError('overloaded', 'busy'), 0)
  expect(keys.state(0)).toEqual({ keys: 1, cooling: 0, inFlight: 0 })
})

test('an apiKey function that fails or gives nothing is a rejected credential, and its error text stays inside', async () => {
  const failing = new KeyPool(() => {
    throw new Error('vault says sk-canary')
  })
  await expect(failing.lend(0)).rejects.toMatchObject({ code: 'credential_rejected', message: expect.not.stringContaining('canary') as string })
  await expect(new KeyPool(() => '  ').lend(0)).rejects.toMatchObject({ code: 'credential_rejected' })
})

test('leases given back twice count once: whatever the order, nothing stays in flight', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ fault: fc.boolean(), twice: fc.boolean() }), { maxLength: 30 }), async steps => {
      const keys = pool('a', 'b', 'c')
      const held: { lease: KeyLease; fault: boolean; twice: boolean }[] = []
      for (const step of steps) {
        const lent = await keys.lend(0)
        if (!isCooling(lent)) held.push({ lease: lent, ...step })
        if (held.length > 3) release(held.shift())
      }
      held.forEach(release)
      expect(keys.state(0).inFlight).toBe(0)
    }),
  )
  function release(step: { lease: KeyLease; fault: boolean; twice: boolean } | undefined): void {
    step?.lease.release(step.fault ? rejected : undefined, 0)
    if (step?.twice === true) step.lease.release(step.fault ? rejected : undefined, 0)
  }
})
