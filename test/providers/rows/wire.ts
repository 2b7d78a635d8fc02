import { Agent as PlainAgent, createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'

export type Body = Readonly<Record<string, unknown>>
/** What a server answers. */
export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Body | readonly unknown[]
}
/** A request as it came, with the host it was meant for. */
export interface Arrived {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Record<string, unknown>
}

/** Plain sockets to one port, whatever host and whichever scheme was asked for. */
class LeadingAgent extends PlainAgent {
  // Without a protocol of its own it serves http: and https: alike.
  readonly protocol = undefined
  readonly #port: () => number

  constructor(port: () => number) {
    super({ keepAlive: true })
    this.#port = port
  }

  override createConnection(): Socket {
    return connect(this.#port(), '127.0.0.1')
  }
}

/** One server on loopback that plays all of them. */
export class Wire {
  readonly arrived: Arrived[] = []
  readonly #server: Server
  #replies: Reply[] = []
  #agent: PlainAgent | undefined

  private constructor(server: Server) {
    this.#server = server
    server.on('request', (req, res) => {
      const chunks: Buffer[] = []
      req.on('data', (chunk: Buffer) => chunks.push(chunk))
      req.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        this.arrived.push({ method: req.method ?? '', host: req.headers.host ?? '', path: req.url ?? '', headers: req.headers, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> })
        send(res, this.#replies.shift())
      })
    })
  }

  static async start(): Promise<Wire> {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return new Wire(server)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }
  get origin(): string {
    return `http://127.0.0.1:${this.port}`
  }
  /** Leads every request here, with the host it was meant for in its head. */
  get agent(): PlainAgent {
    return (this.#agent ??= new LeadingAgent(() => this.port))
  }

  /** What is answered from now on, in order. */
  play(...replies: readonly Reply[]): void {
    this.arrived.length = 0
    this.#replies = [...replies]
  }

  async stop(): Promise<void> {
    this.#agent?.destroy()
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }
}

function send(res: ServerResponse, reply: Reply | undefined): void {
  if (reply === undefined) return void res.writeHead(500).end('nothing to say')
  const { status = 200, headers, body } = reply
  const stream = typeof body === 'string' && /^(?:data|:|event)/.test(body)
  res.writeHead(status, { 'content-type': stream ? 'text/event-stream' : 'application/json', ...headers })
  res.end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** Events of a stream, in the frame most servers use. */
export function sse(...chunks: readonly (Body | string)[]): string {
  return chunks.map(chunk => `data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`).join('')
}
