import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { fallback, Gateway, openai, type CallRecord, type ChatEvent, type ChatResult, type Plugin } from '../../../src/index.js'
import { scripted, type ScriptedOptions } from '../../../src/testing/index.js'
import type { RedactPii, RedactPiiOptions } from '../../../src/plugins/pii/index.js'
import { scene } from '../../gateway/cache-scene.js'
import { all, thrown, witness } from '../../gateway/support.js'
import { redactor } from './stand-in.js'

const ADA = 'ada@engine.test'
const LEAK = /engine\.test/
const TOOL = { name: 'send', description: 'sends', inputSchema: { type: 'object', properties: { to: { type: 'string' } } } } as const

function gatewayOf(answers: ScriptedOptions['answers'], options: RedactPiiOptions = { restore: true }, more: Partial<ConstructorParameters<typeof Gateway>[0]> = {}) {
  const deployment = scripted({ id: 'd', provider: 'p', model: 'm', capabilities: { prefill: true }, answers })
  const seen = witness(true)
  const pii: RedactPii = redactor(options)
  const gateway = new Gateway({ routes: { smart: deployment }, plugins: [seen, pii], retry: { attempts: 1 }, ...more })
  return { deployment, gateway, pii, records: seen.records, sent: () => JSON.stringify(deployment.calls.map(({ request }) => request)) }
}
const ask = { model: 'smart', messages: `write to ${ADA}` } as const

