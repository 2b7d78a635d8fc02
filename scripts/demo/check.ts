import type { ChatResult } from 'sallyport'
import { ANSWERS } from './answers.js'
import type { Heard } from './ask.js'
import { FIRST, KEY, SECOND, type Stage } from './stage.js'
import type { Page } from './terminal.js'

/** Something that must be so. */
export interface Claim {
  readonly what: string
  readonly ok: boolean
  /** What was found instead. */
  readonly found?: string
}

/** What must come out of a scene. */
export interface Expected {
  /** Whole and exact. */
  readonly text: string
  readonly by: string
  /** Each try that was made: the code of its fault, or `answered`. */
  readonly attempts: readonly string[]
  /** Requests the first and the second provider saw. */
  readonly requests: readonly [first: number, second: number]
  /** The least time between the first two requests at the first provider, in milliseconds. */
  readonly apartMs?: number
  /** What became of half an answer. */
  readonly cut?: 'restarted' | 'continued'
}

/** That two values are one. */
export function same(what: string, found: unknown, wanted: unknown): Claim {
  return found === wanted ? { what, ok: true } : { what, ok: false, found: `${JSON.stringify(found)} and not ${JSON.stringify(wanted)}` }
}

/** The answer is the recorded one, of whoever answered. */
export function isWhole(question: string, { text, deployment }: ChatResult): boolean {
  return text === ANSWERS.get(question)?.[deployment === FIRST.id ? 0 : 1]
}

function words(text: string): number {
  return text.match(/\S+/g)?.length ?? 0
}

/** The price of the answer worked out here, apart from the library. */
function nanosOf({ usage, deployment }: ChatResult): number {
  const { price } = deployment === FIRST.id ? FIRST : SECOND
  return Math.round(((usage.inputTokens ?? Number.NaN) * price.input + (usage.outputTokens ?? Number.NaN) * price.output) * 1000)
}

function money({ result }: Heard, wasCut: boolean): Claim {
  const { nanos, estimated } = result.cost
  const own = nanosOf(result)
  const ok = wasCut ? estimated && nanos !== null && nanos > own : !estimated && nanos === own
  return { what: wasCut ? 'the half answer is on the bill' : 'only the answer is on the bill', ok, found: `${nanos} nano-dollars, of which the answer is ${own}` }
}

function rescue(heard: Heard, cut: Expected['cut'], text: string): Claim[] {
  const rest = cut === 'continued' ? undefined : words(text)
  return [
    same('restarts', heard.restarts, cut === 'restarted' ? 1 : 0),
    same('continuations', heard.continued, cut === 'continued' ? 1 : 0),
    { what: 'what was void was taken back', ok: (heard.discarded !== '') === (cut === 'restarted'), found: `${words(heard.discarded)} words` },
    ...(rest === undefined ? [] : [same('tokens', heard.result.usage.outputTokens, rest)]),
  ]
}

/** Waits a little for the servers to notice what the client closed. */
export async function quiet(stage: Stage): Promise<void> {
  for (let n = 0; n < 50 && stage.open > 0; n++) await new Promise(resolve => setTimeout(resolve, 10))
}

/** Every request carried the demo's own key, whatever the environment holds, and nothing is left open. */
export function clean(stage: Stage, calls: number): Claim[] {
  const keys = stage.asked().flat().map(({ credential }) => credential?.reveal() === KEY)
  return [
    { what: 'only the demo key was sent', ok: keys.length > 0 && keys.every(Boolean), found: `${keys.filter(own => !own).length} of ${keys.length} requests with another` },
    same('open calls', calls, 0),
    same('open requests', stage.open, 0),
  ]
}

/** Holds what the caller heard against what must come out. */
export function judge(heard: Heard, stage: Stage, expected: Expected): Claim[] {
  const { result } = heard
  const [first, second] = stage.asked()
  const tried = result.attempts.filter(({ outcome }) => outcome !== 'skipped').map(({ outcome, code }) => (outcome === 'success' ? 'answered' : (code ?? outcome)))
  const apartMs = (first[1]?.startedMs ?? 0) - (first[0]?.startedMs ?? 0)
  return [
    same('whole text', result.text, expected.text),
    same('text as it arrived', heard.text, expected.text),
    same('who answered', result.deployment, expected.by),
    same('attempts', tried.join(', '), expected.attempts.join(', ')),
    same('requests at the first provider', first.length, expected.requests[0]),
    same('requests at the second provider', second.length, expected.requests[1]),
    ...rescue(heard, expected.cut, expected.text),
    money(heard, expected.cut !== undefined),
    ...(expected.apartMs === undefined ? [] : [{ what: `waited ${expected.apartMs} ms`, ok: apartMs >= expected.apartMs, found: `${apartMs} ms` }]),
  ]
}

/** Prints the verdict on a scene; true where every claim holds. */
export function verdict(page: Page, claims: readonly Claim[], summary: string): boolean {
  const wrong: readonly Claim[] = claims.length === 0 ? [{ what: 'nothing was checked', ok: false }] : claims.filter(({ ok }) => !ok)
  for (const { what, found } of wrong) page.row('WRONG', `${what}${found === undefined ? '' : `: ${found}`}`, 'red')
  if (wrong.length === 0) page.row('ok', summary, 'green')
  return wrong.length === 0
}
