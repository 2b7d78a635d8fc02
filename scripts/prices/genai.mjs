import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ours } from './vendors.mjs'

const KINDS = {
  input_mtok: 'input',
  output_mtok: 'output',
  cache_read_mtok: 'cachedInput',
  cache_write_mtok: 'cacheWrite',
  cache_write_1h_mtok: 'cacheWrite1h',
  output_reasoning_mtok: 'reasoning',
  input_audio_mtok: 'inputAudio',
  output_audio_mtok: 'outputAudio',
  cache_audio_read_mtok: 'cachedInputAudio',
  input_image_mtok: 'inputImage',
  output_image_mtok: 'outputImage',
}
// It has one list for all that Google serves; two of its addresses serve a part of it.
const PART = { google: name => !name.includes('claude'), 'google-vertex-anthropic': name => name.includes('claude') }
const EMBEDS = /embed|voyage|bge|e5-|gte-|rerank/i

/** The prices in force at `date`; of prices by hour of day the dearest. */
function inForce(prices, date) {
  if (!Array.isArray(prices)) return prices
  const dated = prices.filter(({ constraint }) => constraint?.type !== 'time_of_date' && (constraint?.start_date ?? '') <= date)
  if (dated.length > 0) return dated.sort((a, b) => ((a.constraint?.start_date ?? '') < (b.constraint?.start_date ?? '') ? -1 : 1)).at(-1).prices
  const base = value => (typeof value === 'object' ? value.base : value) ?? 0
  return prices.map(one => one.prices).sort((a, b) => base(b.input_mtok) - base(a.input_mtok))[0]
}

function priceOf(id, theirs) {
  const price = {}
  const tiers = new Map()
  for (const [name, kind] of Object.entries(KINDS)) {
    const value = theirs[name]
    if (value === undefined) continue
    price[kind] = typeof value === 'object' ? value.base : value
    for (const { start, price: higher } of value.tiers ?? []) tiers.set(start, { ...tiers.get(start), [kind]: higher })
  }
  if (theirs.requests_kcount !== undefined) price.request = theirs.requests_kcount / 1000
  if (price.output === undefined && EMBEDS.test(id)) price.output = 0
  if (price.input === undefined || price.output === undefined) return undefined
  if (tiers.size > 0) price.tiers = [...tiers].sort(([a], [b]) => a - b).map(([above, rates]) => ({ above, ...rates }))
  return price
}

const TESTS = {
  equals: (name, text) => name === text.toLowerCase(),
  contains: (name, text) => name.includes(text.toLowerCase()),
  starts_with: (name, text) => name.startsWith(text.toLowerCase()),
  ends_with: (name, text) => name.endsWith(text.toLowerCase()),
  regex: (name, text) => new RegExp(text).test(name),
  or: (name, list) => list.some(one => matches(one, name)),
  and: (name, list) => list.every(one => matches(one, name)),
}
const matches = (logic, name) => Object.entries(logic).every(([test, value]) => TESTS[test](name, value))
const exact = logic => [...('equals' in logic ? [logic.equals] : []), ...(logic.or ?? []).flatMap(exact)]

/** The models of genai-prices by provider of ours: `names` are those it spells out, `find` applies its rules to any other. */
export async function readGenai(folder, providers, date) {
  const entry = join(folder, 'dist/index.js')
  const { findProvider } = await import(pathToFileURL(entry).href)
  // The package does not export its list; its own look-up gives each entry by id.
  const ids = [...readFileSync(entry, 'utf8').matchAll(/^ {4}id: "([^"]+)",$/gm)].map(([, id]) => id)
  const all = new Map(ids.map(id => findProvider({ providerId: id })).map(provider => [provider?.id, provider]))
  all.delete(undefined)
  const found = new Map()
  for (const provider of all.values()) {
    const priced = ({ models }) => models.map(model => ({ ...model, price: priceOf(model.id, inForce(model.prices, date)) }))
    const models = priced(provider)
    // A cloud that bills as the model's maker does is written as the list of those makers.
    const whole = [...models, ...(provider.fallback_model_providers ?? []).flatMap(id => priced(all.get(id)))]
    const find = name => whole.find(({ match }) => matches(match, name.toLowerCase()))?.price
    const names = new Set(models.flatMap(({ id, match }) => [...(matches(match, id.toLowerCase()) ? [id] : []), ...exact(match)]))
    for (const id of ours('genai-prices', provider.id, providers)) {
      const serves = PART[id] ?? (() => true)
      found.set(id, { names: new Set([...names].filter(serves)), find: name => (serves(name) ? find(name) : undefined) })
    }
  }
  return found
}
