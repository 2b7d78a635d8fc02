import { GatewayError } from '../../protocol/errors.js'
import { isObject } from '../../protocol/json.js'
import type { Adapter, Deployment, KeySource } from '../../protocol/ports.js'
import { defineDeployment, type DeploymentOptions, type Provider } from '../define.js'
import { machineTokens, tokenOf, type TokenSource } from './auth.js'
import { baseUrlOf, EXPRESS, type Publisher } from './place.js'

export type { TokenSource } from './auth.js'
export type { Publisher } from './place.js'

/** What {@link vertex} takes beside what every deployment takes. */
export interface VertexOptions extends DeploymentOptions {
  /** The id of the Google Cloud project. */
  readonly project?: string
  /** Where it runs: `global`, `us`, `eu`, or a region. */
  readonly location?: string
  /** A function that gives an access token, or what has `getAccessToken()`. Default: the credentials of this machine, by google-auth-library. */
  readonly auth?: (() => string | Promise<string>) | TokenSource
  /** An API key of express mode, in place of `auth`, `project` and `location`; for Google's own models. */
  readonly apiKey?: KeySource
  /** Whose model it is. Default: `anthropic` for Claude, else `google`. */
  readonly publisher?: Publisher
}

const NAMES: Readonly<Record<Publisher, string>> = { google: 'google-vertex', anthropic: 'google-vertex-anthropic' }

function bad(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}

function publisherOf(model: unknown, publisher: unknown): Publisher {
  if (publisher === undefined) return /(?:^|\/)claude/.test(String(model)) ? 'anthropic' : 'google'
  if (publisher !== 'google' && publisher !== 'anthropic') throw bad("vertex(): publisher must be 'google' or 'anthropic'.")
  return publisher
}

function checkExpress({ project, location, auth }: VertexOptions, publisher: Publisher): void {
  if (auth !== undefined) throw bad('vertex(): give auth or apiKey, not both.')
  if (publisher !== 'google') throw bad('vertex(): apiKey is express mode, which serves models of Google only. Give project, location and auth.')
  if (project !== undefined || location !== undefined) throw bad('vertex(): apiKey is express mode, which has no project and no location. Leave them out, or give auth in place of apiKey.')
}

function isGoogles(baseUrl: unknown): boolean {
  return baseUrl === undefined || /^https:\/\/(?:[\w-]+\.)*googleapis\.com(?:\/|$)/i.test(String(baseUrl))
}

function tokensOf({ auth, baseUrl }: VertexOptions): KeySource {
  if (typeof auth === 'function') return auth
  if (auth === undefined) {
    if (!isGoogles(baseUrl)) throw bad('vertex(): the credentials of this machine are not sent to another host. Give auth for that one.')
    return machineTokens()
  }
  if (!isObject(auth as unknown) || typeof auth.getAccessToken !== 'function') throw bad('vertex(): auth must be a function that gives a token, or have getAccessToken().')
  return () => tokenOf(auth)
}

// Loaded with the first call: each deployment needs one of the dialects.
const loadGoogle = async (): Promise<Adapter> => (await import('./google.js')).googleAdapter
const loadExpress = async (): Promise<Adapter> => (await import('./google.js')).expressAdapter
const loadClaude = async (): Promise<Adapter> => (await import('./claude.js')).claudeAdapter

/**
 * A model on Vertex AI: Gemini, or Claude. Throws `invalid_config` where the project, the location or the way in is missing.
 *
 * @example
 * vertex('gemini-3-pro-preview', { project: 'my-project', location: 'global' })
 * vertex('claude-opus-5', { project: 'my-project', location: 'eu', auth: async () => 'token' })
 * vertex('gemini-2.5-flash', { apiKey: 'key-of-express-mode' })
 */
export function vertex(model: string, options: VertexOptions): Deployment {
  if (!isObject(options as unknown)) throw bad("vertex() takes the options second: vertex(model, { project: 'my-project', location: 'global' }).")
  const { project, location, auth: _, publisher: given, ...rest } = options
  const publisher = publisherOf(model, given)
  const provider = (adapter: Provider['adapter'], baseUrl: string): Provider => ({ name: NAMES[publisher], adapter, baseUrl, env: [] })
  if (rest.apiKey !== undefined) {
    checkExpress(options, publisher)
    return defineDeployment(provider(loadExpress, EXPRESS), model, rest)
  }
  // A base URL of the caller's own holds the place already.
  const placed = rest.baseUrl !== undefined && project === undefined && location === undefined
  const home = placed ? String(rest.baseUrl) : baseUrlOf(project, location, publisher)
  return defineDeployment(provider(publisher === 'anthropic' ? loadClaude : loadGoogle, home), model, { ...rest, apiKey: tokensOf(options) })
}
