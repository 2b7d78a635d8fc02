import { GatewayError } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'

/** A client of the package `redis` (node-redis): `createClient`, `createClientPool`, `createSentinel` or `createCluster`. */
interface NodeRedis {
  readonly isOpen: boolean
  sendCommand(...args: never[]): unknown
}
/** A client of the package `ioredis`: `new Redis(...)` or `new Cluster(...)`. */
interface IoRedis {
  readonly status: string
  call(...args: never[]): unknown
}
/** A client of node-redis (4 or 5) or ioredis (5) for Redis or Valkey, standalone, of a sentinel or of a cluster. */
export type RedisClient = NodeRedis | IoRedis

/** What the store needs of a client. */
export interface Wire {
  /** The client was closed, or never opened: it would take a command and never answer. */
  readonly closed: boolean
  /** Sends one command to the node that has the slot of `key`. */
  send(key: string, command: readonly string[]): Promise<unknown>
  /** Takes off what was put on the client. */
  release(): void
}

type Send = (...args: unknown[]) => unknown

const ACCEPTED =
  'redisStore() takes a client of node-redis (createClient, createClientPool, createSentinel, createCluster) or of ioredis (Redis, Cluster)'
// Whatever types the client maps replies to for its owner, the store reads texts.
const PLAIN = { typeMapping: {} }

function refused(why: string): GatewayError {
  return new GatewayError('invalid_config', `${ACCEPTED}; ${why}.`)
}

function has(client: Record<string, unknown>, ...names: readonly string[]): boolean {
  return names.some(name => typeof client[name] === 'function')
}

/** How a client of node-redis is asked, which differs by its kind. */
function nodeRedisSend(client: Record<string, unknown>): (key: string, command: readonly string[]) => unknown {
  const send = (...args: unknown[]): unknown => (client['sendCommand'] as Send)(...args)
  if (has(client, 'getSlotRandomNode', 'nodeClient')) return (key, command) => send(key, false, command, PLAIN)
  if (has(client, 'getSentinelNode')) return (_, command) => send(false, command, PLAIN)
  if (has(client, 'release')) throw refused('this is a client leased from a sentinel, which ends with its lease: give the sentinel itself')
  if (isObject(client['options']) && client['options']['legacyMode'] === true) throw refused('this one is in legacy mode')
  if (client['isPubSubActive'] === true) throw refused('this one is subscribed to channels and takes no commands: give its duplicate()')
  return (_, command) => send(command, PLAIN)
}

/** A connection that fails is told to its calls; where nobody listens, its event would end the process. */
function quieted(client: Record<string, unknown>): () => void {
  const ignore = (): void => undefined
  if (!has(client, 'on') || !has(client, 'off') || !has(client, 'listenerCount')) return ignore
  const emitter = client as unknown as Record<'on' | 'off' | 'listenerCount', (event: string, listener?: () => void) => unknown>
  if (emitter.listenerCount('error') !== 0) return ignore
  emitter.on('error', ignore)
  return () => void emitter.off('error', ignore)
}

/** Tells by its shape what kind of client it is; throws `invalid_config` for anything else. */
export function wireOf(client: unknown): Wire {
  if (!isObject(client)) throw refused('this is none')
  let send: Wire['send']
  let isClosed: () => boolean
  if (has(client, 'call') && typeof client['status'] === 'string') {
    const { mode } = client
    if (mode === 'subscriber' || mode === 'monitor') throw refused(`this one is in the mode "${mode}" and takes no commands: give its duplicate()`)
    send = async (_, command) => (client['call'] as Send)(...command)
    isClosed = () => client['status'] === 'end'
  } else if (has(client, 'sendCommand') && typeof client['isOpen'] === 'boolean') {
    const ask = nodeRedisSend(client)
    send = async (key, command) => ask(key, command)
    isClosed = () => client['isOpen'] !== true
  } else throw refused('this is none')
  return new ClientWire(send, isClosed, quieted(client))
}

class ClientWire implements Wire {
  constructor(
    readonly send: Wire['send'],
    private readonly isClosed: () => boolean,
    readonly release: () => void,
  ) {}

  get closed(): boolean {
    return this.isClosed()
  }
}

const REPLIES = new Set(
  'ASK BUSY CLUSTERDOWN CROSSSLOT ERR EXECABORT LOADING MASTERDOWN MISCONF MOVED NOAUTH NOPERM NOREPLICAS NOSCRIPT OOM READONLY TRYAGAIN UNKILLABLE WRONGPASS WRONGTYPE'.split(' '),
)

function firstWord(error: unknown): string {
  return error instanceof Error ? (/^[A-Z]+/.exec(error.message)?.[0] ?? '') : ''
}

/** The server has no such script: it was restarted, its scripts were flushed, or it is another server. */
export function lacksScript(error: unknown): boolean {
  return firstWord(error) === 'NOSCRIPT'
}

/** The server itself said no: nothing of the command was done. */
export function isReply(error: unknown): boolean {
  return REPLIES.has(firstWord(error))
}

/** A word that says what went wrong; never a sentence of the client's, which may hold a URL with a password. */
function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && /^E[A-Z_]{2,30}$/.test(code)) return code
  const word = firstWord(error)
  if (REPLIES.has(word)) return word
  const kind = error.constructor.name
  return /^[A-Z][A-Za-z]{2,50}Error$/.test(kind) ? kind : undefined
}

/** Not to be reached, or no sound answer. */
export function unavailable(message: string): GatewayError {
  return new GatewayError('store_unavailable', message, { origin: 'gateway' })
}

/** Whatever a client threw, without its words. */
export function failure(error: unknown): GatewayError {
  if (GatewayError.is(error)) return error
  const reason = reasonOf(error)
  return unavailable(`Redis did not answer${reason === undefined ? '' : ` (${reason})`}. Look at the client's connection and at the server.`)
}
