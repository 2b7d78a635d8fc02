import { GatewayError } from '../../protocol/errors.js'

/** What leads to the folder above, which a name of a model must not. */
const DOTS = /\/\.\.?(?:\/|$)/

/** The base URL with a path behind it; a query of the base URL stays at the end. Throws `invalid_request` where the path leads out of it. */
export function urlOf(baseUrl: string, path: string): string {
  if (DOTS.test(path)) throw new GatewayError('invalid_request', 'The name of the model holds ".." or "." as a part of a path. Give the name as its provider writes it.')
  const query = baseUrl.indexOf('?')
  return query === -1 ? `${baseUrl}${path}` : `${baseUrl.slice(0, query).replace(/\/+$/, '')}${path}${baseUrl.slice(query)}`
}
