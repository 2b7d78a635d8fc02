import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { streamDeliveries } from '../../scripts/recordings/deliveries.js'
import { messagesOf, readMessage, readOver, type Part } from '../../scripts/recordings/glued.js'
import { PROTOCOLS, type Protocol } from '../../scripts/recordings/protocols.js'
import type { Expected, Recording } from '../../scripts/recordings/recording.js'
import { playAll, type LineReport } from '../../scripts/recordings/run.js'
import { ReplayServer } from '../../scripts/recordings/server.js'

interface Event {
  readonly type: string
  readonly [key: string]: unknown
}

const ANTHROPIC = PROTOCOLS.find(({ file }) => file === 'anthropic.jsonl') as Protocol
const DELIVERIES = streamDeliveries(false).length

const sse = (...events: readonly Event[]): string => events.map(event => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
const text = (index: number, ...said: readonly string[]): Event[] => [
  { type: 'content_block_start', index, content_block: { type: 'text', text: '' } },
  ...said.map(piece => ({ type: 'content_block_delta', index, delta: { type: 'text_delta', text: piece } })),
  { type: 'content_block_stop', index },
]
const call = (index: number, id: string, input: string): Event[] => [
  { type: 'content_block_start', index, content_block: { type: 'tool_use', id, name: 'look', input: {} } },
  { type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json: input } },
  { type: 'content_block_stop', index },
]
const begun = (message: object): Event => ({ type: 'message_start', message: { id: 'm', type: 'message', role: 'assistant', model: 'claude', content: [], stop_reason: null, usage: { input_tokens: 2, output_tokens: 1 }, ...message } })
const ended = (stop_reason: string, output_tokens: number): Event[] => [{ type: 'message_delta', delta: { stop_reason }, usage: { output_tokens } }, { type: 'message_stop' }]

const FIRST = sse(begun({ usage: { input_tokens: 2, cache_read_input_tokens: 3, output_tokens: 1 } }), ...text(0, 'Grüß ', 'Gött 🌍'), ...call(1, 't1', '{"a":1}'), ...call(2, 't2', '{"b":2}'), ...ended('tool_use', 9))
/** Nothing of it comes in an event of its own. */
const BEGUN_WHOLE = sse(begun({ content: [{ type: 'tool_use', id: 't3', name: 'look', input: { c: 3 } }], stop_reason: 'tool_use', usage: { input_tokens: 0, output_tokens: 0 } }), { type: 'message_stop' })
const LAST = sse(begun({ usage: { input_tokens: 7, output_tokens: 1 } }), { type: 'ping' }, ...text(0, 'Done: event: message_stop\n\n'), ...text(1, 'Bye.'), ...ended('end_turn', 4))
const MESSAGES = [FIRST, BEGUN_WHOLE, LAST]
const OVER: Expected = {
  outcome: 'completion',
  choices: [{ text: 'Done: event: message_stop\n\nBye.', toolCalls: [{ id: 't2', name: 'look', arguments: { b: 2 } }], finish: { raw: 'end_turn', accept: ['tool_calls', 'stop'] } }],
  usage: { input: 7, output: 4 },
}

describe('a body of several messages', () => {
  it('is taken apart after each end, not where a text speaks of one, and nothing is lost', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...MESSAGES), { minLength: 1, maxLength: 8 }), messages => {
        expect(messagesOf(messages.join(''))).toEqual(messages)
      }),
    )
  })
  it('each message is read by itself, also what it begins with', () => {
    expect(readMessage(FIRST)).toEqual({
      outcome: 'completion',
      choices: [{ text: 'Grüß Gött 🌍', toolCalls: [{ id: 't1', name: 'look', arguments: { a: 1 } }, { id: 't2', name: 'look', arguments: { b: 2 } }], finish: { raw: 'tool_use', accept: ['tool_calls'] } }],
      usage: { input: 5, output: 9, cached: 3 },
    })
    expect(readMessage(BEGUN_WHOLE).choices).toEqual([{ text: '', toolCalls: [{ id: 't3', name: 'look', arguments: { c: 3 } }], finish: { raw: 'tool_use', accept: ['tool_calls'] } }])
  })
  it('laid over each other, a later block takes the place of an earlier one and the last word is the last', () => {
    expect(readOver(MESSAGES)).toEqual(OVER)
    expect(readOver([LAST, FIRST]).choices[0]?.text).toBe('Grüß Gött 🌍')
  })
  it('a stop reason that the reader does not know is accepted as nothing', () => {
    expect(readMessage(sse(begun({}), ...ended('brand_new', 1))).choices[0]?.finish).toEqual({ raw: 'brand_new', accept: [] })
  })
})

