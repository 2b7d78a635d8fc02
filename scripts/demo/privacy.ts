import type { ChatRequest, ChatResult, GatewayOptions, Message } from 'sallyport'
import { redactPii, type PiiReport, type RedactPiiOptions } from 'sallyport/pii'
import { isRecord, textOf } from '../loopback/dialect.js'
import { clean, quiet, same, type Claim } from './check.js'
import { recordedStream, type Delta } from './recorded.js'
import type { Playing, Scene } from './scenes.js'
import type { Stage } from './stage.js'

const MAIL = 'ada@analytical-engines.co.uk'
const PHONE = '+44 20 7946 0958'
const CARD = '4111 1111 1111 1111'
/** Nobody's, in a form that is somebody's. */
const TOKEN = `ghp_${Array.from({ length: 36 }, (_, at) => 'aZ3kQ9xB7mT2cV8nL5pR4wG6yH1jD0sF'[(at * 11) % 32]).join('')}`
const BOB = 'bob@difference-works.co.uk'
const MADE_UP = 'press@engines-of-babbage.co.uk'
/** With and without blanks: a value that was only written another way has leaked, too. */
const VALUES = [MAIL, BOB, PHONE, CARD, TOKEN].flatMap(value => [value, value.replaceAll(' ', '')])

const ASKED = `I am ${MAIL}, on ${PHONE}. I paid with ${CARD}; our API key is ${TOKEN}. What will you do?`
const ASKED_MASKED = 'I am [EMAIL_1], on [PHONE_1]. I paid with [CREDIT_CARD_1]; our API key is [SECRET_1]. What will you do?'
const DELTAS: readonly string[] = ['I write to [EM', 'AIL', '_', '1], ring [PHO', 'NE_1', '] and charge [CREDIT_', 'CARD_1]. [SECRET', '_1] stays hidden', '. A copy goes to press@eng', 'ines-of-babbage.co.uk.']
const RESTORED = `I write to ${MAIL}, ring ${PHONE} and charge ${CARD}. [SECRET_1] stays hidden. A copy goes to [EMAIL].`

const NEXT = `Send the invoice to ${MAIL}, not to ${BOB}.`
const NEXT_MASKED = 'Send the invoice to [EMAIL_1], not to [EMAIL_2].'
const ARGUMENTS = '{"to":"[EMAIL_1]"}'
const CALL: readonly Delta[] = [{ tool: 'send_invoice', id: 'call_1' }, { args: '{"to":"[EM' }, { args: 'AIL_' }, { args: '1]"}' }]
const TOOLS = [{ name: 'send_invoice', inputSchema: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] } }] as const
const CONVERSATION = 'customer-7'
const COUNTED = ['1 CREDIT_CARD, 1 EMAIL, 1 PHONE, 1 SECRET', '2 EMAIL']

/** The settings of a gateway that masks, tells the stage what it finds, and writes a log with content, masked as well. */
export function masking(options: RedactPiiOptions): (stage: Stage) => Partial<GatewayOptions> {
  return stage => {
    const pii = redactPii({ ...options, onReport: stage.report })
    return { plugins: [pii], log: pii.sink(stage.log) }
  }
}

interface Turn {
  readonly result: ChatResult
  /** The text, and the arguments of tool calls, as they came event by event. */
  readonly text: string
  readonly args: string
}

async function ask({ gateway, page, signal }: Playing, request: Pick<ChatRequest, 'messages' | 'tools'>): Promise<Turn> {
  const stream = await gateway.stream({ model: 'smart', maxOutputTokens: 2000, ...request }, { conversation: CONVERSATION, signal })
  const writing = page.answer()
  let [text, args] = ['', '']
  for await (const event of stream) {
    if (event.type === 'text-delta') {
      text += event.text
      writing.write(event.text)
    } else if (event.type === 'tool-call-delta') args += event.arguments
  }
  writing.end()
  return { result: await stream.result(), text, args }
}

/** The messages of each request as the first provider has them. */
function received(stage: Stage): readonly (readonly string[])[] {
  return stage.asked()[0].map(({ body }) => {
    const messages: readonly unknown[] = isRecord(body) && Array.isArray(body['messages']) ? body['messages'] : []
    return messages.map(message => (isRecord(message) ? textOf(message['content']) : ''))
  })
}

