// When 60 % of the budget is used up, calls go to a cheaper route; the answer says so. A tool loop stays where it began.
import { Gateway, GatewayError, type Message } from 'sallyport'
import { scripted } from 'sallyport/testing'

const usage = { inputTokens: 100, outputTokens: 300 }
const large = scripted({ id: 'large', price: { input: 5, output: 30 }, answers: { text: 'A very good answer.', usage } })
const small = scripted({ id: 'small', price: { input: 0.25, output: 2 }, answers: { text: 'A good answer.', usage } })
const gateway = new Gateway({
  routes: { smart: large, cheap: small },
  maxOutputTokens: 400,
  budgets: [{ name: 'teams', of: { team: '*' }, usd: 0.05, downgrade: { to: 'cheap', at: 0.6 } }],
})
const team = gateway.as({ principal: { team: 'search' } })

const inToolLoop: readonly Message[] = [
  { role: 'user', content: 'Weather in Rome?' },
  { role: 'assistant', content: [{ type: 'tool-call', id: 'call-1', name: 'weather', input: { city: 'Rome' } }] },
  { role: 'tool', toolCallId: 'call-1', content: '21 degrees' },
]
const tools = [{ name: 'weather', inputSchema: { type: 'object' } }]

async function ask(what: string, messages: string | readonly Message[]): Promise<void> {
  try {
    const { deployment, downgraded, cost } = await team.chat({ model: 'smart', messages, tools })
    const why = downgraded === undefined ? '' : `: ${downgraded.from} -> ${downgraded.to} by "${downgraded.policy}" (${downgraded.reason})`
    console.log(`${what}: ${deployment} for $${cost.usd}${why}`)
  } catch (error) {
    if (!GatewayError.is(error)) throw error
    console.log(`${what}: ${error.code} by "${error.policy}"`)
  }
  // Only here, to show each step: the next call sees what this one was charged.
  await gateway.flush()
}

for (let call = 1; call <= 4; call++) await ask(`call ${call}`, 'Hello?')
await ask('tool loop', inToolLoop)
await ask('call 5', 'Hello?')
for (const { of, usd } of await gateway.spend({ by: 'deployment' })) console.log(`${of}: $${usd}`)
await gateway.close()
