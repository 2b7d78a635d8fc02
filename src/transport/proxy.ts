import { BlockList, isIP } from 'node:net'
import { configFault } from './faults.js'
import type { Env } from './types.js'

/** An HTTP proxy from the environment. */
export interface Proxy {
  readonly secure: boolean
  readonly host: string
  readonly port: number
  /** Value of `proxy-authorization`. */
  readonly auth?: string
}

/** The host of a URL as sockets take it: IPv6 without brackets. */
export function bareHost(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}

/** The port of a URL, the protocol's own where none is written. */
export function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
}

/**
 * The proxy for this URL by `HTTPS_PROXY` or `HTTP_PROXY`, unless `NO_PROXY` names the host. Lower-case names win.
 * Throws `invalid_config` where the setting cannot be used.
 */
export function proxyFor(url: URL, env: Env): Proxy | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const setting = (env(name.toLowerCase()) || env(name) || '').trim()
  if (setting === '' || isExempt(url, env('no_proxy') || env('NO_PROXY') || '')) return undefined
  return parseProxy(setting, name)
}

function parseProxy(setting: string, name: string): Proxy {
  let url: URL
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(setting) ? setting : `http://${setting}`)
  } catch {
    throw configFault(`${name} is not a URL. Write it as http://host:port.`)
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw configFault(`${name} names a proxy of another kind. Only http:// and https:// proxies are supported.`)
  const auth = credentials(url, name)
  return { secure: url.protocol === 'https:', host: bareHost(url.hostname), port: portOf(url), ...(auth !== undefined && { auth }) }
}

function credentials(url: URL, name: string): string | undefined {
  if (url.username === '' && url.password === '') return undefined
  try {
    return `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`
  } catch {
    throw configFault(`${name} has a user name or password that is not percent-encoded.`)
  }
}

function isExempt(url: URL, list: string): boolean {
  const host = bareHost(url.hostname).toLowerCase().replace(/\.$/, '')
  const port = String(portOf(url))
  for (const entry of list.toLowerCase().split(/[\s,]+/)) {
    if (entry === '') continue
    if (entry === '*' || exempts(entry, host, port)) return true
  }
  return false
}

function exempts(entry: string, host: string, port: string): boolean {
  if (entry.includes('/')) return inSubnet(entry, host)
  const [, bracketed, plain = entry, onPort] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? []
  if (onPort !== undefined && onPort !== port) return false
  const name = (bracketed ?? plain).replace(/^\*?\./, '').replace(/\.$/, '')
  if (name === '') return false
  return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`))
}

function inSubnet(entry: string, host: string): boolean {
  const [net = '', bits = ''] = entry.split('/')
  const kind = isIP(host)
  const most = kind === 4 ? 32 : 128
  if (kind === 0 || isIP(net) !== kind || !/^\d{1,3}$/.test(bits) || Number(bits) > most) return false
  const list = new BlockList()
  list.addSubnet(net, Number(bits), kind === 4 ? 'ipv4' : 'ipv6')
  return list.check(host, kind === 4 ? 'ipv4' : 'ipv6')
}
