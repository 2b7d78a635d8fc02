import { isObject } from '../../protocol/json.js'
import type { Deployment } from '../../protocol/ports.js'
import { defineDeployment, type DeploymentOptions } from '../define.js'
import { loadOpenaiAdapter, type OpenAIApi } from './load.js'

/** Options of {@link openai}. */
export interface OpenAIOptions extends DeploymentOptions {
  /** Which of its APIs is spoken: chat completions, or responses. Default `chat`. */
  readonly api?: OpenAIApi
  /** Sent as `OpenAI-Organization`. */
  readonly organization?: string
  /** Sent as `OpenAI-Project`. */
  readonly project?: string
}

/**
 * A model of OpenAI, over chat completions, or with `api: 'responses'` over responses, where a model's reasoning survives from
 * turn to turn. The key comes from `OPENAI_API_KEY` unless given. Throws `invalid_config`.
 *
 * @example
 * openai('gpt-5.6', { price: { input: 1.25, output: 10 } })
 * openai('gpt-5.6', { api: 'responses' })
 */
export function openai(model: string, options: OpenAIOptions = {}): Deployment {
  const provider = { name: 'openai', adapter: loadOpenaiAdapter('openai', options?.api), baseUrl: 'https://api.openai.com/v1', env: ['OPENAI_API_KEY'] }
  if (!isObject(options as unknown)) return defineDeployment(provider, model, options)
  const { api: _, organization, project, ...rest } = options
  const headers = {
    ...rest.headers,
    ...(organization !== undefined && { 'openai-organization': organization }),
    ...(project !== undefined && { 'openai-project': project }),
  }
  return defineDeployment(provider, model, Object.keys(headers).length > 0 ? { ...rest, headers } : rest)
}