describe('a line of several messages', () => {
  let server: ReplayServer | undefined
  afterEach(async () => {
    await server?.stop()
    server = undefined
  })

  const GLUED: Recording = {
    id: 'line-1', vendor: 'anthropic', wire: 'stream', features: ['stream', 'x:concatenated'],
    request: { method: 'POST', path: '/v1/messages', headers: {} },
    response: { status: 200, headers: { 'content-type': 'text/event-stream' }, body: { text: MESSAGES.join('') } },
    expect: OVER,
  }
  async function played(more: Partial<Recording>, protocol: Protocol = ANTHROPIC): Promise<LineReport> {
    server = await ReplayServer.start()
    const [report] = await playAll(protocol, [{ ...GLUED, ...more }], server, 1)
    if (report === undefined) throw new Error('No report came.')
    return report
  }
  const answered = (body: string): Partial<Recording> => ({ response: { ...GLUED.response, body: { text: body } } })
  /** One part comes otherwise than it was read, as from a decoder that is wrong. */
  function misread(change: (text: string) => string, at: number): Protocol {
    const apart: NonNullable<Protocol['apart']> = line => {
      const whole = ANTHROPIC.apart?.(line)
      return whole && { ...whole, parts: whole.parts.map((part, index): Part => (index === at ? { ...part, text: change(part.text) } : part)) }
    }
    return { ...ANTHROPIC, apart }
  }

  it('is right in every delivery, message by message', async () => {
    expect(await played({})).toMatchObject({ right: DELIVERIES, wrong: 0, unnatural: 0, messages: 3, faults: [], reasons: [] })
  })
  it.each([
    ['text', 0, 'Gött', 'Gott', 'message 1 of 3: text: "Grüß Gött 🌍" expected, "Grüß Gott 🌍" found'],
    ['the input of a call', 1, '"c":3', '"c":4', 'message 2 of 3: toolCalls[0].input.c: 3 expected, 4 found'],
    ['the id of a call', 1, '"t3"', '"t4"', 'message 2 of 3: toolCalls[0].id: "t3" expected, "t4" found'],
    ['usage', 2, '"output_tokens":4', '"output_tokens":5', 'message 3 of 3: usage.output: 4 expected, 5 found'],
    ['the stop reason', 2, 'end_turn', 'max_tokens', 'message 3 of 3: finish: ["stop"] expected, "length" found'],
    ['an end that never comes', 0, /event: message_delta[^]*/, '', 'message 1 of 3: outcome: completion expected, malformed'],
    ['the first message of the whole body', 3, 'Gött', 'Gott', 'all messages in one response: text: "Grüß Gött 🌍" expected, "Grüß Gott 🌍" found'],
  ] as const)('is wrong in every delivery when one message comes out wrong: %s', async (_, at, from, to, fault) => {
    const { right, wrong, faults } = await played({}, misread(body => body.replace(from, to), at))
    expect([right, wrong]).toEqual([0, DELIVERIES])
    expect(faults[0]?.startsWith(`whole: ${fault}`), faults[0]).toBe(true)
  })
  it('is wrong when its messages are right and together they are not what it expects', async () => {
    const { right, wrong, faults } = await played({ expect: { ...OVER, usage: { input: 7, output: 13 } } })
    expect([right, wrong, faults[0]]).toEqual([0, DELIVERIES, 'whole: all messages laid over each other: usage.output: 13 expected, 4 found'])
  })
  it('is wrong when a message of it is not whole', async () => {
    const { right, faults } = await played(answered(MESSAGES.join('') + sse(begun({}))))
    expect([right, faults[0]]).toEqual([0, 'whole: message 4 of 4: it is not a whole message'])
    await server?.stop()
    const lost = await played(answered(FIRST.replace(/event: message_stop[^]*/, '') + LAST))
    expect([lost.right, lost.faults[0]]).toEqual([0, 'whole: message 1 of 1: it is not a whole message'])
  })
  it('no line is played message by message that does not say it holds several', async () => {
    const { messages, right, faults } = await played({ features: ['stream'] })
    expect([messages, right]).toEqual([undefined, 0])
    expect(faults[0]).toMatch(/^whole: text: /)
  })
})
