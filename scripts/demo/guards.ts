import { GatewayError, type JsonObject } from 'sallyport'
import { blockList } from 'sallyport/guard'
import { isRecord, textOf } from '../loopback/dialect.js'
import { clean, quiet, same, type Claim } from './check.js'
import { recordedAnswer } from './recorded.js'
import type { Playing, Scene } from './scenes.js'
import type { Stage } from './stage.js'

const LEGS = 'How many legs has a spider? Answer in JSON.'
const SECRET = 'When does Project  Bluebird start?'
const OUTPUT: JsonObject = { type: 'object', properties: { legs: { type: 'integer' } }, required: ['legs'], additionalProperties: false }
const ANSWERS = ['{"legs":"eight"}', '{"legs":8}'] as const
const PROBLEM = 'legs: must be integer, not string'

/** How a prompt ended that may not leave. */
async function refused({ gateway, page, signal }: Playing): Promise<string> {
  try {
    await gateway.chat({ model: 'smart', messages: SECRET }, { signal })
    page.row('answered', 'nobody refused it', 'red')
    return 'answered'
  } catch (error) {
    if (!GatewayError.is(error) || error.code === 'aborted') throw error
    page.row(error.code, error.message, 'yellow')
    return `${error.code} by the ${error.origin}`
  }
}

/** What the last request to the first provider says last. */
function lastWord(stage: Stage): string {
  const body = stage.asked()[0].at(-1)?.body
  const messages: readonly unknown[] = isRecord(body) && Array.isArray(body['messages']) ? body['messages'] : []
  const last = messages.at(-1)
  return isRecord(last) ? textOf(last['content']) : ''
}

async function play(playing: Playing): Promise<readonly Claim[]> {
  const { gateway, stage, page, signal } = playing
  const end = await refused(playing)
  const before = stage.asked().flat().length
  page.row('requests', `${before}`)
  page.blank()
  page.paragraph(`> ${LEGS}`, 'cyan')
  const answer = await gateway.chat<{ readonly legs: number }>({ model: 'smart', messages: LEGS, output: OUTPUT }, { signal })
  ANSWERS.slice(0, stage.asked()[0].length).forEach((text, at) => page.row(`answer ${at + 1}`, at === 0 ? `${text}: sent back, with what is wrong: ${PROBLEM}` : text, at === 0 ? 'yellow' : undefined))
  page.row('output', JSON.stringify(answer.output), 'bold')
  await quiet(stage)
  return [
    same('how the blocked prompt ended', end, 'refused by the caller'),
    same('requests for it', before, 0),
    same('the output', JSON.stringify(answer.output), ANSWERS[1]),
    same('requests for the answer', stage.asked().map(({ length }) => length).join(' and '), '2 and 0'),
    { what: 'the model was told what is wrong', ok: lastWord(stage).includes(PROBLEM), found: lastWord(stage) },
    ...clean(stage, gateway.health().calls),
  ]
}

/** Scenes of what is not let through. */
export const GUARDS: readonly Scene[] = [
  {
    title: 'A prompt that may not leave, and an answer that does not fit',
    about: 'A guard refuses the first call before anybody is asked. The second wants JSON of a schema: an answer that does not fit goes back to the model once.',
    call: "plugins: [blockList({ words: ['project bluebird'] })]; gateway.chat({ ..., output: schema })",
    question: SECRET,
    faults: ANSWERS.map(recordedAnswer),
    settings: { plugins: [blockList({ words: ['project bluebird'] })] },
    summary: 'nothing was sent of the one; the other fits its schema after one repair',
    play,
  },
]
