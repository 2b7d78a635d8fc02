import { describe, expect, it } from 'vitest'
import { fallback, Gateway, GatewayError, type CallView, type ChatEvent, type FlushReason, type GatewayOptions, type Hooks, type Plugin } from '../../src/index.js'
import { openHooks } from '../../src/plugins/hooks.js'
import { scripted, seededRandom, virtualClock, type ScriptedOptions } from '../../src/testing/index.js'
import { all, thrown, typesOf, witness } from '../gateway/support.js'

const ASK = { model: 'smart', messages: 'Hi' } as const
const VIEW: CallView = { id: 'c', kind: 'chat', model: 'm', clock: virtualClock(), onEnd: () => undefined }
const hooked = (name: string, hooks: Hooks): Plugin => ({ name, open: () => hooks })

function scene(plugins: readonly Plugin[], answers: ScriptedOptions['answers'] = { chunks: ['a', 'b', 'c'] }, options: GatewayOptions = {}) {
  const deployment = scripted({ id: 'd', answers, price: { input: 1, output: 1 } })
  const clock = virtualClock()
  const gateway = new Gateway({ routes: { smart: fallback(deployment, scripted({ id: 'spare', answers: 'spare' })) }, plugins, clock, random: seededRandom(1), retry: { attempts: 1 }, ...options })
  return { deployment, gateway: gateway as unknown as Gateway<{ smart: typeof deployment }>, clock }
}

/** Marks what passes, so that the order can be read off the text. */
const marking = (mark: string): Plugin =>
  hooked(mark, {
    request: request => ({ ...request, messages: request.messages.map(message => ({ ...message, content: `${String(message.content)}${mark}` }) as typeof message) }),
    event: event => (event.type === 'text-delta' ? { ...event, text: `${event.text}${mark}` } : event),
  })

describe('the order of hooks', () => {
  it.each(['chat', 'stream'] as const)('%s: requests go first to last and events last to first, so masks nest', async kind => {
    const { gateway, deployment } = scene([marking('1'), marking('2'), marking('3')], 'x')
    const result = kind === 'chat' ? await gateway.chat(ASK) : await (await gateway.stream(ASK)).result()
    expect(deployment.calls[0]?.request.messages).toEqual([{ role: 'user', content: 'Hi123' }])
    expect(result.text).toBe('x321')
  })

  it('a request hook may wait, and the next sees what it made', async () => {
    const slow = hooked('slow', { request: async request => (await Promise.resolve(), { ...request, temperature: 0 }) })
    const { gateway, deployment } = scene([slow, hooked('fast', { request: request => ({ ...request, topP: request.temperature === 0 ? 0.5 : 1 }) })])
    await gateway.chat(ASK)
    expect(deployment.calls[0]?.request).toMatchObject({ temperature: 0, topP: 0.5 })
  })

  it('each call has hooks of its own, and knows whose they are', async () => {
    const seen: unknown[] = []
    const plugin: Plugin = { name: 'p', open: call => (seen.push({ ...call }), {}) }
    const { gateway } = scene([plugin])
    const answer = await gateway.chat(ASK, { metadata: { team: 'a' } })
    await (await gateway.stream(ASK)).result()
    expect(seen).toMatchObject([{ id: answer.id, kind: 'chat', model: 'smart', metadata: { team: 'a' } }, { id: expect.not.stringMatching(answer.id) as string, kind: 'stream', model: 'smart' }])
  })
})

/** Holds text back until it is told to let go. */
function holding(): { readonly plugin: Plugin; readonly flushes: FlushReason[] } {
  const flushes: FlushReason[] = []
  const open = (): Hooks => {
    let held = ''
    return {
      event: event => {
        if (event.type !== 'text-delta') return event
        held += event.text
        return undefined
      },
      flush: reason => {
        flushes.push(reason)
        const text = held
        held = ''
        return reason === 'restart' || text === '' ? undefined : [{ type: 'text-delta', text }]
      },
    }
  }
  return { plugin: { name: 'holding', open }, flushes }
}

describe('event hooks', () => {
  it('one event may become several, or none', async () => {
    const twice = hooked('twice', { event: event => (event.type === 'text-delta' && event.text !== 'b' ? [event, event] : event.type === 'text-delta' ? undefined : event) })
    const { gateway } = scene([twice])
    const stream = await gateway.stream(ASK)
    expect(await all(stream.textStream)).toEqual(['a', 'a', 'c', 'c'])
    expect((await gateway.chat(ASK)).text).toBe('aacc')
  })

  it('what was held back comes before the finish, and passes the hooks after it', async () => {
    const { plugin, flushes } = holding()
    const { gateway } = scene([marking('!'), plugin])
    const events = await all(await gateway.stream(ASK))
    expect(typesOf(events)).toEqual(['start', 'text-delta', 'finish'])
    expect(events[1]).toEqual({ type: 'text-delta', text: 'abc!' })
    expect(flushes).toEqual(['finish'])
  })

  it('what was held back is given before the error that cut the answer', async () => {
    const { plugin, flushes } = holding()
    const { gateway } = scene([plugin], { chunks: ['a', 'b', 'c'], fail: 'cut', failAfter: 2 })
    const stream = await gateway.stream(ASK)
    const got: string[] = []
    const error = await thrown(async () => {
      for await (const text of stream.textStream) got.push(text)
    })
    expect([got, error.code, error.partial?.text, flushes]).toEqual([['ab'], 'malformed_response', 'ab', ['error']])
  })

  it('what was held back of an answer that is void is dropped', async () => {
    const { plugin, flushes } = holding()
    const { gateway } = scene([plugin], { chunks: ['a', 'b', 'c'], fail: 'cut', failAfter: 2 }, { recover: 'restart' })
    const events = await all(await gateway.stream(ASK))
    expect(typesOf(events)).toEqual(['start', 'restart', 'start', 'text-delta', 'finish'])
    expect(events[3]).toEqual({ type: 'text-delta', text: 'spare' })
    expect(flushes).toEqual(['restart', 'finish'])
  })

  it('a reader that leaves lets the hooks know', async () => {
    const { plugin, flushes } = holding()
    const { gateway } = scene([plugin])
    const stream = await gateway.stream(ASK)
    stream.cancel()
    expect(flushes).toEqual(['aborted'])
  })

  it('a tool call can be changed whole, and the caller is given the changed one', async () => {
    const plugin = hooked('fix', { event: event => (event.type === 'tool-call' ? { ...event, input: { city: 'Rome' }, arguments: '{"city":"Rome"}' } : event.type === 'tool-call-delta' ? undefined : event) })
    const { gateway } = scene([plugin], { toolCalls: [{ name: 'weather', input: { city: '[CITY_1]' } }] })
    const { toolCalls, message } = await gateway.chat(ASK)
    expect(toolCalls).toMatchObject([{ input: { city: 'Rome' } }])
    expect(message.content).toMatchObject([{ input: { city: 'Rome' }, arguments: '{"city":"Rome"}' }])
  })
})

