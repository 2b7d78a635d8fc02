import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What is sent. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Written one after the other; the client gets a turn in between. */
  readonly pieces: readonly Uint8Array[]
  /** With `content-length`; else chunked. */
  readonly sized: boolean
}
/** A request as it came. `path` is without the part that names the booking. */
export interface Arrived {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}
/** A reply that waits for its request under an origin of its own. */
export interface Booking {
  readonly origin: string
  readonly arrived: readonly Arrived[]
  cancel(): void
}

// They describe the body as it travelled then, not as it travels now.
const OF_THE_WAY = new Set(['content-length', 'content-encoding', 'transfer-encoding', 'connection', 'keep-alive', 'date', 'trailer', 'upgrade'])
/** Turns of the event loop between the headers and the body. */
const HEAD_TURNS = 4
const BODY_BYTES = 16 * 1024 * 1024

/** Serves recorded responses on loopback, several at a time. */
export class ReplayServer {
  readonly #server: Server
  readonly #booked = new Map<string, { readonly reply: Reply; readonly arrived: Arrived[] }>()
  #count = 0

  private constructor(server: Server) {
    this.#server = server
    server.on('request', (req: IncomingMessage, res: ServerResponse) => void this.#serve(req, res).catch(() => res.destroy()))
  }

  static async start(): Promise<ReplayServer> {
    const server = createServer({ noDelay: true })
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
    return new ReplayServer(server)
  }

  book(reply: Reply): Booking {
    const id = String(++this.#count)
    const arrived: Arrived[] = []
    this.#booked.set(id, { reply, arrived })
    const { port } = this.#server.address() as AddressInfo
    return { origin: `http://127.0.0.1:${port}/${id}`, arrived, cancel: () => void this.#booked.delete(id) }
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const [, id = '', path = ''] = /^\/(\d+)(\/.*)$/.exec(req.url ?? '') ?? []
    const booked = this.#booked.get(id)
    if (booked === undefined) return void res.writeHead(500, { 'content-type': 'text/plain' }).end('Nothing is booked here.')
    const headers = Object.fromEntries(Object.entries(req.headers).map(([name, value]) => [name, String(value)]))
    booked.arrived.push({ method: req.method ?? '', path, headers, body: await bodyOf(req) })
    await send(res, booked.reply)
  }
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > BODY_BYTES) throw new Error('The request is too long.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function send(res: ServerResponse, { status, headers, pieces, sized }: Reply): Promise<void> {
  const kept = Object.entries(headers).filter(([name]) => !OF_THE_WAY.has(name.toLowerCase()))
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  res.writeHead(status, [...kept, ...(sized ? [['content-length', String(length)]] : [])].flat())
  res.flushHeaders()
  // Until the client waits for the body: else it finds the first pieces together.
  for (let turn = 0; turn < HEAD_TURNS; turn++) await new Promise<void>(resolve => setImmediate(resolve))
  for (const piece of pieces) {
    if (res.destroyed) return
    const free = res.write(piece)
    // The client reads in its own turn of the event loop, so each piece reaches it alone.
    await new Promise<void>(resolve => (free ? setImmediate(resolve) : res.once('drain', resolve).once('close', resolve)))
  }
  res.end()
}
