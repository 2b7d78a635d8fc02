import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'

/** A server that writes whatever bytes a test wants. */
export interface RawServer {
  readonly baseUrl: string
  readonly requests: number
  readonly openSockets: number
  readonly openRequests: number
}

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

export async function rawServer(write: (res: ServerResponse, body: string, req: IncomingMessage) => void | Promise<void>): Promise<RawServer> {
  const sockets = new Set<object>()
  let requests = 0
  let open = 0
  const server = createServer((req, res) => {
    requests++
    open++
    res.once('close', () => open--)
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => void chunks.push(chunk))
    req.on('end', () => void Promise.resolve(write(res, Buffer.concat(chunks).toString('utf8'), req)).catch(() => res.destroy()))
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  closing.push(
    () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    get requests() {
      return requests
    },
    get openSockets() {
      return sockets.size
    },
    get openRequests() {
      return open
    },
  }
}

export function sseHead(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  res.flushHeaders()
}

/** One chunk of a chat completion, without the framing. */
export function chunk(delta: object, finish: string | null = null): string {
  return JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'm-1', choices: [{ index: 0, delta, finish_reason: finish }] })
}
export const say = (content: string): string => chunk({ content })
export const STOP = chunk({}, 'stop')
export const data = (text: string): string => `data: ${text}\n\n`
