// The primary is down: it is asked again, then the next one answers, and the result says what happened.
import { Gateway, fallback } from 'sallyport'
import { scripted } from 'sallyport/testing'

const price = { input: 1.25, output: 10 }
const primary = scripted({ id: 'primary', price, answers: { fail: { status: 503 } } })
const longer = scripted({ id: 'longer', price, answers: 'Only asked when a prompt is too long.' })
const backup = scripted({ id: 'backup', price, answers: 'The backup is glad to help.' })

const gateway = new Gateway({
  routes: { smart: fallback(primary, { use: longer, only: ['context_length'] }, backup) },
  retry: { attempts: 2, baseMs: 50 },
})

const answer = await gateway.chat({ model: 'smart', messages: 'Are you there?' })
console.log(answer.text)
for (const { deployment, outcome, code, reason } of answer.attempts) console.log(`  ${deployment}: ${outcome}${code === undefined ? '' : ` (${code})`}${outcome === 'skipped' ? `, ${reason}` : ''}`)
console.log(`cost: $${answer.cost.usd}; failed tries cost nothing`)
await gateway.close()
