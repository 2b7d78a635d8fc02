import { configFault } from './faults.js'
import { HeaderNames } from './head.js'
import { bareHost, portOf, proxyFor, type Proxy } from './proxy.js'
import { HeaderLines } from './request.js'
import type { Env } from './types.js'

/** Where a URL leads, in the parts that sockets and requests take. */
export interface Endpoint {
  /** For messages: host and port, nothing else of the URL. */
  readonly label: string
  readonly secure: boolean
  /** What the socket connects to: the server, or the proxy of a plain request. */
  readonly host: string
  readonly port: number
  readonly path: string
  /** Headers of every request to this URL, flat. */
  readonly fixed: readonly string[]
  /** The same as text, with the request line before them. */
  readonly heads: { readonly GET: string; readonly POST: string }
  /** Of the headers of its requests that are not fixed. */
  readonly lines: HeaderLines
  /** Of the headers of its answers. */
  readonly names: HeaderNames
  /** Connections may be shared by endpoints of one key. */
  readonly key: string
  /** Proxy to tunnel through. */
  readonly tunnel?: Proxy
}

const MOST = 256
const UNSENDABLE = /[^\x21-\x7e]/

/** Parsed URLs; bounded, the oldest goes first. Proxy settings are read once per URL. */
export class Endpoints {
  readonly #known = new Map<string, Endpoint>()
  readonly #env: Env | undefined

  /** @param env where proxy settings are read; without it there is no proxy. */
  constructor(env?: Env) {
    this.#env = env
  }

  of(url: string): Endpoint {
    const known = this.#known.get(url)
    if (known !== undefined) return known
    const made = this.#parse(url)
    if (this.#known.size >= MOST) for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest)
      break
    }
    this.#known.set(url, made)
    return made
  }

  #parse(text: string): Endpoint {
    let url: URL
    try {
      url = new URL(text)
    } catch {
      throw configFault('The URL of a deployment is not a URL. Check baseUrl.')
    }
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw configFault('The URL of a deployment must start with https:// or http://. Check baseUrl.')
    const secure = url.protocol === 'https:'
    const proxy = this.#env === undefined ? undefined : proxyFor(url, this.#env)
    const own = { label: url.host, host: bareHost(url.hostname), port: portOf(url), path: `${url.pathname}${url.search}`, secure, fixed: ['host', url.host] }
    if (proxy === undefined) return endpoint(own)
    if (secure) return endpoint({ ...own, tunnel: proxy })
    const auth = proxy.auth === undefined ? [] : ['proxy-authorization', proxy.auth]
    return endpoint({ ...own, secure: proxy.secure, host: proxy.host, port: proxy.port, path: `${url.origin}${own.path}`, fixed: [...own.fixed, ...auth] })
  }
}

function endpoint(parts: Omit<Endpoint, 'heads' | 'key' | 'lines' | 'names'>): Endpoint {
  const { path, fixed, secure, host, port, tunnel } = parts
  if (UNSENDABLE.test(path)) throw configFault('The URL of a deployment holds a character that HTTP does not allow. Check baseUrl and the model name.')
  let lines = ` ${path} HTTP/1.1\r\n`
  for (let i = 0; i + 1 < fixed.length; i += 2) lines += `${fixed[i]}: ${fixed[i + 1]}\r\n`
  lines += 'connection: keep-alive\r\n'
  const key = `${secure ? 's' : ''}:${host}:${port}${tunnel === undefined ? '' : ` ${tunnel.secure ? 's' : ''}:${tunnel.host}:${tunnel.port} ${tunnel.auth ?? ''}`}`
  return { ...parts, heads: { GET: `GET${lines}`, POST: `POST${lines}` }, lines: new HeaderLines(), names: new HeaderNames(), key }
}
