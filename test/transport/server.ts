import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createRawServer, type AddressInfo, type Server as RawServer, type Socket } from 'node:net'
import { GatewayError } from '../../src/protocol/errors.js'
import type { HttpCall } from '../../src/protocol/ports.js'
import type { ByteReader, SendContext } from '../../src/transport/types.js'

export interface Loopback {
  readonly url: string
  readonly port: number
  readonly sockets: Set<Socket>
  /** Connections accepted since the start. */
  readonly accepted: () => number
  stop(): Promise<void>
}

export async function listen(server: Server | RawServer): Promise<Loopback> {
  const sockets = new Set<Socket>()
  let accepted = 0
  server.on('connection', (socket: Socket) => {
    accepted++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    sockets,
    accepted: () => accepted,
    stop: () => new Promise(resolve => {
      for (const socket of sockets) socket.destroy()
      server.close(() => resolve())
    }),
  }
}

export function httpServer(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Loopback> {
  return listen(createServer(handler))
}
export function rawServer(handler: (socket: Socket) => void): Promise<Loopback> {
  return listen(createRawServer(handler))
}

/** Answers on a raw socket; `n` counts requests over all sockets. */
export function scripted(answer: (socket: Socket, n: number) => void): Promise<Loopback> {
  let n = 0
  return rawServer(socket => socket.on('data', () => answer(socket, n++)))
}

export function post(url: string, body = '{}'): HttpCall {
  return { method: 'POST', url, headers: { 'content-type': 'application/json' }, body }
}
export function context(signal: AbortSignal = new AbortController().signal): SendContext & { activity: number } {
  return {
    signal,
    activity: 0,
    onActivity() {
      this.activity++
    },
  }
}
export async function readText(body: ByteReader): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for (let chunk = await body.read(); chunk !== undefined; chunk = await body.read()) text += decoder.decode(chunk, { stream: true })
  return text
}
/** Waits until `check` holds, at most `ms`. */
export async function until(check: () => boolean, ms = 2000): Promise<void> {
  const end = performance.now() + ms
  while (!check()) {
    if (performance.now() > end) throw new Error('waited in vain')
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}
/** The fault of a promise that must reject. */
export async function faultOf(promise: Promise<unknown>): Promise<GatewayError> {
  try {
    await promise
  } catch (error) {
    if (GatewayError.is(error)) return error
    throw error
  }
  throw new Error('did not reject')
}
