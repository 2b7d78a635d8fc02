// Names that stand for many models: wildcards, providers, aliases. The longest wildcard wins.
import { Gateway, GatewayError, anthropic, openai } from 'sallyport'
import { scripted } from 'sallyport/testing'

const gateway = new Gateway({
  routes: {
    smart: scripted({ id: 'the smart one', answers: 'Hello.' }),
    'gpt-4': 'smart',
    'lab/*': model => scripted({ id: `lab machine with ${model}`, answers: 'Hello.' }),
    'lab/vision-*': model => scripted({ id: `lab camera ${model}`, answers: 'I see.' }),
  },
  providers: { openai, anthropic },
})

console.log('models:', gateway.models().join(', '))
for (const model of ['smart', 'gpt-4', 'lab/llama-4', 'lab/vision-2'] as const) {
  const { deployment } = await gateway.chat({ model, messages: 'Hello?' })
  console.log(`${model} -> ${deployment}`)
}

// A name with a typo is an error of the compiler; one from outside is told what was meant.
const fromOutside = 'smrt' as 'smart'
await gateway.chat({ model: fromOutside, messages: 'Hello?' }).catch((error: unknown) => console.log(GatewayError.is(error) ? `${error.code}: ${error.message}` : error))
await gateway.close()
