import { setTimeout as sleep } from 'node:timers/promises'
import type { ChatResult, DeploymentState } from 'sallyport'
import { clean, isWhole, quiet, same, type Claim } from './check.js'
import { time } from './report.js'
import type { Playing, Scene } from './scenes.js'
import { FIRST, SECOND, type Stage } from './stage.js'

const LEGS = 'How many legs has a spider?'
const TIDE = 'What makes the tide?'
/** From the opening of a circuit to its probe; 15 s in real life. */
const PROBE_MS = 1_500
const CALLS = 6
const OUTAGE_MS = 1_500
const SHORT_PROBE_MS = 500
/** A timer may fire a little before its time. */
const TIMER_MS = 10

function stateOf({ gateway }: Playing, id: string): DeploymentState | undefined {
  return gateway.health().deployments.find(deployment => deployment.id === id)?.state
}

/** One call of the breaker scene: who should answer, and how often the first provider should be asked for it. */
async function step(playing: Playing, name: string, wanted: { readonly by: string; readonly tries: number; readonly state: DeploymentState }): Promise<readonly Claim[]> {
  const { gateway, stage, page, signal } = playing
  const before = stage.asked()[0].length
  const result = await gateway.chat({ model: 'smart', messages: LEGS }, { signal })
  const tries = stage.asked()[0].length - before
  const state = stateOf(playing, FIRST.id)
  const asked = tries === 0 ? 'the first provider was not asked' : `the first provider was asked ${tries === 1 ? 'once' : `${tries} times`}`
  page.row(name, `${result.deployment} after ${time(result.timings.totalMs)}; ${asked}; its circuit: ${state}`, result.deployment === FIRST.id ? undefined : 'yellow')
  return [
    same(`${name}: whole text`, isWhole(LEGS, result), true),
    same(`${name}: who answered`, result.deployment, wanted.by),
    same(`${name}: tries at the first provider`, tries, wanted.tries),
    same(`${name}: circuit`, state, wanted.state),
  ]
}

async function breaks(playing: Playing): Promise<readonly Claim[]> {
  const { gateway, stage, page, signal } = playing
  const claims = [...(await step(playing, 'call 1', { by: SECOND.id, tries: 3, state: 'open' }))]
  for (const name of ['call 2', 'call 3']) claims.push(...(await step(playing, name, { by: SECOND.id, tries: 0, state: 'open' })))
  const { nextProbeAtMs = 0 } = gateway.health().deployments.find(({ id }) => id === FIRST.id) ?? {}
  await sleep(Math.min(PROBE_MS, Math.max(0, nextProbeAtMs - Date.now()) + TIMER_MS), undefined, { signal })
  page.paragraph('The first provider is well again. The next call is its probe.', 'dim')
  claims.push(...(await step(playing, 'call 4', { by: FIRST.id, tries: 1, state: 'ramp' })))
  // Two, four, eight may start at once, then the circuit is closed.
  for (const name of ['call 5', 'call 6']) claims.push(...(await step(playing, name, { by: FIRST.id, tries: 1, state: 'ramp' })))
  claims.push(...(await step(playing, 'call 7', { by: FIRST.id, tries: 1, state: 'ready' })))
  await quiet(stage)
  return [...claims, ...clean(stage, gateway.health().calls)]
}

interface Answer {
  readonly result: ChatResult
  /** From the first call of the scene, in milliseconds. */
  readonly atMs: number
}

