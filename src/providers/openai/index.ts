import { isObject } from '../../protocol/json.js'
import type { Deployment } from '../../protocol/ports.js'
import { defineDeployment, type DeploymentOptions } from '../define.js'
import { loadOpenaiAdapter } from './load.js'

/** Options of {@link openai}. */
export interface OpenAIOptions extends DeploymentOptions {
  /** Sent as `OpenAI-Organization`. */
  readonly organization?: string
  /** Sent as `OpenAI-Project`. */
  readonly project?: string
}

/**
 * A model of OpenAI, over chat completions. The key comes from `OPENAI_API_KEY` unless given.
 *
 * @example
 * openai('gpt-5.6', { price: { input: 1.25, output: 10 } })
 */
export function openai(model: string, options: OpenAIOptions = {}): Deployment {
  const provider = { name: 'openai', adapter: loadOpenaiAdapter('openai'), baseUrl: 'https://api.openai.com/v1', env: ['OPENAI_API_KEY'] }
  if (!isObject(options as unknown)) return defineDeployment(provider, model, options)
  const { organization, project, ...rest } = options
  const headers = {
    ...rest.headers,
    ...(organization !== undefined && { 'openai-organization': organization }),
    ...(project !== undefined && { 'openai-project': project }),
  }
  return defineDeployment(provider, model, Object.keys(headers).length > 0 ? { ...rest, headers } : rest)
}
