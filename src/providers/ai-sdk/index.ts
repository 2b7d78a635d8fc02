import { GatewayError } from '../../protocol/errors.js'
import { isObject } from '../../protocol/json.js'
import type { Deployment, Upstream } from '../../protocol/ports.js'
import { defineReached, type DeploymentOptions } from '../define.js'
import { versionOf, type AiSdkModel } from './model.js'

export type { AiSdkModel } from './model.js'

/** What {@link fromAiSdk} takes beside the model, which has its key and its address already. */
export type AiSdkOptions = Omit<DeploymentOptions, 'apiKey' | 'baseUrl'>

const HOW = "Give it a language model, such as anthropic('claude-sonnet-4-5') of @ai-sdk/anthropic."

function bad(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}

function checked(model: unknown): asserts model is AiSdkModel {
  if (typeof model === 'string') throw bad(`fromAiSdk() takes the model itself, not its name. ${HOW}`)
  if (typeof model !== 'object' || model === null) throw bad(`fromAiSdk() takes a language model of the AI SDK. ${HOW}`)
  const { specificationVersion, provider, modelId, doGenerate, doStream } = model as Record<string, unknown>
  if (typeof doGenerate !== 'function' || typeof doStream !== 'function') throw bad(`fromAiSdk() takes a language model of the AI SDK; this object has no doGenerate and doStream. ${HOW}`)
  if (versionOf(specificationVersion) === undefined) {
    const old = specificationVersion === 'v1' || specificationVersion === undefined
    throw bad(`fromAiSdk() speaks specification v2, v3 and v4 of the AI SDK, not ${JSON.stringify(String(specificationVersion).slice(0, 20))}. ${old ? 'Update the @ai-sdk package to one for AI SDK 5 or newer.' : 'Use an older version of the @ai-sdk package.'}`)
  }
  for (const [name, text] of [['provider', provider], ['modelId', modelId]] as const) {
    if (typeof text !== 'string' || text.trim() === '' || /[\r\n\0]/.test(text)) throw bad(`fromAiSdk(): the model has no ${name}. ${HOW}`)
  }
}

/** What speaks to the model is loaded with the first call. */
function late(load: () => Promise<Upstream>): Upstream {
  let loading: Promise<Upstream> | undefined
  return { open: async (op, request, ctx) => (await (loading ??= load())).open(op, request, ctx) }
}

/**
 * A language model of the [AI SDK](https://ai-sdk.dev) as a deployment: with the fallbacks, retries, budgets and records of any
 * other, and its own key, address and fetch. Takes models of specification v2, v3 and v4 (AI SDK 5, 6 and 7).
 *
 * `provider` and `model` of the deployment are the model's `provider` and `modelId`, such as `anthropic.messages`; the table of
 * prices does not know these names, so give a `price`. `providerOptions['ai-sdk']` of a request is handed on as the SDK's
 * `providerOptions`. Signatures and ids of the provider are kept in `providerData['ai-sdk']` and sent back to the same model.
 * The SDK does not pass on the comments that keep a stream alive, so `idleMs` counts from part to part.
 *
 * Throws `invalid_config` for what is no such model, and for an option it does not know.
 *
 * @example
 * const model = {
 *   specificationVersion: 'v3',
 *   provider: 'mine',
 *   modelId: 'parrot',
 *   supportedUrls: {},
 *   doGenerate: async () => ({
 *     content: [{ type: 'text', text: 'Hello' }],
 *     finishReason: { unified: 'stop', raw: 'stop' },
 *     usage: { inputTokens: { total: 3 }, outputTokens: { total: 1 } },
 *     warnings: [],
 *   }),
 *   doStream: async () => { throw new Error('not in this example') },
 * } as const
 * const parrot = fromAiSdk(model, { id: 'parrot', price: { input: 1, output: 2 } })
 * console.log(parrot.provider, parrot.model)
 */
export function fromAiSdk(model: AiSdkModel, options: AiSdkOptions = {}): Deployment {
  checked(model)
  const { provider, modelId } = model
  const where = `fromAiSdk(${JSON.stringify(modelId.slice(0, 80))})`
  for (const key of ['apiKey', 'baseUrl']) if (isObject(options as unknown) && key in options) throw bad(`${where}: the model has its key and address already. Give them where the AI SDK provider is made, such as createAnthropic({ apiKey, baseURL }).`)
  const spoken = { version: versionOf(model.specificationVersion) ?? 4, provider, model: modelId }
  return defineReached({ name: provider }, modelId, options, where, headers => ({ upstream: late(async () => (await import('./upstream.js')).modelUpstream(model, spoken, headers)) }))
}
