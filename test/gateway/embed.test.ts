import { afterEach, describe, expect, it } from 'vitest'
import { anthropic, compatible, fallback, Gateway, openai, type Deployment, type EmbedRequest, type GatewayOptions, type Plugin } from '../../src/index.js'
import { countedClock, expectNothingLeft } from '../compositions/left-behind.js'
import { until } from '../compositions/support.js'
import { answer, vectorOf, vectorServer, type Plan, type VectorServer } from './embed-scene.js'
import { KEY, thrown, witness } from './support.js'

const MODEL = 'text-embedding-3-small'
const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const gateway of open.splice(0)) await gateway.close()
})

function at(server: VectorServer, id = 'd', model = MODEL): Deployment {
  return openai(model, { id, baseUrl: server.baseUrl, apiKey: KEY, price: { input: 20, output: 0 } })
}

async function scene(plan: Plan = answer, options: Omit<GatewayOptions, 'routes' | 'clock'> = {}, more: (server: VectorServer) => Deployment[] = () => []) {
  const server = await vectorServer(plan)
  const [clock, seen] = [countedClock(), witness()]
  const gateway = new Gateway({ retry: { baseMs: 1 }, ...options, routes: { v: fallback(at(server), ...more(server)) }, clock, plugins: [seen, ...(options.plugins ?? [])] })
  open.push(gateway)
  const embed = (input: EmbedRequest['input'], request: Partial<EmbedRequest> = {}, callOptions = {}) => gateway.embed({ model: 'v', input, ...request } as never, callOptions)
  return { server, gateway, embed, records: seen.records, nothingLeft: () => expectNothingLeft({ gateway, clock, providers: [server] }) }
}

/** Texts of 1 to 97 characters, each batch of 512 distinct from the next by its order. */
const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => String.fromCharCode(97 + (i % 26)).repeat(1 + (i % 97)))
const numbers = (embeddings: readonly Float32Array[]): number[][] => embeddings.map(vector => [...vector])

describe('one call for embeddings', () => {
  it('gives a vector for each text, what it cost, and who gave it', async () => {
    const t = await scene()
    const { embeddings, ...rest } = await t.embed(['Hello', 'Bye'])
    expect(numbers(embeddings)).toEqual([vectorOf('Hello'), vectorOf('Bye')])
    expect(rest).toMatchObject({ usage: { inputTokens: 2 }, cost: { nanos: 40_000, estimated: false, source: 'priced' }, provider: 'openai', model: MODEL, deployment: 'd', cached: false, warnings: [] })
    expect(rest.usage).not.toHaveProperty('outputTokens')
    expect(t.server.asked[0]).toMatchObject({ path: '/v1/embeddings', body: { model: MODEL, input: ['Hello', 'Bye'] } })
    expect(t.records).toMatchObject([{ kind: 'embed', outcome: 'success', costNanos: 40_000, usage: { inputTokens: 2 }, deployment: 'd' }])
    await t.nothingLeft()
  })

  it('of one text is a list of one', async () => {
    const t = await scene()
    expect(numbers((await t.embed('Hello')).embeddings)).toEqual([vectorOf('Hello')])
    await t.nothingLeft()
  })

  it('gives vectors that answers out of order, in base64, or without indexes would mix up', async () => {
    const pack = (text: string): string => Buffer.from(Float32Array.from(vectorOf(text)).buffer).toString('base64')
    const t = await scene(({ body: { input } }) => ({ body: { data: input.map((text, index) => ({ index, embedding: pack(text) })).reverse(), usage: { total_tokens: 7 } } }))
    const { embeddings, usage } = await t.embed(['a', 'bb', 'ccc'], { encoding: 'base64', dimensions: 3 })
    expect(numbers(embeddings)).toEqual(['a', 'bb', 'ccc'].map(vectorOf))
    expect(usage).toEqual({ inputTokens: 7 })
    expect(t.server.asked[0]?.body).toMatchObject({ encoding_format: 'base64', dimensions: 3 })
  })

  it('bills by what was sent where nothing is reported', async () => {
    const t = await scene(asked => ({ body: { ...(answer(asked).body as object), usage: undefined } }))
    expect((await t.embed('x'.repeat(400))).cost).toMatchObject({ nanos: 2_000_000, estimated: true })
  })

  it('through gateway.as() stands for somebody', async () => {
    const t = await scene()
    await t.gateway.as({ principal: { team: 'search' } }).embed({ model: 'v', input: 'Hello' })
    expect(t.records[0]?.principal).toEqual({ team: 'search' })
  })
})

