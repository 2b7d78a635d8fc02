import * as z from 'zod'
import { describe, expectTypeOf, it } from 'vitest'
import { anthropic, fallback, Gateway, openai, type ChatResult, type ChatStream, type Code, type GatewayError, type ModelName, type StandardSchema } from 'sallyport'
import { scripted } from 'sallyport/testing'

const _make = () => new Gateway({ routes: { smart: scripted('x'), fast: { use: fallback(scripted('x')), recover: 'restart' }, alias: 'smart', 'lab/*': (model: string) => scripted(model) }, providers: { openai, anthropic } })
type Request = Parameters<ReturnType<typeof _make>['chat']>[0]
const messages = 'Hi'

// The bodies are read by the compiler; the calls in them are never made.
describe('the names of models', () => {
  it('are those of the routes, wildcards filled in, and of the providers', () => {
    expectTypeOf<Request['model']>().toEqualTypeOf<'smart' | 'fast' | 'alias' | `lab/${string}` | `openai/${string}` | `anthropic/${string}`>()
    expectTypeOf<ModelName<{ a: string; 'b-*': string }, { c: string }>>().toEqualTypeOf<'a' | `b-${string}` | `c/${string}`>()
    expectTypeOf<'lab/anything'>().toExtend<Request['model']>()
    expectTypeOf<'openai/gpt-5.6'>().toExtend<Request['model']>()
  })

  it('that are wrong do not compile', () => {
    expectTypeOf<'smrt'>().not.toExtend<Request['model']>()
    expectTypeOf<'lab'>().not.toExtend<Request['model']>()
    expectTypeOf<'mistral/x'>().not.toExtend<Request['model']>()
    void (async (gateway: ReturnType<typeof _make>) => {
      await gateway.chat({ model: 'smart', messages })
      await gateway.stream({ model: 'lab/x', messages })
      // @ts-expect-error no such route
      await gateway.chat({ model: 'smrt', messages })
      // @ts-expect-error no such provider
      await gateway.stream({ model: 'mistral/x', messages })
      // @ts-expect-error the name of another library
      await gateway.chat({ model: 'smart', messages, max_tokens: 5 })
      // @ts-expect-error an option nobody knows
      await gateway.chat({ model: 'smart', messages }, { timeout: 5 })
    })
  })

  it('survive with()', () => {
    expectTypeOf<Parameters<ReturnType<ReturnType<typeof _make>['with']>['chat']>[0]['model']>().toEqualTypeOf<Request['model']>()
  })
})

describe('what an answer is typed as', () => {
  type Made = ReturnType<typeof _make>
  const _byZod = (gateway: Made) => gateway.chat({ model: 'smart', messages, output: z.object({ city: z.string(), at: z.coerce.number() }) })
  const _byHand = (gateway: Made, schema: StandardSchema<{ city: 'Rome' }>) => gateway.chat({ model: 'smart', messages, output: { schema, jsonSchema: { type: 'object' } } })
  const _bare = (gateway: Made) => gateway.chat({ model: 'smart', messages, output: { type: 'object', properties: {} } })
  const _none = (gateway: Made) => gateway.chat({ model: 'smart', messages })
  const _streamed = (gateway: Made) => gateway.stream({ model: 'smart', messages, output: z.array(z.number()) })

  it('follows from the schema', () => {
    expectTypeOf<Awaited<ReturnType<typeof _byZod>>['output']>().toEqualTypeOf<{ city: string; at: number }>()
    expectTypeOf<Awaited<ReturnType<typeof _byHand>>['output']>().toEqualTypeOf<{ city: 'Rome' }>()
    expectTypeOf<Awaited<ReturnType<typeof _streamed>>>().toEqualTypeOf<ChatStream<number[]>>()
    expectTypeOf<Awaited<ReturnType<Awaited<ReturnType<typeof _streamed>>['result']>>['output']>().toEqualTypeOf<number[]>()
  })

  it('is unknown without one, never any', () => {
    expectTypeOf<Awaited<ReturnType<typeof _bare>>['output']>().toBeUnknown()
    expectTypeOf<Awaited<ReturnType<typeof _none>>['output']>().toBeUnknown()
    expectTypeOf<ChatResult['toolCalls'][number]['input']>().toBeUnknown()
    expectTypeOf<ChatResult['cost']['usd']>().toEqualTypeOf<number | null>()
  })

  it('lets a switch over codes be complete', () => {
    expectTypeOf<GatewayError['code']>().toEqualTypeOf<Code>()
    expectTypeOf<'timeout' | 'rate_limited'>().toExtend<Code>()
    expectTypeOf<'rate-limited'>().not.toExtend<Code>()
  })
})

describe('messages', () => {
  it('are taken as they are written, frozen or not, and an answer goes back among them', () => {
    const constant = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: [{ type: 'text', text: 'Hi' }] }, { role: 'tool', toolCallId: 'c', content: 'ok' }] as const
    void (async (gateway: ReturnType<typeof _make>) => {
      await gateway.chat({ model: 'smart', messages: constant })
      const first = await gateway.chat({ model: 'smart', messages: [{ role: 'user', content: 'Hi' }] })
      await gateway.chat({ model: 'smart', messages: [...constant, first.message] as const })
      // @ts-expect-error a part of another role
      await gateway.chat({ model: 'smart', messages: [{ role: 'user', content: [{ type: 'tool-call', id: 'c', name: 'n', input: {} }] }] })
      // @ts-expect-error a role nobody has
      await gateway.chat({ model: 'smart', messages: [{ role: 'model', content: 'Hi' }] })
    })
    expectTypeOf(constant).toExtend<Exclude<Request['messages'], string>>()
  })
})
