import type { Deployment } from '../../protocol/ports.js'
import { defineDeployment, type DeploymentOptions } from '../define.js'

/**
 * A Gemini or Gemma model over the Gemini API. The key comes from `apiKey`, else from GEMINI_API_KEY or GOOGLE_API_KEY.
 * Throws `invalid_config`.
 *
 * @example
 * gemini('gemini-3-pro-preview')
 */
export function gemini(model: string, options: DeploymentOptions = {}): Deployment {
  return defineDeployment(
    { name: 'google', adapter: async () => (await import('./adapter.js')).geminiAdapter, baseUrl: 'https://generativelanguage.googleapis.com/v1beta', env: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY'] },
    model,
    options,
  )
}
