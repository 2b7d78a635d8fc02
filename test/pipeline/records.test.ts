import { describe, expect, it } from 'vitest'
import { fallback, Gateway, GatewayError, openai, type CallRecord, type GatewayOptions, type Message, type Plugin } from '../../src/index.js'
import { scripted, virtualClock } from '../../src/testing/index.js'
import { KEY, thrown, witness } from '../gateway/support.js'

const ASK = { model: 'smart', messages: 'Hi' } as const

function scene(plugins: readonly Plugin[], options: GatewayOptions = {}) {
  const primary = scripted({ id: 'primary', price: { input: 1, output: 1 }, answers: { fail: { status: 503 } } })
  const backup = scripted({ id: 'backup', provider: 'p', model: 'm', price: { input: 1, output: 1 }, answers: { text: 'Hello [NAME_1]', usage: { inputTokens: 10, outputTokens: 5 } } })
  const clock = virtualClock()
  return { clock, gateway: new Gateway({ clock, retry: { attempts: 1 }, plugins, ...options, routes: { smart: fallback(primary, backup), down: primary, none: openai('m-1', { baseUrl: 'https://a.example' }) } }) }
}

describe('a record', () => {
  it('says what was asked, who was tried and why, and what it cost', async () => {
    const seen = witness()
    const { gateway } = scene([seen])
    const answer = await gateway.chat(ASK, { metadata: { team: 'a' } })
    expect(seen.records).toEqual([
      {
        version: 1,
        id: answer.id,
        kind: 'chat',
        startedAt: '2026-01-01T00:00:00.000Z',
        model: 'smart',
        route: 'smart',
        outcome: 'success',
        deployment: 'backup',
        provider: 'p',
        answeredModel: 'm',
        finishReason: 'stop',
        usage: { inputTokens: 10, outputTokens: 5 },
        costNanos: 15_000,
        attempts: answer.attempts,
        excluded: [],
        warnings: [],
        restarts: 0,
        firstEventMs: 0,
        totalMs: 0,
        metadata: { team: 'a' },
      },
    ])
    expect(JSON.parse(JSON.stringify(seen.records))).toEqual(seen.records)
  })

  it.each([
    ['a route that does not exist', { model: 'nope', messages: 'Hi' }, {}, { outcome: 'failure', code: 'model_not_found', model: 'nope', route: '' }],
    ['a request that is wrong', { model: 'smart', messages: '' }, { metadata: { team: 'a' } }, { outcome: 'failure', code: 'invalid_request', model: 'smart', metadata: { team: 'a' } }],
    ['a route without a key', { model: 'none', messages: 'Hi' }, {}, { outcome: 'failure', code: 'no_candidates', route: 'none', excluded: [{ deployment: 'openai/m-1' }] }],
    ['a route that is down', { model: 'down', messages: 'Hi' }, {}, { outcome: 'failure', code: 'overloaded', route: 'down', attempts: [{ deployment: 'primary', code: 'overloaded' }] }],
    ['a call that was over before it began', { model: 'smart', messages: 'Hi' }, { signal: AbortSignal.abort() }, { outcome: 'aborted', code: 'aborted', attempts: [] }],
  ])('is there for %s, once', async (_what, request, options, record) => {
    const seen = witness()
    const { gateway, clock } = scene([seen])
    await thrown(() => gateway.chat(request as typeof ASK, options))
    expect(seen.records).toHaveLength(1)
    expect(seen.records[0]).toMatchObject(record)
    expect([clock.pending, gateway.health().calls]).toEqual([0, 0])
  })

  it('is there for a call that a guard refused, with the name of the route', async () => {
    const seen = witness()
    const guard: Plugin = { name: 'guard', open: () => ({ request: () => Promise.reject(new GatewayError('refused', 'No.')) }) }
    await thrown(() => scene([guard, seen]).gateway.chat(ASK))
    expect(seen.records).toMatchObject([{ outcome: 'failure', code: 'refused', model: 'smart' }])
  })

  it('comes after the call was let go, and before its answer', async () => {
    const order: string[] = []
    const { gateway } = scene([{ name: 'p', observe: () => void order.push(`record, ${gateway.health().calls} open`) }])
    await gateway.chat(ASK).then(() => order.push('answer'))
    expect(order).toEqual(['record, 0 open', 'answer'])
  })

  it('cannot be changed by who sees it, nor later by who asked', async () => {
    const seen = witness(true)
    const vandal: Plugin = {
      name: 'vandal',
      observe: record => {
        ;(record as { outcome: string }).outcome = 'failure'
      },
    }
    const pusher: Plugin = { name: 'pusher', observe: record => void (record.attempts as unknown[]).push('x') }
    const { gateway } = scene([vandal, pusher, seen])
    const messages: Message[] = [{ role: 'user', content: 'Hi' }]
    const metadata: Record<string, number> = { step: 1 }
    const answer = await gateway.chat({ model: 'smart', messages }, { metadata })
    messages.push(answer.message)
    metadata['step'] = 2
    ;(answer.attempts as unknown[]).length = 0
    expect(seen.records[0]).toMatchObject({ outcome: 'success', attempts: [{ deployment: 'primary' }, { deployment: 'backup' }], metadata: { step: 1 }, content: { messages: [{ role: 'user', content: 'Hi' }] } })
    expect((seen.records[0]?.content?.messages as unknown[]).length).toBe(1)
  })

  it('reaches every observer, whichever of them fails or hangs', async () => {
    const seen = witness()
    const bad: Plugin[] = [
      { name: 'throws', observe: () => { throw new Error('no') } },
      { name: 'hangs', observe: () => new Promise<void>(() => undefined) as unknown as void },
    ]
    const { gateway } = scene([...bad, seen])
    expect((await gateway.chat(ASK)).text).toBe('Hello [NAME_1]')
    expect(seen.records).toHaveLength(1)
  })

  it('an observer that rejects does not end the process', async () => {
    const lost: unknown[] = []
    const listen = (reason: unknown) => void lost.push(reason)
    process.on('unhandledRejection', listen)
    const { gateway } = scene([{ name: 'rejects', observe: () => Promise.reject(new Error('no')) as unknown as void }])
    await gateway.chat(ASK)
    await new Promise(resolve => setImmediate(resolve))
    process.off('unhandledRejection', listen)
    expect(lost).toEqual([])
  })
})

