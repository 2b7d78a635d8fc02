import { createRequire } from 'node:module'
import { afterAll, describe, test } from 'vitest'
import type { RedisClient } from '../../../src/state/redis.js'
import { hasServer, type Server } from './servers.js'

/** What these tests use of a client of node-redis. */
export interface NodeClient {
  readonly isOpen: boolean
  sendCommand(...args: never[]): unknown
  on(event: string, listener: (...args: never[]) => void): this
  listenerCount(event: string): number
  connect(): Promise<unknown>
  destroy(): unknown
}
/** What these tests use of a client of ioredis. */
export interface IoClient {
  readonly status: string
  call(command: string, ...args: (string | number)[]): Promise<unknown>
  on(event: string, listener: (...args: never[]) => void): this
  listenerCount(event: string): number
  disconnect(): void
}
interface NodeRedis {
  createClient(options: object): NodeClient
  createClientPool(options: object): NodeClient
  createCluster(options: object): NodeClient
  createSentinel(options: object): NodeClient
}
interface IoRedis {
  readonly Redis: new (options: object) => IoClient
  readonly Cluster: new (nodes: readonly object[], options?: object) => IoClient
}

function load<T>(name: string): T | undefined {
  try {
    return createRequire(new URL('../../redis/package.json', import.meta.url))(name) as T
  } catch {
    return undefined
  }
}

const nodeRedis = load<NodeRedis>('redis')
const ioRedis = load<IoRedis>('ioredis')
export const installed = nodeRedis !== undefined && ioRedis !== undefined

function lacking(): string | undefined {
  if (!installed) return 'the clients are not installed: npm ci --prefix test/redis'
  if (!hasServer) return 'there is no redis-server on this machine'
  return undefined
}

const LACKS = lacking()
const NEEDED = process.env['SALLYPORT_NEED_REDIS'] === '1'
if (LACKS !== undefined) console.log(`redis tests ${NEEDED ? 'fail' : 'are skipped'}: ${LACKS}`)

/** A suite that needs a server: skipped, with the reason printed, where there is none; a failure where it must not be. */
export function describeRedis(name: string, body: () => void): void {
  if (LACKS === undefined) describe(name, body)
  else if (NEEDED) test(name, () => Promise.reject(new Error(LACKS)))
  else describe.skip(name, () => test('needs a server', () => undefined))
}

/** What a suite opens, to be closed when it is over, the newest first. */
export class Opened {
  readonly #ends: (() => unknown)[] = []

  constructor() {
    afterAll(() => this.close())
  }

  add<T>(thing: T, end: (thing: T) => unknown): T {
    this.#ends.push(() => end(thing))
    return thing
  }

  server<T extends Server>(server: T): T {
    return this.add(server, () => server.stop())
  }

  async close(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await Promise.resolve().then(end).catch(() => undefined)
  }

  async node(client: NodeClient): Promise<NodeClient & RedisClient> {
    client.on('error', () => undefined)
    this.add(client, () => client.isOpen && client.destroy())
    await client.connect()
    return client
  }

  io(client: IoClient): IoClient & RedisClient {
    client.on('error', () => undefined)
    return this.add(client, () => client.disconnect())
  }
}

function given<T>(module: T | undefined): T {
  if (module === undefined) throw new Error('not installed')
  return module
}

const HOST = '127.0.0.1'

/** Makes clients, by kind. */
export const clients = {
  node: (port: number, options: object = {}) => given(nodeRedis).createClient({ url: `redis://${HOST}:${port}`, ...options }),
  nodePool: (port: number) => given(nodeRedis).createClientPool({ url: `redis://${HOST}:${port}` }),
  nodeCluster: (ports: readonly number[]) => given(nodeRedis).createCluster({ rootNodes: ports.map(port => ({ url: `redis://${HOST}:${port}` })) }),
  nodeSentinel: (port: number) => given(nodeRedis).createSentinel({ name: 'main', sentinelRootNodes: [{ host: HOST, port }] }),
  io: (port: number, options: object = {}) => new (given(ioRedis).Redis)({ host: HOST, port, ...options }),
  ioCluster: (ports: readonly number[]) => new (given(ioRedis).Cluster)(ports.map(port => ({ host: HOST, port }))),
  ioSentinel: (port: number) => new (given(ioRedis).Redis)({ name: 'main', sentinels: [{ host: HOST, port }] }),
}