describe('more texts than a provider takes at once', () => {
  it('go in several requests, four at once at the most, and come back as one answer and one record', async () => {
    const t = await scene()
    const all = texts(5_000)
    const { embeddings, usage, cost, attempts } = await t.embed(all)
    expect(numbers(embeddings)).toEqual(all.map(vectorOf))
    expect(t.server.asked.map(({ body }) => body.input.length).sort((a, b) => b - a)).toEqual([...Array.from({ length: 9 }, () => 512), 392])
    expect(t.server.most).toBeLessThanOrEqual(4)
    expect([usage, cost.nanos, attempts.length]).toEqual([{ inputTokens: 5_000 }, 100_000_000, 10])
    expect(t.records).toHaveLength(1)
    expect(t.records[0]).toMatchObject({ costNanos: 100_000_000, usage: { inputTokens: 5_000 } })
    await t.nothingLeft()
  })

  it('are cut by their length, too', async () => {
    const t = await scene()
    await t.embed([...Array.from({ length: 4 }, () => 'x'.repeat(250_000)), 'y'.repeat(700_000), 'z'])
    expect(t.server.asked.map(({ body }) => body.input.map(text => text.charAt(0)).join('')).sort()).toEqual(['xx', 'xx', 'y', 'z'])
  })

  it('try a batch again that failed, and only that', async () => {
    let failed = false
    const t = await scene(asked => {
      if (asked.body.input.length === 512 || failed) return answer(asked)
      failed = true
      return { status: 503, body: { error: { message: 'busy' } } }
    })
    expect((await t.embed(texts(1_100))).embeddings).toHaveLength(1_100)
    expect(t.server.asked.map(({ body }) => body.input.length).sort((a, b) => b - a)).toEqual([512, 512, 76, 76])
    await t.nothingLeft()
  })

  it('fail with the batch by name, end the others, and cost what was answered', async () => {
    const t = await scene(asked => (asked.body.input.length === 512 ? answer(asked) : { status: 400, body: { error: { message: 'too long', type: 'invalid_request_error' } } }))
    const error = await thrown(() => t.embed(texts(1_100)))
    expect([error.code, error.message]).toEqual(['invalid_request', expect.stringMatching(/^Batch 3 of 3 \(inputs 1024 to 1099\) failed\. /)])
    const paid = t.records[0]?.attempts.filter(({ outcome }) => outcome === 'success').length ?? 0
    expect(t.records).toMatchObject([{ outcome: 'failure', code: 'invalid_request', costNanos: paid * 512 * 20_000 }])
    await t.nothingLeft()
  })
})

describe('deployments that stand in for each other', () => {
  it('are asked when the first one fails', async () => {
    const down = await vectorServer(() => ({ status: 503, body: {} }))
    const t = await scene(answer, { retry: { attempts: 1 } }, () => [])
    const gateway = new Gateway({ routes: { v: fallback(at(down, 'first'), at(t.server, 'second')) }, retry: { attempts: 1 } })
    open.push(gateway)
    const { deployment, attempts } = await gateway.embed({ model: 'v', input: 'Hello' })
    expect([deployment, attempts.map(({ code, outcome }) => code ?? outcome)]).toEqual(['second', ['upstream_error', 'success']])
    await expectNothingLeft({ gateway, providers: [down, t.server] })
  })

  it('without embeddings are left out with the reason', async () => {
    const t = await scene(answer, {}, ({ baseUrl }) => [anthropic('claude-test', { id: 'claude', baseUrl, apiKey: KEY })])
    await t.embed('Hello')
    expect(t.records[0]?.excluded).toEqual([{ deployment: 'claude', reason: 'its dialect has no embeddings' }])
    const alone = new Gateway({ routes: { c: anthropic('claude-test', { id: 'claude', apiKey: KEY }) } })
    open.push(alone)
    const error = await thrown(() => alone.embed({ model: 'c', input: 'Hello' }))
    expect([error.code, error.message]).toEqual(['no_candidates', expect.stringContaining('claude: its dialect has no embeddings')])
  })

  it('of another model are refused before anybody is asked, unless the caller says they may', async () => {
    const t = await scene(answer, { retry: { attempts: 1 } }, server => [at(server, 'other', 'text-embedding-3-large'), compatible({ name: 'router', baseUrl: server.baseUrl }, `openai/${MODEL}`, { id: 'same' })])
    const error = await thrown(() => t.embed('Hello'))
    expect([error.code, error.message]).toEqual(['invalid_request', expect.stringContaining(`(${MODEL}, text-embedding-3-large)`)])
    expect(t.server.asked).toHaveLength(0)
    expect((await t.embed('Hello', { anyModel: true })).deployment).toBe('d')
  })

  it('of another model never answer one part of a call', async () => {
    // The first model answers once, and is then down.
    let good = 0
    const t = await scene(asked => (asked.body.model === MODEL && good++ > 0 ? { status: 503, body: {} } : answer(asked)), { retry: { attempts: 1 } }, server => [at(server, 'other', 'text-embedding-3-large')])
    const error = await thrown(() => t.embed(texts(1_100), { anyModel: true }))
    expect(error.code).toBe('upstream_error')
    expect(t.server.asked.every(({ body }) => body.model === MODEL)).toBe(true)
    await t.nothingLeft()
  })
})

