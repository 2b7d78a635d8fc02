import * as z from 'zod'
import { describe, expectTypeOf, it } from 'vitest'
import { Gateway, tool, type JsonObject, type StandardSchema, type Tool, type ToolRun, type ToolRunEvent, type ToolRunOptions, type ToolStream } from 'sallyport'
import { scripted } from 'sallyport/testing'

const _make = () => new Gateway({ routes: { smart: scripted('x') } })
type Made = ReturnType<typeof _make>
const messages = 'Hi'
const inputSchema = { type: 'object' } as const satisfies JsonObject

// The bodies are read by the compiler; the calls in them are never made.
describe('the input of a tool', () => {
  it('follows from its schema', () => {
    tool({ name: 'a', inputSchema: z.object({ city: z.string(), at: z.coerce.number() }), execute: input => expectTypeOf(input).toEqualTypeOf<{ city: string; at: number }>() })
    const _byHand = (schema: StandardSchema<{ city: 'Rome' }>) => tool({ name: 'a', inputSchema: { schema, jsonSchema: inputSchema }, execute: input => expectTypeOf(input).toEqualTypeOf<{ city: 'Rome' }>() })
    tool({ name: 'a', inputSchema, execute: input => expectTypeOf(input).toBeUnknown() })
    // @ts-expect-error not what the schema gives
    tool({ name: 'a', inputSchema: z.object({ city: z.string() }), execute: ({ town }) => String(town) })
  })

  it('is known to the call, whatever the tools beside it take', () => {
    void (async (gateway: Made) => {
      const one = tool({ name: 'a', inputSchema: z.object({ city: z.string() }), execute: ({ city }) => city })
      const two = tool({ name: 'b', inputSchema: z.object({ n: z.number() }), execute: async ({ n }) => n })
      await gateway.runTools({ model: 'smart', messages, tools: [one, two, { name: 'c', inputSchema }] })
      await gateway.chat({ model: 'smart', messages, tools: [one] })
      await gateway.runTools({ model: 'smart', messages, tools: [{ name: 'd', inputSchema, execute: ({ city }: { city: string }) => city }] })
      // @ts-expect-error no such route
      await gateway.runTools({ model: 'smrt', messages })
      // @ts-expect-error an option nobody knows
      await gateway.runTools({ model: 'smart', messages }, { maxStep: 3 })
    })
    expectTypeOf<Tool<{ city: string }>>().toExtend<Tool>()
  })
})

describe('what a run is typed as', () => {
  const _run = (gateway: Made) => gateway.runTools({ model: 'smart', messages, output: z.object({ city: z.string() }) })
  const _bound = (gateway: Made) => gateway.as({ conversation: 'c' }).streamTools({ model: 'smart', messages, output: z.object({ city: z.string() }) })

  it('follows from the schema of the answer', () => {
    expectTypeOf<Awaited<ReturnType<typeof _run>>>().toEqualTypeOf<ToolRun<{ city: string }>>()
    expectTypeOf<Awaited<ReturnType<typeof _bound>>>().toEqualTypeOf<ToolStream<{ city: string }>>()
    expectTypeOf<ToolRun<{ city: string }>['steps'][number]['output']>().toEqualTypeOf<{ city: string }>()
    expectTypeOf<Parameters<NonNullable<ToolRunOptions['onStep']>>[0]['output']>().toBeUnknown()
  })

  it('tells its events apart by their type', () => {
    expectTypeOf<Extract<ToolRunEvent, { type: 'tool-result' }>['message']['isError']>().toEqualTypeOf<boolean | undefined>()
    expectTypeOf<Extract<ToolRunEvent, { type: 'text-delta' }>['text']>().toBeString()
  })
})
