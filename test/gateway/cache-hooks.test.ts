import { describe, expect, it } from 'vitest'
import { Gateway, GatewayError, type CachedAnswer, type ChatEvent, type JsonObject, type Plugin, type StandardSchema } from '../../src/index.js'
import { scripted, virtualClock } from '../../src/testing/index.js'
import { ask, scene } from './cache-scene.js'
import { all, thrown, witness } from './support.js'

const EMAIL = /[a-z]+@x\.test/
/** Masks one address on the way out and puts it back on the way in; text is held back by one piece. */
function masking(): Plugin & { readonly saw: string[] } {
  const saw: string[] = []
  return {
    name: 'masking',
    saw,
    open: () => {
      let address = ''
      let held: ChatEvent | undefined
      const restored = (event: ChatEvent): ChatEvent => (event.type === 'text-delta' ? { ...event, text: event.text.replaceAll('[EMAIL_1]', address) } : event)
      return {
        request: request => {
          const text = JSON.stringify(request.messages)
          address = EMAIL.exec(text)?.[0] ?? ''
          return { ...request, messages: JSON.parse(text.replace(EMAIL, '[EMAIL_1]')) as typeof request.messages }
        },
        event: event => {
          saw.push(event.type)
          if (event.type !== 'text-delta') return event
          const before = held
          held = restored(event)
          return before
        },
        flush: () => {
          const last = held === undefined ? [] : [held]
          held = undefined
          return last
        },
      }
    },
  }
}
const MAIL = (attempt: number) => ({ chunks: ['Mail ', 'to [EMAIL_1] ', `number ${attempt}`] })

describe('hooks and the cache', () => {
  it.each(['chat', 'read'] as const)('the masked side is kept and looked up, and each caller of %s has its own back', async way => {
    const kept = new Map<string, CachedAnswer>()
    const plugin = masking()
    const log = witness(true)
    const { [way]: go, asked, nothingLeft } = scene({ answers: MAIL, plugins: [plugin, log], cache: { store: { get: key => kept.get(key), set: (key, answer) => kept.set(key, answer), delete: key => kept.delete(key), clear: () => kept.clear() } } })
    const texts = []
    for (const name of ['ann', 'bob', 'ann']) texts.push((await go(ask(`Write to ${name}@x.test`))).text)
    expect([texts, asked()]).toEqual([['Mail to ann@x.test number 1', 'Mail to bob@x.test number 1', 'Mail to ann@x.test number 1'], 1])
    expect(log.records.map(({ cached, content }) => [cached, content?.text])).toEqual([undefined, 'hit', 'hit'].map(cached => [cached, 'Mail to [EMAIL_1] number 1']))
    expect(JSON.stringify([...kept])).not.toMatch(EMAIL)
    expect(JSON.stringify(log.records)).not.toMatch(EMAIL)
    nothingLeft()
  })

  it('a hook sees a hit as it saw the answer, what it holds back comes before the finish', async () => {
    const plugin = masking()
    const { gateway } = scene({ answers: MAIL, plugins: [plugin] })
    const first = await all(await gateway.stream(ask('Write to ann@x.test')))
    const seen = plugin.saw.splice(0)
    const again = await all(await gateway.stream(ask('Write to ann@x.test')))
    expect([plugin.saw, again]).toEqual([seen, first])
    expect(again.at(-1)?.type).toBe('finish')
  })

  it('callers with masks of their own share a flight', async () => {
    const { gateway, clock, asked, nothingLeft } = scene({ answers: attempt => ({ ...MAIL(attempt), chunkMs: 10 }), plugins: [masking()] })
    const calls = ['ann', 'bob', 'eve'].map(name => gateway.chat(ask(`Write to ${name}@x.test`)))
    await clock.runUntilIdle()
    expect((await Promise.all(calls)).map(({ text }) => text)).toEqual(['ann', 'bob', 'eve'].map(name => `Mail to ${name}@x.test number 1`))
    expect(asked()).toBe(1)
    nothingLeft()
  })

  it('a hook that refuses a hit refuses this call, not the answer', async () => {
    let strict = false
    const guard: Plugin = {
      name: 'guard',
      open: () => ({
        event: event => {
          if (strict && event.type === 'text-delta') throw new GatewayError('refused', 'Not for you.')
          return event
        },
      }),
    }
    const { chat, asked, nothingLeft } = scene({ plugins: [guard] })
    await chat()
    strict = true
    expect(await thrown(() => chat())).toMatchObject({ code: 'refused' })
    strict = false
    expect([(await chat()).cached, asked()]).toEqual(['hit', 1])
    nothingLeft()
  })
})