describe('a guard that fails lets nothing through', () => {
  const boom = (): never => {
    throw new RangeError('private detail')
  }
  const later = () => Promise.resolve({})
  it.each<[string, Plugin]>([
    ['open throws', { name: 'guard', open: boom }],
    ['open returns nothing', { name: 'guard', open: () => undefined as never }],
    ['open returns a promise of hooks', { name: 'guard', open: later as never }],
    ['request throws', hooked('guard', { request: boom })],
    ['request rejects', hooked('guard', { request: () => Promise.reject(new RangeError('private detail')) })],
    ['request returns nothing', hooked('guard', { request: (() => undefined) as never })],
    ['event throws', hooked('guard', { event: boom })],
    ['event returns a promise', hooked('guard', { event: (async (event: ChatEvent) => (await Promise.resolve(), event)) as never })],
    ['event returns a list with a hole', hooked('guard', { event: (() => [undefined]) as never })],
    ['flush throws', hooked('guard', { flush: boom })],
  ])('%s', async (_what, plugin) => {
    const seen = witness()
    for (const kind of ['chat', 'stream'] as const) {
      const { gateway, deployment, clock } = scene([plugin, seen])
      const error = await thrown(async () => (kind === 'chat' ? gateway.chat(ASK) : (await gateway.stream(ASK)).result()))
      expect(error).toMatchObject({ code: 'refused', origin: 'gateway', message: expect.stringContaining('The plugin "guard" failed') as string })
      expect(error.message).not.toContain('private')
      expect([deployment.open, clock.pending, gateway.health().calls]).toEqual([0, 0, 0])
    }
    expect(seen.records.map(({ outcome, code }) => [outcome, code])).toEqual([['failure', 'refused'], ['failure', 'refused']])
  })

  it('a refusal of its own reaches the caller as it is', async () => {
    const guard = hooked('guard', { request: () => Promise.reject(new GatewayError('refused', 'No secrets please.', { origin: 'caller' })) })
    const { gateway, deployment } = scene([guard])
    expect(await thrown(() => gateway.chat(ASK))).toMatchObject({ code: 'refused', message: 'No secrets please.' })
    expect(deployment.calls).toEqual([])
  })

  it('a request hook that hangs ends with the deadline of the call, or with its abort', async () => {
    const { gateway, clock, deployment } = scene([hooked('hang', { request: () => new Promise(() => undefined) })])
    const late = thrown(() => gateway.chat(ASK, { deadlines: { totalMs: 1_000 } }))
    await clock.advance(1_000)
    expect(await late).toMatchObject({ code: 'timeout', deadline: 'total' })
    const leaver = new AbortController()
    const left = thrown(() => gateway.chat(ASK, { signal: leaver.signal }))
    leaver.abort()
    expect(await left).toMatchObject({ code: 'aborted' })
    expect([deployment.calls.length, clock.pending, gateway.health().calls]).toEqual([0, 0, 0])
  })
})

it('two gateways with the same options share nothing but the objects they were given', async () => {
  const make = () => new Gateway({ routes: { smart: scripted({ id: 'd', answers: { chunks: ['a', 'b'] }, limits: { concurrency: 1 } }) } })
  const [one, two] = [make(), make()]
  const open = await one.stream(ASK)
  expect((await two.chat(ASK)).text).toBe('ab')
  expect([one.health().calls, two.health().calls]).toEqual([1, 0])
  await one.close()
  expect((await two.chat(ASK)).text).toBe('ab')
  await thrown(() => open.result())
})

it('nothing of a void answer leaves the chain, whatever a hook gives on a restart', () => {
  const late = hooked('late', { flush: () => [{ type: 'text-delta', text: 'void' }] })
  const seen: string[] = []
  const first = hooked('first', { flush: reason => (seen.push(reason), undefined) })
  const chain = openHooks([first, late], { ...VIEW, kind: 'stream' })
  expect(chain.flush('restart')).toEqual([])
  expect(chain.flush('finish')).toEqual([{ type: 'text-delta', text: 'void' }])
  expect(seen).toEqual(['restart', 'finish'])
})

it('without hooks nothing is copied on the way', () => {
  const batch: ChatEvent[] = [{ type: 'text-delta', text: 'a' }]
  const chain = openHooks([{ name: 'observer', observe: () => undefined }], VIEW)
  expect([chain.asks, chain.watches, chain.events(batch) === batch]).toEqual([false, false, true])
})
