// A hard budget for each team: ten calls at once cannot pass it, because the worst case of each is held before it is sent.
import { Gateway, GatewayError } from 'sallyport'
import { scripted } from 'sallyport/testing'

const usage = { inputTokens: 40, outputTokens: 120 }
const model = scripted({ price: { input: 5, output: 30 }, answers: { text: 'Forty-two.', latencyMs: 20, usage } })
const gateway = new Gateway({
  routes: { smart: model },
  // Sent where a call names none, and what the worst case is made of.
  maxOutputTokens: 500,
  budgets: [
    { name: 'teams', of: { team: '*' }, usd: 0.05, window: 'day', zone: 'Europe/Berlin' },
    { name: 'everything', usd: 0.5, window: 'month', zone: 'Europe/Berlin' },
  ],
  limits: [{ name: 'users', of: { user: '*' }, requestsPerMinute: 12 }],
})
const ann = gateway.as({ principal: { team: 'search', user: 'ann' } })
const question = { model: 'smart', messages: 'What is 6 times 7?' } as const

async function ask(): Promise<string> {
  try {
    return `answered for $${(await ann.chat(question)).cost.usd}`
  } catch (error) {
    if (!GatewayError.is(error)) throw error
    return `${error.code} by "${error.policy}"`
  }
}

for (const what of ['together', 'later']) {
  const counts = new Map<string, number>()
  const answers = what === 'together' ? await Promise.all(Array.from({ length: 10 }, ask)) : [await ask(), await ask()]
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1)
  for (const [answer, count] of counts) console.log(`${what}: ${count} x ${answer}`)
  // Settled behind the answers: what was held and not used is free again.
  await gateway.flush()
}

// Another team has a budget of its own; more is given without a restart, and what was spent stays counted.
console.log('another team:', (await gateway.as({ principal: { team: 'ads' } }).chat(question)).text)
gateway.setBudgets([{ name: 'teams', of: { team: '*' }, usd: 0.1, window: 'day', zone: 'Europe/Berlin' }])
console.log('raised:', await ask())
for (const { of, usd, attempts } of await gateway.spend({ by: 'team' })) console.log(`${of} spent $${usd} in ${attempts} attempts`)
await gateway.close()
