import { createRequire } from 'node:module'
import type { Store } from '../../src/index.js'
import { redisStore, type RedisClient } from '../../src/state/redis.js'
import { sqliteStore, type SqliteDatabase } from '../../src/state/sqlite.js'
import type { StoreAt } from './world.js'

interface NodeClient {
  readonly isOpen: boolean
  sendCommand(...args: never[]): unknown
  on(event: string, listener: () => void): unknown
  connect(): Promise<unknown>
  destroy(): void
}
interface IoClient {
  readonly status: string
  call(...args: never[]): unknown
  on(event: string, listener: () => void): unknown
  disconnect(): void
}
/** A store, and what was opened for it. */
export interface OpenStore {
  readonly store: Store & { start?(parts: never): void }
  /** After the store was closed. */
  close(): void
}

function load<T>(from: 'redis' | 'sqlite', name: string): T {
  return createRequire(new URL(`../../test/${from}/package.json`, import.meta.url))(name) as T
}

async function redisAt(port: number, kind: 'redis' | 'ioredis'): Promise<OpenStore> {
  const { client, close } = kind === 'redis' ? await nodeClient(port) : ioClient(port)
  return { store: redisStore(client), close }
}

async function nodeClient(port: number): Promise<{ client: RedisClient; close: () => void }> {
  const { createClient } = load<{ createClient(options: object): NodeClient }>('redis', 'redis')
  const client = createClient({ url: `redis://127.0.0.1:${port}` })
  client.on('error', () => undefined)
  await client.connect()
  return { client, close: () => client.isOpen && client.destroy() }
}

function ioClient(port: number): { client: RedisClient; close: () => void } {
  const { Redis } = load<{ Redis: new (options: object) => IoClient }>('redis', 'ioredis')
  const client = new Redis({ host: '127.0.0.1', port })
  client.on('error', () => undefined)
  return { client, close: () => client.disconnect() }
}

/** better-sqlite3 where it is installed, else the engine of Node. */
function sqliteAt(path: string): OpenStore {
  let Database: (new (path: string) => SqliteDatabase) | undefined
  try {
    Database = load<new (path: string) => SqliteDatabase>('sqlite', 'better-sqlite3')
  } catch {
    // Then the store opens the file by itself, or says that it cannot.
  }
  if (Database === undefined) return { store: sqliteStore(path), close: () => undefined }
  const database = new Database(path)
  return { store: sqliteStore(database), close: () => void database.close() }
}

/** Rejects where a client or an engine is not installed. */
export async function openStore(at: StoreAt): Promise<OpenStore> {
  return at.kind === 'redis' ? redisAt(at.port, at.client) : sqliteAt(at.path)
}
