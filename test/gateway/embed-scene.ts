import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach } from 'vitest'

/** One request as it came. */
export interface Asked {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: { readonly model: string; readonly input: readonly string[]; readonly [key: string]: unknown }
}
/** What a request is answered with; nothing: it is left waiting. */
export type Plan = (asked: Asked, at: number) => { readonly status?: number; readonly headers?: Record<string, string>; readonly body: unknown } | undefined

/** A server of embeddings on loopback. */
export interface VectorServer {
  readonly baseUrl: string
  readonly asked: readonly Asked[]
  /** Most requests that were open together. */
  readonly most: number
  readonly openRequests: number
  readonly openSockets: number
  /** Answers what waits. */
  release(): void
}

/** The vector of a text: its length, the code of its first character, and a half. */
export const vectorOf = (text: string): number[] => [text.length, text.charCodeAt(0), 0.5]
/** The usual answer: a vector for each text, and a token for each. */
export const answer = ({ body: { model, input } }: Asked): { body: unknown } => ({
  body: { object: 'list', model, data: input.map((text, index) => ({ object: 'embedding', index, embedding: vectorOf(text) })), usage: { prompt_tokens: input.length, total_tokens: input.length } },
})

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
})

export async function vectorServer(plan: Plan = answer): Promise<VectorServer> {
  const asked: Asked[] = []
  const sockets = new Set<Socket>()
  let waiting: { readonly res: ServerResponse; readonly one: Asked }[] = []
  const state = { open: 0, most: 0 }
  const send = (res: ServerResponse, reply: NonNullable<ReturnType<Plan>>): void => {
    res.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers })
    res.end(JSON.stringify(reply.body))
  }
  const server = createServer((req, res) => {
    state.most = Math.max(state.most, ++state.open)
    res.once('close', () => state.open--)
    let text = ''
    req.on('data', (chunk: Buffer) => (text += chunk.toString()))
    req.on('end', () => {
      const one: Asked = { path: req.url ?? '', headers: req.headers, body: JSON.parse(text) as Asked['body'] }
      const at = asked.push(one) - 1
      const reply = plan(one, at)
      if (reply === undefined) waiting.push({ res, one })
      else send(res, reply)
    })
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    get most() {
      return state.most
    },
    get openRequests() {
      return state.open
    },
    get openSockets() {
      return sockets.size
    },
    release() {
      for (const { res, one } of waiting.splice(0)) send(res, answer(one))
      waiting = []
    },
  }
}
