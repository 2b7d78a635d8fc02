import { createServer as createSecureServer } from 'node:https'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { selfSigned } from '../transport/certificate.js'
import { listen, type Loopback } from '../transport/server.js'

/** A request as it came. */
export interface Arrived {
  readonly url: string
  readonly host: string
  readonly headers: IncomingHttpHeaders
  readonly raw: readonly string[]
  readonly body: string
}
export type Reply = (request: Arrived, response: ServerResponse) => void

/** A server on loopback that answers as the test says, and remembers what it was asked. */
export class Played {
  readonly arrived: Arrived[] = []
  reply: Reply = (_, response) => void response.writeHead(500).end()
  readonly #server: Loopback
  readonly #scheme: string

  private constructor(server: Loopback, scheme: string) {
    this.#server = server
    this.#scheme = scheme
  }

  static async start(secure = false): Promise<Played> {
    const on = (request: IncomingMessage, response: ServerResponse): void => {
      const chunks: Buffer[] = []
      request.on('data', (part: Buffer) => chunks.push(part))
      request.on('end', () => {
        const arrived: Arrived = { url: request.url ?? '', host: request.headers.host ?? '', headers: request.headers, raw: request.rawHeaders, body: Buffer.concat(chunks).toString('utf8') }
        played.arrived.push(arrived)
        response.on('error', () => undefined)
        played.reply(arrived, response)
      })
    }
    const server = await listen(secure ? createSecureServer(selfSigned(), on) : createServer(on))
    const played: Played = new Played(server, secure ? 'https' : 'http')
    return played
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.#server.port}`
  }
  get sockets(): ReadonlySet<Socket> {
    return this.#server.sockets
  }
  /** All that ever came here. */
  get everything(): string {
    return JSON.stringify(this.arrived)
  }
  stop(): Promise<void> {
    return this.#server.stop()
  }
}

export const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void => void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body))
export const TYPE = { sse: 'text/event-stream', lines: 'application/x-ndjson', frames: 'application/vnd.amazon.eventstream' } as const
