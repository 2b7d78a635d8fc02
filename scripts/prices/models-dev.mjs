import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ours } from './vendors.mjs'

const KINDS = { input: 'input', output: 'output', cache_read: 'cachedInput', cache_write: 'cacheWrite', reasoning: 'reasoning', input_audio: 'inputAudio', output_audio: 'outputAudio' }

function pick(cost) {
  return Object.fromEntries(Object.entries(KINDS).flatMap(([theirs, mine]) => (typeof cost[theirs] === 'number' ? [[mine, cost[theirs]]] : [])))
}

function tiersOf(cost) {
  const tiers = (cost.tiers ?? []).filter(({ tier }) => tier?.size > 0 && (tier.type ?? 'context') === 'context').map(tier => ({ above: tier.tier.size, ...pick(tier) }))
  if (tiers.length === 0 && cost.context_over_200k !== undefined) tiers.push({ above: 200_000, ...pick(cost.context_over_200k) })
  return tiers.sort((a, b) => a.above - b.above)
}

/** Its fast modes name the service tier that is sent to have them. */
function serviceTiersOf({ cost, provider: { body } = {} } = {}) {
  const name = body?.service_tier ?? body?.speed
  return cost === undefined || name === undefined ? undefined : { [name]: pick(cost) }
}

/** A cost of models.dev as a price of ours; `undefined` where it names no price for input and output. */
function priceOf({ cost, experimental }) {
  if (typeof cost?.input !== 'number' || typeof cost.output !== 'number') return undefined
  const tiers = tiersOf(cost)
  const serviceTiers = serviceTiersOf(experimental?.modes?.fast)
  return { ...pick(cost), ...(tiers.length > 0 && { tiers }), ...(serviceTiers !== undefined && { serviceTiers }) }
}

const talks = ({ modalities, id }) => /embed/.test(id) || (modalities?.output ?? ['text']).includes('text')

/** Rows of models.dev: `dataset` is its api.json, or a clone of its repository. */
export function readModelsDev(dataset, providers) {
  const data = statSync(dataset).isDirectory() ? readClone(join(dataset, 'providers')) : JSON.parse(readFileSync(dataset, 'utf8'))
  const rows = new Map()
  for (const [name, { models }] of Object.entries(data))
    for (const vendor of ours('models.dev', name, providers))
      for (const model of Object.values(models)) {
        const price = talks(model) ? priceOf(model) : undefined
        if (price !== undefined) rows.set(`${vendor} ${model.id}`, price)
      }
  return rows
}

/** Rows of the catalogue that pi-ai builds from models.dev at each of its releases. Its 0 for a cache price means that none is known. */
export function readPiAi(folder, providers) {
  const data = join(folder, 'dist/providers/data')
  const rows = new Map()
  const price = ({ input, output, cacheRead, cacheWrite }) => ({ input, output, ...(cacheRead > 0 && { cachedInput: cacheRead }), ...(cacheWrite > 0 && { cacheWrite }) })
  for (const file of readdirSync(data).filter(name => /^\w.*\.json$/.test(name)))
    for (const vendor of ours('pi-ai', file.replace('.json', ''), providers))
      for (const { id, type, cost } of Object.values(JSON.parse(readFileSync(join(data, file), 'utf8'))).flatMap(api => Object.values(api)))
        if (type === 'chat' && cost !== undefined && cost.input >= 0 && cost.output >= 0)
          rows.set(`${vendor} ${id}`, { ...price(cost), ...(cost.tiers !== undefined && { tiers: cost.tiers.map(tier => ({ above: tier.inputTokensAbove, ...price(tier) })) }) })
  return rows
}

function readClone(folder) {
  const data = {}
  for (const vendor of readdirSync(folder)) {
    const root = join(folder, vendor, 'models')
    if (!existsSync(root)) continue
    const models = readdirSync(root, { recursive: true }).map(String).filter(file => file.endsWith('.toml') && existsSync(join(root, file)))
    data[vendor] = { models: Object.fromEntries(models.map(file => [file, { id: file.slice(0, -5), ...fromToml(readFileSync(join(root, file), 'utf8')) }])) }
  }
  return data
}

/** The part of TOML these files use: tables, lists of tables, and one-line values. */
function fromToml(text) {
  const root = {}
  let at = root
  for (const line of text.split('\n')) {
    const [, open, path] = /^\s*(\[\[?)([\w.-]+)\]/.exec(line) ?? []
    if (path !== undefined) at = enter(root, path.split('.'), open === '[[')
    const [, key, value] = /^\s*([\w-]+)\s*=\s*(.+?)\s*$/.exec(line) ?? []
    if (key !== undefined) at[key] = valueOf(value)
  }
  return root
}

function enter(root, path, list) {
  let at = root
  for (const [depth, name] of path.entries()) {
    if (!list || depth < path.length - 1) at = at[name] ??= {}
    else at = (at[name] = [...(at[name] ?? []), {}]).at(-1)
  }
  return at
}

function valueOf(text) {
  const json = text.replace(/"(?:[^"\\]|\\.)*"|#.*$|([\w-]+)\s*=|(\d)_(?=\d)/g, (whole, key, digit) => (key !== undefined ? `"${key}":` : digit ?? (whole.startsWith('#') ? '' : whole)))
  try {
    return JSON.parse(json)
  } catch {
    return text
  }
}