describe('an answer that does not match its schema', () => {
  const jsonSchema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } as const satisfies JsonObject
  const strict: StandardSchema<{ a: string }> = { '~standard': { version: 1, vendor: 'by-hand', validate: value => ((value as { a?: unknown }).a === 'good' ? { value: { a: 'good' } } : { issues: [{ message: 'must be good' }] }) } }
  const output = { schema: strict, jsonSchema }

  it('of a stream is not given again', async () => {
    const { gateway, asked, nothingLeft } = scene({ answers: ['{"a":"bad"}', '{"a":"good"}'] })
    const read = async () => (await gateway.stream(ask('Hi', { output }))).result()
    expect((await thrown(read)).code).toBe('output_invalid')
    expect((await read()).output).toEqual({ a: 'good' })
    expect([(await read()).cached, asked()]).toEqual(['hit', 2])
    nothingLeft()
  })

  it('nor where several calls shared it', async () => {
    const { gateway, asked, clock, nothingLeft } = scene({ answers: [{ text: '{"a":"bad"}', latencyMs: 10 }, '{"a":"good"}'] })
    const read = async () => (await gateway.stream(ask('Hi', { output }))).result()
    const calls = [thrown(read), thrown(read)]
    await clock.runUntilIdle()
    expect((await Promise.all(calls)).map(({ code }) => code)).toEqual(['output_invalid', 'output_invalid'])
    expect([(await read()).output, asked()]).toEqual([{ a: 'good' }, 2])
    nothingLeft()
  })

  it('nor of a chat that failed for it', async () => {
    const { chat, health } = scene({ answers: attempt => (attempt < 3 ? '{"a":"bad"}' : '{"a":"good"}'), options: { retry: { attempts: 2 } } })
    expect((await thrown(() => chat(ask('Hi', { output })))).code).toBe('output_invalid')
    expect(health()?.kept).toBe(0)
    expect((await chat(ask('Hi', { output }))).cached).toBe(false)
  })

  it('of a caller who asks for more than the one before did is not given to it again and again', async () => {
    for (const way of ['chat', 'read'] as const) {
      const { [way]: go, asked } = scene({ answers: ['{"a":"bad"}', '{"a":"good"}'] })
      await go(ask('Hi', { output: jsonSchema }))
      expect((await thrown(() => go(ask('Hi', { output })))).code).toBe('output_invalid')
      expect([(await go(ask('Hi', { output }))).output, asked()]).toEqual([{ a: 'good' }, 2])
    }
  })

  it('that was repaired is kept as it was accepted', async () => {
    const target = scripted({ id: 'd', answers: ['{"a":"bad"}', '{"a":"good"}'], price: { input: 1, output: 1 } })
    const gateway = new Gateway({ routes: { smart: target }, clock: virtualClock(), cache: true })
    const first = await gateway.chat(ask('Hi', { output }))
    const again = await gateway.chat(ask('Hi', { output }))
    expect([first.output, again.output, again.cached, target.calls.length]).toEqual([{ a: 'good' }, { a: 'good' }, 'hit', 2])
    // Asking anew would have taken the same two tries.
    expect(again.cost.saved).toBe(first.cost.usd)
  })
})
