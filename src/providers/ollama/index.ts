import { isObject } from '../../protocol/json.js'
import type { Deployment } from '../../protocol/ports.js'
import { must } from '../common/must.js'
import { defineDeployment, type DeploymentOptions } from '../define.js'

/** What {@link ollama} takes beside what every deployment takes. */
export interface OllamaOptions extends DeploymentOptions {
  /**
   * Tokens of prompt and answer the model is loaded for, sent as `num_ctx`. The server cuts a longer prompt without a word: a
   * prompt that is likely longer brings a warning. Default: the server's own.
   */
  readonly numCtx?: number
}

/**
 * A model of an Ollama server, over its native API; without a key unless `apiKey` is given. `baseUrl` has no path, default
 * `http://127.0.0.1:11434`. Fields of Ollama's own, such as `keep_alive`, go into `providerOptions.ollama`. Throws
 * `invalid_config`.
 *
 * @example
 * ollama('qwen3:8b', { numCtx: 16_384 })
 */
export function ollama(model: string, options: OllamaOptions = {}): Deployment {
  must(isObject(options as unknown), 'ollama(): the options must be an object.')
  const { numCtx, ...rest } = options
  must(numCtx === undefined || (Number.isSafeInteger(numCtx) && numCtx > 0), 'ollama(): numCtx must be a whole number above 0.')
  must(!/\/(?:v1|api)\/*$/.test(rest.baseUrl ?? ''), "ollama(): baseUrl must end before the path: leave off /v1 or /api. For the /v1 wire use compatible('ollama', ...).")
  const adapter = async () => (await import('./adapter.js')).ollamaAdapter(numCtx)
  const capabilities = { audio: false, ...(numCtx !== undefined && { contextWindow: numCtx }) }
  return defineDeployment({ name: 'ollama', adapter, baseUrl: 'http://127.0.0.1:11434', env: [], keyless: true, capabilities }, model, rest)
}
