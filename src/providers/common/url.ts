/** The base URL with a path behind it; a query of the base URL stays at the end. */
export function urlOf(baseUrl: string, path: string): string {
  const query = baseUrl.indexOf('?')
  return query === -1 ? `${baseUrl}${path}` : `${baseUrl.slice(0, query).replace(/\/+$/, '')}${path}${baseUrl.slice(query)}`
}