describe('the caller has the values, and nobody else', () => {
  test.each(['chat', 'stream'] as const)('with %s: not the upstream, not the record with content', async kind => {
    const { gateway, records, sent } = gatewayOf({ chunks: ['I wrote to [EMA', 'IL_', '1] and eve@ma', 'de.test.'] })
    const result: ChatResult = kind === 'chat' ? await gateway.chat(ask) : await (await gateway.stream(ask)).result()
    expect(result.text).toBe(`I wrote to ${ADA} and [EMAIL].`)
    expect(result.message.content).toBe(result.text)
    expect(sent()).not.toMatch(LEAK)
    expect(records[0]?.content).toMatchObject({ messages: [{ content: 'write to [EMAIL_1]' }], text: 'I wrote to [EMAIL_1] and eve@made.test.' })
    await gateway.close()
  })

  test('a cached value is masked, and each caller has its own values back from it', async () => {
    const kept: unknown[] = []
    const store = new Map<string, unknown>()
    const { chat, read, asked, records } = scene({
      answers: { text: 'to [EMAIL_1]' },
      plugins: [redactor({ restore: true })],
      cache: { store: { get: async (key: string) => Promise.resolve(store.get(key)), set: async (key: string, value: unknown) => { kept.push(key, value); store.set(key, value); return Promise.resolve() }, delete: async () => Promise.resolve(), clear: async () => Promise.resolve() } as never },
    })
    const results = [await chat({ model: 'smart', messages: `write to ${ADA}` }), await chat({ model: 'smart', messages: 'write to bob@engine.test' }), await read({ model: 'smart', messages: `write to ${ADA}` })]
    expect(results.map(({ text }) => text)).toEqual([`to ${ADA}`, 'to bob@engine.test', `to ${ADA}`])
    expect(results.map(({ cached }) => cached)).toEqual([false, 'hit', 'hit'])
    expect(asked()).toBe(1)
    expect(kept.length).toBeGreaterThan(0)
    expect(inspect(kept, { depth: 9 })).not.toMatch(LEAK)
    expect(JSON.stringify(records)).not.toMatch(LEAK)
  })

  test('calls that share a flight have their own values back', async () => {
    const { chat, asked } = scene({ answers: { text: 'to [EMAIL_1]' }, plugins: [redactor({ restore: true })] })
    const results = await Promise.all([ADA, 'bob@engine.test'].map(mail => chat({ model: 'smart', messages: `write to ${mail}` })))
    expect(results.map(({ text }) => text)).toEqual([`to ${ADA}`, 'to bob@engine.test'])
    expect(asked()).toBe(1)
  })

  test("a tenant that names another's conversation has nothing of it", async () => {
    const { gateway } = gatewayOf('it is [EMAIL_1]')
    const [a, b] = ['a', 'b'].map(team => gateway.as({ principal: { team } }))
    expect((await a?.chat(ask, { conversation: '1' }))?.text).toBe(`it is ${ADA}`)
    expect((await a?.chat({ model: 'smart', messages: 'which one?' }, { conversation: '1' }))?.text).toBe(`it is ${ADA}`)
    expect((await b?.chat({ model: 'smart', messages: 'which one?' }, { conversation: '1' }))?.text).toBe('it is [EMAIL_1]')
    await gateway.close()
  })

  test('a fallback sees the same masks', async () => {
    const first = scripted({ id: 'a', answers: { fail: { status: 500 } } })
    const second = scripted({ id: 'b', answers: 'to [EMAIL_1]' })
    const gateway = new Gateway({ routes: { smart: fallback(first, second) }, plugins: [redactor({ restore: true })], retry: { attempts: 1 } })
    expect((await gateway.chat(ask)).text).toBe(`to ${ADA}`)
    expect([first, second].map(({ calls }) => calls[0]?.request.messages[0]?.content)).toEqual(['write to [EMAIL_1]', 'write to [EMAIL_1]'])
    await gateway.close()
  })

  test.each(['restart', 'continue'] as const)('a rescued stream (%s) is whole, though it broke inside a placeholder', async recover => {
    const cut = { chunks: ['Dear [EMA', 'IL_1], all the best of luck to you'], fail: 'cut', failAfter: 1 } as const
    const whole = { chunks: ['Dear [EMA', 'IL_1], all the best of luck to you'] }
    const { gateway } = gatewayOf([cut, whole], { restore: true }, { recover, retry: { attempts: 2 } })
    const result = await (await gateway.stream(ask)).result()
    expect(result.text).toBe(`Dear ${ADA}, all the best of luck to you`)
    await gateway.close()
  })

  test('a prefilled answer is masked and goes on', async () => {
    const { gateway, sent } = gatewayOf({ text: 'Dear [EMAIL_1], and [EMAIL_1]' })
    await gateway.chat({ model: 'smart', messages: [{ role: 'user', content: ADA }, { role: 'assistant', content: `Dear ${ADA}` }] })
    expect(sent()).not.toMatch(LEAK)
    await gateway.close()
  })

  test('tool calls keep placeholders unless they are to be restored, in steps of a run too', async () => {
    const answers = [{ toolCalls: [{ name: 'send', input: { to: '[EMAIL_1]' } }] }, 'sent to [EMAIL_1]']
    for (const [restore, given] of [[true, '[EMAIL_1]'], [{ toolCalls: true }, ADA]] as const) {
      const { gateway, sent } = gatewayOf(answers, { restore })
      const asked: unknown[] = []
      const run = await gateway.runTools({ ...ask, tools: [{ ...TOOL, execute: (input: unknown) => { asked.push(input); return `done for ${ADA}` } }] })
      expect(asked).toEqual([{ to: given }])
      expect(run.text).toBe(`sent to ${ADA}`)
      expect(sent()).not.toMatch(LEAK)
      expect(sent()).toContain('done for [EMAIL_1]')
      await gateway.close()
    }
  })

  test('embeddings', async () => {
    const deployment = scripted({ id: 'd', answers: '', embed: {} })
    const gateway = new Gateway({ routes: { vectors: deployment }, plugins: [redactor({ restore: true })] })
    await gateway.embed({ model: 'vectors', input: [`about ${ADA}`] })
    expect(deployment.calls[0]?.request.messages[0]?.content).toBe('about [EMAIL]')
    await gateway.close()
  })

  test("an upstream's error that repeats the prompt has nothing to repeat", async () => {
    const { gateway, records } = gatewayOf((_, request) => ({ fail: { status: 400, upstream: { message: `bad: ${JSON.stringify(request.messages)}` } } }))
    const error = await thrown(() => gateway.chat(ask))
    expect(error.upstream?.message).toContain('[EMAIL_1]')
    expect(inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(records)).not.toMatch(LEAK)
    await gateway.close()
  })

  test('signed reasoning goes back as it was written, though the caller saw values', async () => {
    const { gateway, deployment } = gatewayOf([{ reasoning: 'I think of [email 1] and eve@made.test', text: 'ok' }, 'ok'])
    const first = await gateway.chat(ask, { conversation: 'k' })
    expect(first.reasoning).toBe(`I think of ${ADA} and [EMAIL]`)
    await gateway.chat({ model: 'smart', messages: [{ role: 'user', content: ask.messages }, first.message, { role: 'user', content: 'more' }] }, { conversation: 'k' })
    expect(JSON.stringify(deployment.calls[1]?.request.messages)).toContain('I think of [email 1] and eve@made.test')
    await gateway.close()
  })

  test('a description that holds something is a warning in the answer', async () => {
    const { gateway } = gatewayOf('ok')
    const { warnings } = await gateway.chat({ model: 'smart', messages: 'hi', tools: [{ ...TOOL, description: `mail to ${ADA}` }] })
    expect(warnings).toMatchObject([{ code: 'other', parameter: 'tools[0].description' }])
    expect(JSON.stringify(warnings)).not.toMatch(LEAK)
    await gateway.close()
  })

  test('a refused call asked nobody, and its record holds nothing', async () => {
    const { gateway, deployment, records } = gatewayOf('ok', { actions: 'block' })
    const error = await thrown(() => gateway.chat(ask))
    expect([error.code, deployment.calls.length]).toEqual(['refused', 0])
    expect(inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(records)).not.toMatch(LEAK)
    await gateway.close()
  })

  test('a detector that fails refuses the call, and what it failed with is told nobody', async () => {
    const pii = redactor({}, () => ({ maxLength: 1, detect: text => { throw new RangeError(text) } }))
    const deployment = scripted('ok')
    const gateway = new Gateway({ routes: { smart: deployment }, plugins: [pii] })
    const error = await thrown(() => gateway.chat(ask))
    expect([error.code, deployment.calls.length]).toEqual(['refused', 0])
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(LEAK)
    await gateway.close()
  })
})

