import { connect as plainConnect, isIP, type Socket } from 'node:net'
import { connect as tlsConnect, type ConnectionOptions } from 'node:tls'
import type { Connection } from './connection.js'
import type { Endpoint } from './endpoint.js'
import { HeaderNames, parseHead, unreadable } from './head.js'
import { MAX_HEADER_BYTES } from './headers.js'
import type { Proxy } from './proxy.js'

const BLANK_LINE = '\r\n\r\n'
const KEEP_ALIVE_MS = 1_000

/** Opens TLS for a connection, through a proxy where there is one. Nothing is written before the certificate was checked. */
export function dialSecure(connection: Connection, endpoint: Endpoint): void {
  const { tunnel } = endpoint
  if (tunnel === undefined) handshake(connection, endpoint, { onread: connection.onread } as ConnectionOptions)
  else dialProxy(connection, tunnel, endpoint)
}

function named(host: string): { host: string; servername?: string } {
  return isIP(host) === 0 ? { host, servername: host } : { host }
}

function handshake(connection: Connection, { host, port }: Endpoint, more: ConnectionOptions): void {
  const { origin } = connection
  const { session } = origin
  const socket = tlsConnect({ ...named(host), port, ALPNProtocols: ['http/1.1'], ...(session !== undefined && { session }), ...more })
  socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS)
  // One that the server no longer wants must not spoil the next try too.
  origin.session = undefined
  socket.on('session', made => (origin.session = made))
  socket.once('secureConnect', () => connection.ready())
  connection.adopt(socket)
  // A socket over another one has no buffer to read into.
  if (more.socket !== undefined) socket.on('data', (bytes: Buffer) => connection.read(bytes, bytes.length))
}

function dialProxy(connection: Connection, proxy: Proxy, endpoint: Endpoint): void {
  const { host, port } = proxy
  const socket: Socket = proxy.secure ? tlsConnect({ ...named(host), port }) : plainConnect({ host, port, noDelay: true })
  const onEnd = () => connection.lose({ code: 'PROXY_CLOSED' })
  socket.once('end', onEnd)
  connection.adopt(socket)
  socket.once(proxy.secure ? 'secureConnect' : 'connect', () => socket.write(connectHead(proxy, endpoint), 'latin1'))
  let text = ''
  const onReadable = () => {
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
      text += chunk.toString('latin1')
      const end = text.indexOf(BLANK_LINE)
      if (end === -1 && text.length < MAX_HEADER_BYTES) continue
      socket.off('readable', onReadable).off('end', onEnd)
      const early = Buffer.from(text.slice(end + BLANK_LINE.length), 'latin1')
      try {
        opened(text, end, proxy)
        if (early.length > 0) socket.unshift(early)
        handshake(connection, endpoint, { socket })
      } catch (fault) {
        connection.lose(fault)
      }
      return
    }
  }
  socket.on('readable', onReadable)
}

function connectHead({ auth }: Proxy, { host, port }: Endpoint): string {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${auth === undefined ? '' : `proxy-authorization: ${auth}\r\n`}\r\n`
}

/** Throws unless the proxy said that the way is open. */
function opened(text: string, end: number, { host }: Proxy): void {
  if (end === -1) throw unreadable(host, `more than ${MAX_HEADER_BYTES} bytes of headers`)
  const { status } = parseHead(text, end, host, new HeaderNames())
  if (status < 200 || status > 299) throw Object.assign(new Error('The proxy made no tunnel.'), { code: `PROXY_STATUS_${status}` })
}
