import { fork, type ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { CallRecord } from '../../src/index.js'
import { spend } from '../../src/state/spend.js'
import type { Evidence } from './evidence.js'
import { linesIn, type Line } from './journal.js'
import { Monitor } from './monitor.js'
import type { Came, Served } from './provider.js'
import { freePort, startRedis, type RedisServer } from './server.js'
import { openStore, type OpenStore } from './stores.js'
import { journalOf, LEASE_MS, monotonicMs, providerLogOf, recordsOf, type KnownKey, type Order, type Report, type Scene, type StoreAt, type WorkerSpec } from './world.js'

const SKEWS_MS = [-30_000, 30_000, -10_000, 10_000]
const LOOK_MS = 250
/** Answers that are under way when the callers stop take no longer. */
const END_MS = 60_000
const DOWN_MS = 1_200

/** Everything one part has started, ended in the reverse order. */
export class Started {
  readonly #ends: (() => unknown)[] = []

  add<T>(thing: T, end: (thing: T) => unknown): T {
    this.#ends.push(() => end(thing))
    return thing
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await Promise.resolve().then(end).catch(() => undefined)
  }
}

/** A process of ours; what it says is waited for within a bound. */
class Child {
  readonly process: ChildProcess
  readonly exited: Promise<void>

  constructor(file: URL, args: readonly string[]) {
    this.process = fork(fileURLToPath(file), args, { execArgv: ['--import', 'tsx'], detached: true })
    this.exited = new Promise(resolve => void this.process.once('exit', () => resolve()))
  }

  hears<T>(what: string, isIt: (message: unknown) => message is T, mostMs = END_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const off = (): void => {
        clearTimeout(timer)
        this.process.off('message', listen)
        this.process.off('exit', gone)
      }
      const fail = (why: string): void => (off(), reject(new Error(`${what}: ${why}`)))
      const listen = (message: unknown): void => {
        if (isIt(message)) (off(), resolve(message))
      }
      const gone = (): void => fail('the process ended')
      const timer = setTimeout(() => fail(`not within ${mostMs} ms`), mostMs)
      this.process.on('message', listen)
      this.process.once('exit', gone)
    })
  }

  report<K extends Report['is']>(is: K): Promise<Extract<Report, { is: K }>> {
    return this.hears(is, (message): message is Extract<Report, { is: K }> => typeof message === 'object' && message !== null && 'is' in message && message.is === is)
  }

  order(order: Order): void {
    if (this.process.connected) this.process.send(order)
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL')
    await this.exited
  }
}

interface World {
  readonly workers: readonly Child[]
  readonly keys: readonly KnownKey[]
  readonly monitor: Monitor
  readonly own: OpenStore
}

async function built(scene: Scene, at: StoreAt, folder: string, started: Started): Promise<World> {
  const providers = started.add(new Child(new URL('provider.ts', import.meta.url), [folder, String(scene.seed)]), child => child.kill())
  const baseUrls = await providers.hears('the providers', (message): message is string[] => Array.isArray(message))
  const workers: Child[] = []
  for (let index = 0; index < scene.processes; index++) {
    const store: StoreAt = at.kind === 'redis' ? { ...at, client: index % 2 === 0 ? 'redis' : 'ioredis' } : at
    const spec: WorkerSpec = { index, folder, store, providers: baseUrls, callers: Math.floor(scene.callers / scene.processes), skewMs: SKEWS_MS[index] ?? 0, scene }
    const worker = started.add(new Child(new URL('worker.ts', import.meta.url), [JSON.stringify(spec)]), child => child.kill())
    workers.push(worker)
    await worker.report('ready')
  }
  const [first] = workers
  const made = first?.report('keys')
  first?.order({ do: 'keys' })
  const { keys = [] } = (await made) ?? {}
  const own = await openStore(at)
  started.add(own, async ({ store, close }) => {
    await store.close?.()
    close()
  })
  const monitor = started.add(new Monitor(own.store, scene, keys), one => one.close())
  return { workers, keys, monitor, own }
}

