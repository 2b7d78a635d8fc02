import { isObject } from '../../protocol/json.js'
import type { Deployment } from '../../protocol/ports.js'
import { must } from '../common/must.js'
import { defineDeployment, type DeploymentOptions } from '../define.js'

/** What {@link mistral} takes beside what every deployment takes. */
export interface MistralOptions extends DeploymentOptions {
  /** Has Mistral put its safety prompt in front of the conversation; sent as `safe_prompt`. */
  readonly safePrompt?: boolean
}

/**
 * A model of Mistral. The key comes from `apiKey`, else from MISTRAL_API_KEY. Fields of Mistral's own, such as
 * `prompt_cache_key`, go into `providerOptions.mistral`. Throws `invalid_config`.
 *
 * @example
 * mistral('mistral-small-latest', { safePrompt: true })
 */
export function mistral(model: string, options: MistralOptions = {}): Deployment {
  must(isObject(options as unknown), 'mistral(): the options must be an object.')
  const { safePrompt, ...rest } = options
  must(safePrompt === undefined || typeof safePrompt === 'boolean', 'mistral(): safePrompt must be true or false.')
  const adapter = async () => (await import('./adapter.js')).mistralAdapter(model, safePrompt)
  return defineDeployment({ name: 'mistral', adapter, baseUrl: 'https://api.mistral.ai/v1', env: ['MISTRAL_API_KEY'] }, model, rest)
}
