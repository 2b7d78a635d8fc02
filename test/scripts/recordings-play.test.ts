import { Agent, get } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { byteByByte, plainDeliveries, streamDeliveries } from '../../scripts/recordings/deliveries.js'
import { PROTOCOLS, type Protocol } from '../../scripts/recordings/protocols.js'
import { parseRecordings, type Recording } from '../../scripts/recordings/recording.js'
import { reportOf } from '../../scripts/recordings/report.js'
import { playAll, type LineReport } from '../../scripts/recordings/run.js'
import { ReplayServer } from '../../scripts/recordings/server.js'
import { ANTHROPIC_BODY, OPENAI_BODY, STREAM } from './recordings-fixtures.js'

type Fields = Record<string, unknown>

let server: ReplayServer | undefined
afterEach(async () => {
  await server?.stop()
  server = undefined
})

const OPENAI = PROTOCOLS.find(({ hasDone }) => hasDone) as Protocol
const ANTHROPIC = PROTOCOLS.find(({ hasDone }) => !hasDone) as Protocol

describe('the server', () => {
  it('pieces reach the client one by one, not in one read', async () => {
    server = await ReplayServer.start()
    const booking = server.book({ status: 200, headers: { 'content-type': 'text/event-stream', 'content-length': '9999' }, pieces: byteByByte(new TextEncoder().encode(STREAM)), sized: false })
    const turns = new Set<number>()
    let turn = 0
    let running = true
    const tick = (): void => void (turn++, running && setImmediate(tick))
    tick()
    const text = await new Promise<string>((resolve, reject) => {
      const agent = new Agent()
      get(`${booking.origin}/v1/x?y=1`, { agent }, res => {
        const chunks: Buffer[] = []
        res.on('data', (chunk: Buffer) => turns.add(turn) && chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
      }).on('error', reject)
    })
    running = false
    expect(text).toBe(STREAM)
    expect(turns.size).toBeGreaterThan(new TextEncoder().encode(STREAM).length * 0.9)
    expect(booking.arrived).toMatchObject([{ method: 'GET', path: '/v1/x?y=1', body: '' }])
  })
})

function recording(more: { wire?: Recording['wire']; path: string; vendor: string; request?: Fields; response: Recording['response']; expect: Recording['expect'] }): Recording {
  const { path, request, wire = 'json', ...rest } = more
  return { id: 'line-1', wire, ...rest, request: { method: 'POST', path, headers: {}, ...(request !== undefined && { body: { json: request } }) } }
}
const STREAMED = recording({
  wire: 'stream', vendor: 'local', path: '/v1/chat/completions', request: { ...OPENAI_BODY, messages: OPENAI_BODY.messages.slice(1, 2), tools: undefined, tool_choice: undefined, response_format: undefined, stream: true },
  response: { status: 200, headers: { 'content-type': 'text/event-stream' }, body: { text: STREAM } },
  expect: { outcome: 'completion', choices: [{ text: 'Grüß Gött 🌍', toolCalls: [], finish: { raw: 'stop', accept: ['stop'] } }], usage: { input: 3, output: 2 } },
})
const REJECTED = recording({
  vendor: 'anthropic', path: '/v1/messages', request: ANTHROPIC_BODY,
  response: { status: 429, headers: { 'content-type': 'application/json' }, body: { json: { type: 'error', error: { type: 'rate_limit_error', message: 'Slow down, please.' } } } },
  expect: { outcome: 'error', choices: [], error: { class: 'rate_limit', retryable: true, type: 'rate_limit_error', message: 'Slow down, please.' } },
})

async function played(protocol: Protocol, line: Recording): Promise<LineReport> {
  server = await ReplayServer.start()
  const [report] = await playAll(protocol, [line], server, 1)
  if (report === undefined) throw new Error('No report came.')
  return report
}

describe('a line that is played', () => {
  // The cache mark is for servers that know it, and this one is not known to.
  const plain: Protocol = { ...OPENAI, rules: [...OPENAI.rules, { reason: 'no cache marks', allows: ({ path }) => path.endsWith('cache_control') }] }

  it('comes out right in every delivery, request and answer', async () => {
    expect(await played(plain, STREAMED)).toMatchObject({ right: streamDeliveries(true).length, wrong: 0, unnatural: 0, requests: streamDeliveries(true).length, faults: [] })
  })
  it('an error comes out as its class, and the request with all its kinds of blocks arrives', async () => {
    expect(await played(ANTHROPIC, REJECTED)).toMatchObject({ right: plainDeliveries('chat-json').length, wrong: 0, faults: [] })
  })
  it('an answer that is not as expected is wrong in every delivery', async () => {
    const { right, wrong, faults } = await played(plain, { ...STREAMED, expect: { ...STREAMED.expect, usage: { input: 3, output: 1 } } })
    expect([right, wrong]).toEqual([0, streamDeliveries(true).length])
    expect(faults[0]).toBe('whole: usage.output: 1 expected, 2 found')
  })
  it('an error of another class, and one that may not be retried, are wrong', async () => {
    const { right, faults } = await played(ANTHROPIC, { ...REJECTED, expect: { ...REJECTED.expect, error: { class: 'quota', retryable: false } } })
    expect([right, faults.filter(fault => fault.startsWith('whole: '))]).toEqual([0, ['whole: code: "quota_exhausted" expected, "rate_limited" found', 'whole: retryable: false expected, true found']])
  })
  it('a request that arrives without something is wrong although the answer is right', async () => {
    const forgetful: Protocol = { ...plain, read: (body, line) => plain.read({ ...body, temperature: undefined }, line) }
    const { right, faults } = await played(forgetful, STREAMED)
    expect([right, faults[0]]).toEqual([0, 'whole: request: temperature: 0.5 expected, nothing found'])
  })
  it('a request at the wrong address, or without its key, is wrong', async () => {
    const astray: Protocol = { ...plain, way: (line, origin, key, stream) => ({ ...plain.way(line, origin, key, stream), path: '/v2/elsewhere', headers: { authorization: 'Bearer other' } }) }
    const { right, faults } = await played(astray, STREAMED)
    expect([right, faults.slice(0, 2)]).toEqual([0, ['whole: request: POST /v2/elsewhere expected, POST /v1/chat/completions found', 'whole: request: the header authorization is not as it should be']])
  })
  it('a refusal that is listed must come', async () => {
    const listed: Protocol = { ...plain, refused: new Map([['line-1', 'by design']]) }
    const sound = { ...STREAMED, request: { ...STREAMED.request, body: { json: { messages: [{ role: 'user', content: 'Hello' }] } } } }
    expect(await played(listed, sound)).toMatchObject({ wrong: 1, refused: 'by design', faults: ['the recorded request: it was not refused before it was sent'] })
    await server?.stop()
    const broken = { ...STREAMED, request: { ...STREAMED.request, body: { json: { messages: ['Hello'] } } } }
    expect(await played(listed, broken)).toMatchObject({ wrong: 0, right: streamDeliveries(true).length, requests: 0, faults: [] })
  })
})

describe('the report', () => {
  const line = (more: Partial<LineReport>): LineReport => ({ id: 'x-1', right: 2, wrong: 0, unnatural: 0, requests: 2, faults: [], reasons: [], allowed: [], ...more })
  it('closes with the counts of all files, and lists what is not right', () => {
    const text = reportOf([{ file: 'a.jsonl', lines: [line({}), line({ id: 'x-2', right: 0, wrong: 1, faults: ['whole: text'] })] }, { file: 'b.jsonl', lines: [line({ right: 0, unnatural: 3, reasons: ['x-3: cut'], refused: 'malformed' })] }])
    expect(text.split('\n').at(-1)).toBe('recordings: 3 lines, 6 deliveries, 2 right (0 of them message by message), 1 wrong, 3 not right by nature')
    for (const listed of ['x-2, whole: text', 'x-3: cut', 'x-1: malformed']) expect(text).toContain(listed)
  })
  it('a line that was played message by message is said to be so, and only where it came out right', () => {
    const text = reportOf([{ file: 'a.jsonl', lines: [line({}), line({ id: 'x-2', messages: 5 }), line({ id: 'x-3', right: 1, wrong: 1, messages: 6 })] }])
    expect(text.split('\n').at(-1)).toBe('recordings: 3 lines, 6 deliveries, 5 right (3 of them message by message), 1 wrong, 0 not right by nature')
    expect(text).toContain('x-2: 5 messages in each of 2 deliveries')
    expect(text).not.toContain('6 messages')
  })
  it('a line that is no recording is an error', () => {
    expect(() => parseRecordings('{"id":"a"}')).toThrow(/Line 1/)
    expect(parseRecordings(`${JSON.stringify(STREAMED)}\n\n`)).toEqual([JSON.parse(JSON.stringify(STREAMED))])
  })
})
