import { GatewayError } from '../../protocol/errors.js'
import type { Target } from '../../protocol/ports.js'

/** What leads to the folder above, which a name of a model must not. */
const DOTS = /\/\.\.?(?:\/|$)/

/** The URL each target was asked at last: a text that is the same at each call is found by the transport without being read. */
const last = new WeakMap<object, { readonly path: string; readonly url: string }>()

/** The base URL of a target with a path behind it; a query of the base URL stays at the end. Throws `invalid_request` where the path leads out of it. */
export function urlOf(target: Pick<Target, 'baseUrl'>, path: string): string {
  const known = last.get(target)
  if (known !== undefined && known.path === path) return known.url
  const url = joined(target.baseUrl, path)
  last.set(target, { path, url })
  return url
}

function joined(baseUrl: string, path: string): string {
  if (DOTS.test(path)) throw new GatewayError('invalid_request', 'The name of the model holds ".." or "." as a part of a path. Give the name as its provider writes it.')
  const query = baseUrl.indexOf('?')
  return query === -1 ? `${baseUrl}${path}` : `${baseUrl.slice(0, query).replace(/\/+$/, '')}${path}${baseUrl.slice(query)}`
}