describe('prompts and answers in records', () => {
  const mask: Plugin = {
    name: 'mask',
    open: () => ({
      request: request => ({ ...request, messages: request.messages.map(message => ({ ...message, content: String(message.content).replaceAll('Ada', '[NAME_1]') }) as typeof message) }),
      event: event => (event.type === 'text-delta' ? { ...event, text: event.text.replaceAll('[NAME_1]', 'Ada') } : event),
    }),
  }

  it('are not there unless somebody asked for them', async () => {
    const seen = witness()
    const { gateway } = scene([seen])
    await gateway.chat({ model: 'smart', messages: `My name is ${KEY}` })
    expect(seen.records[0]?.content).toBeUndefined()
    expect(JSON.stringify(seen.records)).not.toMatch(new RegExp(`${KEY}|Hello`))
  })

  it.each(['chat', 'stream'] as const)('are the masked side: a %s', async kind => {
    const seen = witness(true)
    const { gateway } = scene([mask, seen])
    const request = { model: 'smart', messages: 'I am Ada.' } as const
    const { text } = kind === 'chat' ? await gateway.chat(request) : await (await gateway.stream(request)).result()
    expect(text).toBe('Hello Ada')
    expect(seen.records[0]?.content).toEqual({ messages: [{ role: 'user', content: 'I am [NAME_1].' }], text: 'Hello [NAME_1]', toolCalls: [] })
    expect(JSON.stringify(seen.records)).not.toContain('Ada')
  })

  it('go only to the sink that wants them', async () => {
    const [bare, full]: [CallRecord[], CallRecord[]] = [[], []]
    const { gateway } = scene([mask], {
      log: [records => void bare.push(...records), { name: 'full', content: true, write: records => void full.push(...records) }],
    })
    await gateway.chat({ model: 'smart', messages: 'I am Ada.' })
    await gateway.flush()
    expect([bare[0]?.content, full[0]?.content?.text]).toEqual([undefined, 'Hello [NAME_1]'])
  })

  it('a call whose mask failed says nothing of its prompt', async () => {
    const seen = witness(true)
    const broken: Plugin = { name: 'broken', open: () => ({ request: () => { throw new Error(KEY) } }) }
    await thrown(() => scene([broken, seen]).gateway.chat({ model: 'smart', messages: KEY }))
    expect(JSON.stringify(seen.records)).not.toContain(KEY)
  })
})
