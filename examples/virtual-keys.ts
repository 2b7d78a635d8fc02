// Keys for teams: a secret shown once, with models, a budget and a limit of its own; rotated, then revoked.
import { Gateway, GatewayError } from 'sallyport'
import { scripted } from 'sallyport/testing'

const gateway = new Gateway({
  routes: { smart: scripted({ price: { input: 5, output: 30 }, answers: 'Here you are.' }), secretive: scripted('Hm.') },
  maxOutputTokens: 500,
})

async function ask(what: string, key: string, model: 'smart' | 'secretive' = 'smart'): Promise<void> {
  try {
    console.log(`${what}: ${(await gateway.as({ key }).chat({ model, messages: 'Hello' })).text}`)
  } catch (error) {
    if (!GatewayError.is(error)) throw error
    const wait = error.retryAfterMs === undefined ? '' : `, again in ${Math.ceil(error.retryAfterMs / 1_000)} s`
    console.log(`${what}: ${error.code}${error.policy === undefined ? '' : ` by "${error.policy}"`}${wait}`)
  }
}

const { id, prefix, secret } = await gateway.keys.create({
  name: 'search, production',
  team: 'search',
  models: ['smart', 'fast-*'],
  budgets: [{ usd: 50, window: 'month' }],
  limits: { requestsPerMinute: 4 },
  expiresInMs: 90 * 86_400_000,
})
console.log(`made ${prefix}-..., ${secret.length} characters; the store has its hash alone`)
await ask('with it', secret)
await ask('another model', secret, 'secretive')
await ask('one letter more', `${secret}x`)

const { secret: next } = await gateway.keys.rotate(id, { overlapMs: 60_000 })
await ask('the old secret, for a minute more', secret)
await ask('the new secret', next)

for (let call = 4; call <= 5; call++) await ask(`call ${call} of this minute`, next)
await gateway.keys.update(id, { limits: null })
await ask('without the limit', next)

for (const { of, usd } of await gateway.spend({ by: 'key' })) console.log(`${of} spent $${usd}`)
await gateway.keys.revoke(id)
await ask('revoked', next)
for (const key of await gateway.keys.list({ team: 'search' })) console.log(key.id, key.name, key.revokedAt === undefined ? 'valid' : 'revoked')
await gateway.close()