/** Types and how many, of what was found in one message of one call. */
function counted(reports: readonly PiiReport[], call: string | undefined, position: string): string {
  const types = reports.filter(report => report.call === call && report.position.startsWith(position)).map(({ type }) => type)
  return [...new Set(types)].sort().map(type => `${types.filter(one => one === type).length} ${type}`).join(', ')
}

/** Which of the values stand in a text; only how many is told, for this is printed. */
function holds(text: string, values: readonly string[]): number {
  return values.filter(value => text.includes(value)).length
}

function nowhere(what: string, kept: readonly unknown[], values: readonly string[], wanted: number): Claim[] {
  const found = holds(JSON.stringify(kept), values)
  return [same(`${what}: how many`, kept.length, wanted), { what: `${what}: no value in it`, ok: found === 0, found: `${found} values` }]
}

async function play(playing: Playing): Promise<readonly Claim[]> {
  const { gateway, stage, page } = playing
  const first = await ask(playing, { messages: ASKED })
  const history: readonly Message[] = [{ role: 'user', content: ASKED }, first.result.message, { role: 'user', content: NEXT }]
  page.blank()
  page.row('provider got', received(stage)[0]?.at(-1) ?? 'nothing')
  page.row('it wrote', DELTAS.map(delta => JSON.stringify(delta)).join(' '))
  page.blank()
  page.paragraph(`> ${NEXT}`, 'cyan')
  const second = await ask(playing, { messages: history, tools: TOOLS })
  page.row('provider got', received(stage)[1]?.at(-1) ?? 'nothing')
  const [call] = second.result.toolCalls
  page.row('tool call', `${call?.name}(${call?.arguments}): for tools, values go back only with restore: { toolCalls: true }`)
  await gateway.flush()
  await quiet(stage)
  const found = [counted(stage.reports, stage.records[0]?.id, 'messages[0]'), counted(stage.reports, stage.records[1]?.id, 'messages[2]')]
  found.forEach((types, at) => page.row(at === 0 ? 'found' : '', `in prompt ${at + 1}: ${types || 'nothing'}`))
  page.row('written down', `${stage.records.length} records and ${stage.logged.length} lines of the log, with content; values in them: ${holds(JSON.stringify([stage.records, stage.logged]), VALUES)}`)
  return [
    same('the first prompt, at the provider', received(stage)[0]?.join('\n'), ASKED_MASKED),
    same('the second prompt, at the provider', received(stage)[1]?.at(-1), NEXT_MASKED),
    same('the first prompt in the history, at the provider', received(stage)[1]?.[0], ASKED_MASKED),
    same('the answer as it arrived', first.text, RESTORED),
    same('the whole answer', first.result.text, RESTORED),
    same('the arguments as they arrived', second.args, ARGUMENTS),
    same('the arguments', call?.arguments, ARGUMENTS),
    same('found in the prompts', found.join('; '), COUNTED.join('; ')),
    same('the answer in the record', stage.records[0]?.content?.text, DELTAS.join('')),
    ...nowhere('what the provider was sent', stage.asked().flat().map(({ body, headers }) => [body, headers]), VALUES, 2),
    ...nowhere('the records', stage.records, VALUES, 2),
    ...nowhere('the reports', [stage.reports], VALUES, 1),
    // What the model makes up is in its answer, which a record repeats; the log masks that as well.
    ...nowhere('the log', stage.logged, [...VALUES, MADE_UP], 2),
    ...clean(stage, gateway.health().calls),
  ]
}

/** Scenes of what stays here. */
export const PRIVACY: readonly Scene[] = [
  {
    title: 'Personal data and secrets stay here',
    about: 'Values are replaced by placeholders before the prompt leaves, and go back into the answer as it streams, however it is cut. One value has one placeholder in a whole conversation. Secrets never go back.',
    call: 'plugins: [redactPii({ restore: true })]',
    question: ASKED,
    faults: [recordedStream(DELTAS), recordedStream(CALL)],
    settings: masking({ restore: true }),
    summary: 'the provider, the record and the log have placeholders; the reader has the values',
    play,
  },
]
