import { afterEach, describe, expect, it, vi } from 'vitest'
import { inspect } from 'node:util'
import { Gateway, GatewayError, tool, type CallRecord, type GatewayOptions, type Hooks, type Plugin } from 'sallyport'
import { allowedTopics, blockList, maxPrompt, secretLeak } from 'sallyport/guard'
import { redactPii } from 'sallyport/pii'
import { scripted, virtualClock } from 'sallyport/testing'
import { PERSON } from './deployments.js'

const PRIVATE = 'words of the prompt'
/** The domains of {@link PERSON} are kept for documentation, where no address is masked. */
const MAIL = PERSON[0].replace('mail.test', 'kanaria-werke.de')
const boom = (): never => {
  throw new TypeError(PRIVATE)
}
const hang = (): Promise<never> => new Promise<never>(() => undefined)

const FAULTY: readonly (readonly [string, () => unknown])[] = [
  ['open throws', boom],
  ['open gives nothing', () => undefined],
  ['open gives a promise', () => Promise.resolve({})],
  ['open gives a number', () => 5],
  ['request throws', () => ({ request: boom })],
  ['request rejects', () => ({ request: () => Promise.reject(new Error(PRIVATE)) })],
  ['request gives nothing', () => ({ request: () => undefined })],
  ['request gives true', () => ({ request: () => true })],
  ['request gives a request without messages', () => ({ request: () => ({}) })],
  ['request waits and gives null', () => ({ request: () => Promise.resolve(null) })],
  ['request hangs', () => ({ request: hang })],
  ['request throws nothing at all', () => ({ request: () => { throw undefined as unknown as Error } })],
]
const ANSWERS: typeof FAULTY = [
  ['event throws', () => ({ event: boom })],
  ['event gives a promise', () => ({ event: () => Promise.resolve({ type: 'text-delta', text: 'x' }) })],
  ['event gives a text', () => ({ event: () => 'x' })],
  ['event gives a list of nonsense', () => ({ event: () => [5] })],
  ['event gives null', () => ({ event: () => null })],
  ['flush throws', () => ({ flush: boom })],
  ['flush gives a promise', () => ({ flush: () => Promise.resolve([]) })],
  ['flush gives a text', () => ({ flush: () => 'x' })],
  ['flush gives a list of nonsense', () => ({ flush: () => [5] })],
]
const WAYS = ['chat', 'stream', 'embed', 'runTools'] as const

function scene(plugin: Plugin) {
  const deployment = scripted({ id: 'd', answers: { chunks: ['An ', 'answer.'] } })
  const clock = virtualClock()
  const records: CallRecord[] = []
  const gateway = new Gateway({ routes: { smart: deployment }, clock, plugins: [plugin, { name: 'seen', content: true, observe: record => void records.push(record) }], deadlines: { totalMs: 1_000 }, retry: { attempts: 3 } } as GatewayOptions)
  const call = async (way: (typeof WAYS)[number]): Promise<unknown> => {
    const ask = { model: 'smart', messages: PRIVATE, tools: [tool({ name: 't', inputSchema: { type: 'object' }, execute: () => 'x' })] }
    if (way === 'embed') return gateway.embed({ model: 'smart', input: PRIVATE } as never)
    if (way === 'stream') return (await gateway.stream(ask as never)).result()
    return way === 'chat' ? gateway.chat(ask as never) : gateway.runTools(ask as never)
  }
  const outcome = async (way: (typeof WAYS)[number]): Promise<unknown> => {
    const done = call(way).then(() => 'it went through', (error: unknown) => error)
    await clock.advance(1_000)
    return done
  }
  return { deployment, gateway, records, outcome }
}

describe.each(WAYS)('%s with a plugin', way => {
  it.each(FAULTY)('whose %s is refused, and nobody is asked', async (_what, open) => {
    const { deployment, gateway, outcome } = scene({ name: 'faulty', open: open as () => Hooks })
    const error = await outcome(way)
    expect(GatewayError.is(error) && ['refused', 'timeout'].includes(error.code)).toBe(true)
    expect(inspect(error, { depth: Infinity })).not.toContain(PRIVATE)
    expect([deployment.calls.length, gateway.health().calls]).toEqual([0, 0])
    await gateway.close()
  })
})

