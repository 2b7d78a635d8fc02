import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect } from 'vitest'
import { startProvider, type Fault, type LoopbackProvider, type ProviderOptions } from '../../scripts/loopback/index.js'
import { anthropic, fallback, Gateway, GatewayError, openai } from '../../src/index.js'
import type { CallOptions, CallRecord, ChatEvent, ChatResult, Deployment, DeploymentOptions, GatewayOptions, Group } from '../../src/index.js'
import { scripted, seededRandom, virtualClock, type Script, type ScriptedDeployment, type ScriptedOptions, type VirtualClock } from '../../src/testing/index.js'
import { countedClock, expectNothingLeft } from './left-behind.js'

/** How a caller may ask: a chat on either wire, or a stream with a way to recover. */
export type Way = 'chat on JSON' | 'chat on a stream' | 'restart' | 'continue' | 'error'
export const THREE: readonly Way[] = ['chat on JSON', 'chat on a stream', 'restart']
export const isStream = (way: Way): way is 'restart' | 'continue' | 'error' => way !== 'chat on JSON' && way !== 'chat on a stream'

/** Sixty words. */
export const TEXT = Array.from({ length: 60 }, (_, at) => `${at === 0 ? '' : ' '}w${at + 1}`).join('')
export const words = (count: number): string => TEXT.split(' ').slice(0, count).join(' ')
export const ASK = 'Say the sixty words.'
export const PRICE = { input: 2, output: 10 }
/** The settings for comparison. */
const COMPARISON = { deadlines: { answerMs: 30_000, idleMs: 30_000, firstEventMs: 10_000 }, retry: { attempts: 3 } } as const

/** What the caller saw. */
export interface Seen {
  readonly text: string
  readonly events: readonly ChatEvent[]
  readonly result?: ChatResult
  readonly error?: GatewayError
  readonly tookMs: number
}

/** The text a reader ends up with that heeds `restart`. */
export function readText(events: readonly ChatEvent[]): string {
  let text = ''
  for (const event of events) {
    if (event.type === 'restart') text = ''
    else if (event.type === 'text-delta') text += event.text
  }
  return text
}

export const restarts = ({ events }: Seen): number => events.filter(event => event.type === 'restart').length
export const outcomes = ({ result, error }: Seen): readonly string[] => (result?.attempts ?? error?.attempts ?? []).map(({ deployment, outcome, code }) => `${deployment} ${code ?? outcome}`)

/** The typed error of a promise that must fail. */
export async function failure(work: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!GatewayError.is(error)) throw new Error(`not a GatewayError: ${String(error)}`)
  return error
}

type AnyGateway = Gateway<Readonly<Record<string, Deployment | Group>>>

/** Asks one way and writes down what came; an error that is not typed is thrown on. */
async function ask(gateway: AnyGateway, way: Way, now: () => number, options: CallOptions = {}): Promise<Seen> {
  const startedMs = now()
  const events: ChatEvent[] = []
  try {
    let result: ChatResult
    if (isStream(way)) {
      const stream = await gateway.stream({ model: 'stream', messages: ASK }, { ...options, recover: way })
      for await (const event of stream) events.push(event)
      result = await stream.result()
      expect(readText(events)).toBe(result.text)
    } else result = await gateway.chat({ model: way === 'chat on JSON' ? 'json' : 'stream', messages: ASK }, options)
    return { text: result.text, events, result, tookMs: now() - startedMs }
  } catch (error) {
    if (!GatewayError.is(error)) throw error
    return { text: readText(events), events, error, tookMs: now() - startedMs }
  }
}

function gatewayOf(target: Deployment | Group, options: GatewayOptions, records: CallRecord[]): AnyGateway {
  const routes = { json: { use: target, chatWire: 'json' }, stream: { use: target, chatWire: 'stream' } }
  return new Gateway({ ...COMPARISON, ...options, routes, plugins: [{ name: 'witness', observe: record => void records.push(record) }, ...(options.plugins ?? [])] } as GatewayOptions) as unknown as AnyGateway
}

/** Scripted deployments on a virtual clock. */
export interface Stage {
  readonly clock: VirtualClock
  readonly gateway: AnyGateway
  readonly records: readonly CallRecord[]
  readonly deployments: readonly ScriptedDeployment[]
  readonly signals: AbortSignal[]
  /** Asks and lets time run until the answer is there. */
  go(way: Way, options?: CallOptions): Promise<Seen>
  nothingLeft(): Promise<void>
}
export type Answers = ScriptedOptions['answers']

/** Options with a clock that the test moves, where it needs one before the scene. */
export type StageOptions = GatewayOptions & { readonly clock?: VirtualClock }