/** Looks at the counters until it is told to end. */
function looking(monitor: Monitor): { readonly looks: () => number; end(): Promise<void> } {
  let over = false
  let looks = 0
  const loop = async (): Promise<void> => {
    while (!over) {
      await monitor.look()
      looks++
      await sleep(LOOK_MS)
    }
  }
  const running = loop()
  return {
    looks: () => looks - monitor.failures,
    end: async () => {
      over = true
      await running
    },
  }
}

interface Events {
  readonly revoked: Evidence['revoked']
  readonly killed: Evidence['killed']
  outage?: NonNullable<Evidence['outage']>
}

/** The load, and what is done to it meanwhile. */
async function loaded(scene: Scene, { workers, keys }: World, restart: (() => Promise<void>) | undefined): Promise<Events> {
  const startMs = monotonicMs()
  const until = (share: number): Promise<void> => sleep(Math.max(0, startMs + share * scene.loadMs - monotonicMs()))
  for (const worker of workers) worker.order({ do: 'go', keys })
  await until(0.25)
  let outage: Events['outage']
  if (restart !== undefined) {
    const fromMs = monotonicMs()
    await restart()
    outage = { fromMs, toMs: monotonicMs() }
  }
  await until(0.35)
  const id = keys[0]?.id ?? ''
  const done = workers[0]?.report('revoked')
  workers[0]?.order({ do: 'revoke', id })
  await done
  const revoked = { id, atMs: monotonicMs() }
  await until(0.7)
  const index = workers.length - 1
  await workers[index]?.kill()
  const killed = { index, atMs: monotonicMs() }
  await until(1)
  return { revoked, killed, ...(outage !== undefined && { outage }) }
}

/** Waits until every lease is over, and everything that lapsed is cleared away. */
async function settled({ workers, monitor }: World): Promise<void> {
  const living = workers.slice(0, -1)
  const stopped = living.map(worker => worker.report('stopped'))
  for (const worker of living) worker.order({ do: 'stop' })
  await Promise.all(stopped)
  await sleep(LEASE_MS + 500)
  for (let quiet = 0, round = 0; quiet < 2 && round < 100; round++) quiet = (await monitor.look()) === 0 ? quiet + 1 : 0
}

/** Runs one part, and gives what it left behind. */
export async function run(scene: Scene, folder: string, started: Started): Promise<Evidence> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const port = scene.name === 'Redis' ? await freePort() : 0
  let server: RedisServer | undefined = scene.name === 'Redis' ? await startRedis(folder, port) : undefined
  started.add(undefined, () => server?.stop())
  const restart = async (): Promise<void> => {
    await server?.stop()
    await sleep(DOWN_MS)
    server = await startRedis(folder, port)
  }
  const world = await built(scene, scene.name === 'Redis' ? { kind: 'redis', port, client: 'redis' } : { kind: 'sqlite', path: `${folder}/store.db` }, folder, started)
  const watch = looking(world.monitor)
  const events = await loaded(scene, world, scene.name === 'Redis' ? restart : undefined)
  await settled(world)
  await watch.end()
  await world.monitor.look()
  const evidence = await gathered(scene, folder, world, events, watch.looks())
  const living = world.workers.slice(0, -1)
  for (const worker of living) worker.order({ do: 'close' })
  await Promise.all(living.map(worker => Promise.race([worker.exited, sleep(5_000, undefined, { ref: false })])))
  return evidence
}

async function gathered(scene: Scene, folder: string, { keys, monitor, own, workers }: World, events: Events, looks: number): Promise<Evidence> {
  const ask = (by?: 'project' | 'key') => spend(own.store, by === undefined ? {} : { by })
  const provided = linesIn<Came | Served>(providerLogOf(folder))
  const readings = [...monitor.readings.values()]
  return {
    scene,
    keys,
    ...events,
    journals: workers.map((_, index) => linesIn<Line>(journalOf(folder, index))),
    records: [...workers.flatMap((_, index) => linesIn<CallRecord>(recordsOf(folder, index))), ...monitor.records],
    came: provided.filter(line => !('endMs' in line)),
    served: provided.filter((line): line is Served => 'endMs' in line),
    readings,
    looks,
    holdsLeft: readings.filter(({ kind, held }) => kind === 'concurrency' && held > 0).length,
    spend: { all: await ask(), byProject: await ask('project'), byKey: await ask('key') },
  }
}
