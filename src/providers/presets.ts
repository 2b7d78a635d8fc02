import { GatewayError } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { Adapter, Capabilities, Deployment } from '../protocol/ports.js'
import { nearest, quoted, refuseUnknownKeys } from '../protocol/suggest.js'
import { defineDeployment, type DeploymentOptions } from './define.js'
import { loadOpenaiAdapter, type OpenAIApi } from './openai/load.js'
import { QUIRK_KEYS, type Quirks } from './openai/quirks.js'
import { ROWS } from './presets-data.js'

type Row = (typeof ROWS)[number]
/** Ids of the servers known by name. */
export type PresetId = Row extends infer R ? (R extends `${infer Id} ${string}` ? Id : never) : never
type Braces<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Braces<Rest> : never
/** What the base URL of a preset leaves open, such as an account. */
export type PresetSettings<Id extends string> = Braces<Extract<Row, `${Id} ${string}`>>

/** A server known by name. */
export interface Preset {
  readonly id: PresetId
  /** Names in braces are taken from `settings`. */
  readonly baseUrl: string
  /** Environment variables of its key. */
  readonly env: readonly string[]
  /** A server on this machine, which works without a key. */
  readonly keyless: boolean
  /** What is known of all its models: what none of them can do. */
  readonly capabilities: Capabilities
}

/** A server of the user's own, of one of the OpenAI dialects. */
export interface CompatibleServer {
  /** Its name in results and logs. */
  readonly name: string
  readonly baseUrl: string
  /** How it differs from most: the switches, or the id of a preset that it behaves like. */
  readonly quirks?: PresetId | Quirks
  /** It works without a key. Default true. */
  readonly keyless?: boolean
  /** Which of the OpenAI APIs is spoken. Default `chat`. */
  readonly api?: OpenAIApi
}

/** Options of {@link compatible}; `settings` fills what the base URL of a preset leaves open, `api` is `chat` unless given. */
export type CompatibleOptions<Id extends string = string> = DeploymentOptions & { readonly api?: OpenAIApi } &
  ([PresetSettings<Id>] extends [never] ? { readonly settings?: undefined } : { readonly settings?: { readonly [K in PresetSettings<Id>]: string } })

function parse(row: Row): Preset {
  const [id = '', short = '', env = '=', lacks] = row.split(' ')
  const address = short.replace('*', id)
  const keyless = address.startsWith('http://')
  return Object.freeze({
    id: id as PresetId,
    baseUrl: keyless || address.startsWith('{base_url}') ? address : `https://${address}`,
    env: env === '-' ? [] : env === '=' ? [`${id.toUpperCase().replace(/[^A-Z0-9]/g, '_')}_API_KEY`] : env.split(','),
    keyless,
    capabilities: Object.freeze(Object.fromEntries(lacks?.split(',').map(name => [name, false]) ?? [])),
  })
}

/** Every server known by name. */
export const presets: readonly Preset[] = Object.freeze(ROWS.map(parse))

const BY_ID: ReadonlyMap<string, Preset> = new Map(presets.map(preset => [preset.id, preset]))
const SERVER = new Set(['name', 'baseUrl', 'quirks', 'keyless', 'api'])
const BRACE = /\{(\w+)\}/g

function bad(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}

function presetOf(id: string): Preset {
  const preset = BY_ID.get(id)
  if (preset !== undefined) return preset
  const near = nearest(id, BY_ID.keys())
  const hint = near === undefined ? 'See presets for the list, or give { name, baseUrl }.' : `Did you mean "${near}"? For a server of your own give { name, baseUrl }.`
  throw bad(`compatible() knows no server ${quoted(id)}. ${hint}`)
}