export function staged(deployments: readonly ScriptedDeployment[], options: StageOptions = {}, target: Deployment | Group = fallback(...deployments)): Stage {
  const clock = options.clock ?? virtualClock()
  const records: CallRecord[] = []
  const gateway = gatewayOf(target, { random: seededRandom(7), ...options, clock }, records)
  const signals: AbortSignal[] = []
  return {
    clock,
    gateway,
    records,
    deployments,
    signals,
    async go(way, callOptions = {}) {
      const seen = ask(gateway, way, () => clock.now(), callOptions)
      seen.catch(() => undefined)
      await clock.runUntilIdle()
      return seen
    },
    nothingLeft: () => expectNothingLeft({ gateway, clock, deployments, signals }),
  }
}

export interface Pair extends Stage {
  readonly primary: ScriptedDeployment
  readonly backup: ScriptedDeployment
}

export function pair(answers: Answers, more: { backup?: Answers; primary?: Partial<ScriptedOptions>; other?: Partial<ScriptedOptions>; options?: StageOptions } = {}): Pair {
  const primary = scripted({ id: 'primary', model: 'm-primary', price: PRICE, ...more.primary, answers })
  const backup = scripted({ id: 'backup', model: 'm-backup', price: PRICE, ...more.other, answers: more.backup ?? TEXT })
  return { ...staged([primary, backup], more.options), primary, backup }
}

export const starts = ({ calls }: ScriptedDeployment): readonly number[] => calls.map(call => call.startedMs - (calls[0]?.startedMs ?? 0))
export const always = (fail: Script): Answers => fail

export type Dialect = ProviderOptions['dialect']
export const ORDERS: readonly (readonly [Dialect, Dialect])[] = [['openai', 'anthropic'], ['anthropic', 'openai']]
const MODEL: Record<Dialect, string> = { openai: 'gpt-4.1', anthropic: 'claude-haiku-4-5' }

const providers: LoopbackProvider[] = []
afterEach(async () => {
  for (const provider of providers.splice(0)) await provider.stop()
})

export async function provider(options: ProviderOptions): Promise<LoopbackProvider> {
  const started = await startProvider({ words: TEXT, paceMs: 0, ...options })
  providers.push(started)
  return started
}

export function deploymentAt(at: Pick<LoopbackProvider, 'baseUrl'>, dialect: Dialect, id: string, options: DeploymentOptions = {}): Deployment {
  return (dialect === 'openai' ? openai : anthropic)(MODEL[dialect], { apiKey: `key-of-${id}`, baseUrl: at.baseUrl, price: PRICE, id, ...options })
}

export type Faults = ProviderOptions['plan'] | Fault

/** Two real servers, one of each dialect. */
export interface Wired {
  readonly gateway: AnyGateway
  readonly primary: LoopbackProvider
  readonly backup: LoopbackProvider
  readonly records: readonly CallRecord[]
  readonly signals: AbortSignal[]
  go(way: Way, options?: CallOptions): Promise<Seen>
  nothingLeft(): Promise<void>
}

export interface WiredOptions {
  readonly backup?: Faults
  readonly server?: Partial<ProviderOptions>
  readonly primaryOptions?: DeploymentOptions
  readonly backupOptions?: DeploymentOptions
  readonly options?: GatewayOptions
}

const planOf = (faults: Faults): ProviderOptions['plan'] => (typeof faults === 'function' ? faults : () => faults)

export async function wired([first, second]: readonly [Dialect, Dialect], faults: Faults, more: WiredOptions = {}): Promise<Wired> {
  const plan = planOf(faults)
  const other = planOf(more.backup)
  const primary = await provider({ dialect: first, ...(plan !== undefined && { plan }), ...more.server })
  const backup = await provider({ dialect: second, ...(other !== undefined && { plan: other }) })
  const clock = countedClock()
  const records: CallRecord[] = []
  const signals: AbortSignal[] = []
  const target = fallback(deploymentAt(primary, first, 'primary', more.primaryOptions), deploymentAt(backup, second, 'backup', more.backupOptions))
  const die = seededRandom(11)
  // The default backoff, at the low end of its jitter: real time is short here.
  const gateway = gatewayOf(target, { clock, random: () => die() * 0.02, ...more.options }, records)
  return {
    gateway,
    primary,
    backup,
    records,
    signals,
    go: (way, options) => ask(gateway, way, () => performance.now(), options),
    nothingLeft: () => expectNothingLeft({ gateway, clock, providers: [primary, backup], signals }),
  }
}

export const once = (fault: Fault): ProviderOptions['plan'] => attempt => (attempt === 1 ? fault : undefined)

/** Waits in real time, at most a second. */
export async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 200 && !condition(); round++) await sleep(5)
  expect(condition()).toBe(true)
}
