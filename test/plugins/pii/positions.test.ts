import { describe, expect, test } from 'vitest'
import type { CallView } from '../../../src/protocol/ports.js'
import type { Message, UpstreamRequest } from '../../../src/protocol/request.js'
import type { PiiReport, RedactPiiOptions } from '../../../src/plugins/pii/index.js'
import { thrown } from '../../gateway/support.js'
import { redactor, viewOf } from './stand-in.js'

const ADA = 'ada@engine.test'
const BOB = 'bob@engine.test'
const CARD = 4111111111111111

async function sent(request: UpstreamRequest, options: RedactPiiOptions = {}, view: Partial<CallView> = {}): Promise<UpstreamRequest> {
  const hooks = redactor(options).open?.(viewOf(view))
  return (await hooks?.request?.(request)) as UpstreamRequest
}
const masked = async (message: Message, options?: RedactPiiOptions): Promise<unknown> => (await sent({ messages: [message] }, options)).messages[0]

describe('every position of a request', () => {
  test.each<[string, Message, unknown]>([
    ['a system prompt', { role: 'system', content: `ask ${ADA}` }, { content: 'ask [EMAIL_1]' }],
    ['a developer prompt', { role: 'developer', content: `ask ${ADA}` }, { content: 'ask [EMAIL_1]' }],
    ['a user message', { role: 'user', content: `ask ${ADA}` }, { content: 'ask [EMAIL_1]' }],
    ['an assistant message', { role: 'assistant', content: `ask ${ADA}` }, { content: 'ask [EMAIL_1]' }],
    ['a tool result', { role: 'tool', toolCallId: 'a', content: `ask ${ADA}` }, { content: 'ask [EMAIL_1]' }],
    ['a part of a system prompt', { role: 'system', content: [{ type: 'text', text: ADA }] }, { content: [{ text: '[EMAIL_1]' }] }],
    ['a text part', { role: 'user', content: [{ type: 'text', text: ADA }] }, { content: [{ text: '[EMAIL_1]' }] }],
    ['a part of a tool result', { role: 'tool', toolCallId: 'a', content: [{ type: 'text', text: ADA }] }, { content: [{ text: '[EMAIL_1]' }] }],
    ['reasoning', { role: 'assistant', content: [{ type: 'reasoning', text: ADA }] }, { content: [{ text: '[EMAIL_1]' }] }],
    ['a refusal', { role: 'assistant', content: [{ type: 'refusal', text: ADA }] }, { content: [{ text: '[EMAIL_1]' }] }],
    ['a citation', { role: 'assistant', content: [{ type: 'text', text: 'x', citations: [{ text: ADA, data: { of: [BOB] } }] }] }, { content: [{ citations: [{ text: '[EMAIL_1]', data: { of: ['[EMAIL_2]'] } }] }] }],
    ['the name of a user', { role: 'user', name: ADA, content: 'x' }, { name: 'EMAIL_1' }],
    ['the name of a file', { role: 'user', content: [{ type: 'file', mediaType: 'application/pdf', data: 'AAAA', filename: `${ADA}.pdf` }] }, { content: [{ filename: 'EMAIL_1' }] }],
    ['the address of an image', { role: 'user', content: [{ type: 'image', image: `https://a.test/?q=${ADA}` }] }, { content: [{ image: 'https://a.test/?q=[EMAIL_1]' }] }],
    ['the address of a file, as a URL', { role: 'user', content: [{ type: 'file', mediaType: 'application/pdf', data: new URL(`https://a.test/?q=${ADA}`) }] }, { content: [{ data: 'https://a.test/?q=[EMAIL_1]' }] }],
    ["a block of the caller's own", { role: 'user', content: [{ type: 'text', text: 'x', providerData: { d: { block: { text: ADA } } } }] }, { content: [{ providerData: { d: { block: { text: '[EMAIL_1]' } } } }] }],
  ])('%s', async (_, message, expected) => {
    const given = await masked(message)
    expect(given).toMatchObject(expected as object)
    expect(JSON.stringify(given)).not.toMatch(/engine/)
  })

  test('arguments of calls in the history: each leaf, names and numbers too, written as JSON again', async () => {
    const input = { to: [ADA, { [BOB]: 'x' }], card: CARD, ok: true, n: 7 }
    const given = await masked({ role: 'assistant', content: [{ type: 'tool-call', id: 'a', name: 'send', input, arguments: JSON.stringify(input, null, 2) }] })
    const expected = { to: ['[EMAIL_1]', { '[EMAIL_2]': 'x' }], card: '[CREDIT_CARD_1]', ok: true, n: 7 }
    expect(given).toMatchObject({ content: [{ input: expected, arguments: JSON.stringify(expected) }] })
  })

  test('arguments that are no JSON are searched as text', async () => {
    expect(await masked({ role: 'assistant', content: [{ type: 'tool-call', id: 'a', name: 'send', input: {}, arguments: `{"to": "${ADA}` }] })).toMatchObject({ content: [{ arguments: '{"to": "[EMAIL_1]' }] })
  })

  test('the name of a property is context for its value', async () => {
    expect(await masked({ role: 'assistant', content: [{ type: 'tool-call', id: 'a', name: 'ring', input: { phone: '555 0100', other: '555 0199' } }] })).toMatchObject({ content: [{ input: { phone: '[PHONE_1]', other: '555 0199' } }] })
  })

  test('parameters of a provider, such as the user', async () => {
    expect((await sent({ messages: [], providerOptions: { openai: { user: ADA, metadata: { who: [BOB] } } } })).providerOptions).toEqual({ openai: { user: '[EMAIL_1]', metadata: { who: ['[EMAIL_2]'] } } })
  })

  test("descriptions of tools, schemas and stop words stay the developer's, and are told", async () => {
    const reports: PiiReport[] = []
    const request: UpstreamRequest = {
      messages: [],
      stop: [ADA],
      tools: [{ name: 't', description: `ask ${ADA}`, inputSchema: { type: 'object', properties: { a: { description: BOB } } } }, { providerData: { d: { x: ADA } } }],
      output: { name: 'output', jsonSchema: { description: ADA } },
    }
    expect(await sent(request, { onReport: report => reports.push(report) })).toBe(request)
    expect(reports.map(({ position }) => position)).toEqual(['tools[0].description', 'tools[0].inputSchema.properties.a.description', 'tools[1].providerData.d.x', 'output.jsonSchema.description', 'stop[0]'])
    const error = await thrown(() => sent(request, { actions: { EMAIL: 'block' } }))
    expect(error.code).toBe('refused')
  })

  test('inputs of embeddings, without numbers: vectors must not depend on what came before', async () => {
    const { messages } = await sent({ messages: [{ role: 'user', content: `${BOB} and ${ADA}` }, { role: 'user', content: ADA }], maxOutputTokens: 0, embed: {} }, { restore: true }, { kind: 'embed', conversation: 'c' })
    expect(messages.map(({ content }) => content)).toEqual(['[EMAIL] and [EMAIL]', '[EMAIL]'])
  })

  test('what an upstream signed goes back to it as it came', async () => {
    const block = { role: 'assistant', origin: { provider: 'p', model: 'm', deployment: 'd' }, content: [{ type: 'reasoning', text: 'x', providerData: { d: { signature: 'abc' } } }] } as const
    expect(await masked(block)).toBe(block)
  })
})

