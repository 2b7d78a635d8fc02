// One process of the run: a gateway with its own clock, and callers that ask it without a pause.
import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fallback, Gateway, GatewayError, jsonlSink, openai, type CallOptions, type Clock, type Random } from '../../src/index.js'
import { systemClock } from '../../src/platform/clock.js'
import { seededRandom } from '../../src/testing/index.js'
import { journaled, LineFile, type Line } from './journal.js'
import { openStore } from './stores.js'
import { budgetsOf, CALL_HEADER, journalOf, KEYS, keyUser, LEASE_MS, limits, monotonicMs, PRICE, recordsOf, ROUTES, teamOf, type KnownKey, type Order, type Report, type WorkerSpec } from './world.js'

type AnyGateway = Gateway<Readonly<Record<(typeof ROUTES)[number], ReturnType<typeof fallback>>>>

const spec = JSON.parse(process.argv[2] ?? '{}') as WorkerSpec
const { scene } = spec
const file = new LineFile(journalOf(spec.folder, spec.index))
const calls = new AsyncLocalStorage<string>()
const tell = (report: Report): void => void process.send?.(report)

function skewed(ms: number): Clock {
  const clock = systemClock()
  return { now: () => clock.now() + ms, after: (wait, fn) => clock.after(wait, fn) }
}

function deployed(at: number, id: string): ReturnType<typeof openai> {
  // A key that meets a limit rests for a moment: the others go on.
  const apiKey = Array.from({ length: 64 }, (_, key) => `key-${key}`)
  return openai('gpt-4.1', { id, baseUrl: spec.providers[at] ?? '', apiKey, price: PRICE })
}

const opened = await openStore(spec.store)
const gateway: AnyGateway = new Gateway({
  routes: { alpha: fallback(deployed(0, 'alpha-0'), deployed(1, 'alpha-1')), beta: fallback(deployed(1, 'beta-1'), deployed(0, 'beta-0')) },
  store: journaled(opened.store, file, () => calls.getStore()),
  leaseMs: LEASE_MS,
  clock: skewed(spec.skewMs),
  budgets: budgetsOf(scene),
  limits,
  onAlert: alert => file.write({ is: 'alert', alert, atMs: monotonicMs() } satisfies Line),
  log: jsonlSink(recordsOf(spec.folder, spec.index)),
  breaker: false,
  retry: { attempts: 2, maxAttempts: 4, baseMs: 20, maxMs: 200 },
  deadlines: { answerMs: 9_000, firstEventMs: 6_000, idleMs: 3_000, totalMs: 20_000 },
})

interface Asked {
  readonly call: string
  readonly user: string
  readonly stream: boolean
  /** Events after which the reader leaves. */
  readonly leaveAfter: number
  readonly maxOutputTokens: number
  readonly route: (typeof ROUTES)[number]
  readonly key?: KnownKey
  readonly options: CallOptions
}

function drawn(at: number, die: Random, keys: readonly KnownKey[]): Asked {
  const call = `w${spec.index}-${at}`
  const keyAt = die() < 0.15 ? Math.floor(die() * keys.length) : -1
  const key = keys[keyAt]
  // Some ask far more than others.
  const user = Math.floor(die() * die() * scene.users)
  const common = { headers: { [CALL_HEADER]: call }, metadata: { call } }
  return {
    call,
    user: key === undefined ? `user-${user}` : keyUser(keyAt),
    stream: die() < 0.7,
    leaveAfter: die() < 0.08 ? 2 + Math.floor(die() * 3) : Infinity,
    maxOutputTokens: 32 + Math.floor(die() * 400),
    route: ROUTES[die() < 0.6 ? 0 : 1] ?? 'alpha',
    ...(key !== undefined && { key }),
    options: key === undefined ? { ...common, principal: { team: teamOf(user), user: `user-${user}`, project: call } } : { ...common, key: key.secret },
  }
}

async function ask({ stream, leaveAfter, maxOutputTokens, route, options, call }: Asked): Promise<string> {
  const request = { model: route, messages: `Tell me of the tide, as of call ${call}.`, maxOutputTokens }
  try {
    if (!stream) {
      await gateway.chat(request, options)
      return 'answered'
    }
    let events = 0
    for await (const event of await gateway.stream(request, options)) if (event.type === 'text-delta' && ++events >= leaveAfter) return 'left'
    return 'answered'
  } catch (error) {
    return GatewayError.is(error) ? [error.code, error.policy, / of (\w+) is reached/.exec(error.message)?.[1]].filter(Boolean).join(' ') : `wrong: ${String(error)}`
  }
}

let stopping = false
let next = 0

async function caller(die: Random, keys: readonly KnownKey[]): Promise<void> {
  await sleep(die() * 2_000)
  while (!stopping) {
    const asked = drawn(next++, die, keys)
    file.write({ is: 'asked', call: asked.call, user: asked.user, ...(asked.key !== undefined && { key: asked.key.id }), atMs: monotonicMs() } satisfies Line)
    const end = await calls.run(asked.call, () => ask(asked))
    file.write({ is: 'ended', call: asked.call, atMs: monotonicMs(), end } satisfies Line)
    if (end !== 'answered' && end !== 'left') await sleep(100 + die() * 600)
  }
}

let running: Promise<unknown> = Promise.resolve()

async function makeKeys(): Promise<readonly KnownKey[]> {
  const keys: KnownKey[] = []
  for (let at = 0; at < KEYS; at++) {
    const { id, secret } = await gateway.keys.create({ name: `key ${at}`, team: teamOf(at), user: keyUser(at) })
    keys.push({ id, secret })
  }
  return keys
}

async function obey(order: Order): Promise<void> {
  switch (order.do) {
    case 'keys':
      return tell({ is: 'keys', keys: await makeKeys() })
    case 'go': {
      running = Promise.all(Array.from({ length: spec.callers }, (_, at) => caller(seededRandom(scene.seed * 7_919 + spec.index * 1_009 + at), order.keys)))
      return
    }
    case 'revoke':
      await gateway.keys.revoke(order.id)
      return tell({ is: 'revoked' })
    case 'stop':
      stopping = true
      await running
      await gateway.flush()
      return tell({ is: 'stopped' })
    case 'close':
      await gateway.close()
      opened.close()
      file.close()
      process.disconnect()
  }
}

process.on('disconnect', () => process.exit())
process.on('message', order => {
  obey(order as Order).catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})
tell({ is: 'ready' })
