import { GatewayError, type CallOptions } from 'sallyport'
import type { Fault } from '../loopback/index.js'
import { ANSWERS } from './answers.js'
import { chat, stream } from './ask.js'
import { BUDGETS } from './budgets.js'
import { clean, judge, quiet, type Claim, type Expected } from './check.js'
import { GUARDS } from './guards.js'
import { OUTAGES } from './outages.js'
import { PRIVACY } from './privacy.js'
import { attempts, dollars, report, time } from './report.js'
import { FIRST, SECOND, type DemoGateway, type Settings, type Stage } from './stage.js'
import type { Page } from './terminal.js'

/** What a scene plays on. */
export interface Playing {
  readonly stage: Stage
  readonly gateway: DemoGateway
  readonly page: Page
  readonly signal: AbortSignal
}

/** One situation: what happens, what the caller writes, and what must come out. */
export interface Scene {
  readonly title: string
  readonly about: string
  /** What the caller writes. */
  readonly call: string
  readonly question: string
  /** How the first provider fails, request by request. */
  readonly faults: readonly Fault[]
  /** Options of its gateway, where the defaults would not show it or take too long. */
  readonly settings?: Settings
  /** What held, in a line. */
  readonly summary: string
  play(playing: Playing): Promise<readonly Claim[]>
}

type Telling = Omit<Scene, 'play' | 'faults'> & { readonly kind: 'chat' | 'stream'; readonly faults?: readonly Fault[]; readonly options?: CallOptions; readonly expected: Omit<Expected, 'text'> }

/** A scene in which the question is answered. */
export function answered({ kind, faults = [], options = {}, expected, ...scene }: Telling): Scene {
  return {
    ...scene,
    faults,
    async play({ stage, gateway, page, signal }) {
      const ask = kind === 'chat' ? chat : stream
      const heard = await ask(gateway, scene.question, { ...options, signal }, page)
      report(page, heard)
      await quiet(stage)
      const text = ANSWERS.get(scene.question)?.[expected.by === FIRST.id ? 0 : 1] ?? ''
      return [...judge(heard, stage, { ...expected, text }), ...clean(stage, gateway.health().calls)]
    },
  }
}

const LEAVE_AFTER = 12
/** What the library promises for an abort. */
const CLOSED_WITHIN_MS = 100

/** The caller has read enough and leaves the loop. Gives the time of that, and how the stream ended. */
async function readSome({ gateway, page, signal }: Playing, question: string): Promise<{ readonly leftMs: number; readonly code: string }> {
  const answer = await gateway.stream({ model: 'smart', messages: question }, { signal })
  const writing = page.answer()
  let read = 0
  let leftMs = 0
  for await (const event of answer) {
    if (event.type !== 'text-delta') continue
    writing.write(event.text)
    if (++read < LEAVE_AFTER) continue
    leftMs = Date.now()
    break
  }
  writing.mark('[enough: break]')
  writing.end()
  const end: unknown = await answer.result().catch((error: unknown) => error)
  return { leftMs, code: GatewayError.is(end) ? end.code : 'no error' }
}

/** What is left behind by a caller that leaves? */
async function leave(playing: Playing, question: string): Promise<readonly Claim[]> {
  const { stage, page, gateway } = playing
  const { leftMs, code } = await readSome(playing, question)
  await quiet(stage)
  const [first, second] = stage.asked()
  const afterMs = Math.max(0, (first[0]?.closedByClientMs ?? Number.POSITIVE_INFINITY) - leftMs)
  const { outcome = 'no record', costNanos, attempts: tries = [] } = stage.record ?? {}
  page.blank()
  attempts(page, tries)
  page.row('cost', `${dollars(costNanos)}, estimated: a cut answer reports no usage`)
  page.row('socket', afterMs === Number.POSITIVE_INFINITY ? 'still open' : `the provider saw it close ${time(afterMs)} after the break`)
  return [
    { what: 'the stream ends as aborted', ok: code === 'aborted', found: code },
    { what: `the socket closed within ${CLOSED_WITHIN_MS} ms`, ok: afterMs <= CLOSED_WITHIN_MS, found: `${afterMs} ms` },
    { what: 'one request in all', ok: first.length === 1 && second.length === 0, found: `${first.length} and ${second.length}` },
    { what: 'what came until then is on the bill', ok: outcome === 'aborted' && (costNanos ?? 0) > 0, found: `${outcome}, ${costNanos} nano-dollars` },
    ...clean(stage, gateway.health().calls),
  ]
}