describe('what cannot be searched', () => {
  const image: UpstreamRequest = { messages: [{ role: 'user', content: [{ type: 'image', image: new Uint8Array(3), mediaType: 'image/png' }] }] }
  const audio: UpstreamRequest = { messages: [{ role: 'user', content: [{ type: 'audio', data: 'AAAA', format: 'wav' }] }] }

  test.each([['image/png', image], ['audio/wav', audio]])('%s is reported, and refused where that is asked for', async (mediaType, request) => {
    const reports: PiiReport[] = []
    expect(await sent(request, { onReport: report => reports.push(report) })).toBe(request)
    expect(reports).toMatchObject([{ type: 'UNSCANNABLE', reason: mediaType, action: 'report' }])
    expect((await thrown(() => sent(request, { onUnscannable: 'block' }))).code).toBe('refused')
  })
})

describe('what is found once is masked everywhere', () => {
  test('also where nothing tells it, before and after', async () => {
    const { messages } = await sent({ messages: [{ role: 'system', content: 'the caller: 555 0100.' }, { role: 'user', content: 'my phone: 555 0100' }, { role: 'assistant', content: 'noted: 555 0100, 1555 0100' }] })
    expect(messages.map(({ content }) => content)).toEqual(['the caller: [PHONE_1].', 'my phone: [PHONE_1]', 'noted: [PHONE_1], 1555 0100'])
  })

  test('a request without findings is the same object', async () => {
    const request: UpstreamRequest = { messages: [{ role: 'user', content: 'nothing [here]' }] }
    expect(await sent(request)).toBe(request)
  })
})

describe('a failing search refuses the call', () => {
  const request: UpstreamRequest = { messages: [{ role: 'user', content: ADA }] }
  const failing = { maxLength: 1, detect: () => { throw new RangeError(ADA) } }

  test('when the detector throws', () => {
    expect(() => redactor({}, () => failing).open?.(viewOf()).request?.(request)).toThrow()
  })

  test.each<[string, unknown]>([
    ['rejects', () => Promise.reject(new Error(ADA))],
    ['throws', () => { throw new Error(ADA) }],
    ['gives no list', () => undefined],
    ['gives places outside the text', () => [{ type: 'PERSON', start: 0, end: 99, score: 1, reason: 'x' }]],
    ['gives a type that is none', () => [{ type: 'person', start: 0, end: 3, score: 1, reason: 'x' }]],
  ])('when a model %s', async (_, model) => {
    await expect(Promise.resolve(sent(request, { model: model as NonNullable<RedactPiiOptions['model']> }))).rejects.toThrow()
  })

  test('when what is asked for changes meanwhile', async () => {
    const content = [{ type: 'text' as const, text: 'a' }]
    const changing: UpstreamRequest = { messages: [{ role: 'user', content }] }
    const error = await thrown(() => sent(changing, { model: () => { content[0] = { type: 'text', text: ADA }; return Promise.resolve([]) } }))
    expect(error.code).toBe('refused')
  })

  test('a model of the user adds names', async () => {
    const given = await sent({ messages: [{ role: 'user', content: `Grace wrote to ${ADA}` }] }, { model: async text => Promise.resolve(text.startsWith('Grace') ? [{ type: 'PERSON', start: 0, end: 5, score: 0.7, reason: 'model' }] : []) })
    expect(given.messages[0]?.content).toBe('[PERSON_1] wrote to [EMAIL_1]')
  })
})
