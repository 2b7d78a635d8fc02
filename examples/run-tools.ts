// A model that looks things up: the gateway runs the tools it asks for, on whichever deployment, until it has an answer.
import { Gateway, fallback, tool, type ToolRunEvent } from 'sallyport'
import { scripted } from 'sallyport/testing'
import * as z from 'zod'

const DEGREES: Record<string, number> = { Rome: 21, Oslo: 4 }
const weather = tool({
  name: 'weather',
  description: 'The weather of a city.',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }, { signal }) => {
    signal.throwIfAborted()
    if (!(city in DEGREES)) throw new Error(`There is no station in ${city}.`)
    return { city, degrees: DEGREES[city] }
  },
})

const lookup = (...cities: readonly string[]) => ({ toolCalls: cities.map(city => ({ name: 'weather', input: { city } })) })
const price = { input: 1, output: 5 }
const gateway = new Gateway({
  retry: { attempts: 1 },
  routes: {
    smart: fallback(
      // Fails in the middle of its second run: the other one goes on where it was.
      scripted({ id: 'main', price, answers: [lookup('Rome', 'Oslo', 'Atlantis'), 'Rome, with 21 degrees.', lookup('Rome'), { fail: { status: 503 } }] }),
      scripted({ id: 'spare', price, answers: 'Still 21 degrees.' }),
    ),
  },
})

const run = await gateway.runTools({ model: 'smart', messages: 'Where is it warmest?', tools: [weather] }, { maxSteps: 5, toolTimeoutMs: 2_000 })
for (const { step, toolCalls, toolResults } of run.steps) {
  for (const [at, { name, arguments: given }] of toolCalls.entries()) console.log(`step ${step}: ${name}(${given}) ->`, toolResults[at]?.content)
}
console.log(`${run.text} (${run.stopped} after ${run.steps.length} steps, $${run.cost.usd})`)

function show(event: ToolRunEvent): void {
  if (event.type === 'step-start') console.log(`step ${event.step}`)
  if (event.type === 'tool-result') console.log(`  ${event.name} gave`, event.message.content)
  if (event.type === 'text-delta') process.stdout.write(event.text)
}
// The conversation goes on from run.messages; a stream tells of it as it happens.
const stream = await gateway.streamTools({ model: 'smart', messages: [...run.messages, { role: 'user', content: 'And now?' }], tools: [weather] })
for await (const event of stream) show(event)
const { steps } = await stream.result()
console.log(`\nasked: ${steps.map(({ deployment }) => deployment).join(', then ')}`)
await gateway.close()
