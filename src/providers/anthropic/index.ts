import { GatewayError } from '../../protocol/errors.js'
import { isObject } from '../../protocol/json.js'
import type { Adapter, Deployment } from '../../protocol/ports.js'
import { defineDeployment, type DeploymentOptions } from '../define.js'
import { capabilitiesOf } from './capabilities.js'

// Loaded with the first call, so that importing the library does not pay for dialects nobody uses.
const loadAdapter = async (): Promise<Adapter> => (await import('./adapter.js')).anthropicAdapter

/** What {@link anthropic} takes beside what every deployment takes. */
export interface AnthropicOptions extends DeploymentOptions {
  /** The `anthropic-version` header. Default: `2023-06-01`. */
  readonly version?: string
  /** Names of beta features, sent as the `anthropic-beta` header. */
  readonly betas?: readonly string[]
}

const NAME = /^[\w.-]{1,80}$/

function bad(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}

function headersOf({ version, betas, headers }: AnthropicOptions): Record<string, string> {
  if (version !== undefined && (typeof version !== 'string' || !NAME.test(version))) throw bad("anthropic(): version must be a date such as '2023-06-01'.")
  if (betas !== undefined && !(Array.isArray(betas) && betas.every(beta => typeof beta === 'string' && NAME.test(beta)))) throw bad('anthropic(): betas must be a list of feature names.')
  if (betas !== undefined && isObject(headers) && Object.keys(headers).some(name => name.toLowerCase() === 'anthropic-beta')) throw bad("anthropic(): give beta features as betas or as the header 'anthropic-beta', not both.")
  return { ...(version !== undefined && { 'anthropic-version': version }), ...(betas !== undefined && betas.length > 0 && { 'anthropic-beta': betas.join(',') }) }
}

/**
 * A deployment of a Claude model. The key comes from `apiKey`, else from ANTHROPIC_API_KEY. Throws `invalid_config`.
 *
 * @example
 * const gateway = new Gateway({ routes: { smart: anthropic('claude-opus-5') } })
 */
export function anthropic(model: string, options: AnthropicOptions = {}): Deployment {
  if (!isObject(options as unknown)) throw bad('anthropic(): the options must be an object.')
  const { version: _, betas: __, ...rest } = options
  const known = typeof model === 'string' ? capabilitiesOf(model) : {}
  const capabilities = rest.capabilities === undefined ? known : isObject(rest.capabilities) ? { ...known, ...rest.capabilities } : rest.capabilities
  return defineDeployment(
    { name: 'anthropic', adapter: loadAdapter, baseUrl: 'https://api.anthropic.com/v1', env: ['ANTHROPIC_API_KEY'], headers: headersOf(options) },
    model,
    { ...rest, capabilities },
  )
}
