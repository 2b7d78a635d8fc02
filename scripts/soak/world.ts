import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { anthropic, fallback, fastest, Gateway, openai, type CallRecord } from '../../src/index.js'
import { scripted, seededRandom, type ScriptedCall, type ScriptedDeployment } from '../../src/testing/index.js'
import { answerTo, scriptedFault } from './faults.js'
import type { Told } from './servers.js'

export const MAX_ATTEMPTS = 6
const PRICE = { input: 1, output: 2 }
const LIMITS = { concurrency: 80, requestsPerMinute: 1_000_000, tokensPerMinute: 500_000_000 }
/** Every scripted deployment is down for a second of each eight, one after the other. */
const CYCLE_MS = 8_000
const DOWN_MS = 1_000

function promptOf(messages: readonly { readonly content: unknown }[]): string {
  return String(messages.at(-1)?.content)
}

function local(at: number): ScriptedDeployment {
  const die = seededRandom(100 + at)
  return scripted({
    id: `scripted-${at}`,
    price: PRICE,
    limits: LIMITS,
    answers: (_attempt, { messages }) => {
      if ((performance.now() + at * 2 * DOWN_MS) % CYCLE_MS < DOWN_MS) return { fail: { status: 503 } }
      return { text: answerTo(promptOf(messages)), latencyMs: 1 + 4 * die(), ...scriptedFault(die) }
    },
  })
}

/** Everything a soak is run against. */
export interface World {
  readonly gateway: Gateway<Readonly<Record<'wired' | 'streamed' | 'scripted' | 'chain', ReturnType<typeof fallback>>>>
  readonly scripted: readonly ScriptedDeployment[]
  readonly seen: { records: number; hooks: number; mostAttempts: number }
  /** Scripted deployments remember their tries for tests: that is not the gateway's memory. */
  forget(): void
  /** Sockets and requests open at the servers. */
  open(): Promise<number>
  stop(): Promise<void>
}

async function told<K extends string>(servers: ChildProcess, key: K): Promise<Extract<Told, Record<K, unknown>>> {
  for (;;) {
    const [message] = (await once(servers, 'message')) as [Told]
    if (key in message) return message as Extract<Told, Record<K, unknown>>
  }
}

/** One gateway with every gate on, over servers on loopback and scripted deployments. */
export async function makeWorld(): Promise<World> {
  const servers = fork(fileURLToPath(new URL('servers.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] })
  const { baseUrls: [first = '', second = ''] } = await told(servers, 'baseUrls')
  const common = { apiKey: ['k1', 'k2', 'k3', 'k4'], price: PRICE, limits: LIMITS }
  const wired = fallback(openai('gpt-4.1', { ...common, baseUrl: first, id: 'wired-0' }), anthropic('claude-haiku-4-5', { ...common, baseUrl: second, id: 'wired-1' }))
  const locals = [0, 1, 2].map(local)
  const [a, b, c] = locals as [ScriptedDeployment, ScriptedDeployment, ScriptedDeployment]
  const seen: World['seen'] = { records: 0, hooks: 0, mostAttempts: 0 }
  const observe = ({ attempts }: CallRecord): void => {
    seen.records++
    seen.mostAttempts = Math.max(seen.mostAttempts, attempts.filter(({ outcome }) => outcome !== 'skipped').length)
  }
  const gateway = new Gateway({
    routes: { wired, streamed: { use: wired, chatWire: 'stream' }, scripted: fastest(a, b, c), chain: fallback(c, fallback(b, a)) },
    retry: { attempts: 3, maxAttempts: MAX_ATTEMPTS, baseMs: 4, maxMs: 40 },
    deadlines: { answerMs: 150, firstEventMs: 120, idleMs: 100, totalMs: 15_000 },
    breaker: { failures: 8, failureRate: 0.7, minSamples: 20, windowMs: 5_000, probeIntervalMs: 250 },
    queue: { maxSize: 1_000, maxWaitMs: 10_000 },
    hedge: { afterMs: 25, budget: 0.05 },
    cache: { ttlMs: 2_000, maxBytes: 2 ** 20 },
    plugins: [{ name: 'hook', open: () => ({ request: request => request, event: event => (seen.hooks++, event) }) }],
    log: (records: readonly CallRecord[]) => records.forEach(observe),
  })
  return {
    gateway: gateway as unknown as World['gateway'],
    scripted: locals,
    seen,
    forget: () => locals.forEach(({ calls }) => (calls as ScriptedCall[]).splice(0)),
    async open() {
      const answer = told(servers, 'open')
      servers.send('open')
      return (await answer).open
    },
    async stop() {
      const gone = once(servers, 'exit')
      servers.send('stop')
      await gone
    },
  }
}