describe('an end from outside', () => {
  const stuck: Plan = () => undefined

  it('by the caller closes every socket and is one record', async () => {
    const t = await scene(stuck)
    const abort = new AbortController()
    const work = thrown(() => t.embed(texts(3_000), {}, { signal: abort.signal }))
    await until(() => t.server.asked.length === 4)
    abort.abort()
    const error = await work
    expect([error.code, error.message]).toEqual(['aborted', 'The caller aborted the call.'])
    expect(t.records).toMatchObject([{ kind: 'embed', outcome: 'aborted', costNanos: 0 }])
    await until(() => t.server.openRequests === 0)
    await t.nothingLeft()
  })

  it('by a deadline is a timeout', async () => {
    const t = await scene(stuck)
    expect(await thrown(() => t.embed('Hello', {}, { deadlines: { totalMs: 50 } }))).toMatchObject({ code: 'timeout', deadline: 'total' })
    expect(await thrown(() => t.embed('Hello', {}, { deadlines: { answerMs: 50 }, retry: { attempts: 1 } }))).toMatchObject({ code: 'timeout', deadline: 'answer' })
    await t.nothingLeft()
  })

  it('by close() too', async () => {
    const t = await scene(stuck)
    const work = thrown(() => t.embed('Hello'))
    await until(() => t.server.asked.length === 1)
    await t.gateway.close()
    expect((await work).code).toBe('closed')
    await t.nothingLeft()
  })
})

describe('plugins', () => {
  const rewriting = (change: (texts: readonly string[]) => readonly string[]): Plugin => ({
    name: 'masks',
    open: () => ({ request: request => ({ ...request, messages: change(request.messages.map(({ content }) => String(content))).map(content => ({ role: 'user', content })) }) }),
  })

  it('see the texts and may change them', async () => {
    const t = await scene(answer, { plugins: [rewriting(all => all.map(text => text.replace('Ann', '[NAME]')))] })
    await t.embed(['Ann says hello', 'Bye'])
    expect(t.server.asked[0]?.body.input).toEqual(['[NAME] says hello', 'Bye'])
  })

  it.each([['adds one', (all: readonly string[]) => ['Be brief.', ...all]], ['takes one out', (all: readonly string[]) => all.slice(1)], ['empties one', () => ['', 'b']]])('are refused where one %s, for then no vector belongs to its text', async (_, change) => {
    const t = await scene(answer, { plugins: [rewriting(change)] })
    expect((await thrown(() => t.embed(['a', 'b']))).code).toBe('refused')
    expect(t.server.asked).toHaveLength(0)
    await t.nothingLeft()
  })

  it('are refused where one takes vectors out of the answer', async () => {
    const t = await scene(answer, { plugins: [{ name: 'eats', open: () => ({ event: event => (event.type === 'embedding' ? undefined : event) }) }] })
    expect((await thrown(() => t.embed('a'))).code).toBe('refused')
  })
})

describe('an answer that is none', () => {
  const bodies: readonly (readonly [string, unknown])[] = [
    ['too few vectors', { data: [{ embedding: [1] }] }],
    ['vectors of two lengths', { data: [{ embedding: [1] }, { embedding: [1, 2] }] }],
    ['an empty vector', { data: [{ embedding: [] }, { embedding: [] }] }],
    ['words in a vector', { data: [{ embedding: ['a'] }, { embedding: [1] }] }],
    ['numbers too large for 32 bits', { data: [{ embedding: [1e300] }, { embedding: [1] }] }],
    ['half a float', { data: [{ embedding: 'AAA=' }, { embedding: 'AAA=' }] }],
    ['no base64', { data: [{ embedding: '%%%' }, { embedding: '%%%' }] }],
    ['no list', { data: 5 }],
    ['no object', [1, 2]],
    ['null where an item should be', { data: [null, null] }],
  ]

  it.each(bodies)('(%s) is malformed, never a wrong vector', async (_, body) => {
    const t = await scene(() => ({ body }), { retry: { attempts: 1 } })
    expect((await thrown(() => t.embed(['a', 'b']))).code).toBe('malformed_response')
    await t.nothingLeft()
  })

  it('because its vectors are longer than asked for says so', async () => {
    const t = await scene(answer, { retry: { attempts: 1 } })
    expect((await thrown(() => t.embed('a', { dimensions: 2 }))).message).toContain('3 numbers, and 2 were asked for')
  })
})
