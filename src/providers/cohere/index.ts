import type { Deployment } from '../../protocol/ports.js'
import { defineDeployment, type DeploymentOptions } from '../define.js'

/**
 * A model of Cohere, over its v2 chat API. The key comes from `apiKey`, else from COHERE_API_KEY or CO_API_KEY. Throws
 * `invalid_config`.
 *
 * @example
 * cohere('command-a-03-2025', { price: { input: 2.5, output: 10 } })
 */
export function cohere(model: string, options: DeploymentOptions = {}): Deployment {
  const adapter = async () => (await import('./adapter.js')).cohereAdapter
  return defineDeployment({ name: 'cohere', adapter, baseUrl: 'https://api.cohere.com/v2', env: ['COHERE_API_KEY', 'CO_API_KEY'], capabilities: { audio: false } }, model, options)
}
