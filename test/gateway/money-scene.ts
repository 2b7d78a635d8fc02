import { expect } from 'vitest'
import { Gateway, type Alert, type CallOptions, type CallRecord, type ChatRequest, type ChatResult, type GatewayOptions, type RouteConfig, type Store } from '../../src/index.js'
import { memoryStore, scripted, seededRandom, virtualClock, type ScriptedDeployment, type ScriptedOptions, type VirtualClock } from '../../src/testing/index.js'
import { leftovers } from '../compositions/left-behind.js'
import { witness } from './support.js'

/** 1,000 nano-dollars an input token, 2,000 an output token. */
export const PRICE = { input: 1, output: 2 }
const USAGE = { inputTokens: 10, outputTokens: 5 }
/** What {@link USAGE} costs at {@link PRICE}. */
export const NANOS = 20_000
/** What `ask()` can use at most: 256 and 64 tokens around its two bytes, and its `maxOutputTokens`. */
export const INPUT_BOUND = 322
export const OUTPUT_BOUND = 100
export const BOUND = INPUT_BOUND * 1_000 + OUTPUT_BOUND * 2_000
export const usd = (nanos: number): number => nanos / 1e9

export type Request = ChatRequest<'smart' | 'cheap'>
export const ask = (more: Partial<Request> = {}): Request => ({ model: 'smart', messages: 'Hi', maxOutputTokens: OUTPUT_BOUND, ...more })
export const says = (text = 'Hello', more: object = {}): Extract<ScriptedOptions['answers'], { readonly text?: string }> => ({ text, usage: USAGE, ...more })

/** A deployment at {@link PRICE} that answers with {@link USAGE}. */
export const deployment = (id: string, answers: ScriptedOptions['answers'] = says(), more: Partial<ScriptedOptions> = {}): ScriptedDeployment => scripted({ id, provider: `p-${id}`, model: `m-${id}`, price: PRICE, ...more, answers })

type Verb = 'acquire' | 'settle' | 'renew' | 'get' | 'tally'
interface Standing {
  readonly charged: number
  readonly held: number
}
/** A store in memory whose holds can be counted and whose verbs can be made to fail. */
export interface Books extends Store {
  /** Verbs that reject, or never answer, until they are put back. */
  readonly broken: Map<Verb, 'reject' | 'hang'>
  /** Lets what hangs go on. */
  resume(): void
  /** Holds that nobody settled. */
  readonly open: number
  /** Times a verb was asked. */
  readonly asked: Record<Verb, number>
  /** Sums of the counters that were claimed, by the key without its kind; those of alerts are left out. */
  standings(): Promise<Record<string, Standing>>
  /** The highest sum of charges and holds that any counter ever reached. */
  readonly highest: Map<string, number>
}

