// Alerts of a budget: each share once per window, refusals and downgrades once, to a function and to a webhook.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Gateway, GatewayError, type Alert } from 'sallyport'
import { scripted } from 'sallyport/testing'

// A stand-in for the address that your chat tool gives you.
const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (text: string) => (body += text))
  request.on('end', () => {
    const { kind, policy } = JSON.parse(body) as Alert
    console.log(`  webhook: ${kind} of "${policy}", token ${request.headers['x-token']}`)
    response.end()
  })
})
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`

const usage = { inputTokens: 100, outputTokens: 300 }
const model = scripted({ price: { input: 5, output: 30 }, answers: { text: 'Fine.', usage } })
const gateway = new Gateway({
  routes: { smart: model },
  maxOutputTokens: 400,
  budgets: [{ name: 'search', of: { team: 'search' }, usd: 0.04, window: 'day', alertAt: [0.5, 0.7] }],
  onAlert: [
    ({ kind, share, spentUsd, limitUsd }) => console.log(`  function: ${kind}${share === undefined ? '' : ` ${share * 100} %, $${spentUsd} of $${limitUsd}`}`),
    { url, headers: { 'x-token': 'demo' } },
  ],
})
const team = gateway.as({ principal: { team: 'search' } })

for (let call = 1; call <= 6; call++) {
  const answer = await team.chat({ model: 'smart', messages: 'How are you?' }).catch((error: unknown) => error)
  console.log(`call ${call}: ${GatewayError.is(answer) ? answer.code : 'answered'}`)
  // Alerts delay no call; this waits for them, so that the lines come in order.
  await gateway.flush()
}
await gateway.close()
server.closeAllConnections()
server.close()