/** Both providers fail, six calls come, and later both are well again. Gives the answers and when that was, in epoch milliseconds. */
async function waitOut({ gateway, stage, page, signal }: Playing): Promise<{ readonly answers: readonly Answer[]; readonly wellMs: number }> {
  const startMs = Date.now()
  const say = (atMs: number, text: string, style?: 'yellow'): void => page.row(time(atMs), text, style)
  stage.down(true)
  say(0, `both providers answer 503; ${CALLS} calls come at once`, 'yellow')
  const asking = Array.from({ length: CALLS }, async (_, at): Promise<Answer> => {
    const result = await gateway.chat({ model: 'smart', messages: TIDE }, { signal })
    const atMs = Date.now() - startMs
    say(atMs, `call ${at + 1} is answered by ${result.deployment}`)
    return { result, atMs }
  })
  const all = Promise.all(asking)
  all.catch(() => undefined)
  try {
    await sleep(OUTAGE_MS / 2, undefined, { signal })
    say(Date.now() - startMs, `${gateway.health().calls} calls wait`)
    await sleep(OUTAGE_MS / 2, undefined, { signal })
  } finally {
    stage.down(false)
  }
  const wellMs = Date.now()
  say(wellMs - startMs, 'both providers are well again')
  return { answers: await all, wellMs }
}

/** What each provider saw: probes one at a time while it was down, and one request alone when it was well. */
function gentle(stage: Stage, wellMs: number): Claim[] {
  const most = Math.ceil(OUTAGE_MS / SHORT_PROBE_MS)
  return stage.asked().flatMap((requests, at) => {
    const which = at === 0 ? 'the first provider' : 'the second provider'
    // From its own first request on: how long the calls took to come to it is not its circuit's doing.
    const openMs = (requests[0]?.startedMs ?? 0) + SHORT_PROBE_MS
    const probes = requests.filter(({ startedMs }) => startedMs >= openMs && startedMs < wellMs).length
    const [one, two] = requests.filter(({ startedMs }) => startedMs >= wellMs)
    const apartMs = one === undefined || two === undefined ? Infinity : two.startedMs - one.startedMs
    return [
      { what: `${which} is left alone but for probes`, ok: probes <= most, found: `${probes} requests` },
      { what: `${which} is first asked by one call alone`, ok: apartMs >= FIRST.firstTokenMs / 2, found: `the next came ${apartMs} ms later` },
    ]
  })
}

async function queues(playing: Playing): Promise<readonly Claim[]> {
  const { gateway, stage } = playing
  const { answers, wellMs } = await waitOut(playing)
  await quiet(stage)
  return [
    same('answers', answers.length, CALLS),
    same('whole texts', answers.every(({ result }) => isWhole(TIDE, result)), true),
    same('every call waited for the end of the outage', answers.every(({ atMs }) => atMs >= OUTAGE_MS - TIMER_MS), true),
    ...gentle(stage, wellMs),
    ...clean(stage, gateway.health().calls),
  ]
}

/** Scenes of providers that stay down. */
export const OUTAGES: readonly Scene[] = [
  {
    title: 'The first provider dies: its circuit opens',
    about: 'Three failures in a row open the circuit. Calls then go to the second provider at once, until one call, the probe, finds the first one well. The probe is due after 1.5 seconds here, after 15 by default.',
    call: `breaker: { probeIntervalMs: ${PROBE_MS} }`,
    question: LEGS,
    faults: [{ status: 503 }, { status: 503 }, { status: 503 }],
    settings: { breaker: { probeIntervalMs: PROBE_MS }, retry: { baseMs: 50 } },
    summary: 'three tries, none while the circuit was open, one probe, and back',
    play: breaks,
  },
  {
    title: 'Everybody is down: calls wait',
    about: 'With a queue, calls wait while no deployment can be asked. When the providers are back, the calls are let in at a ramp: one, two, four.',
    call: `queue: { maxSize: 100, maxWaitMs: 10_000 }, breaker: { probeIntervalMs: ${SHORT_PROBE_MS} }`,
    question: TIDE,
    faults: [],
    settings: { queue: { maxSize: 100, maxWaitMs: 10_000 }, breaker: { probeIntervalMs: SHORT_PROBE_MS }, retry: { baseMs: 50, maxAttempts: 10 } },
    summary: 'no call failed; both providers were asked gently when they came back',
    play: queues,
  },
]