export function books(clock: VirtualClock, inner: Store = memoryStore({ clock })): Books {
  const broken = new Map<Verb, 'reject' | 'hang'>()
  const asked: Record<Verb, number> = { acquire: 0, settle: 0, renew: 0, get: 0, tally: 0 }
  const open = new Set<string>()
  const known = new Map<string, Parameters<Store['acquire']>[0][number]>()
  const highest = new Map<string, number>()
  let waiting: (() => void)[] = []
  const guarded = async <T>(verb: Verb, work: () => Promise<T>): Promise<T> => {
    asked[verb]++
    const how = broken.get(verb)
    if (how === 'reject') throw new Error('the disk of the store is gone')
    if (how === 'hang') await new Promise<void>(resolve => waiting.push(resolve))
    return work()
  }
  const look = async (): Promise<Record<string, Standing>> => {
    const found: Record<string, Standing> = {}
    for (const [name, claim] of known) {
      if (name.startsWith('alert:')) continue
      const verdict = await inner.acquire([{ ...claim, amount: 0, limit: Number.MAX_SAFE_INTEGER }], { ttlMs: 1_000 })
      if (!verdict.ok) throw new Error('a claim of nothing does not fit')
      const [standing] = (await inner.settle(verdict.holdId, [])) ?? []
      if (standing !== undefined) found[name] = { charged: standing.charged, held: standing.held }
    }
    return found
  }
  // With its prompt verbs nobody would ask these.
  const { prompt: _prompt, ...verbs } = inner
  return {
    ...verbs,
    broken,
    asked,
    highest,
    get open() {
      return open.size
    },
    resume() {
      broken.clear()
      for (const go of waiting.splice(0)) go()
      waiting = []
    },
    get: key => guarded('get', () => inner.get(key)),
    tally: tallies => guarded('tally', () => inner.tally(tallies)),
    renew: (id, ttlMs) => guarded('renew', () => inner.renew(id, ttlMs)),
    acquire: (claims, lease) => guarded('acquire', async () => {
      const verdict = await inner.acquire(claims, lease)
      for (const claim of claims) known.set(claim.key, claim)
      if (verdict.ok) {
        open.add(verdict.holdId)
        for (const [name, { charged, held }] of Object.entries(await look())) highest.set(name, Math.max(highest.get(name) ?? 0, charged + held))
      }
      return verdict
    }),
    settle: (id, charges, tallies) => guarded('settle', () => {
      open.delete(id)
      return inner.settle(id, charges, tallies)
    }),
    standings: look,
  }
}

export interface MoneyScene {
  readonly clock: VirtualClock
  readonly store: Books
  readonly gateway: Gateway
  readonly records: readonly CallRecord[]
  readonly alerts: readonly Alert[]
  readonly chat: (request?: Request, options?: CallOptions) => Promise<ChatResult>
  /** Lets time run until everything has ended; gives what the work gave. */
  readonly idle: <T>(work: Promise<T>) => Promise<T>
  /** Lets a millisecond pass; for what must not run to its end. */
  readonly soon: <T>(work: Promise<T>) => Promise<T>
  /** Sum of the records. */
  readonly recorded: () => number
  /** What is charged by all counters of nano-dollars together; with one budget, by that. */
  readonly charged: () => Promise<number>
  readonly nothingLeft: () => Promise<void>
}
export interface MoneyOptions extends Omit<GatewayOptions, 'routes' | 'clock' | 'store'> {
  readonly clock?: VirtualClock
  readonly store?: Books
}

/** A gateway before scripted deployments, over a store that can be looked into. */
export function money(target: RouteConfig | Record<string, RouteConfig>, deployments: readonly ScriptedDeployment[], options: MoneyOptions = {}): MoneyScene {
  const { clock = virtualClock(), store = books(clock), ...rest } = options
  const seen = witness()
  const alerts: Alert[] = []
  const routes = ('smart' in (target as object) ? target : { smart: target }) as Record<string, RouteConfig>
  const gateway = new Gateway({ random: seededRandom(5), onAlert: alert => void alerts.push(alert), ...rest, clock, store, routes, plugins: [seen, ...(rest.plugins ?? [])] }) as unknown as Gateway
  const idle = async <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => undefined)
    await clock.runUntilIdle()
    return work
  }
  const soon = async <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => undefined)
    await clock.advance(1)
    return work
  }
  return {
    soon,
    clock,
    store,
    gateway,
    records: seen.records,
    alerts,
    chat: (request = ask(), callOptions) => idle(gateway.chat(request as never, callOptions)),
    idle,
    recorded: () => seen.records.reduce((sum, { costNanos }) => sum + (costNanos ?? 0), 0),
    charged: async () => Object.entries(await store.standings()).reduce((sum, [name, { charged }]) => sum + (name.startsWith('budget:') ? charged : 0), 0),
    async nothingLeft() {
      await gateway.flush()
      expect(leftovers({ gateway, clock, deployments })).toEqual({})
      expect(gateway.health().ledger ?? { holds: 0, pending: 0 }).toMatchObject({ holds: 0, pending: 0 })
      expect(store.open).toBe(0)
      expect(Object.values(await store.standings()).filter(({ held }) => held !== 0)).toEqual([])
    },
  }
}