describe('records', () => {
  test('metadata, and what the model made up, are masked on their way to a log', async () => {
    const lines: CallRecord[] = []
    const pii = redactor({ restore: true })
    const sink = pii.sink({ name: 'lines', content: true, write: records => void lines.push(...records) })
    const gateway = new Gateway({ routes: { smart: scripted('by eve@made.test') }, plugins: [pii as Plugin], log: [sink] })
    await gateway.chat(ask, { metadata: { customer: ADA, n: 1 }, conversation: `with ${ADA}` })
    await gateway.close()
    expect(lines[0]).toMatchObject({ metadata: { customer: '[EMAIL]', n: 1 }, conversation: 'with [EMAIL]', content: { text: 'by [EMAIL]' } })
    expect(JSON.stringify(lines)).not.toMatch(LEAK)
  })
})

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise(resolve => server.close(resolve))
})

/** A provider that writes its stream in pieces of so many bytes. */
async function provider(text: string, bytes: number, bodies: string[]): Promise<string> {
  const chunk = (delta: object, finish: string | null = null): string => `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
  const pieces = text.match(/[\s\S]{1,5}/gu) ?? []
  const body = Buffer.from([...pieces.map(content => chunk({ content })), chunk({}, 'stop'), 'data: [DONE]\n\n'].join(''))
  const server = createServer((req, res) => {
    let asked = ''
    req.on('data', (data: Buffer) => (asked += data.toString()))
    req.on('end', () => {
      bodies.push(asked)
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      let at = 0
      const write = (): void => {
        if (at >= body.length) return void res.end()
        res.write(body.subarray(at, (at += bytes)))
        setImmediate(write)
      }
      write()
    })
  })
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
}

describe('over a real socket', () => {
  test.each([1, 2, 3, 7, 1000])('in pieces of %i bytes, characters of several bytes cut too', async bytes => {
    const bodies: string[] = []
    const baseUrl = await provider('Grüße 😀 an [EMAIL_1], 東京 と [email\\_1] — and eve@made.test.', bytes, bodies)
    const gateway = new Gateway({ routes: { smart: openai('m', { baseUrl, apiKey: 'k' }) }, plugins: [redactor({ restore: true })] })
    const events: ChatEvent[] = await all(await gateway.stream(ask))
    expect(events.map(event => (event.type === 'text-delta' ? event.text : '')).join('')).toBe(`Grüße 😀 an ${ADA}, 東京 と ${ADA} — and [EMAIL].`)
    expect(bodies.join('')).not.toMatch(LEAK)
    expect(bodies.join('')).toContain('[EMAIL_1]')
    await gateway.close()
  })
})
