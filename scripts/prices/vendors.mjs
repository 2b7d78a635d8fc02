import { readFileSync } from 'node:fs'

/** Names that a source has for a provider of ours, where they differ. */
const OTHER_NAMES = {
  'pi-ai': {
    fireworks: ['fireworks-ai'],
    together: ['togetherai'],
    'vercel-ai-gateway': ['vercel'],
  },
  'genai-prices': {
    aws: ['amazon-bedrock'],
    cloudflare: ['cloudflare-workers-ai'],
    fireworks: ['fireworks-ai'],
    google: ['google', 'google-vertex', 'google-vertex-anthropic'],
    novita: ['novita-ai'],
    together: ['togetherai'],
    voyageai: ['voyage'],
    'x-ai': ['xai'],
  },
}

/** Providers of ours that bill as another one does: the same company by another address. */
export const SAME_BILL = {
  'anthropic-openai-compat': 'anthropic',
  'azure-cognitive-services': 'azure',
  'google-openai': 'google',
  gmi: 'gmicloud',
}

// They resell what others price, by the thousand, and most report what a call cost: a row of theirs needs both sources.
const ROUTERS = new Set(
  ['302ai', 'abacus', 'aihubmix', 'cloudflare-ai-gateway', 'cortecs', 'fastrouter', 'frogbot', 'helicone', 'jiekou', 'kilo', 'llmgateway', 'nano-gpt', 'neon', 'opencode', 'openrouter', 'orcarouter', 'poe', 'requesty', 'routing-run', 'venice', 'vercel', 'zenmux'],
)
// A subscription has no price per token; what the sources write there is a notion.
const SUBSCRIPTION = /-(?:coding|token)-plan|-for-coding$|^opencode-go$/

/** Whether a row of one source alone is kept. */
export const keepsAlone = vendor => !ROUTERS.has(vendor) && !SUBSCRIPTION.test(vendor)

/** The ids of the providers table (columns: id, name, base_url, ...). */
export function providersOf(path) {
  const [, ...lines] = readFileSync(path, 'utf8').trim().split('\n')
  return new Set(lines.map(line => line.split('\t')[0]))
}

/** Our ids for the name a source gives a provider. */
export function ours(source, name, providers) {
  return (OTHER_NAMES[source]?.[name] ?? [name]).filter(id => providers.has(id))
}