describe.each(['chat', 'stream', 'runTools'] as const)('%s with a plugin', way => {
  it.each(ANSWERS)('whose %s is refused, once', async (_what, open) => {
    const { gateway, outcome } = scene({ name: 'faulty', open: open as () => Hooks })
    const error = await outcome(way)
    expect(GatewayError.is(error) && error.code).toBe('refused')
    expect(inspect(error, { depth: Infinity })).not.toContain(PRIVATE)
    expect(gateway.health().calls).toBe(0)
    await gateway.close()
  })
})

describe('guards of our own', () => {
  const detector = { maxLength: 1, detect: boom }
  it.each<[string, (failOpen?: boolean) => Plugin]>([
    ['allowedTopics that throws', failOpen => allowedTopics(boom, { ...(failOpen !== undefined && { failOpen }) })],
    ['allowedTopics that hangs', failOpen => allowedTopics(hang, { timeoutMs: 100, ...(failOpen !== undefined && { failOpen }) })],
    ['allowedTopics that says maybe', failOpen => allowedTopics(() => 'maybe' as never, { ...(failOpen !== undefined && { failOpen }) })],
    ['secretLeak whose detector throws', failOpen => secretLeak({ detector, in: 'both', ...(failOpen !== undefined && { failOpen }) })],
  ])('%s refuse the call, and only failOpen on that guard lets it through', async (_what, make) => {
    for (const plugin of [make(), make(false)]) {
      const { gateway, outcome, deployment } = scene(plugin)
      const error = await outcome('chat')
      expect([GatewayError.is(error) && error.code, deployment.calls.length]).toEqual(['refused', 0])
      await gateway.close()
    }
    const { gateway, outcome } = scene(make(true))
    expect(await outcome('chat')).toBe('it went through')
    await gateway.close()
  })

  it.each([1, 'true', null, {}])('failOpen is true or nothing: %j is refused at construction', value => {
    for (const make of [() => blockList({ words: ['x'], failOpen: value as never }), () => maxPrompt({ tokens: 1, failOpen: value as never }), () => allowedTopics(() => true, { failOpen: value as never })]) expect(make).toThrow(/failOpen must be/)
  })
})

describe('settings for debugging', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })

  it('do not switch a mask off: records with content, plugins and the upstream see the masked side', async () => {
    for (const name of ['DEBUG', 'NODE_DEBUG', 'SALLYPORT_DEBUG', 'SALLYPORT_LOG', 'LOG_LEVEL', 'NODE_ENV', 'VERBOSE']) vi.stubEnv(name, name === 'NODE_ENV' ? 'development' : '*')
    const pii = redactPii({ restore: true, known: { MEMBER: [PERSON[1]] } })
    const deployment = scripted({ id: 'd', answers: ['chat', 'stream'].map(() => ({ chunks: ['Hello [EM', 'AIL_1], [MEMBER', '_1].'] })) })
    const seen: CallRecord[] = []
    const printed = ([process.stderr, process.stdout] as const).map(stream => vi.spyOn(stream, 'write').mockImplementation(() => true))
    const gateway = new Gateway({ routes: { smart: deployment }, plugins: [pii], log: [{ name: 'all', content: true, write: (batch: readonly CallRecord[]) => void seen.push(...batch) }] } as unknown as GatewayOptions)
    const ask = { model: 'smart', messages: `I am ${MAIL}, ${PERSON[1]}.` } as never
    const answers = [await gateway.chat(ask), await (await gateway.stream(ask)).result()]
    await gateway.flush()
    expect(answers.map(({ text }) => text)).toEqual([`Hello ${MAIL}, ${PERSON[1]}.`, `Hello ${MAIL}, ${PERSON[1]}.`])
    expect(seen.map(({ content }) => content?.text)).toEqual(['Hello [EMAIL_1], [MEMBER_1].', 'Hello [EMAIL_1], [MEMBER_1].'])
    expect(deployment.calls).toHaveLength(2)
    const told = inspect([seen, deployment.calls, gateway.health(), pii, printed.map(({ mock }) => mock.calls)], { depth: Infinity })
    for (const value of [MAIL, PERSON[1]]) expect(told).not.toContain(value)
    await gateway.close()
  })
})
