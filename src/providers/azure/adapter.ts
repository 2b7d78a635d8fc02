import type { Adapter, Target } from '../../protocol/ports.js'
import { anthropicAdapter } from '../anthropic/adapter.js'
import { withBearer } from '../common/credential.js'
import { openaiAdapter } from '../openai/adapter.js'
import { QUIRKS } from '../openai/quirk-rows.js'
import { responsesAdapter } from '../responses/adapter.js'

/** What tells how a resource is spoken to. */
export interface AzureWay {
  readonly api: 'chat' | 'responses' | 'anthropic' | undefined
  readonly apiVersion: string | undefined
  readonly foundry: boolean | undefined
  /** The credential is an Entra token. */
  readonly byToken: boolean
}

const BARE = /^https?:\/\/[^/?#]+$/

function pathOf({ api = 'chat', foundry }: AzureWay, classic: boolean): string {
  if (api === 'anthropic') return '/anthropic/v1'
  if (!classic) return '/openai/v1'
  return foundry === true && api === 'chat' ? '/models' : '/openai'
}

/** The address up to and without `/chat/completions` and its like; a bare endpoint gets its path. */
function addressOf({ baseUrl, model }: Target, way: AzureWay): string {
  const { api = 'chat', apiVersion } = way
  const classic = apiVersion !== undefined && /^\d/.test(apiVersion)
  let url = BARE.test(baseUrl) ? baseUrl + pathOf(way, classic) : baseUrl
  if (classic && api === 'chat' && url.endsWith('/openai')) url += `/deployments/${encodeURIComponent(model)}`
  return apiVersion === undefined ? url : `${url}${url.includes('?') ? '&' : '?'}api-version=${apiVersion}`
}

function dialectOf({ api, byToken }: AzureWay): Adapter {
  const quirks = byToken ? QUIRKS.openai : QUIRKS.azure
  if (api === 'responses') return responsesAdapter(quirks)
  if (api !== 'anthropic') return openaiAdapter(quirks)
  if (!byToken) return anthropicAdapter
  return { ...anthropicAdapter, authorize: withBearer }
}

/** The dialect of a deployment, at the addresses Azure has for it. */
export function azureAdapter(way: AzureWay): Adapter {
  const { probe, embed, ...dialect } = dialectOf(way)
  const known = new WeakMap<Target, Target>()
  const at = (target: Target): Target => {
    let there = known.get(target)
    if (there === undefined) known.set(target, (there = { ...target, baseUrl: addressOf(target, way) }))
    return there
  }
  return {
    ...dialect,
    encode: (request, target, wire) => dialect.encode(request, at(target), wire),
    ...(embed !== undefined && { embed: { ...embed, encode: (request, target) => embed.encode(request, at(target)) } }),
    // The classic addresses have no list of models, nor has the messages API.
    ...(probe !== undefined && way.api !== 'anthropic' && way.apiVersion === undefined && { probe: target => probe(at(target)) }),
  }
}
