import { GatewayError } from './protocol/errors.js'
import { isObject } from './protocol/json.js'
import type { CredentialSource, Deployment, EnvReader, Keys } from './protocol/ports.js'
import { Secret } from './protocol/secret.js'
import { quoted, refuseUnknownKeys } from './protocol/suggest.js'

/** Reads one environment variable. */
export type Env = (name: string) => string | undefined

const UNSAFE = /[\r\n\0]/
const MAX_NAME = 200

/** The credentials of providers, given in one place; they can be changed while calls are under way. */
export class Credentials {
  readonly #sources = new Map<string, CredentialSource>()
  readonly #env: Env

  /** Throws `invalid_config`. */
  constructor(given: unknown, env: Env) {
    this.#env = env
    if (given === undefined) return
    if (!isObject(given)) throw bad("credentials must be { [provider]: key }, such as { openai: { env: 'OPENAI_KEY' } }.")
    for (const [provider, source] of Object.entries(given)) this.set(provider, source)
  }

  /** From here on. Throws `invalid_config`. */
  set(provider: string, source: unknown): void {
    this.#sources.set(provider, checked(provider, source))
  }

  /** Those of a deployment, nothing where it needs none, or what to do about missing ones. The environment is read anew each time. */
  of({ provider, reach }: Deployment): { readonly keys: Keys | undefined; readonly shared?: boolean } | { readonly reason: string } {
    if ('upstream' in reach) return { keys: undefined }
    if (reach.keys !== undefined) return { keys: reach.keys }
    // What is given for a provider is not given for another host.
    const source = reach.home === true ? this.#sources.get(provider) : undefined
    if (source !== undefined) {
      const keys = this.#keysOf(source)
      if (keys !== undefined) return { keys, shared: true }
      return { reason: `no_credential: set ${isObject(source) && 'env' in source ? source.env : provider}, which credentials name` }
    }
    const keys = fromEnvironment(reach.env, this.#env)
    if (keys !== undefined || reach.keyless) return { keys }
    const give = reach.env === undefined ? 'give apiKey: a key from the environment is not sent to another host' : `set ${reach.env.map(from => (typeof from === 'string' ? from : from.hint)).join(' or ')}, or give apiKey`
    return { reason: `no_credential: ${give}` }
  }

  #keysOf(source: CredentialSource): Keys | undefined {
    if (typeof source === 'function') return source
    if (typeof source === 'string') return [new Secret(source.trim())]
    return 'env' in source ? fromEnvironment([source.env], this.#env) : source.map(key => new Secret(key.trim()))
  }
}

function bad(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}

function checked(provider: string, source: unknown): CredentialSource {
  const where = `credentials.${provider.slice(0, MAX_NAME)}`
  if (provider === '' || provider.length > MAX_NAME) throw bad('credentials: a provider has a name of 1 to 200 characters.')
  if (typeof source === 'function') return source as CredentialSource
  if (isObject(source) && !Array.isArray(source)) {
    refuseUnknownKeys(source, new Set(['env']), where)
    if (typeof source['env'] !== 'string' || source['env'] === '') throw bad(`${where}.env must be the name of an environment variable, such as ${quoted('OPENAI_API_KEY')}.`)
    return { env: source['env'] }
  }
  const keys: readonly unknown[] = Array.isArray(source) ? source : [source]
  if (keys.length === 0) throw bad(`${where} is an empty list. Give a key, or leave it out.`)
  if (keys.some(key => typeof key !== 'string' || key.trim() === '' || UNSAFE.test(key))) throw bad(`${where} must be a key without line breaks, a list of keys, a function, or { env }. An empty one is likely a missing environment variable.`)
  return Array.isArray(source) ? [...(keys as string[])] : String(source)
}

function fromEnvironment(sources: readonly (string | EnvReader)[] | undefined, env: Env): readonly Secret[] | undefined {
  for (const source of sources ?? []) {
    const value = (typeof source === 'string' ? env(source) : source.read(env))?.trim()
    if (value !== undefined && value !== '') return [new Secret(value)]
  }
  return undefined
}
