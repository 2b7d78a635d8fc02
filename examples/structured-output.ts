// An answer in the shape of a schema. One that does not fit is asked once to repair itself.
import { Gateway, type StandardSchema } from 'sallyport'
import { scripted } from 'sallyport/testing'

interface City {
  readonly name: string
  readonly people: number
}

// Any Standard Schema will do (zod, arktype, valibot ...). This one is written by hand.
const schema: StandardSchema<City> = {
  '~standard': {
    version: 1,
    vendor: 'by-hand',
    validate: value => {
      const { name, people } = (value ?? {}) as Partial<City>
      if (typeof name !== 'string') return { issues: [{ message: 'must be a text', path: ['name'] }] }
      if (typeof people !== 'number') return { issues: [{ message: 'must be a number', path: ['people'] }] }
      return { value: { name, people } }
    },
  },
}
const jsonSchema = { type: 'object', properties: { name: { type: 'string' }, people: { type: 'number' } }, required: ['name', 'people'] }

const gateway = new Gateway({ routes: { smart: scripted({ answers: ['{"name":"Rome","people":"many"}', '{"name":"Rome","people":2748109}'] }) } })
const { output, attempts } = await gateway.chat({ model: 'smart', messages: 'The largest city of Italy?', output: { schema, jsonSchema } })

// `output` is typed: City.
console.log(`${output.name} has ${output.people.toLocaleString('en')} people`)
for (const { outcome, reason } of attempts) console.log(`  ${outcome}${reason === undefined ? '' : `: ${reason}`}`)
await gateway.close()