function filled({ id, baseUrl }: Preset, settings: unknown): string {
  const names = [...baseUrl.matchAll(BRACE)].map(([, name = '']) => name)
  const where = `compatible("${id}")`
  if (settings !== undefined && !isObject(settings)) throw bad(`${where}: settings must be an object.`)
  if (settings !== undefined && names.length === 0 && Object.keys(settings).length > 0) throw bad(`${where} takes no settings.`)
  if (settings !== undefined) refuseUnknownKeys(settings, new Set(names), `${where}: settings`)
  return baseUrl.replace(BRACE, (_, name: string) => {
    const value = settings?.[name]
    if (name === 'base_url') {
      if (typeof value === 'string' && /^https?:\/\/[^\s?#]+$/.test(value)) return value.replace(/\/+$/, '')
      throw bad(`${where} needs settings: { base_url: 'https://...' }, the address of your own gateway.`)
    }
    // One piece of a host or a path: anything more could lead the key elsewhere.
    if (typeof value === 'string' && /^[\w-]+(?:\.[\w-]+)*$/.test(value)) return value
    throw bad(`${where} needs settings: { ${names.map(each => `${each}: '...'`).join(', ')} } (letters, digits, ".", "-" and "_", without https://), or baseUrl.`)
  })
}

function fromPreset(id: string, model: string, options: CompatibleOptions): Deployment {
  const preset = presetOf(id)
  const { settings, api, ...rest } = isObject(options as unknown) ? options : { ...options }
  const adapter = loadOpenaiAdapter(id, api)
  const open = preset.baseUrl.includes('{') && settings === undefined && rest.baseUrl !== undefined
  // Without settings the preset has no host of its own that its key could belong to.
  const home = open ? { baseUrl: rest.baseUrl ?? '', env: [] } : { baseUrl: filled(preset, settings), env: preset.env }
  return defineDeployment({ name: id, adapter, keyless: preset.keyless, capabilities: preset.capabilities, ...home }, model, rest)
}

function adapterOf(server: CompatibleServer): () => Promise<Adapter> {
  const { quirks = {}, api } = server
  if (typeof quirks === 'string') return loadOpenaiAdapter(presetOf(quirks).id, api)
  if (!isObject(quirks as unknown)) throw bad('compatible(): quirks must be the id of a preset or an object.')
  refuseUnknownKeys(quirks, QUIRK_KEYS, 'compatible(): quirks')
  return loadOpenaiAdapter(quirks, api)
}

/** Providers with a factory of their own. */
const NAMED: ReadonlySet<string> = new Set(['openai', 'anthropic', 'azure', 'google', 'cohere', 'mistral'])

function fromServer(server: CompatibleServer, model: string, options: CompatibleOptions): Deployment {
  refuseUnknownKeys(server, SERVER, 'compatible({ name, baseUrl })')
  if (typeof server.name !== 'string' || !/^[\w.-]{1,64}$/.test(server.name)) throw bad('compatible({ name, baseUrl }): name must be letters, digits, ".", "-" and "_".')
  if (server.keyless !== undefined && typeof server.keyless !== 'boolean') throw bad('compatible({ name, baseUrl }): keyless must be true or false.')
  const { settings, api, ...rest } = isObject(options as unknown) ? options : { ...options }
  if (api !== undefined) throw bad('compatible({ name, baseUrl }): api belongs to the server, beside name and baseUrl.')
  if (settings !== undefined) throw bad('compatible({ name, baseUrl }) takes no settings. Write the base URL whole.')
  const provider = { name: server.name, adapter: adapterOf(server), baseUrl: server.baseUrl, env: [], keyless: server.keyless ?? true, borrowed: BY_ID.has(server.name) || NAMED.has(server.name) }
  return defineDeployment(provider, model, rest)
}

/**
 * A model of any server that speaks the OpenAI chat-completions dialect, or with `api: 'responses'` the Responses dialect: by the
 * id of a preset, or `{ name, baseUrl }`.
 * A preset's key comes from its environment variable unless given; a server of the user's own gets only a given key.
 * Throws `invalid_config` for an unknown id, naming the nearest, and for an address that is not complete.
 *
 * @example
 * compatible('groq', 'openai/gpt-oss-120b')
 * compatible('snowflake-cortex', 'claude-sonnet-4-6', { settings: { account: 'org-name' } })
 * compatible({ name: 'lab', baseUrl: 'http://10.0.0.5:8000/v1' }, 'qwen3')
 * compatible('xai', 'grok-4.3', { api: 'responses' })
 */
export function compatible<const Id extends PresetId>(server: Id, model: string, options?: CompatibleOptions<Id>): Deployment
export function compatible(server: CompatibleServer, model: string, options?: DeploymentOptions): Deployment
export function compatible(server: string | CompatibleServer, model: string, options: CompatibleOptions = {}): Deployment {
  if (typeof server === 'string') return fromPreset(server, model, options)
  if (isObject(server as unknown)) return fromServer(server, model, options)
  throw bad('compatible() takes the id of a preset, or { name, baseUrl }, first.')
}
