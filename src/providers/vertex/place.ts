import { GatewayError } from '../../protocol/errors.js'

/** Whose models they are. */
export type Publisher = 'google' | 'anthropic'

const PROJECT = /^(?:[a-z0-9.-]{1,60}:)?[a-z0-9-]{1,60}$/
const LOCATION = /^[a-z][a-z0-9-]{0,40}$/
// Where each publisher's requests are known to work.
const VERSION: Readonly<Record<Publisher, string>> = { google: 'v1beta1', anthropic: 'v1' }

function bad(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}

function hostOf(location: string): string {
  if (location === 'global') return 'aiplatform.googleapis.com'
  return location === 'us' || location === 'eu' ? `aiplatform.${location}.rep.googleapis.com` : `${location}-aiplatform.googleapis.com`
}

/** The base URL of express mode, which has no project. */
export const EXPRESS = `https://${hostOf('global')}/${VERSION.google}`

/** The base URL of a project in a location. Throws `invalid_config` with the fix. */
export function baseUrlOf(project: unknown, location: unknown, publisher: Publisher): string {
  if (typeof project !== 'string' || !PROJECT.test(project)) throw bad("vertex() needs project, the id of the Google Cloud project: vertex(model, { project: 'my-project', location: 'global' }).")
  if (typeof location !== 'string' || !LOCATION.test(location)) throw bad("vertex() needs location, such as 'global', 'eu' or 'europe-west4'.")
  return `https://${hostOf(location)}/${VERSION[publisher]}/projects/${encodeURIComponent(project)}/locations/${location}`
}

/** The path of a model below the base URL. `endpoints/...` and `publishers/...` are paths already. */
export function modelPath(publisher: Publisher, model: string): string {
  if (/^(?:endpoints|publishers)\//.test(model)) return `/${model.split('/').map(segment).join('/')}`
  return `/publishers/${publisher}/models/${segment(model)}`
}

// An @ is written as it is: versions of models hold one.
function segment(text: string): string {
  return encodeURIComponent(text).replaceAll('%40', '@')
}
