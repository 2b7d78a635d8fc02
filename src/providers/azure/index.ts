import { GatewayError } from '../../protocol/errors.js'
import { isObject } from '../../protocol/json.js'
import type { Deployment } from '../../protocol/ports.js'
import { defineDeployment, type DeploymentOptions } from '../define.js'
import type { OpenAIApi } from '../openai/load.js'

/** What {@link azure} takes beside what every deployment takes. */
export interface AzureOptions extends DeploymentOptions {
  /** Name of the resource: the first part of its host. Needed unless `baseUrl` is given. */
  readonly resource?: string
  /** The resource is a Foundry one, `https://{resource}.services.ai.azure.com`. Default false. */
  readonly foundry?: boolean
  /** Which API is spoken; `anthropic` is the messages API that Foundry has for Claude. Default `chat`. */
  readonly api?: OpenAIApi | 'anthropic'
  /** A date such as `2024-10-21` asks for the classic addresses, with the deployment in the path. Default: the v1 API, which needs none. */
  readonly apiVersion?: string
  /**
   * The endpoint as Azure shows it, or an address of your own up to and without `/chat/completions` and its like. With a
   * dated `apiVersion`, one that ends with `/openai` gets the deployment behind it.
   */
  readonly baseUrl?: string
  /** Gives an Entra token, asked at each try, in place of a key. It is sent as `authorization: Bearer`. */
  readonly token?: () => string | Promise<string>
}

const VERSION = /^(?:\d{4}-\d\d-\d\d(?:-preview)?|v1|preview)$/
const HOST = /^https:\/\/[\w-]+\.(?:openai|services\.ai|cognitiveservices)\.azure\.com(?:\/|$)/i

const WRONG: readonly (readonly [(options: AzureOptions) => boolean, string])[] = [
  [({ resource, baseUrl }) => (resource === undefined ? baseUrl === undefined : baseUrl !== undefined || !/^[a-z\d-]{1,63}$/i.test(resource)), 'give resource (the first part of its host, without https://) or baseUrl'],
  [({ foundry = false }) => typeof foundry !== 'boolean', 'foundry must be true or false'],
  [({ api = 'chat' }) => !['chat', 'responses', 'anthropic'].includes(api), 'api must be "chat", "responses" or "anthropic"'],
  [({ api, apiVersion }) => apiVersion !== undefined && (api === 'anthropic' || !VERSION.test(apiVersion)), 'apiVersion must be a date such as 2024-10-21; api "anthropic" has none'],
  [({ token, apiKey }) => token !== undefined && (typeof token !== 'function' || apiKey !== undefined), 'give apiKey or token (a function), not both'],
]

/**
 * A deployment of Azure OpenAI, or of Foundry. The key comes from `apiKey`, else from `AZURE_API_KEY` or `AZURE_OPENAI_API_KEY`;
 * `token` gives an Entra token instead. Throws `invalid_config`.
 *
 * @example
 * azure('my-gpt', { resource: 'my-resource' })
 * azure('my-gpt', { resource: 'my-resource', apiVersion: '2024-10-21', api: 'chat' })
 * azure('claude-opus-5', { resource: 'my-foundry', api: 'anthropic', token: async () => 'an Entra token' })
 */
export function azure(deployment: string, options: AzureOptions): Deployment {
  const given = isObject(options as unknown) ? options : {}
  const wrong = WRONG.find(([is]) => is(given))?.[1] ?? (/^\.+$/.test(deployment) ? 'the deployment must be a name' : undefined)
  if (wrong !== undefined) throw new GatewayError('invalid_config', `azure(): ${wrong}.`)
  const { resource, foundry, apiVersion, api, token, baseUrl = `https://${resource}.${foundry === true || api === 'anthropic' ? 'services.ai' : 'openai'}.azure.com`, ...rest } = options
  const own = HOST.test(baseUrl)
  const way = { api, apiVersion, foundry, byToken: token !== undefined }
  return defineDeployment(
    {
      name: 'azure',
      adapter: async () => (await import('./adapter.js')).azureAdapter(way),
      baseUrl,
      env: own ? ['AZURE_API_KEY', 'AZURE_OPENAI_API_KEY'] : [],
      borrowed: !own,
    },
    deployment,
    token === undefined ? rest : { ...rest, apiKey: token },
  )
}
