import type { Agent } from 'node:http'
import type { HttpCall } from '../protocol/ports.js'
import { Connection } from './connection.js'
import { Endpoints, type Endpoint } from './endpoint.js'
import { Exchange, type Line } from './exchange.js'
import { abortFault, closedFault } from './faults.js'
import { givenAgent } from './given-agent.js'
import { Pool, type IdleClock } from './pool.js'
import type { Env, Received, SendContext, Transport } from './types.js'

/** Settings of the Node transport. */
export interface HttpTransportOptions {
  /** An `http.Agent` or `https.Agent` of the caller, in place of ours; it also decides about proxies. */
  readonly agent?: unknown
  /** Where `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are read. */
  readonly env?: Env
  readonly idle: IdleClock
}

const READ_BYTES = 64 * 1024

/** Keep-alive HTTP/1.1 over sockets of its own; over Node's client where the caller gives an agent. None is opened before the first request. */
export function httpTransport({ agent, env, idle }: HttpTransportOptions): Transport {
  const given = givenAgent(agent)
  return given === undefined ? new HttpTransport(idle, env) : overAgent(given)
}

function overAgent(agent: Agent): Transport {
  const loaded = import('./agent.js').then(({ agentTransport }) => agentTransport(agent))
  return {
    send: async (call, ctx) => (await loaded).send(call, ctx),
    close: async () => (await loaded).close(),
    sockets: () => undefined,
  }
}

class HttpTransport implements Transport, Line {
  readonly #pool: Pool
  readonly #endpoints: Endpoints
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  #closed = false

  constructor(idle: IdleClock, env: Env | undefined) {
    this.#pool = new Pool(idle)
    this.#endpoints = new Endpoints(env)
  }

  send(call: HttpCall, ctx: SendContext): Promise<Received> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw closedFault()
      if (ctx.signal.aborted) throw abortFault(ctx.signal.reason)
      new Exchange(this, this.#endpoints.of(call.url), call, ctx, resolve, reject)
    })
  }

  connect(endpoint: Endpoint, exchange: Exchange, fresh: boolean): void {
    const origin = this.#pool.origin(endpoint)
    const parked = fresh ? undefined : this.#pool.take(origin)
    if (parked !== undefined) {
      exchange.connection = parked
      parked.wake(exchange)
      return
    }
    exchange.connection = new Connection(this.#pool, origin, this.#buffer, exchange)
    exchange.connection.dial(endpoint)
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const connection of [...this.#pool.connections]) connection.lose(closedFault())
    await this.#pool.end()
  }

  sockets(): number {
    return this.#pool.connections.size
  }
}