/** The demo, in order. */
export const SCENES: readonly Scene[] = [
  answered({
    title: 'A question, an answer',
    about: 'Nothing fails. The first provider of the chain answers; the second is never asked.',
    call: "gateway.chat({ model: 'smart', messages })",
    question: 'What is a sally port?',
    kind: 'chat',
    summary: 'the answer is whole; one request, to the first provider',
    expected: { by: FIRST.id, attempts: ['answered'], requests: [1, 0] },
  }),
  answered({
    title: 'The same as a stream',
    about: 'The text comes word by word, as the provider writes it.',
    call: "gateway.stream({ model: 'smart', messages })",
    question: 'Why is the sky blue?',
    kind: 'stream',
    summary: 'the text arrived whole and in order; one request',
    expected: { by: FIRST.id, attempts: ['answered'], requests: [1, 0] },
  }),
  answered({
    title: 'The first provider is down (503)',
    about: 'It is asked again, twice, after a short wait each time. Then the second provider answers. The caller does nothing.',
    call: "gateway.stream({ model: 'smart', messages })",
    question: 'How can a boat sail against the wind?',
    kind: 'stream',
    faults: [{ status: 503 }, { status: 503 }, { status: 503 }],
    summary: 'three tries, then the fallback; the failed tries cost nothing',
    expected: { by: SECOND.id, attempts: ['upstream_error', 'upstream_error', 'upstream_error', 'answered'], requests: [3, 1] },
  }),
  answered({
    title: 'The first provider takes the request and says nothing',
    about: 'One second without a first token is the limit here. A silent provider is not asked twice.',
    call: "gateway.stream({ model: 'smart', messages }, { deadlines: { firstEventMs: 1000 } })",
    question: 'Why does bread rise?',
    kind: 'stream',
    faults: ['silent'],
    options: { deadlines: { firstEventMs: 1000 } },
    summary: 'asked once, given up after its deadline; the fallback answered',
    expected: { by: SECOND.id, attempts: ['timeout', 'answered'], requests: [1, 1] },
  }),
  answered({
    title: 'The first provider is busy: "429, come back in 1 second"',
    about: 'A wait that short is worth it: the gateway keeps to it and asks the same provider again.',
    call: "gateway.stream({ model: 'smart', messages })",
    question: 'How do bees tell each other where the flowers are?',
    kind: 'stream',
    faults: [{ status: 429, retryAfter: '1' }],
    summary: 'the second try came no sooner than it was asked for',
    expected: { by: FIRST.id, attempts: ['rate_limited', 'answered'], requests: [2, 0], apartMs: 1000 },
  }),
  answered({
    title: 'The connection breaks in the middle of the answer: start again',
    about: 'The second provider answers from the beginning. The reader is told to throw the first half away.',
    call: "gateway.stream({ model: 'smart', messages }, { recover: 'restart' })",
    question: 'How does one lamp shine so far from a lighthouse?',
    kind: 'stream',
    faults: [{ cutAfter: 22, slowFirst: FIRST.firstTokenMs }],
    options: { recover: 'restart' },
    summary: 'one whole answer from the fallback, and none of the first half in it',
    expected: { by: SECOND.id, attempts: ['malformed_response', 'answered'], requests: [1, 1], cut: 'restarted' },
  }),
  answered({
    title: 'The connection breaks in the middle of the answer: go on from there',
    about: 'The second provider accepts the beginning of an answer, so it is given the first half and writes the rest.',
    call: "gateway.stream({ model: 'smart', messages }, { recover: 'continue' })",
    question: 'Why do cats land on their feet?',
    kind: 'stream',
    faults: [{ cutAfter: 26, slowFirst: FIRST.firstTokenMs }],
    options: { recover: 'continue' },
    summary: 'two halves, one text: nothing twice, nothing missing',
    expected: { by: SECOND.id, attempts: ['malformed_response', 'answered'], requests: [1, 1], cut: 'continued' },
  }),
  {
    title: 'The caller has heard enough',
    about: 'Leaving the loop closes the connection, so the provider stops writing, and billing.',
    call: 'for await (const event of stream) { ...; break }',
    question: 'Tell me a long story about the sea.',
    faults: [],
    summary: 'the connection is closed; what came until then is booked, the rest is not',
    play: playing => leave(playing, 'Tell me a long story about the sea.'),
  },
  ...OUTAGES,
  ...BUDGETS,
  ...PRIVACY,
  ...GUARDS,
]
